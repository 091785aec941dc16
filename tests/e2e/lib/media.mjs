// What the fake camera sees and the fake microphone hears, made so that a machine can read it back from a player's surface.

import { createWriteStream, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";

export const WIDTH = 320;
export const HEIGHT = 240;
export const RATE = 30;
/** The camera's picture repeats after this many frames. */
export const FRAMES = 300;
/** A flash and a beep start each second. */
export const BEEP_HZ = 1000;
const BEEP_SECONDS = 0.1;
const SAMPLE_RATE = 48000;
const BITS = 16;

/** The y4m file for `--use-file-for-fake-video-capture`: the frame number as a barcode, a flash each second, a moving bar. */
export async function cameraFile(dir) {
  const path = join(dir, `camera-${WIDTH}x${HEIGHT}-${RATE}-${FRAMES}.y4m`);
  if (existsSync(path)) return path;
  mkdirSync(dir, { recursive: true });
  const partial = `${path}.${process.pid}`;
  const out = createWriteStream(partial);
  out.write(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F${RATE}:1 Ip A1:1 C420jpeg\n`);
  for (let n = 0; n < FRAMES; n++) {
    out.write("FRAME\n");
    if (!out.write(picture(n))) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
  renameSync(partial, path);
  return path;
}

function picture(n) {
  const luma = WIDTH * HEIGHT;
  const data = Buffer.alloc(luma * 1.5, 128);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) data[y * WIDTH + x] = pixel(n, x, y);
  }
  return data;
}

// Rows 0 to 1/6: the number's bits, most significant first; to 2/6: their complement, so that a torn or blank picture reads as nothing.
function pixel(n, x, y) {
  if (y < HEIGHT / 3) {
    const bit = (n >> (BITS - 1 - Math.floor((x * BITS) / WIDTH))) & 1;
    return bit === (y < HEIGHT / 6 ? 1 : 0) ? 235 : 16;
  }
  if (y >= (HEIGHT * 2) / 3) return n % RATE < 3 ? 235 : 16;
  return Math.abs(x - ((n * 4) % WIDTH)) < 12 ? 200 : 60 + ((x + y) >> 3);
}

/** The WAV file for `--use-file-for-fake-audio-capture`: a 0.1 s beep of `BEEP_HZ` at the start of each second. */
export function microphoneFile(dir) {
  const path = join(dir, `microphone-${BEEP_HZ}.wav`);
  if (existsSync(path)) return path;
  mkdirSync(dir, { recursive: true });
  const samples = SAMPLE_RATE * 10;
  const wav = Buffer.alloc(44 + samples * 2);
  wav.write("RIFF", 0);
  wav.writeUInt32LE(36 + samples * 2, 4);
  wav.write("WAVEfmt ", 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(SAMPLE_RATE, 24);
  wav.writeUInt32LE(SAMPLE_RATE * 2, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write("data", 36);
  wav.writeUInt32LE(samples * 2, 40);
  for (let i = 0; i < samples; i++) {
    const inSecond = (i % SAMPLE_RATE) / SAMPLE_RATE;
    const value = inSecond < BEEP_SECONDS ? Math.sin(2 * Math.PI * BEEP_HZ * inSecond) * 0.6 : 0;
    wav.writeInt16LE(Math.round(value * 32767), 44 + i * 2);
  }
  writeFileSync(path, wav);
  return path;
}
