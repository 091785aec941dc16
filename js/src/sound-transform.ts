/** How loud a stream is. */
export class SoundTransform {
  /** 0 (silent) to 1 (as published). */
  readonly volume: number;

  constructor(volume = 1) {
    this.volume = Math.min(1, Math.max(0, Number(volume) || 0));
  }
}
