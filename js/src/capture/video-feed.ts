import type { ToWorker, VideoSettings } from "../protocol.js";

type Post = (message: ToWorker, transfer?: Transferable[]) => void;

/** Takes pictures from a track to the Worker: by MediaStreamTrackProcessor, or frame by frame where there is none. */
export class VideoFeed {
  readonly #stream: number;
  readonly #post: Post;
  /** Held because what it gave away stops when it is collected. */
  #processor: MediaStreamTrackProcessor<VideoFrame> | null = null;
  #element: HTMLVideoElement | null = null;
  #callback = 0;
  #minInterval = 0;
  #lastFrame = -Infinity;
  #closed = false;

  constructor(stream: number, post: Post) {
    this.#stream = stream;
    this.#post = post;
  }

  /** `settings` are asked for when the first frame is there. */
  async open(track: MediaStreamTrack, settings: () => VideoSettings): Promise<void> {
    const stream = this.#stream;
    if (typeof MediaStreamTrackProcessor === "function") {
      await frameOf(track);
      if (this.#closed) return;
      this.#processor = processorOf(track);
      const { readable } = this.#processor;
      this.#post({ type: "videoSource", stream, settings: settings(), readable }, [readable as unknown as Transferable]);
    } else {
      const now = settings();
      this.#post({ type: "videoSource", stream, settings: now });
      this.#pace(now);
      this.#watch(track);
    }
  }

  update(settings: VideoSettings): void {
    this.#pace(settings);
    this.#post({ type: "videoSettings", stream: this.#stream, settings });
  }

  close(): void {
    this.#closed = true;
    const element = this.#element;
    this.#element = null;
    element?.cancelVideoFrameCallback(this.#callback);
    element?.pause();
    if (element) element.srcObject = null;
    this.#processor = null;
    this.#post({ type: "sourceEnded", stream: this.#stream, kind: "video" });
  }

  #pace(settings: VideoSettings): void {
    // A little less than the interval, or frames that come a hair early are dropped every other time.
    this.#minInterval = 800 / settings.frameRate;
  }

  #watch(track: MediaStreamTrack): void {
    const element = document.createElement("video");
    element.muted = true;
    element.playsInline = true;
    element.srcObject = new MediaStream([track]);
    this.#element = element;
    const next = (now: number): void => {
      if (this.#element !== element) return;
      this.#callback = element.requestVideoFrameCallback(next);
      if (now - this.#lastFrame < this.#minInterval || element.videoWidth === 0) return;
      this.#lastFrame = now;
      const frame = new VideoFrame(element, { timestamp: Math.round((performance.timeOrigin + performance.now()) * 1000) });
      this.#post({ type: "videoFrame", stream: this.#stream, frame }, [frame]);
    };
    this.#callback = element.requestVideoFrameCallback(next);
    void element.play().catch(() => {});
  }
}

const processorOf = (track: MediaStreamTrack) => new MediaStreamTrackProcessor({ track: track as MediaStreamVideoTrack });

/**
 * Waits for a frame of the track, or a while. Chromium loses a frame that comes while a processor's stream moves to the Worker, and
 * counts it as lent to this page for good, of the two that it lends: the stream is moved right after a frame, with time until the next.
 */
async function frameOf(track: MediaStreamTrack): Promise<void> {
  const reader = processorOf(track).readable.getReader();
  const patience = setTimeout(() => void reader.cancel(), 100);
  const { value } = await reader.read();
  clearTimeout(patience);
  value?.close();
  void reader.cancel();
}
