// Media Source Extensions in place of WebCodecs: for browsers without it, pages on plain http, and those who ask.

import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { chromium, chromiumTabs, firefox, OUT } from "./lib/browsers.mjs";
import { assertRising, attend, delays, pictures, status, teach } from "./lib/lesson.mjs";
import { line } from "./lib/line.mjs";
import { cameraFile, microphoneFile } from "./lib/media.mjs";
import { ffmpeg, gateway } from "./lib/programs.mjs";
import { median, percentile, until } from "./lib/until.mjs";

/** This machine on its network: to a browser an address like any other, which is not to be trusted without TLS. */
const ADDRESS = Object.values(networkInterfaces())
  .flat()
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address;

let browsers;
test.before(async () => (browsers = await Promise.all([chromium(), firefox()])));
test.after(() => Promise.all(browsers.map((browser) => browser.close())));

/** The camera and the microphone of the other tests, with B-frames, as OBS sends them. */
async function publishWithBFrames(t, server, name) {
  ffmpeg(t, [
    "-re", "-stream_loop", "-1", "-i", await cameraFile(OUT, [320, 240]), "-stream_loop", "-1", "-i", microphoneFile(OUT),
    "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "60", "-b:v", "400k", "-c:a", "aac", "-b:a", "64k", "-f", "flv", `${server.rtmp}/live/${name}`,
  ]);
  await until("the stream is there", async () => (await (await fetch(`${server.http}/api/streams`)).text()).includes(`"${name}"`));
}

/** An element's sound does not pass the page: this leads it past the probe. */
function hear(page) {
  return page.evaluate(() => {
    const context = new AudioContext();
    context.createMediaElementSource(player.surface).connect(context.destination);
  });
}

/** Counts into `blank` how often nothing that had a picture is in the player while `renderer` takes over. */
function change(page, renderer) {
  return page.evaluate((renderer) => {
    Object.assign(globalThis, { changes: 0, blank: 0, looks: 0 });
    player.addEventListener("surfacechange", () => changes++, { once: true });
    const box = player.surface.parentNode;
    const reader = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const hasPicture = (surface) => {
      if (surface.style.opacity === "0" || !(surface.videoWidth ?? surface.width)) return false;
      reader.drawImage(surface, 0, 0, 40, 30);
      return reader.getImageData(0, 0, 40, 30).data.some((value, i) => i % 4 < 3 && value > 40);
    };
    globalThis.looking = setInterval(() => {
      looks++;
      if (![...box.children].some(hasPicture)) blank++;
    }, 15);
    player.setAttribute("renderer", renderer);
  }, renderer);
}

test("what Chromium publishes, and a change of the renderer", async (t) => {
  const server = await gateway(t);
  const teacher = await browsers[0].page({ watchCamera: true });
  t.after(() => teacher.close());
  await teach(teacher, server, "camera");

  for (const browser of browsers) {
    await t.test(browser.name, async (t) => {
      const student = await browser.page();
      t.after(() => student.close());
      await attend(student, server, "camera", { renderer: "mse" });
      await status(student, "NetStream.Buffer.Full");
      const seen = await pictures(student, 60);
      assertRising(seen);
      const lags = delays(await teacher.evaluate(() => probe.pictures), seen).map(({ delay }) => delay);
      t.diagnostic(`${browser.name}: glass to glass p50 ${median(lags).toFixed(0)} ms, p95 ${percentile(lags, 0.95).toFixed(0)} ms`);
      assert.ok(median(lags) < 3000, `${median(lags)} ms behind`);
      const { surface, info } = await student.evaluate(() => ({ surface: player.surface.localName, info: player.stream.info }));
      assert.deepEqual([surface, info.renderer, info.width, info.height], ["video", "mse", 320, 240]);
      assert.ok(info.bufferLength > 0 && info.liveDelay > 0, JSON.stringify(info));
      await hear(student);
      await student.until("a beep", () => probe.beeps.length > 0);
      await student.screenshot(`mse-${browser.name.toLowerCase()}`);

      for (const [renderer, name] of [["webcodecs", "canvas"], ["mse", "video"]]) {
        await change(student, renderer);
        await student.until(`a ${name}`, (name) => changes === 1 && player.surface.localName === name, { argument: name });
        await student.until("the old surface gone", () => player.surface.parentNode.children.length === 1);
        assertRising((await pictures(student, 30)).slice(1));
        const { looks, blank } = await student.evaluate(() => (clearInterval(looking), { looks, blank }));
        assert.ok(looks > 10 && blank === 0, `no picture in ${blank} of ${looks} looks on the way to ${renderer}`);
      }
      assert.deepEqual(await student.evaluate(() => probe.errors), []);
    });
  }
});

test("B-frames from ffmpeg, on a page of plain http at an address that is not localhost", { skip: !ADDRESS && "this machine is on no network" }, async (t) => {
  const server = await gateway(t, { host: "0.0.0.0" });
  await publishWithBFrames(t, server, "obs");
  const elsewhere = { ...server, http: `http://${ADDRESS}:${server.httpPort}`, ws: `ws://${ADDRESS}:${server.httpPort}` };
  for (const browser of browsers) {
    await t.test(browser.name, async (t) => {
      const student = await browser.page();
      t.after(() => student.close());
      await attend(student, elsewhere, "obs");
      assert.deepEqual(await student.evaluate(() => [isSecureContext, typeof VideoDecoder]), [false, "undefined"]);
      await status(student, "NetStream.Buffer.Full");
      assertRising(await pictures(student, 60));
      assert.deepEqual(await student.evaluate(() => [player.surface.localName, player.stream.info.renderer, player.renderer]), ["video", "mse", "auto"]);
      await hear(student);
      await student.until("a beep", () => probe.beeps.length > 0);
      await student.screenshot(`mse-http-${browser.name.toLowerCase()}`);
      assert.deepEqual(await student.evaluate(() => probe.errors), []);
    });
  }
});

test("a lesson younger than bufferTime, a hidden tab, an outage of 10 s, which with bufferTime 15 is not seen, and another size", async (t) => {
  const server = await gateway(t);
  const way = await line(t, server.httpPort);
  const watched = { http: server.http, ws: way.ws };
  const teacher = await browsers[0].page({ watchCamera: true });
  t.after(() => teacher.close());
  await teach(teacher, server, "bad");

  // The lesson is some seconds old, and this student wants to be 15 behind: the first picture stands, and the seconds are counted, as by WebCodecs.
  const patient = await browsers[0].page();
  t.after(() => patient.close());
  await attend(patient, watched, "bad", { renderer: "mse", bufferTime: 15 });
  await patient.until("a first picture", () => probe.pictures.length > 0);
  await patient.until("a growing buffer", () => player.stream.bufferLength > 3 && player.stream.bufferLength < 15);
  await patient.until("the seconds shown", () => player.state === "buffering" && /\d\.\d of 15 s/.test(player.shadowRoot.querySelector("[part=buffering]").textContent));
  assert.ok((await patient.evaluate(() => probe.pictures.length)) <= 2, "it plays before the buffer is full");

  const tabs = await chromiumTabs();
  t.after(() => tabs.close());
  const student = await tabs.page();
  await attend(student, watched, "bad", { renderer: "mse" });
  await pictures(student, 60);
  const live = (what, since) =>
    until(`${what}: live again`, async () => {
      const seen = (await student.evaluate(() => probe.pictures)).filter(({ at }) => at > since).slice(-10);
      const lags = delays(await teacher.evaluate(() => probe.pictures), seen).map(({ delay }) => delay);
      if (lags.length < 10 || median(lags) > 1500) throw new Error(`${median(lags)} ms behind`);
      t.diagnostic(`${what}: ${median(lags).toFixed(0)} ms behind live`);
      return true;
    });
  const now = () => student.evaluate(() => performance.timeOrigin + performance.now());

  const show = await student.hide();
  await student.until("it is hidden", () => document.hidden);
  const taught = await teacher.evaluate(() => probe.pictures.length);
  await teacher.until("two seconds", (from) => probe.pictures.length > from + 60, { argument: taught });
  await show();
  await live("after a hidden tab", await now());

  await status(patient, "NetStream.Buffer.Full", { seconds: 30 });
  await pictures(patient, 30);
  const had = await patient.evaluate(() => player.stream.bufferLength);
  t.diagnostic(`it begins to play with ${had.toFixed(1)} s in the buffer`);
  assert.ok(had > 13, `it began with ${had} s`);
  await student.evaluate(() => statuses.splice(0));
  await patient.evaluate(() => statuses.splice(0));
  const began = await now();
  way.stall(10_000);
  await status(student, "NetStream.Buffer.Empty");
  await status(student, "NetStream.Buffer.Full");
  await live("after an outage", await now());
  const { seen, said } = await patient.evaluate((from) => ({ seen: probe.pictures.filter(({ at }) => at > from), said: statuses.map(({ code }) => code) }), began);
  const still = Math.max(...seen.slice(1).map(({ at }, i) => at - seen[i].at));
  t.diagnostic(`with bufferTime 15 no picture stood for more than ${still.toFixed(0)} ms`);
  assert.ok(seen.at(-1).at - began > 10_000 && still < 2000, `a picture stood for ${still} ms`);
  assert.ok(!said.includes("NetStream.Buffer.Empty"), said.join());

  // Last: a camera that changes its size sends nothing for a moment, which is no outage of the line.
  await teacher.evaluate(async () => (await import("/chalkcast/index.js")).Camera.getCamera().setMode(160, 120, 30));
  await student.until("the other size", () => player.surface.videoWidth === 160 && player.stream.info.width === 160);
  await live("after a change of size", await now());
  assert.deepEqual(await student.evaluate(() => probe.errors), []);
});

test("only a managed MediaSource, no sound before a gesture, no memory, and a segment that cannot be read", async (t) => {
  const server = await gateway(t);
  await publishWithBFrames(t, server, "hard");
  const student = await browsers[0].page();
  t.after(() => student.close());
  await student.goto(`${server.http}/`);
  // Chromium in the place of an iPhone: what Safari's own class does besides cannot be seen here.
  await student.evaluate(() => {
    globalThis.ManagedMediaSource = MediaSource;
    Object.defineProperty(globalThis, "MediaSource", { value: undefined });
    const play = HTMLMediaElement.prototype.play;
    globalThis.allowed = false;
    HTMLMediaElement.prototype.play = function () {
      return this.muted || allowed ? play.call(this) : Promise.reject(new DOMException("not before a gesture", "NotAllowedError"));
    };
  });
  await attend(student, server, "hard", { renderer: "mse", origin: null });
  assertRising(await pictures(student, 30));
  assert.deepEqual(await student.evaluate(() => [player.surface.disableRemotePlayback, player.surface.muted, player.stream.soundRunning]), [true, true, false]);
  await student.until("the offer of sound", () => !player.shadowRoot.querySelector("[part~=unmute]").hidden);
  await student.evaluate(() => {
    allowed = true;
    player.shadowRoot.querySelector("[part~=unmute]").click();
  });
  await student.until("sound", () => !player.surface.muted && player.stream.soundRunning);

  await student.until("a keyframe that was played", () => player.surface.currentTime - player.surface.buffered.start(0) > 3);
  await student.evaluate(() => {
    const append = SourceBuffer.prototype.appendBuffer;
    SourceBuffer.prototype.appendBuffer = function () {
      SourceBuffer.prototype.appendBuffer = append;
      throw new DOMException("full", "QuotaExceededError");
    };
  });
  await student.until("the figure", () => player.stream.info.quotaExceeded === 1);
  assertRising((await pictures(student, 30)).slice(1));

  await student.evaluate(() => {
    globalThis.before = player.surface;
    const append = SourceBuffer.prototype.appendBuffer;
    SourceBuffer.prototype.appendBuffer = function (data) {
      SourceBuffer.prototype.appendBuffer = append;
      return append.call(this, new Uint8Array(data.byteLength).fill(255));
    };
  });
  await student.until("another surface", () => player.surface !== before);
  assertRising((await pictures(student, 30)).slice(1));
  assert.deepEqual(await student.evaluate(() => probe.errors), []);
});
