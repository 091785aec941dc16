// Prints the glass-to-glass table: the barcode camera's frame at the capture, the same frame on the student's surface, in one run.
// Usage: node delay.mjs [seconds a row] [part of the row's name] [width]      (needs the package and the gateway built, and npm ci here and in tests/e2e)

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { chromium } from "../../e2e/lib/browsers.mjs";
import { attend, delays, skew, teach } from "../../e2e/lib/lesson.mjs";
import { freePort, gateway, run } from "../../e2e/lib/programs.mjs";
import { percentile, until } from "../../e2e/lib/until.mjs";
import { web } from "../../e2e/lib/web.mjs";

const seconds = Number(process.argv[2] ?? 15);
const wanted = process.argv[3] ?? "";
const onlyWidth = Number(process.argv[4] ?? 0);
const require = createRequire(import.meta.url);
const MPEGTS = require.resolve("mpegts.js/dist/mpegts.js");
const MEDIA_SERVER = join(dirname(require.resolve("node-media-server/package.json")), "bin/app.js");

// The helpers clean up when "a test" ends; here that is the end of the run.
const cleanups = [];
const t = { after: (cleanup) => cleanups.unshift(cleanup) };

const rows = [];
try {
  for (const size of [
    [320, 240],
    [1280, 720],
  ]) {
    if (onlyWidth && size[0] !== onlyWidth) continue;
    const browser = await chromium({ camera: size });
    t.after(() => browser.close());
    const http = await freePort();
    const rtmp = await freePort();
    const media = run(t, process.execPath, [MEDIA_SERVER, "--bind", "127.0.0.1", "--http-port", String(http), "--rtmp-port", String(rtmp),
      "--https-port", String(await freePort()), "--rtmps-port", String(await freePort()), "--no-admin"]);
    await until("node-media-server answers", () => fetch(`http://127.0.0.1:${http}/`).then(() => true), { log: media.log });
    const server = await gateway(t, { args: ["--relay", `rtmp://127.0.0.1:${rtmp}/{app}`] });
    const direct = await gateway(t);

    const lesson = async (name, server, options, students) => {
      if (!students.some(([row]) => row.includes(wanted))) return;
      const teacher = await browser.page({ watchCamera: true });
      try {
        await teach(teacher, server, name, { camera: [...size, 30], ...options });
        // A lesson that is under way: in its first seconds a microphone's clock is still being learnt.
        await teacher.until("the lesson is under way", () => stream.time > 8);
        for (const [row, start] of students) {
          if (row.includes(wanted)) rows.push(await measure(browser, row, size, teacher, start));
        }
      } finally {
        await teacher.close();
      }
    };
    // Chalkcast and mpegts.js share this publisher: the gateway pushes it on to node-media-server.
    await lesson("bench", server, {}, [
      ["Chalkcast, beside node-media-server", (page) => attend(page, server, "bench", { bufferTime: 0 })],
      ["mpegts.js over node-media-server", (page) => mpegts(page, `ws://127.0.0.1:${http}/live/bench.flv`)],
    ]);
    await lesson("bench", direct, {}, [
      ["Chalkcast, webcodecs", (page) => attend(page, direct, "bench", { bufferTime: 0, renderer: "webcodecs" })],
      ["Chalkcast, webcodecs, bufferTime 0.1", (page) => attend(page, direct, "bench", { bufferTime: 0.1, renderer: "webcodecs" })],
      ["Chalkcast, mse", (page) => attend(page, direct, "bench", { bufferTime: 0, renderer: "mse" })],
    ]);
    await lesson("opus", direct, { codec: "opus" }, [["Chalkcast, webcodecs, Opus", (page) => attend(page, direct, "opus", { bufferTime: 0 })]]);
    await lesson("silent", direct, { microphone: false }, [["Chalkcast, webcodecs, picture alone", (page) => attend(page, direct, "silent", { bufferTime: 0 })]]);

    const loopback = "WebRTC loopback in one page";
    if (loopback.includes(wanted)) {
      const peer = await browser.page({ watchCamera: true });
      rows.push(await measure(browser, loopback, size, peer, () => webrtc(peer, size, direct), peer));
      await peer.close();
    }
    await browser.close();
  }
} finally {
  for (const cleanup of cleanups) await cleanup();
}
print(rows);

async function measure(browser, name, size, teacher, start, student) {
  const before = new Set((await browser.processes()).map(({ id }) => id));
  const page = student ?? (await browser.page());
  try {
    const downloads = [];
    page.raw.on("response", (response) => /\.(js|wasm)$/.test(response.url()) && downloads.push(response.body().catch(() => Buffer.alloc(0))));
    const asked = Date.now();
    await start(page);
    await page.until(`${name} shows pictures`, () => (probe.shown ?? probe.pictures).length > 0, { seconds: 20 });
    const loaded = await Promise.all(downloads);
    const first = await page.evaluate(() => (probe.shown ?? probe.pictures)[0].at);
    // The first third settles; it is not measured.
    const settled = first + (seconds * 1000) / 3;
    const over = (end) => page.until(`${name} for ${seconds} s`, (end) => performance.timeOrigin + performance.now() > end, { argument: end, seconds: seconds + 30 });
    await over(settled);
    const cpu = async () =>
      (await browser.processes()).filter(({ id, type }) => type === "renderer" && !before.has(id)).reduce((sum, { cpuTime }) => sum + cpuTime, 0);
    const cpuBefore = await cpu();
    const broken = await page.evaluate(interruptions);
    await over(first + seconds * 1000);
    const used = ((await cpu()) - cpuBefore) / ((seconds * 2) / 3);
    const breaks = (await page.evaluate(interruptions)) - broken;
    const seen = await page.evaluate(() => probe);
    const source = await teacher.evaluate(() => probe);
    const shown = (seen.shown ?? seen.pictures).filter(({ at }) => at > settled);
    const all = delays(source.pictures, shown).map(({ delay }) => delay);
    const latency = await page.evaluate(() => probe.outputLatency?.() ?? 0);
    // What is really shown: WebRTC sends smaller pictures when the processor is busy.
    const shownSize = await page.evaluate(() => probe.size);
    if (process.env.STATS) await explain(page, name, delays(source.pictures, seen.shown ?? seen.pictures), first);
    return {
      name,
      size: shownSize.join("x"),
      p50: percentile(all, 0.5)?.toFixed(0) ?? "-",
      p95: percentile(all, 0.95)?.toFixed(0) ?? "-",
      skew: source.beeps.length && seen.beeps.length && !student ? (skew({ ...seen, beeps: seen.beeps.filter((at) => at > settled) }, source) + latency).toFixed(0) : "-",
      breaks: Number.isFinite(breaks) ? breaks : "-",
      first: (first - asked).toFixed(0),
      fps: (all.length / ((seconds * 2) / 3)).toFixed(1),
      cpu: student ? "-" : `${(used * 100).toFixed(0)} %`,
      kb: student ? "-" : (loaded.reduce((sum, body) => sum + gzipSync(body, { level: 9 }).length, 0) / 1024).toFixed(0),
    };
  } catch (error) {
    return { name, size: size.join("x"), p50: "-", p95: "-", skew: "-", breaks: "-", first: "-", fps: error.message.split("\n")[0], cpu: "-", kb: "-" };
  } finally {
    if (!student) await page.close();
  }
}

/** With STATS=1: the median delay of each second after the first picture, and the player's own figures. */
async function explain(page, name, all, first) {
  const seconds = [];
  for (const { at, delay } of all) (seconds[Math.floor((at - first) / 1000)] ??= []).push(delay);
  console.error(name, seconds.map((second) => percentile(second, 0.5).toFixed(0)).join(" "));
  console.error(JSON.stringify(await page.evaluate(() => globalThis.player?.stream?.info)));
}

/** Breaks in the sound so far, where the player counts them. */
function interruptions() {
  const info = globalThis.player?.stream?.info;
  return info ? info.audioGaps + info.audioUnderruns : NaN;
}

async function mpegts(page, url) {
  const origin = await web(t, { pages: { "/": "<!doctype html><video muted autoplay></video>", "/mpegts.js": readFileSync(MPEGTS) } });
  await page.goto(`${origin}/`);
  await page.evaluate(async (url) => {
    await new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = "/mpegts.js";
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
    const video = document.querySelector("video");
    const player = globalThis.mpegts.createPlayer({ type: "flv", isLive: true, url }, { enableStashBuffer: false, liveBufferLatencyChasing: true });
    player.attachMediaElement(video);
    player.load();
    player.play();
    probe.watch(() => video);
  }, url);
}

async function webrtc(page, [width, height], server) {
  await page.goto(`${server.http}/`);
  await page.evaluate(
    async ({ width, height }) => {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { width, height, frameRate: 30 } });
      const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
      a.onicecandidate = ({ candidate }) => candidate && b.addIceCandidate(candidate);
      b.onicecandidate = ({ candidate }) => candidate && a.addIceCandidate(candidate);
      const video = document.createElement("video");
      video.muted = video.autoplay = true;
      b.ontrack = ({ track }) => (video.srcObject = new MediaStream([track]));
      for (const track of stream.getTracks()) a.addTrack(track, stream);
      await a.setLocalDescription(await a.createOffer());
      await b.setRemoteDescription(a.localDescription);
      await b.setLocalDescription(await b.createAnswer());
      await a.setRemoteDescription(b.localDescription);
      document.body.append(video);
      // This page is both the teacher, whose camera fills `pictures`, and the student, who needs a log of its own.
      probe.shown = [];
      probe.watch(() => video, probe.shown);
    },
    { width, height },
  );
}

function print(rows) {
  const head = { name: "glass to glass, loopback, 30 fps", size: "size", p50: "p50 ms", p95: "p95 ms", skew: "sound later by ms", breaks: "breaks", first: "first picture ms", fps: "fps", cpu: "CPU", kb: "KB gzipped" };
  const keys = Object.keys(head);
  const width = Object.fromEntries(keys.map((key) => [key, Math.max(...[head, ...rows].map((row) => String(row[key]).length))]));
  for (const row of [head, ...rows]) console.log(`| ${keys.map((key) => String(row[key]).padEnd(width[key])).join(" | ")} |`);
}
