// How a player starts: buffer times, a late student with rare keyframes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { chromium } from "./lib/browsers.mjs";
import { assertRising, attend, delays, pictures, status, teach } from "./lib/lesson.mjs";
import { gateway, publishTestCard } from "./lib/programs.mjs";
import { median, until } from "./lib/until.mjs";

let browser;
test.before(async () => (browser = await chromium()));
test.after(() => browser.close());

test("bufferTime of 0, 0.1 and 15 seconds", async (t) => {
  const server = await gateway(t);
  const teacher = await browser.page({ watchCamera: true });
  t.after(() => teacher.close());
  await teach(teacher, server, "conf");
  const delayOf = async (bufferTime) => {
    const student = await browser.page();
    await attend(student, server, "conf", { bufferTime });
    await pictures(student, 60, { seconds: 60 });
    const seen = (await pictures(student, 60)).slice(-60);
    assertRising(seen);
    const source = await teacher.evaluate(() => probe.pictures);
    const own = await student.evaluate(() => player.stream.liveDelay);
    await student.close();
    // Barcodes repeat after 10 s: a delay above that is known only modulo 10 s, so the player's own figure says which.
    return { measured: median(delays(source, seen).map(({ delay }) => delay)), own };
  };
  const none = await delayOf(0);
  const tenth = await delayOf(0.1);
  t.diagnostic(`bufferTime 0: ${none.measured.toFixed(0)} ms; 0.1: ${tenth.measured.toFixed(0)} ms`);
  assert.ok(tenth.measured >= 100 && tenth.measured < 600, `${tenth.measured} ms at bufferTime 0.1`);
  assert.ok(none.measured < tenth.measured + 50, `${none.measured} ms at bufferTime 0`);

  await t.test("where the relay has less than 15 s, the first picture stands still until the buffer fills, with the seconds shown", async (t) => {
    const young = await browser.page();
    t.after(() => young.close());
    const fresh = await browser.page();
    t.after(() => fresh.close());
    await teach(fresh, server, "fresh");
    await attend(young, server, "fresh", { bufferTime: 15 });
    await young.until("a first picture", () => probe.pictures.length > 0);
    await young.until("a growing buffer", () => player.stream.bufferLength > 3 && player.stream.bufferLength < 15);
    assert.ok((await young.evaluate(() => probe.pictures.length)) <= 2, "it plays before the buffer is full");
    await young.until("the seconds shown", () => /\d/.test(player.shadowRoot.querySelector("[part~=buffering]")?.textContent ?? ""));
    await status(young, "NetStream.Buffer.Full", { seconds: 40 });
    await pictures(young, 30);
    assert.ok((await young.evaluate(() => player.stream.bufferLength)) > 10);
  });

  await t.test("where the relay has it, 15 s start at once", async (t) => {
    const student = await browser.page();
    t.after(() => student.close());
    await attend(student, server, "conf", { bufferTime: 15 });
    const seen = await pictures(student, 30, { seconds: 8 });
    assertRising(seen);
    const delay = await student.evaluate(() => player.stream.liveDelay);
    assert.ok(delay > 10 && delay < 20, `${delay} s behind live`);
  });
});

test("with a keyframe every 10 s, a late student has a picture before the next one is sent", async (t) => {
  const server = await gateway(t);
  publishTestCard(t, `${server.rtmp}/live/rare`, { gop: 10 });
  await until("the stream is there", async () => (await (await fetch(`${server.http}/api/streams`)).text()).includes("rare"));
  const started = performance.now();
  const student = await browser.page();
  t.after(() => student.close());
  // Two seconds into its ten, so that seven more pass before the next keyframe.
  await until("the lesson is two seconds old", () => performance.now() - started > 2000);
  const asked = performance.now();
  await attend(student, server, "rare");
  await student.until("a picture", () => probe.mean > 5, { seconds: 5 });
  t.diagnostic(`first picture ${(performance.now() - asked).toFixed(0)} ms after the page was opened`);
});
