// A lesson held through the package's classes on a page of the gateway, and what the probe saw of it.

import assert from "node:assert/strict";
import { FRAMES } from "./media.mjs";
import { median } from "./until.mjs";

/** Publishes `name` from the page's camera and microphone. Resolves when NetStream.Publish.Start has come and the camera's pictures go out. */
export async function teach(page, gateway, name, { app = "live", camera = [320, 240, 30], keyFrameInterval, microphone = true } = {}) {
  await page.goto(`${gateway.http}/`);
  await page.evaluate(
    async ({ url, name, camera, keyFrameInterval, microphone }) => {
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
      if (microphone) stream.attachAudio(Microphone.getMicrophone());
      stream.publish(name, "live");
    },
    { url: `${gateway.ws}/${app}`, name, camera, keyFrameInterval, microphone },
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

/** Milliseconds by which beeps come after their flashes, the median over all flashes that have one within half a second. */
export function beepAfterFlash({ flashes, beeps }) {
  const lags = [];
  for (const { at, on } of flashes) {
    if (!on) continue;
    const beep = beeps.find((candidate) => Math.abs(candidate - at) < 500);
    if (beep !== undefined) lags.push(beep - at);
  }
  assert.ok(lags.length >= 3, `only ${lags.length} flashes have a beep`);
  return median(lags);
}
