import type { VideoSettings } from "../protocol.js";
import { Input } from "./input.js";
import { bitrate, even } from "./encoding-cost.js";
import type { Device } from "./refusal.js";

/** What Camera and Screen have in common: size, frame rate, and what publishing may cost. */
export abstract class VideoInput extends Input {
  #width: number;
  #height: number;
  #fps: number;
  #bandwidth = 0;
  #quality = 0;
  #keyFrameInterval = 0;

  /** @internal */
  constructor(device: Device, width: number, height: number, fps: number) {
    super(device);
    this.#width = width;
    this.#height = height;
    this.#fps = fps;
  }

  /** Pixels: what the track gives, or what was asked for while there is none. */
  get width(): number {
    return this.track?.getSettings().width ?? this.#width;
  }

  get height(): number {
    return this.track?.getSettings().height ?? this.#height;
  }

  /** Frames per second, as asked for. */
  get fps(): number {
    return this.#fps;
  }

  /** Bytes per second, as asked for; 0 leaves it to size and frame rate. */
  get bandwidth(): number {
    return this.#bandwidth;
  }

  /** 0 to 100, as asked for. */
  get quality(): number {
    return this.#quality;
  }

  /** Frames between keyframes. */
  get keyFrameInterval(): number {
    return this.#keyFrameInterval || Math.round(2 * this.#fps);
  }

  /** Asks for a size in pixels and a frame rate; the browser gives the nearest it has. */
  setMode(width: number, height: number, fps: number, _favorArea = true): void {
    this.#width = positive(width, "width");
    this.#height = positive(height, "height");
    this.#fps = positive(fps, "fps");
    void this.track?.applyConstraints(this.constraints()).catch(() => {});
    this.#changed();
  }

  /**
   * Bounds what the picture may cost: `bandwidth` in bytes per second (0: whatever `quality` needs), `quality` from 1 to 100
   * (0: whatever `bandwidth` allows).
   */
  setQuality(bandwidth: number, quality: number): void {
    this.#bandwidth = Math.max(0, Number(bandwidth) || 0);
    this.#quality = Math.min(100, Math.max(0, Number(quality) || 0));
    this.#changed();
  }

  /** Frames from one keyframe to the next, at least 1; without it one comes every two seconds. */
  setKeyFrameInterval(frames: number): void {
    this.#keyFrameInterval = Math.round(positive(frames, "keyFrameInterval"));
    this.#changed();
  }

  /** @internal */
  constraints(): MediaTrackConstraints {
    return { width: { ideal: this.#width }, height: { ideal: this.#height }, frameRate: { ideal: this.#fps } };
  }

  /** @internal What the encoder is asked for: at most the size asked for, in the shape the track has, in even pixels. */
  settings(track: MediaStreamTrack): VideoSettings {
    const actual = track.getSettings();
    const width = actual.width ?? this.#width;
    const height = actual.height ?? this.#height;
    const scale = Math.min(1, this.#width / width, this.#height / height);
    const size = { width: even(width * scale), height: even(height * scale) };
    return {
      ...size,
      frameRate: this.#fps,
      bitrate: bitrate(size.width * size.height * this.#fps, this.#bandwidth, this.#quality),
      keyFrameInterval: this.keyFrameInterval / this.#fps,
    };
  }

  #changed(): void {
    this.dispatchEvent(new Event("settings"));
  }
}

function positive(value: number, name: string): number {
  if (!(Number(value) > 0)) throw new RangeError(`${name} must be more than 0, and is ${value}`);
  return Number(value);
}
