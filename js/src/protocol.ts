/**
 * What the page and its Worker say to each other. One Worker serves one NetConnection; `stream` is the page's number for a NetStream.
 * Times are milliseconds unless a name says otherwise; instants are `performance.timeOrigin + performance.now()`.
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

/** From the page to the Worker. */
export type ToWorker =
  | { type: "init"; wasmUrl: string; aacUrl: string }
  | { type: "connect"; url: string; args: unknown[]; pageUrl: string; objectEncoding: 0 | 3 }
  | { type: "close" }
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
  /* Playing: where pictures and sound go. */
  | { type: "canvas"; stream: number; canvas: OffscreenCanvas }
  | { type: "audioOutput"; stream: number; port: MessagePort; sampleRate: number; outputLatency: number }
  | { type: "audioOutputState"; stream: number; running: boolean; outputLatency: number }
  /* Publishing: where pictures and sound come from. A `readable` where MediaStreamTrackProcessor exists, else frames and a worklet's port. */
  | { type: "videoSource"; stream: number; settings: VideoSettings; readable?: ReadableStream<VideoFrame> }
  | { type: "videoFrame"; stream: number; frame: VideoFrame }
  | { type: "audioSource"; stream: number; settings: AudioSettings; readable?: ReadableStream<AudioData>; port?: MessagePort }
  | { type: "videoSettings"; stream: number; settings: VideoSettings }
  | { type: "sourceEnded"; stream: number; kind: "audio" | "video" }
  | { type: "visibility"; hidden: boolean };

/** From the Worker to the page. */
export type FromWorker =
  | { type: "ready" }
  | { type: "status"; stream?: number; info: StatusInfo }
  | { type: "callResult"; call: number; value?: unknown; error?: unknown }
  /** The peer calls a handler of `client`; answer with "reply" when `reply` is there. */
  | { type: "invoke"; stream?: number; name: string; args: unknown[]; reply?: number }
  | { type: "videoSize"; stream: number; width: number; height: number }
  | { type: "stats"; stream: number; stats: StreamStats }
  | { type: "fatal"; message: string };

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

/**
 * Through the playback worklet's port. Worker to worklet: planar samples that sound from `timestamp` (media ms) on, transferred.
 * Worklet to Worker: what was sounding at `currentFrame`.
 */
export type ToWorklet =
  | { type: "samples"; timestamp: number; channels: Float32Array[] }
  | { type: "rate"; rate: number }
  | { type: "flush" };
export type FromWorklet = { type: "rendered"; timestamp: number; currentFrame: number; queued: number };

/** Through the capture worklet's port to the Worker: planar samples and the AudioContext frame of the first. */
export type FromCaptureWorklet = { type: "samples"; currentFrame: number; channels: Float32Array[] };
