/**
 * Picture-in-picture, where the browser floats videos (`document.pictureInPictureEnabled`). A canvas is floated as the video of its own
 * captured stream, which in Chromium goes on while the page is hidden.
 */
export class Floating {
  readonly #changed: () => void;
  #video: HTMLVideoElement | null = null;
  /** Where `captureStream` throws for a canvas that is drawn in a Worker, there is nothing to offer. */
  #refused = false;

  /** `changed` is called when `on`, or what is available, may have. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Whether the picture floats. */
  get on(): boolean {
    return this.#video !== null;
  }

  /** Whether `surface` can be floated here. */
  available(surface: HTMLCanvasElement | HTMLVideoElement | null): boolean {
    if (!surface || this.#refused || !document.pictureInPictureEnabled) return false;
    return surface instanceof HTMLVideoElement || typeof surface.captureStream === "function";
  }

  /** Inside a gesture: floats `surface`, or brings the picture back. */
  toggle(surface: HTMLCanvasElement | HTMLVideoElement | null): void {
    if (this.on) this.close();
    else if (surface && this.available(surface)) void this.#open(surface);
  }

  /** Another surface has taken the place of the one that floats, and has its first picture. */
  follow(surface: HTMLCanvasElement | HTMLVideoElement | null): void {
    const video = this.#video;
    if (!video || !surface || surface === video) return;
    if (surface instanceof HTMLCanvasElement && video.srcObject) void this.#feed(video, surface);
    else void this.#open(surface);
  }

  close(): void {
    if (this.#video) void document.exitPictureInPicture().catch(() => {});
    this.#left();
  }

  async #open(surface: HTMLCanvasElement | HTMLVideoElement): Promise<void> {
    const video = surface instanceof HTMLVideoElement ? surface : document.createElement("video");
    try {
      if (surface instanceof HTMLCanvasElement) await this.#feed(video, surface);
      await video.requestPictureInPicture();
    } catch {
      // What the user, or the page's policy, does not allow is not asked for again; the button goes.
      this.#refused = true;
      this.#changed();
      return;
    }
    this.#video = video;
    video.addEventListener("leavepictureinpicture", () => this.#video === video && this.#left(), { once: true });
    this.#changed();
  }

  async #feed(video: HTMLVideoElement, canvas: HTMLCanvasElement): Promise<void> {
    video.muted = true;
    video.playsInline = true;
    video.srcObject = canvas.captureStream();
    await video.play();
  }

  #left(): void {
    const video = this.#video;
    this.#video = null;
    // The stream's own video goes on in the page; the copy of a canvas is not needed any more.
    if (video?.srcObject instanceof MediaStream && !video.isConnected) {
      for (const track of video.srcObject.getTracks()) track.stop();
      video.srcObject = null;
    }
    this.#changed();
  }
}
