// What the fake camera sees and the fake microphone hears, made so that a machine can read it back from a player's surface.

import { spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";

export const RATE = 30;
/** The camera's picture repeats after this many frames. */
export const FRAMES = 300;
/** A flash and a beep start each second. */
export const BEEP_HZ = 1000;
const BEEP_SECONDS = 0.1;
const SAMPLE_RATE = 48000;
const BITS = 16;

/** The y4m file for `--use-file-for-fake-video-capture`: the frame number as a barcode, a flash each second, a moving bar. */
export async function cameraFile(dir, [width, height]) {
  const path = join(dir, `camera-${width}x${height}-${RATE}-${FRAMES}.y4m`);
  if (existsSync(path)) return path;
  mkdirSync(dir, { recursive: true });
  const partial = `${path}.${process.pid}`;
  const out = createWriteStream(partial);
  out.write(`YUV4MPEG2 W${width} H${height} F${RATE}:1 Ip A1:1 C420jpeg\n`);
  for (let n = 0; n < FRAMES; n++) {
    out.write("FRAME\n");
    if (!out.write(picture(n, width, height))) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
  renameSync(partial, path);
  return path;
}

/** What camera and microphone give, as an FLV file of `seconds`, ten or a multiple: H.264 with a keyframe each second, AAC. */
export async function lessonFile(dir, { seconds = 10 } = {}) {
  const path = join(dir, `lesson-${RATE}-${FRAMES}-${seconds}.flv`);
  if (existsSync(path)) return path;
  const again = ["-stream_loop", String(seconds / 10 - 1), "-i"];
  const inputs = [...again, await cameraFile(dir, [320, 240]), ...again, microphoneFile(dir)];
  // The barcodes need little; filler data makes the 1.5 Mbit/s of an ordinary lesson.
  const rate = ["-b:v", "1500k", "-minrate", "1500k", "-maxrate", "1500k", "-bufsize", "750k", "-nal-hrd", "cbr"];
  const video = ["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", String(RATE), ...rate];
  const partial = `${path}.${process.pid}`;
  const args = ["-nostdin", "-y", "-loglevel", "error", ...inputs, ...video, "-c:a", "aac", "-b:a", "64k", "-t", String(seconds), "-f", "flv", partial];
  const [code] = await once(spawn("ffmpeg", args, { stdio: "inherit" }), "close");
  if (code !== 0) throw new Error(`ffmpeg could not make ${path}: ${code}`);
  renameSync(partial, path);
  return path;
}

function picture(n, width, height) {
  const data = Buffer.alloc(width * height * 1.5, 128);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data[y * width + x] = luma(n, x / width, y / height);
  }
  return data;
}

// The upper sixth: the number's bits, most significant first; the next: their complement, so that a torn or blank picture reads as nothing.
function luma(n, x, y) {
  if (y < 1 / 3) {
    const bit = (n >> (BITS - 1 - Math.floor(x * BITS))) & 1;
    return bit === (y < 1 / 6 ? 1 : 0) ? 235 : 16;
  }
  if (y >= 2 / 3) return n % RATE < 3 ? 235 : 16;
  return Math.abs(x - ((n * 4) % 320) / 320) < 0.04 ? 200 : 60 + 60 * x;
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
