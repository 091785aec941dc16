// One teacher in a browser; students in Chromium, Firefox and ffmpeg. Through the embedded relay, and through nginx-rtmp behind the gateway.

import assert from "node:assert/strict";
import { test } from "node:test";
import { chromium, firefox } from "./lib/browsers.mjs";
import { assertRising, attend, delays, pictures, skew, teach } from "./lib/lesson.mjs";
import { BEEP_HZ } from "./lib/media.mjs";
import { assertClean, gatewayWith, record } from "./lib/programs.mjs";
import { median, percentile } from "./lib/until.mjs";

for (const relay of ["embedded", "nginx-rtmp"]) {
  test(`a lesson from Chromium, through ${relay}`, async (t) => {
    const gateway = await gatewayWith(t, relay);
    const browser = await chromium();
    t.after(() => browser.close());
    const teacher = await browser.page({ watchCamera: true });
    await teach(teacher, gateway, "conf");

    await t.test("Chromium plays it for a minute: rising pictures, beeps with their flashes, a delay that stays", async (t) => {
      const student = await browser.page();
      t.after(() => student.close());
      await attend(student, gateway, "conf");
      await pictures(student, 30);
      const from = await student.evaluate(() => performance.timeOrigin + performance.now());
      await student.until("a minute of pictures", (from) => probe.pictures.at(-1).at > from + 60_000, { argument: from, seconds: 90 });

      const seen = await student.evaluate(() => probe);
      const source = await teacher.evaluate(() => probe);
      assert.deepEqual([...source.errors, ...seen.errors], []);
      const shown = seen.pictures.filter((picture) => picture.at >= from && picture.at < from + 60_000);
      assertRising(shown);
      assert.ok(shown.length > 60 * 15, `${shown.length} pictures in a minute`);

      const measured = delays(source.pictures, shown);
      const within = (start, end) => measured.filter(({ at }) => at >= from + start && at < from + end).map(({ delay }) => delay);
      const first = median(within(0, 15_000));
      const last = median(within(45_000, 60_000));
      const all = within(0, 60_000);
      t.diagnostic(`${relay}: glass to glass p50 ${median(all).toFixed(0)} ms, p95 ${percentile(all, 0.95).toFixed(0)} ms; first 15 s ${first.toFixed(0)}, last 15 s ${last.toFixed(0)} ms; ${shown.length} pictures`);
      assert.ok(Math.abs(last - first) < 100, `the delay went from ${first} to ${last} ms`);

      const apart = skew(seen, source);
      t.diagnostic(`${relay}: the beep sounds ${apart.toFixed(0)} ms after its flash, beyond what it does at the capture`);
      assert.ok(Math.abs(apart) < 100, `sound and picture are ${apart} ms apart`);
      const hz = median(seen.tones.map((tone) => tone.hz));
      assert.ok(Math.abs(hz - BEEP_HZ) < 60, `the beep is at ${hz} Hz`);
    });

    await t.test("ffmpeg pulls it over RTMP without re-encoding, and finds nothing wrong", async (t) => {
      assertClean(await record(t, `${gateway.rtmp}/live/conf`, 6));
    });

    await t.test("Firefox plays it", async (t) => {
      const fox = await firefox();
      t.after(() => fox.close());
      const student = await fox.page();
      await attend(student, gateway, "conf");
      const seen = await pictures(student, 90, { seconds: 60 });
      assertRising(seen.slice(10));
      await student.until("beeps", () => probe.beeps.length >= 3);
      const source = await teacher.evaluate(() => probe.pictures);
      const all = delays(source, seen.slice(30)).map(({ delay }) => delay);
      t.diagnostic(`${relay}: Chromium to Firefox p50 ${median(all).toFixed(0)} ms, p95 ${percentile(all, 0.95).toFixed(0)} ms`);
    });
  });

  test(`a lesson from Firefox, through ${relay}`, async (t) => {
    const gateway = await gatewayWith(t, relay);
    const fox = await firefox();
    t.after(() => fox.close());
    const teacher = await fox.page();
    await teach(teacher, gateway, "conf");

    await t.test("Chromium plays its changing picture and its tone", async (t) => {
      const browser = await chromium();
      t.after(() => browser.close());
      const student = await browser.page();
      await attend(student, gateway, "conf");
      // Firefox's fake camera is one colour that changes all the time; its microphone is a steady tone.
      await student.until("a changing picture", () => {
        const means = (globalThis.means ??= new Set());
        if (probe.mean > 1) means.add(Math.round(probe.mean));
        return means.size > 5;
      });
      await student.until("a tone", () => probe.tones.length > 100);
      const hz = await student.evaluate(() => probe.tones.slice(-50).map((tone) => tone.hz));
      assert.ok(Math.abs(median(hz) - 1000) < 60, `the tone is at ${median(hz)} Hz`);
      const delay = await student.evaluate(() => player.stream?.liveDelay);
      t.diagnostic(`${relay}: Firefox publishes; the player's own liveDelay is ${(delay * 1000).toFixed(0)} ms`);
    });

    await t.test("ffmpeg pulls it", async (t) => {
      assertClean(await record(t, `${gateway.rtmp}/live/conf`, 6));
    });
  });
}
