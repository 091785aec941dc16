// Segments into a SourceBuffer: in order, in one piece where they can, and out again when they have been played.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./fake.mjs";

const { TrackBuffer, intersection } = await load("track-buffer");

/** A SourceBuffer that does one thing at a time, when `done` is called. Its content is what `end` says. */
class FakeBuffer extends EventTarget {
  mode = "segments";
  updating = false;
  log = [];
  full = 0;
  start = 0;
  end = 0;
  #offset = 0;
  get timestampOffset() {
    return this.#offset;
  }
  set timestampOffset(offset) {
    assert.ok(!this.updating);
    this.#offset = offset;
    this.log.push(`offset ${offset}`);
  }
  get buffered() {
    return { length: this.end > this.start ? 1 : 0, start: () => this.start, end: () => this.end };
  }
  appendBuffer(data) {
    assert.ok(!this.updating);
    if (this.full > 0) {
      this.full--;
      throw Object.assign(new Error("full"), { name: "QuotaExceededError" });
    }
    this.updating = true;
    this.log.push(`append ${[...new Uint8Array(data)].join()}`);
  }
  remove(from, to) {
    assert.ok(!this.updating);
    this.updating = true;
    this.start = to;
    this.log.push(`remove ${from} ${to}`);
  }
  changeType(type) {
    this.log.push(`type ${type}`);
  }
  done() {
    while (this.updating) {
      this.updating = false;
      this.dispatchEvent(new Event("updateend"));
    }
  }
}

function track(type = "video/mp4") {
  const buffer = new FakeBuffer();
  const heard = [];
  const owner = { changed() {}, full: () => heard.push("full"), failed: (reason) => heard.push(reason) };
  return { buffer, heard, track: new TrackBuffer(buffer, type, owner) };
}

const bytes = (...values) => new Uint8Array(values).buffer;
const media = (start, value, keyframe = false) => ({ start, duration: 1, keyframe, data: bytes(value) });

test("what waits is appended in one piece, up to the next initialization", () => {
  const { buffer, track: video } = track();
  video.push({ mimeType: "video/mp4", data: bytes(0) });
  for (const value of [1, 2, 3]) video.push(media(value, value));
  video.push({ mimeType: "video/webm", data: bytes(9) });
  video.push(media(4, 4));
  assert.deepEqual(buffer.log, ["append 0"]);
  buffer.done();
  assert.deepEqual(buffer.log, ["append 0", "append 1,2,3", "type video/webm", "append 9", "append 4"]);
});

test("what was played goes back to a keyframe before the position, when it is worth it", () => {
  const { buffer, track: video } = track();
  for (let i = 0; i < 20; i++) {
    video.push(media(i, i, i % 4 === 0));
    buffer.done();
  }
  buffer.end = 20;
  buffer.log = [];
  video.forget(4.5);
  assert.deepEqual(buffer.log, []);
  video.forget(10.5);
  assert.deepEqual(buffer.log, ["remove 0 8"]);
  buffer.done();
  video.forget(13.5);
  assert.deepEqual(buffer.log, ["remove 0 8"]);
});

test("an append that finds no room is tried again once there is some", () => {
  const { buffer, heard, track: video } = track();
  video.push(media(0, 1, true));
  video.push(media(8, 2, true));
  buffer.done();
  buffer.end = 10;
  buffer.full = 1;
  video.push(media(9, 3));
  assert.deepEqual(heard, ["full"]);
  assert.ok(video.makeRoom(9));
  buffer.done();
  assert.deepEqual(buffer.log.slice(-2), ["remove 0 8", "append 3"]);
});

test("without room to make, it says so", () => {
  assert.equal(track().track.makeRoom(5), false);
});

test("frames without boxes are told where they start, at first and after a gap", () => {
  const { buffer, track: audio } = track("audio/mpeg");
  assert.equal(buffer.mode, "sequence");
  audio.push({ mimeType: "audio/mpeg", data: bytes() });
  for (const start of [5, 6, 9, 10]) {
    audio.push(media(start, start, true));
    buffer.done();
  }
  assert.deepEqual(buffer.log, ["offset 5", "append 5", "append 6", "offset 9", "append 9", "append 10"]);
});

test("what all tracks have", () => {
  const audio = [[0, 4], [6, 9]];
  const video = [[1, 7], [8, 12]];
  assert.deepEqual(intersection([audio, video]), [[1, 4], [6, 7], [8, 9]]);
  assert.deepEqual(intersection([audio]), audio);
  assert.deepEqual(intersection([]), []);
});
