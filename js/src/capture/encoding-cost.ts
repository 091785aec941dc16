/** Bits a pixel that H.264 Baseline needs for moving pictures without visible blocks. */
const BITS_PER_PIXEL = 0.2;

/** Bits per second for so many pixels per second: `bandwidth` in bytes per second and `quality` from 1 to 100 each bound it; 0 leaves it free. */
export function bitrate(pixelRate: number, bandwidth: number, quality: number): number {
  const wanted = pixelRate * BITS_PER_PIXEL * ((quality || (bandwidth > 0 ? 100 : 60)) / 100);
  const allowed = bandwidth > 0 ? bandwidth * 8 : Infinity;
  return Math.round(Math.max(64_000, Math.min(wanted, allowed)));
}

/** The nearest even number of pixels, at least 2: 4:2:0 pictures have no others. */
export function even(pixels: number): number {
  return Math.max(2, 2 * Math.round(pixels / 2));
}
