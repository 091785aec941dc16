// FLV files of codecs and shapes that the ffmpeg here does not write: Enhanced RTMP's video and audio tags, tracks that begin late, sizes that change.
// Written from the specifications alone, so that it shares no mistake with the core.

import { execFileSync } from "node:child_process";
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RATE, cameraFile, microphoneFile } from "./media.mjs";

const VIDEO = {
  h264: ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2"],
  hevc: ["-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-x265-params", "log-level=error"],
  vp9: ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "500k"],
  av1: ["-c:v", "libsvtav1", "-preset", "12", "-b:v", "500k", "-svtav1-params", "pred-struct=1"],
};
const AUDIO = {
  aac: ["-c:a", "aac", "-b:a", "64k"],
  opus: ["-c:a", "libopus", "-b:a", "64k"],
  mp3: ["-c:a", "libmp3lame", "-b:a", "64k", "-ar", "44100"],
};
const FOURCC = { hevc: "hvc1", vp9: "vp09", av1: "av01", opus: "Opus" };

/**
 * Ten seconds of the camera and the microphone as an FLV file for `chalkcast publish`. `video` and `audio` name a codec, or are null for none;
 * `videoFrom` and `audioFrom` are the seconds at which each begins; of two `sizes` the second comes after five seconds.
 */
export async function formatFile(dir, { video = "h264", audio = "aac", videoFrom = 0, audioFrom = 0, sizes = [[320, 240]] }) {
  const shape = [video, audio, videoFrom, audioFrom, sizes.map((size) => size.join("x")).join("-")].join("-");
  const path = join(dir, `format-${shape}.flv`);
  if (existsSync(path)) return path;
  const tags = [];
  for (const [i, size] of video ? sizes.entries() : []) {
    const part = 10 / sizes.length;
    const from = ["-ss", String(i * part), "-t", String(part), "-i", await cameraFile(dir, size)];
    tags.push(...videoTags(video, encode(dir, [...from, ...VIDEO[video], "-g", String(RATE), "-pix_fmt", "yuv420p"]), i * part * 1000));
  }
  if (audio) tags.push(...audioTags(audio, encode(dir, ["-i", microphoneFile(dir), ...AUDIO[audio], "-ac", "1"])));
  const kept = tags.filter(({ type, at, header }) => header || at >= (type === 9 ? videoFrom : audioFrom) * 1000);
  kept.sort((a, b) => a.at - b.at);
  writeFileSync(`${path}.partial`, flv(kept, { video, audio }));
  renameSync(`${path}.partial`, path);
  return path;
}

/** The same in two codecs of Flash's, Sorenson H.263 and Nellymoser, which ffmpeg writes by itself. */
export async function flashFile(dir) {
  const path = join(dir, "format-flash.flv");
  if (existsSync(path)) return path;
  const inputs = ["-t", "10", "-i", await cameraFile(dir, [320, 240]), "-t", "10", "-i", microphoneFile(dir)];
  const codecs = ["-c:v", "flv", "-c:a", "nellymoser", "-ar", "22050", "-ac", "1", "-f", "flv"];
  execFileSync("ffmpeg", ["-nostdin", "-y", "-loglevel", "error", ...inputs, ...codecs, `${path}.partial`], { stdio: "inherit" });
  renameSync(`${path}.partial`, path);
  return path;
}

/** What ffmpeg makes of it in an MP4: the decoder's record, and the packets with their times in milliseconds. */
function encode(dir, args) {
  const path = join(dir, `format-${process.pid}.mp4`);
  execFileSync("ffmpeg", ["-nostdin", "-y", "-loglevel", "error", ...args, path], { stdio: "inherit" });
  const probe = ["-v", "error", "-show_streams", "-show_packets", "-show_data", "-of", "json", path];
  const { streams, packets } = JSON.parse(execFileSync("ffprobe", probe, { maxBuffer: 2 ** 28 }));
  return {
    record: bytes(streams[0].extradata ?? ""),
    packets: packets.map(({ dts_time, pts_time, flags, data }) => ({
      dts: Math.round(dts_time * 1000),
      pts: Math.round(pts_time * 1000),
      key: flags.startsWith("K"),
      data: bytes(data),
    })),
  };
}

/** The bytes of ffprobe's dump: an offset, eight groups of four digits, the characters. */
function bytes(dump) {
  const digits = dump.split("\n").map((line) => line.slice(10, 50).replaceAll(" ", ""));
  return Buffer.from(digits.join(""), "hex");
}

function videoTags(codec, { record, packets }, offset) {
  const first = packets[0].dts;
  const header = codec === "vp9" ? vp9Record() : record;
  return [
    { type: 9, at: offset, header: true, data: videoTag(codec, 1, 0, 0, header) },
    ...packets.map(({ dts, pts, key, data }) => ({ type: 9, at: offset + dts - first, data: videoTag(codec, key ? 1 : 2, 1, pts - dts, data) })),
  ];
}

/** Legacy AVCVIDEOPACKET (FLV 10.1 E.4.3.1) for H.264, else ExVideoTagHeader (Enhanced RTMP v1): a sequence header or a coded frame. */
function videoTag(codec, frameType, packetType, compositionTime, data) {
  const composition = Buffer.alloc(3);
  composition.writeIntBE(compositionTime, 0, 3);
  if (codec === "h264") return Buffer.concat([Buffer.from([(frameType << 4) | 7, packetType]), composition, data]);
  const head = Buffer.concat([Buffer.from([0x80 | (frameType << 4) | packetType]), Buffer.from(FOURCC[codec])]);
  return Buffer.concat(codec === "hevc" && packetType === 1 ? [head, composition, data] : [head, data]);
}

/** VPCodecConfigurationRecord: profile 0, level 2, 8 bits 4:2:0, BT.709. */
function vp9Record() {
  return Buffer.from([1, 0, 0, 0, 0, 20, 0x82, 1, 1, 1, 0, 0]);
}

function audioTags(codec, { record, packets }) {
  const first = packets[0].dts;
  const head = codec === "opus" ? opusHead() : record;
  const header = codec === "mp3" ? [] : [{ type: 8, at: 0, header: true, data: audioTag(codec, 0, head) }];
  return [...header, ...packets.map(({ dts, data }) => ({ type: 8, at: dts - first, data: audioTag(codec, 1, data) }))];
}

/** AUDIODATA (FLV 10.1 E.4.2.1) for AAC and MP3, else ExAudioTagHeader (Enhanced RTMP v2). */
function audioTag(codec, packetType, data) {
  if (codec === "aac") return Buffer.concat([Buffer.from([0xaf, packetType]), data]);
  // MP3, 44 kHz, 16 bits, one channel.
  if (codec === "mp3") return Buffer.concat([Buffer.from([0x2e]), data]);
  return Buffer.concat([Buffer.from([0x90 | packetType]), Buffer.from(FOURCC[codec]), data]);
}

/** RFC 7845 §5.1: version 1, one channel, 312 samples of pre-skip, from 48 kHz. */
function opusHead() {
  const head = Buffer.alloc(19);
  head.write("OpusHead");
  head[8] = 1;
  head[9] = 1;
  head.writeUInt16LE(312, 10);
  head.writeUInt32LE(48_000, 12);
  return head;
}

/** FLV 10.1 E.2 to E.4.1. */
function flv(tags, { video, audio }) {
  const parts = [Buffer.from([0x46, 0x4c, 0x56, 1, (audio ? 4 : 0) | (video ? 1 : 0), 0, 0, 0, 9, 0, 0, 0, 0])];
  for (const { type, at, data } of tags) {
    const header = Buffer.alloc(11);
    header[0] = type;
    header.writeUIntBE(data.length, 1, 3);
    header.writeUIntBE(at & 0xffffff, 4, 3);
    const previous = Buffer.alloc(4);
    previous.writeUInt32BE(11 + data.length);
    parts.push(header, data, previous);
  }
  return Buffer.concat(parts);
}
