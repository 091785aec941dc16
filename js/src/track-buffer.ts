import type { Segment } from "./protocol.js";

/** Seconds of what was played that are let go at once: removing costs more than keeping a little. */
const WORTH_REMOVING = 5;
/** Seconds behind the position that are kept, at least. */
const KEPT = 1;
/** Seconds by which the next frame of `audio/mpeg` may miss the end of the last. */
const SEAMLESS = 0.05;

/** What a TrackBuffer tells its owner. */
export interface TrackBufferOwner {
  /** Something was appended or removed. */
  changed(): void;
  /** The browser has no more memory for this; `buffer.makeRoom` is wanted. */
  full(): void;
  /** Nothing more can be appended. */
  failed(reason: string): void;
}

/** One SourceBuffer: what waits to be appended, and what has been played and can go. */
export class TrackBuffer {
  readonly #buffer: SourceBuffer;
  readonly #owner: TrackBufferOwner;
  #mimeType: string;
  #queue: Segment[] = [];
  #removals: [from: number, to: number][] = [];
  /** Where what is buffered can be cut. */
  #keyframes: number[] = [];
  /** Where the last frame of `audio/mpeg` ends. */
  #end: number | undefined;

  constructor(buffer: SourceBuffer, mimeType: string, owner: TrackBufferOwner) {
    this.#buffer = buffer;
    this.#mimeType = mimeType;
    this.#owner = owner;
    if (this.#bare) buffer.mode = "sequence";
    buffer.addEventListener("updateend", () => {
      this.#next();
      owner.changed();
    });
    buffer.addEventListener("error", () => owner.failed("the browser could not read a segment"));
  }

  /** Appends `segment` after all that were pushed before. */
  push(segment: Segment): void {
    this.#queue.push(segment);
    this.#next();
  }

  /** What is there, in seconds. */
  get ranges(): [start: number, end: number][] {
    const ranges: [number, number][] = [];
    try {
      const { buffered } = this.#buffer;
      for (let i = 0; i < buffered.length; i++) ranges.push([buffered.start(i), buffered.end(i)]);
    } catch {
      // The MediaSource has been closed.
    }
    return ranges;
  }

  /** Lets go what was played before `position`. */
  forget(position: number): void {
    const start = this.ranges[0]?.[0];
    const cut = this.#cut(position - KEPT);
    if (start === undefined || cut === undefined || cut - start < WORTH_REMOVING) return;
    this.#remove(0, cut);
  }

  /** Lets go everything before `position`, and all but the newest keyframe's pictures where that is nothing. Answers whether there was something. */
  makeRoom(position: number): boolean {
    const start = this.ranges[0]?.[0];
    if (start === undefined) return false;
    const cut = [this.#cut(position - 0.1), this.#cut(Infinity)].find((cut) => cut !== undefined && cut - start > 0.1);
    if (cut === undefined) return false;
    this.#remove(0, cut);
    return true;
  }

  /** Frames without boxes. */
  get #bare(): boolean {
    return this.#mimeType === "audio/mpeg";
  }

  #cut(position: number): number | undefined {
    return this.#keyframes.findLast((keyframe) => keyframe <= position);
  }

  #remove(from: number, to: number): void {
    this.#keyframes = this.#keyframes.filter((keyframe) => keyframe >= to);
    this.#removals.push([from, to]);
    this.#next();
  }

  /** Does the next thing, if the last one is done. */
  #next(): void {
    try {
      while (!this.#buffer.updating && this.#step());
    } catch (error) {
      if (error instanceof Error && error.name === "QuotaExceededError") this.#owner.full();
      else this.#owner.failed(String(error));
    }
  }

  /** Answers whether it did anything. */
  #step(): boolean {
    const removal = this.#removals.shift();
    if (removal) {
      this.#buffer.remove(...removal);
      return true;
    }
    const first = this.#queue[0];
    if (!first) return false;
    if (first.mimeType !== undefined) {
      if (first.mimeType !== this.#mimeType) this.#buffer.changeType(first.mimeType);
      this.#mimeType = first.mimeType;
      if (this.#bare) this.#buffer.mode = "sequence";
      if (first.data.byteLength > 0) this.#buffer.appendBuffer(first.data);
      this.#queue.shift();
      return true;
    }
    const run = this.#run();
    const start = first.start ?? 0;
    if (this.#bare && (this.#end === undefined || Math.abs(start - this.#end) > SEAMLESS)) this.#buffer.timestampOffset = start;
    this.#buffer.appendBuffer(run.length === 1 ? first.data : joined(run));
    // It is taken out of the queue only now: an append that finds no room is tried again.
    this.#queue.splice(0, run.length);
    for (const segment of run) {
      if (segment.keyframe) this.#keyframes.push(segment.start ?? 0);
      this.#end = (segment.start ?? 0) + (segment.duration ?? 0);
    }
    return true;
  }

  /** The segments that can be appended in one piece. */
  #run(): Segment[] {
    let count = 1;
    for (; count < this.#queue.length; count++) {
      const [before, segment] = [this.#queue[count - 1], this.#queue[count]];
      if (!before || !segment || segment.mimeType !== undefined) break;
      if (this.#bare && Math.abs((segment.start ?? 0) - (before.start ?? 0) - (before.duration ?? 0)) > SEAMLESS) break;
    }
    return this.#queue.slice(0, count);
  }
}

function joined(segments: Segment[]): Uint8Array<ArrayBuffer> {
  const size = segments.reduce((sum, { data }) => sum + data.byteLength, 0);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const { data } of segments) {
    bytes.set(new Uint8Array(data), at);
    at += data.byteLength;
  }
  return bytes;
}

/** Where all of `tracks` have something. */
export function intersection(tracks: [start: number, end: number][][]): [start: number, end: number][] {
  const [first, ...rest] = tracks;
  return rest.reduce(
    (some, others) =>
      some.flatMap(([start, end]) =>
        others
          .map(([from, to]): [number, number] => [Math.max(start, from), Math.min(end, to)])
          .filter(([from, to]) => from < to),
      ),
    first ?? [],
  );
}
