// Media Source Extensions in place of WebCodecs: for browsers without it, pages on plain http, and those who ask.

import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { chromium, firefox } from "./lib/browsers.mjs";
import { assertRising, attend, delays, pictures, status, teach } from "./lib/lesson.mjs";
import { cameraFile, microphoneFile } from "./lib/media.mjs";
import { ffmpeg, gateway } from "./lib/programs.mjs";
import { OUT } from "./lib/browsers.mjs";
import { median, percentile } from "./lib/until.mjs";

const ADDRESS = Object.values(networkInterfaces())
  .flat()
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address;

let browsers;
let teachers;
test.before(async () => {
  browsers = await Promise.all([chromium(), firefox()]);
  teachers = browsers[0];
});
test.after(() => Promise.all(browsers.map((browser) => browser.close())));

/** Through a tap that the probe knows: an element's sound does not pass the page otherwise. */
function hear(page) {
  return page.evaluate(() => {
    const context = (globalThis.listening = new AudioContext());
    context.createMediaElementSource(player.surface).connect(context.destination);
  });
}

test("what Chromium publishes", async (t) => {
  const server = await gateway(t);
  const teacher = await teachers.page({ watchCamera: true });
  t.after(() => teacher.close());
  await teach(teacher, server, "camera");

  for (const browser of browsers) {
    await t.test(`${browser.name} plays it through a video element, and changes the renderer with the picture staying`, async (t) => {
      const student = await browser.page();
      t.after(() => student.close());
      await attend(student, server, "camera", { renderer: "mse" });
      await status(student, "NetStream.Buffer.Full");
      const seen = await pictures(student, 60);
      assertRising(seen);
      const taken = await teacher.evaluate(() => probe.pictures);
      const lags = delays(taken, seen).map(({ delay }) => delay);
      t.diagnostic(`${browser.name}: glass to glass p50 ${median(lags).toFixed(0)} ms, p95 ${percentile(lags, 0.95).toFixed(0)} ms`);
      assert.ok(median(lags) < 2000, `${median(lags)} ms behind`);
      const info = await student.evaluate(() => ({ ...player.stream.info, surface: player.surface.localName, played: player.surface.currentTime }));
      assert.equal(info.surface, "video");
      assert.equal(info.renderer, "mse");
      assert.deepEqual([info.width, info.height], [320, 240]);
      await hear(student);
      await student.until("a beep", () => probe.beeps.length > 0);
      await student.screenshot(`mse-${browser.name.toLowerCase()}`);

      for (const renderer of ["webcodecs", "mse"]) {
        await student.evaluate((renderer) => {
          globalThis.changes = 0;
          globalThis.blank = 0;
          player.addEventListener("surfacechange", () => changes++);
          // What is on the page, whichever surfaces are on top of each other there.
          const box = player.surface.parentNode;
          globalThis.watching = setInterval(() => {
            const shown = [...box.children].some((surface) => surface.style.opacity !== "0");
            if (!shown) blank++;
          }, 5);
          player.setAttribute("renderer", renderer);
        }, renderer);
        await student.until(`the ${renderer} surface`, (renderer) => player.surface?.localName === (renderer === "mse" ? "video" : "canvas") && changes > 0, { argument: renderer });
        assertRising((await pictures(student, 30)).slice(1));
        await student.until("the old surface gone", () => player.surface.parentNode.children.length === 1);
        await student.evaluate(() => clearInterval(watching));
        assert.equal(await student.evaluate(() => blank), 0);
      }
      assert.deepEqual(await student.evaluate(() => probe.errors), []);
    });
  }
});
