// A lesson held through the package's classes on a page of the gateway, and what the probe saw of it.

import assert from "node:assert/strict";
import { FRAMES } from "./media.mjs";
import { median } from "./until.mjs";

/** Publishes `name` from the page's camera and microphone. Resolves when NetStream.Publish.Start has come and the camera's pictures go out. */
export async function teach(page, gateway, name, { app = "live", camera = [320, 240, 30], keyFrameInterval, microphone = true, codec } = {}) {
  await page.goto(`${gateway.http}/`);
  await page.evaluate(
    async ({ url, name, camera, keyFrameInterval, microphone, codec }) => {
      const { NetConnection, NetStream, Camera, Microphone } = await import("/chalkcast/index.js");
      globalThis.statuses = [];
      const connection = (globalThis.connection = new NetConnection());
      connection.addEventListener("netStatus", (event) => statuses.push(event.info));
      connection.connect(url);
      const stream = (globalThis.stream = new NetStream(connection));
      stream.addEventListener("netStatus", (event) => statuses.push(event.info));
      const device = Camera.getCamera();
      device.setMode(...camera);
      device.setQuality(50_000, 0);
      if (keyFrameInterval) device.setKeyFrameInterval(keyFrameInterval);
      stream.attachCamera(device);
      if (microphone) {
        const source = Microphone.getMicrophone();
        if (codec) source.codec = codec;
        stream.attachAudio(source);
      }
      stream.publish(name, "live");
    },
    { url: `${gateway.ws}/${app}`, name, camera, keyFrameInterval, microphone, codec },
  );
  await status(page, "NetStream.Publish.Start");
  await page.until("the camera's pictures", () => stream.info.fps > 8);
}

/** Plays `name` on the page with a `<chalkcast-player>`, reading its surface. */
export async function attend(page, gateway, name, { app = "live", bufferTime = 0.1, renderer, origin = gateway.http } = {}) {
  if (origin === gateway.http) await page.goto(`${gateway.http}/`);
  await page.evaluate(
    async ({ src, bufferTime, renderer }) => {
      await import("/chalkcast/elements.js");
      globalThis.statuses = [];
      const player = (globalThis.player = document.createElement("chalkcast-player"));
      player.setAttribute("buffer-time", String(bufferTime));
      if (renderer) player.setAttribute("renderer", renderer);
      player.addEventListener("netStatus", (event) => statuses.push(event.info));
      player.style.cssText = "display:block;width:320px";
      player.setAttribute("src", src);
      document.body.prepend(player);
      probe.watch(() => player.surface);
    },
    { src: `${gateway.ws}/${app}/${name}`, bufferTime, renderer },
  );
}

export function status(page, code, options = {}) {
  return page.until(`status ${code}`, (wanted) => statuses.find((info) => info.code === wanted), { argument: code, ...options });
}

/** Waits until the probe has seen `count` new barcode pictures, and gives what was seen. */
export async function pictures(page, count, { seconds = 30 } = {}) {
  const from = await page.evaluate(() => probe.pictures.length);
  await page.until(`${count} pictures`, (wanted) => probe.pictures.length >= wanted, { argument: from + count, seconds });
  return page.evaluate((from) => probe.pictures.slice(from), from);
}

/** The numbers rise by small steps, around the loop: what a player shows when it neither repeats nor jumps back. */
export function assertRising(seen) {
  for (let i = 1; i < seen.length; i++) {
    const step = (seen[i].number - seen[i - 1].number + FRAMES) % FRAMES;
    assert.ok(step > 0 && step < FRAMES / 2, `picture ${seen[i].number} after ${seen[i - 1].number}`);
  }
}

/** Milliseconds from the camera to the surface, for every picture of `shown` that `taken` has. */
export function delays(taken, shown) {
  const result = [];
  for (const { number, at } of shown) {
    const source = taken.findLast((picture) => picture.number === number && picture.at <= at);
    if (source && at - source.at < 5000) result.push({ at, delay: at - source.at });
  }
  return result;
}

/**
 * Milliseconds by which the student's sound is later behind its picture than the teacher's, the median over the beeps: each beep and the flash
 * nearest to it against the same two at the source, whose camera and microphone may drift apart by themselves.
 */
export function skew(seen, source) {
  const lags = [];
  for (const beep of seen.beeps) {
    const flash = nearest(flashesOn(seen), beep);
    const sourceBeep = source.beeps.findLast((at) => at <= beep);
    const sourceFlash = flashesOn(source).findLast((at) => at <= flash);
    if (flash === undefined || sourceBeep === undefined || sourceFlash === undefined) continue;
    if (Math.abs(beep - flash) < 500) lags.push(beep - sourceBeep - (flash - sourceFlash));
  }
  assert.ok(lags.length >= 3, `only ${lags.length} beeps have a flash`);
  return median(lags);
}

function flashesOn({ flashes }) {
  return flashes.filter(({ on }) => on).map(({ at }) => at);
}

function nearest(instants, to) {
  return instants.reduce((best, at) => (best === undefined || Math.abs(at - to) < Math.abs(best - to) ? at : best), undefined);
}
