import type { Camera } from "./camera.js";
import { release, type View } from "./mse-output.js";
import type { NetStream } from "./net-stream.js";
import type { Screen } from "./screen.js";

/** Frames to wait for a new canvas to show something; its picture may really be black. */
const PATIENCE = 60;
/** The same where nobody looks whether it does. */
const BLIND_PATIENCE = 10;
/**
 * In Firefox, who reads a canvas that is in a Worker waits for the Worker's answer, and a Worker that has just begun or has just changed the canvas's
 * size may be waiting for the page: then both stand still for 10 s (gfx.offscreencanvas.snapshot-timeout-ms), and what is read is empty.
 */
const READING_MAY_BLOCK = "mozInnerScreenX" in globalThis;
/** Milliseconds after which that is over. */
const YOUNG = 1000;

/**
 * A picture on the page: a stream's (`attachNetStream`) or a camera's own (`attachCamera`). Put `element` on the page.
 *
 * Inside `element` is the `surface` in use, a canvas or a video. Attaching another stream or changing its renderer brings a new
 * surface; `surfacechange` is dispatched, and the old picture stays below until the new one is there.
 */
export class Video extends EventTarget {
  /** A box of `width` by `height` CSS pixels that keeps the picture's shape. */
  readonly element: HTMLDivElement;

  #surface: HTMLCanvasElement | HTMLVideoElement | null = null;
  /** What the last picture is on, until the surface has one. */
  #old: HTMLCanvasElement | HTMLVideoElement | null = null;
  /** Whether the surface in use has had a picture: an empty one is not kept in place of one that has. */
  #pictured = false;
  /** Whether the surface in use is a copy of the last picture. */
  #copied = false;
  /** When the canvas in use last got its size. */
  #sized = 0;
  #stream: NetStream | null = null;
  #input: Camera | Screen | null = null;
  #width = 0;
  #height = 0;
  #smoothing = true;

  constructor(width = 320, height = 240) {
    super();
    this.element = document.createElement("div");
    this.element.className = "chalkcast-video";
    Object.assign(this.element.style, { position: "relative", display: "inline-block", overflow: "hidden" });
    this.width = width;
    this.height = height;
  }

  /** The canvas or video in use, null before anything is attached. */
  get surface(): HTMLCanvasElement | HTMLVideoElement | null {
    return this.#surface;
  }

  /** CSS pixels. */
  get width(): number {
    return this.#width;
  }

  set width(pixels: number) {
    this.#width = Number(pixels) || 0;
    this.element.style.width = `${this.#width}px`;
  }

  /** CSS pixels. */
  get height(): number {
    return this.#height;
  }

  set height(pixels: number) {
    this.#height = Number(pixels) || 0;
    this.element.style.height = `${this.#height}px`;
  }

  /** Whether a picture shown larger than it is is smoothed rather than shown as squares. On by default. */
  get smoothing(): boolean {
    return this.#smoothing;
  }

  set smoothing(on: boolean) {
    this.#smoothing = Boolean(on);
    this.#style();
  }

  /** The picture's own size in pixels, 0 before the first. `resize` is dispatched when it changes. */
  get videoWidth(): number {
    return this.#input && this.#surface instanceof HTMLVideoElement ? this.#surface.videoWidth : (this.#stream?.videoWidth ?? 0);
  }

  get videoHeight(): number {
    return this.#input && this.#surface instanceof HTMLVideoElement ? this.#surface.videoHeight : (this.#stream?.videoHeight ?? 0);
  }

  /** Shows what `stream` plays; null takes it away and keeps the last picture. */
  attachNetStream(stream: NetStream | null): void {
    this.#detach();
    this.#stream = stream;
    if (!stream) return;
    stream.addEventListener("resize", this.#resized);
    stream.addEventListener("ended", this.#keep);
    stream.showOn(this.#view);
  }

  /** Shows the picture of `camera` as it is here, before it is encoded; null takes it away. */
  attachCamera(camera: Camera | Screen | null): void {
    this.#detach();
    this.#input = camera;
    if (!camera) {
      this.clear();
      return;
    }
    const video = document.createElement("video");
    video.autoplay = true;
    video.muted = true;
    video.playsInline = true;
    video.addEventListener("resize", () => {
      if (this.#surface !== video) return;
      this.#view.pictured();
      this.#resized();
    });
    this.#use(video);
    camera.addEventListener("open", this.#opened);
    camera.addEventListener("change", this.#reopen);
    camera.open().then(this.#opened, () => {});
  }

  /** Takes the last picture away. */
  clear(): void {
    discard(this.#surface);
    discard(this.#old);
    this.#surface = null;
    this.#old = null;
    this.#pictured = false;
    this.dispatchEvent(new Event("surfacechange"));
  }

  /** The camera has a track: now, again after a change, or when the user has allowed it after all. */
  readonly #opened = (): void => {
    const track = this.#input?.track;
    if (!track || !(this.#surface instanceof HTMLVideoElement)) return;
    this.#surface.srcObject = new MediaStream([track]);
    void this.#surface.play().catch(() => {});
  };

  /** A refusal is reported by the camera itself. */
  readonly #reopen = (): void => {
    this.#input?.release();
    this.#input?.open().catch(() => {});
  };

  readonly #view: View = {
    use: (surface) => this.#use(surface),
    pictured: () => {
      this.#pictured = true;
      this.#sized = performance.now();
      this.#uncover();
    },
    keep: (picture) => this.#replace(picture, picture.displayWidth, picture.displayHeight),
  };

  readonly #resized = (): void => {
    this.dispatchEvent(new Event("resize"));
  };

  /** The engine has gone without a last word: Firefox takes a canvas's picture away with the Worker that drew it, so a copy takes its place. */
  readonly #keep = (): void => {
    const surface = this.#surface;
    if (this.#copied || !(surface instanceof HTMLCanvasElement)) return;
    if (READING_MAY_BLOCK && performance.now() - this.#sized < YOUNG) return;
    this.#replace(surface, surface.width, surface.height);
  };

  #replace(picture: CanvasImageSource, width: number, height: number): void {
    if (!this.#pictured) return;
    const shown = this.#surface;
    // The engine's own last picture follows a copy made here; it is the better one, and needs no other surface.
    const copy = this.#copied && shown instanceof HTMLCanvasElement ? shown : document.createElement("canvas");
    [copy.width, copy.height] = [width, height];
    copy.getContext("2d")?.drawImage(picture, 0, 0);
    if (copy === shown) return;
    shown?.replaceWith(copy);
    this.#surface = copy;
    this.#copied = true;
    this.#style();
    this.dispatchEvent(new Event("surfacechange"));
  }

  /** The new picture takes the place of the old once it has come through to the page, which is some frames after it was announced. */
  #uncover(patience = READING_MAY_BLOCK ? BLIND_PATIENCE : PATIENCE): void {
    const [surface, old] = [this.#surface, this.#old];
    if (!surface || !old) return;
    requestAnimationFrame(() => {
      if (this.#old !== old || this.#surface !== surface) return;
      if (patience > 0 && (READING_MAY_BLOCK || isBlack(surface))) return this.#uncover(patience - 1);
      surface.style.visibility = "";
      requestAnimationFrame(() => {
        discard(old);
        if (this.#old === old) this.#old = null;
      });
    });
  }

  #use(surface: HTMLCanvasElement | HTMLVideoElement): void {
    if (surface === this.#surface) return;
    if (this.#pictured) {
      discard(this.#old);
      this.#old = this.#surface;
    } else {
      // It never had a picture: what is below it still has the last one.
      discard(this.#surface);
    }
    this.#pictured = false;
    this.#copied = false;
    this.#surface = surface;
    this.#style();
    // A canvas is black before its first picture.
    if (this.#old) surface.style.visibility = "hidden";
    this.element.append(surface);
    this.dispatchEvent(new Event("surfacechange"));
  }

  #style(): void {
    if (!this.#surface) return;
    Object.assign(this.#surface.style, {
      position: "absolute",
      inset: "0",
      width: "100%",
      height: "100%",
      objectFit: "contain",
      imageRendering: this.#smoothing ? "auto" : "pixelated",
    });
  }

  #detach(): void {
    this.#stream?.removeEventListener("resize", this.#resized);
    this.#stream?.removeEventListener("ended", this.#keep);
    this.#stream?.showOn(null);
    this.#stream = null;
    this.#input?.removeEventListener("open", this.#opened);
    this.#input?.removeEventListener("change", this.#reopen);
    this.#input?.release();
    this.#input = null;
  }
}

/** Takes a surface off the page, for good. */
function discard(surface: HTMLCanvasElement | HTMLVideoElement | null): void {
  surface?.remove();
  if (surface instanceof HTMLVideoElement) release(surface);
}

/** Whether nothing is to be seen on a surface; a canvas is black before its first picture. */
function isBlack(surface: HTMLCanvasElement | HTMLVideoElement): boolean {
  const sample = document.createElement("canvas");
  sample.width = sample.height = 16;
  const context = sample.getContext("2d", { willReadFrequently: true });
  if (!context || surface instanceof HTMLVideoElement) return false;
  // A canvas's own size, before it is given a picture's.
  if (surface.width === 300 && surface.height === 150) return true;
  context.drawImage(surface, 0, 0, 16, 16);
  return context.getImageData(0, 0, 16, 16).data.every((value, i) => i % 4 === 3 || value === 0);
}
