/**
 * What the page and its Worker say to each other. One Worker serves one NetConnection; `stream` is the page's number for a NetStream.
 * Times are milliseconds unless a name says otherwise; instants are `performance.timeOrigin + performance.now()`.
 * What ActionScript has in seconds (`start`, `length`, `offset`, `bufferTime`, `bufferLength`, `time`) is seconds here too.
 * `args` and `value` are what a structured clone and AMF both know: null, undefined, boolean, number, string, Date, arrays, plain objects,
 * and with objectEncoding 3 Uint8Array.
 */

/** An ActionScript status: `level` is "status", "error" or "warning", `code` is e.g. "NetStream.Play.Start". */
export interface StatusInfo {
  level: "status" | "error" | "warning";
  code: string;
  description: string;
  [extra: string]: unknown;
}

/** What the camera or screen gives, as the publisher asked for it. */
export interface VideoSettings {
  width: number;
  height: number;
  frameRate: number;
  /** Bits per second. */
  bitrate: number;
  /** Seconds between keyframes. */
  keyFrameInterval: number;
}

export interface AudioSettings {
  sampleRate: number;
  channels: number;
  /** Bits per second. */
  bitrate: number;
  codec: "aac" | "opus";
}

/**
 * From the page to the Worker. "init" comes first and alone: the page holds back everything else until the Worker has said "ready"
 * (it may have to start it a second way), then sends it in the order it was asked for. A stream's messages wait for NetConnection.Connect.Success.
 */
export type ToWorker =
  /**
   * First. `publisherUrl` and `aacUrl` are ES modules like `publisher.ts` and `aac.ts`: imported when something is published, and when this browser does
   * not encode AAC itself.
   * `lock` names a Web Lock that the Worker holds as long as it lives.
   */
  | { type: "init"; wasmUrl: string; publisherUrl: string; aacUrl: string; lock: string }
  | { type: "connect"; url: string; args: unknown[]; pageUrl: string; objectEncoding: 0 | 3 }
  | { type: "close" }
  /** `call` 0: no result is wanted. */
  | { type: "call"; call: number; name: string; args: unknown[] }
  | { type: "reply"; reply: number; value?: unknown; error?: string }
  | { type: "createStream"; stream: number }
  | { type: "publish"; stream: number; name: string; kind: "live" | "record" | "append" }
  | { type: "play"; stream: number; name: string; start: number; length: number; reset: boolean | number }
  | { type: "closeStream"; stream: number }
  | { type: "deleteStream"; stream: number }
  | { type: "pause"; stream: number; paused: boolean }
  | { type: "seek"; stream: number; offset: number }
  | { type: "receiveAudio"; stream: number; on: boolean }
  | { type: "receiveVideo"; stream: number; on: boolean }
  | { type: "bufferTime"; stream: number; bufferTime: number; bufferTimeMax?: number }
  | { type: "send"; stream: number; name: string; args: unknown[] }
  /*
   * Playing: where pictures and sound go. The Worker gives the canvas its size. For sound, the page makes a "chalkcast-playback" node
   * (worklet.ts), hands one end of a MessageChannel to it by `node.port.postMessage({ type: "port", port }, [port])` and the other end here.
   * `audioOutputState` follows every change of the context's state and of its latency (milliseconds).
   */
  /** `null`: nothing shows this stream any more. */
  | { type: "canvas"; stream: number; canvas: OffscreenCanvas | null }
  | { type: "audioOutput"; stream: number; port: MessagePort; sampleRate: number; outputLatency: number }
  | { type: "audioOutputState"; stream: number; running: boolean; outputLatency: number }
  /**
   * What plays from here on: the Worker's decoders, or a video element of the page's that is given segments. `bareMp3`: the browser takes MP3
   * as `audio/mpeg`, without boxes.
   */
  | { type: "renderer"; stream: number; renderer: "webcodecs" | "mse"; bareMp3: boolean }
  /*
   * Playing by a video element. `mediaState` says some ten times a second what the element does at the instant `at`: `time` is its position and
   * `bufferLength` what is buffered ahead of it, in seconds; `fps`, `dropped` and `quota` (times the browser's memory was full) are for the figures.
   * `mediaFailed` ends the MediaSource `source`; the Worker begins another.
   */
  | ({ type: "mediaState"; stream: number; source: number } & MediaState)
  | { type: "mediaFailed"; stream: number; source: number }
  /*
   * Publishing: where pictures and sound come from. A `readable` where MediaStreamTrackProcessor exists; else `videoFrame`s, whose timestamp
   * is their capture instant in microseconds, and the port of a "chalkcast-capture" node, handed over as above. A second source replaces the first.
   */
  | { type: "videoSource"; stream: number; settings: VideoSettings; readable?: ReadableStream<VideoFrame> }
  | { type: "videoFrame"; stream: number; frame: VideoFrame }
  | { type: "audioSource"; stream: number; settings: AudioSettings; readable?: ReadableStream<AudioData>; port?: MessagePort }
  | { type: "videoSettings"; stream: number; settings: VideoSettings }
  | { type: "sourceEnded"; stream: number; kind: "audio" | "video" }
  | { type: "visibility"; hidden: boolean };

/** From the Worker to the page. */
export type FromWorker =
  /** `locked`: the lock is held, so that whoever gets it next knows the Worker to be gone. */
  | { type: "ready"; locked?: boolean }
  | { type: "status"; stream?: number; info: StatusInfo }
  | { type: "callResult"; call: number; value?: unknown; error?: unknown }
  /** The peer calls a handler of `client`; answer with "reply" when `reply` is there. */
  | { type: "invoke"; stream?: number; name: string; args: unknown[]; reply?: number }
  | { type: "videoSize"; stream: number; width: number; height: number }
  /** The last picture on the stream's canvas, before the stream ends. */
  | { type: "picture"; stream: number; frame: VideoFrame }
  | { type: "stats"; stream: number; stats: StreamStats }
  | ToMediaSource
  | { type: "fatal"; message: string };

/**
 * From the Worker, for a video element. "mediaSource" comes first: open one of these types, in another element than the last one's. Then segments in
 * the order to append: with `mimeType` an initialization segment (maybe of another type than the last), else media at `start`, in seconds.
 * "mediaClock" says that at the instant `at` the element should be at `time`, and play at `rate`; where `jump` is another than before, it has to go there.
 */
export type ToMediaSource =
  | { type: "mediaSource"; stream: number; source: number; audio?: string; video?: string }
  | ({ type: "mediaSegment"; stream: number; source: number; track: "audio" | "video" } & Segment)
  | { type: "mediaClock"; stream: number; source: number; at: number; time: number; rate: number; jump: number };

/** What to append to a SourceBuffer. `audio/mpeg` has no boxes: there `data` is empty with a `mimeType`, and `start` has to be told to the buffer. */
export interface Segment {
  mimeType?: string;
  start?: number;
  duration?: number;
  keyframe?: boolean;
  data: ArrayBuffer;
}

/** What a video element does. "still": held back, or on its way to another position. */
export interface MediaState {
  kind: "advancing" | "waiting" | "still";
  at: number;
  time: number;
  bufferLength: number;
  width: number;
  height: number;
  fps: number;
  dropped: number;
  quota: number;
  /** The clock's last jump that the element has followed. */
  jump: number;
}

/** Sent four times a second for each stream that plays or publishes. */
export interface StreamStats {
  role: "play" | "publish";
  /** Seconds, as ActionScript has it. */
  time: number;
  /** Seconds of media received and not yet shown. */
  bufferLength: number;
  /** Milliseconds between live and what is shown, as far as the player can know. */
  liveDelay?: number;
  width: number;
  height: number;
  fps: number;
  kbps: number;
  droppedFrames: number;
  [more: string]: number | string | undefined;
}

/** What the page says to either worklet node, once and first: the port to the Worker, over which everything below goes. */
export type ToWorkletNode = { type: "port"; port: MessagePort };

/**
 * Through the playback worklet's port, from the Worker: planar samples, transferred, that hold `duration` ms of media from `timestamp` (media ms) on.
 * The last of them were decoded from the RTMP tag of timestamp `tag`. They follow what is queued, or sound at context frame `at` if that is later.
 */
export type ToWorklet =
  | { type: "samples"; tag: number; timestamp: number; duration: number; at?: number; channels: Float32Array[] }
  /** Forget what is queued. */
  | { type: "flush" };

/**
 * From the playback worklet, some hundred times a second while its context runs: the media time that sounds at `currentFrame` (none: silence),
 * the frames queued behind it, and how often the queue has run dry. Where samples have come since the last report, `tag` is that of the first of
 * them, and `received` the context frame that they came in time for.
 */
export type FromWorklet = {
  type: "rendered";
  timestamp?: number | undefined;
  currentFrame: number;
  queued: number;
  underruns: number;
  tag?: number | undefined;
  received: number;
};

/** Through the capture worklet's port to the Worker: planar samples, the context frame of the first, and the context's rate. */
export type FromCaptureWorklet = { type: "samples"; currentFrame: number; sampleRate: number; channels: Float32Array[] };
