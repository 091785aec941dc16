// A lesson in one Chromium for a quarter of an hour: is what a student's and a teacher's page hold flat, and the delay, and the lips?
// By hand, it is not in CI: node tests/bench/soak.mjs [minutes] [WIDTHxHEIGHT]      (needs the package and the gateway built, and npm ci in tests/e2e)

import { readFileSync } from "node:fs";
import { chromium } from "../e2e/lib/browsers.mjs";
import { attend, delays, skew, teach } from "../e2e/lib/lesson.mjs";
import { gateway } from "../e2e/lib/programs.mjs";
import { percentile } from "../e2e/lib/until.mjs";

const minutes = Number(process.argv[2] ?? 15);
const size = (process.argv[3] ?? "640x480").split("x").map(Number);
/** Seconds between two rows. */
const EVERY = 10;
/** Rows that the first and the last figures are the medians of. */
const END = 6;

const cleanups = [];
const t = { after: (cleanup) => cleanups.unshift(cleanup) };
const rows = [];
try {
  const browser = await chromium({ camera: size });
  t.after(() => browser.close());
  const server = await gateway(t);
  const teacher = await browser.page({ watchCamera: true });
  await teach(teacher, server, "soak", { camera: [...size, 30] });
  const student = await browser.page();
  await attend(student, server, "soak", { bufferTime: 0 });
  await student.until("pictures", () => probe.pictures.length > 30);
  const began = performance.now();
  for (let row = 1; row <= (minutes * 60) / EVERY; row++) {
    await new Promise((resolve) => setTimeout(resolve, began + row * EVERY * 1000 - performance.now()));
    const seen = await student.evaluate(take);
    const source = await teacher.evaluate(take);
    const all = delays(source.pictures, seen.pictures).map(({ delay }) => delay);
    const figures = {
      s: row * EVERY,
      "delay p50": percentile(all, 0.5),
      "p95": percentile(all, 0.95),
      skew: lips(seen, source),
      target: seen.info.targetDelay,
      gaps: seen.info.audioGaps + seen.info.audioUnderruns,
      skips: seen.info.skips,
      dropped: seen.info.droppedFrames,
      fps: seen.info.fps,
      "student JS KB": (await heap(student)) / 1024,
      "teacher JS KB": (await heap(teacher)) / 1024,
      "browser MB": (await browser.processes()).reduce((sum, { id }) => sum + rss(id), 0),
      "gateway MB": rss(server.child.pid),
    };
    rows.push(figures);
    if (row === 1) console.log(Object.keys(figures).join("\t"));
    console.log(Object.values(figures).map(show).join("\t"));
  }
} finally {
  for (const cleanup of cleanups) await cleanup();
}
const middle = (part, key) => percentile(part.map((row) => row[key]).filter((value) => value !== undefined), 0.5);
console.log("\n| | first minute | last minute |\n|-|-|-|");
for (const key of Object.keys(rows[0]).slice(1)) {
  console.log(`| ${key} | ${show(middle(rows.slice(0, END), key))} | ${show(middle(rows.slice(-END), key))} |`);
}

function show(value) {
  return value === undefined || Number.isNaN(value) ? "-" : String(Math.round(value));
}

function lips(seen, source) {
  try {
    return skew(seen, source) + (seen.outputLatency ?? 0);
  } catch {
    return undefined;
  }
}

/** Hands over what the probe has seen since the last time, so that the page does not keep it: a little is kept, which pairs what comes next. */
function take() {
  const { pictures, flashes, beeps } = probe;
  const taken = { pictures: [...pictures], flashes: [...flashes], beeps: [...beeps], outputLatency: probe.outputLatency?.(), info: { ...(globalThis.player?.stream ?? globalThis.stream).info } };
  for (const log of [pictures, flashes, beeps]) log.splice(0, Math.max(0, log.length - 150));
  return taken;
}

async function heap(page) {
  const session = await page.raw.context().newCDPSession(page.raw);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return usedSize;
}

/** Megabytes of a process's own memory: that of wasm and of Workers is in it. */
function rss(pid) {
  try {
    return Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
  } catch {
    return 0;
  }
}
