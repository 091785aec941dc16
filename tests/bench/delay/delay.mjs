// Prints the glass-to-glass table: the barcode camera's frame at the capture, the same frame on the student's surface, in one run.
// Usage: node delay.mjs [seconds a row]      (needs the package and the gateway built, and npm ci here and in tests/e2e)

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { chromium } from "../../e2e/lib/browsers.mjs";
import { attend, beepAfterFlash, delays, teach } from "../../e2e/lib/lesson.mjs";
import { freePort, gateway, run } from "../../e2e/lib/programs.mjs";
import { percentile, until } from "../../e2e/lib/until.mjs";
import { web } from "../../e2e/lib/web.mjs";

const seconds = Number(process.argv[2] ?? 15);
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
    const browser = await chromium({ camera: size });
    t.after(() => browser.close());
    const http = await freePort();
    const rtmp = await freePort();
    const media = run(t, process.execPath, [MEDIA_SERVER, "--bind", "127.0.0.1", "--http-port", String(http), "--rtmp-port", String(rtmp),
      "--https-port", String(await freePort()), "--rtmps-port", String(await freePort()), "--no-admin"]);
    await until("node-media-server answers", () => fetch(`http://127.0.0.1:${http}/`).then(() => true), { log: media.log });
    const server = await gateway(t, { args: ["--relay", `rtmp://127.0.0.1:${rtmp}/{app}`] });
    const direct = await gateway(t);

    // Chalkcast and mpegts.js share this publisher: the gateway pushes it on to node-media-server.
    const shared = await browser.page({ watchCamera: true });
    await teach(shared, server, "bench", { camera: [...size, 30] });
    rows.push(await measure(browser, "Chalkcast, beside node-media-server", size, shared, (page) => attend(page, server, "bench", { bufferTime: 0 })));
    rows.push(await measure(browser, "mpegts.js over node-media-server", size, shared, async (page) => {
      const page_ = await web(t, { pages: { "/": "<!doctype html><video muted autoplay></video>", "/mpegts.js": readFileSync(MPEGTS) } });
      await page.goto(`${page_}/`);
      await page.evaluate((source) => (0, eval)(source), readFileSync(MPEGTS, "utf8"));
      await page.evaluate((url) => {
        const video = document.querySelector("video");
        const player = mpegts.createPlayer({ type: "flv", isLive: true, url }, { enableStashBuffer: false, liveBufferLatencyChasing: true });
        player.attachMediaElement(video);
        player.load();
        player.play();
        probe.watch(() => video);
      }, `ws://127.0.0.1:${http}/live/bench.flv`);
    }));
    await shared.close();

    const alone = await browser.page({ watchCamera: true });
    await teach(alone, direct, "bench", { camera: [...size, 30] });
    for (const renderer of ["webcodecs", "mse"]) {
      rows.push(await measure(browser, `Chalkcast, ${renderer}`, size, alone, (page) => attend(page, direct, "bench", { bufferTime: 0, renderer })));
    }
    await alone.close();

    const silent = await browser.page({ watchCamera: true });
    await teach(silent, direct, "silent", { camera: [...size, 30], microphone: false });
    rows.push(await measure(browser, "Chalkcast, picture alone", size, silent, (page) => attend(page, direct, "silent", { bufferTime: 0 })));
    await silent.close();

    const peer = await browser.page({ watchCamera: true });
    rows.push(await measure(browser, "WebRTC loopback in one page", size, peer, () => webrtc(peer, size, direct), peer));
    await peer.close();
    await browser.close();
  }
} finally {
  for (const cleanup of cleanups) await cleanup();
}
print(rows);

async function measure(browser, name, size, teacher, start, student) {
  const page = student ?? (await browser.page());
  try {
    const asked = Date.now();
    await start(page);
    await page.until(`${name} shows pictures`, () => probe.shown?.length > 0 || probe.pictures.length > 0, { seconds: 20 });
    const first = await page.evaluate(() => (probe.shown ?? probe.pictures)[0].at);
    const from = await page.evaluate(() => performance.timeOrigin + performance.now());
    // The first third settles; it is not measured.
    await page.until(`${name} for ${seconds} s`, (end) => performance.timeOrigin + performance.now() > end, { argument: from + seconds * 1000, seconds: seconds + 30 });
    const seen = await page.evaluate(() => probe);
    const source = await teacher.evaluate(() => probe);
    const shown = (seen.shown ?? seen.pictures).filter(({ at }) => at > from + (seconds * 1000) / 3);
    const all = delays(source.pictures, shown).map(({ delay }) => delay);
    let skew = "";
    try {
      if (!student) skew = (beepAfterFlash(seen) - beepAfterFlash(source)).toFixed(0);
    } catch {
      skew = "no beep";
    }
    return {
      name,
      size: size.join("x"),
      p50: percentile(all, 0.5)?.toFixed(0) ?? "-",
      p95: percentile(all, 0.95)?.toFixed(0) ?? "-",
      skew,
      first: (first - asked).toFixed(0),
      fps: (all.length / ((seconds * 2) / 3)).toFixed(1),
    };
  } catch (error) {
    return { name, size: size.join("x"), p50: "-", p95: "-", skew: "-", first: "-", fps: error.message.split("\n")[0] };
  } finally {
    if (!student) await page.close();
  }
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
  const head = { name: "glass to glass, loopback, 30 fps", size: "size", p50: "p50 ms", p95: "p95 ms", skew: "A/V skew ms", first: "first picture ms", fps: "fps" };
  const keys = Object.keys(head);
  const width = Object.fromEntries(keys.map((key) => [key, Math.max(...[head, ...rows].map((row) => String(row[key]).length))]));
  for (const row of [head, ...rows]) console.log(`| ${keys.map((key) => String(row[key]).padEnd(width[key])).join(" | ")} |`);
}
