// The classic ActionScript tutorial, examples/tutorial, call for call: one page teaches, one attends.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium, firefox } from "./lib/browsers.mjs";
import { gateway } from "./lib/programs.mjs";
import { web } from "./lib/web.mjs";

const TUTORIAL = fileURLToPath(new URL("../../examples/tutorial/", import.meta.url));

test("teacher.html publishes, student.html plays, and both say in words what happens", async (t) => {
  const server = await gateway(t);
  const origin = await web(t, { dir: TUTORIAL });
  const query = `?gateway=${encodeURIComponent(server.http)}`;
  const browser = await chromium();
  t.after(() => browser.close());
  const teacher = await browser.page();
  await teacher.goto(`${origin}/teacher.html${query}`);
  await teacher.until("the words of Publish.Start", () => document.body.innerText.includes("NetStream.Publish.Start"));
  await teacher.until("a local preview", () => [...document.querySelectorAll("video")].some((video) => video.videoWidth > 0 && !video.paused));
  const fox = await firefox();
  t.after(() => fox.close());
  for (const own of [browser, fox]) {
    const student = await own.page();
    await student.goto(`${origin}/student.html${query}`);
    await student.evaluate(() => probe.watch(() => document.querySelector("canvas") ?? document.querySelector("video")));
    await student.until(`pictures in ${own.name}`, () => probe.pictures.length > 30, { seconds: 40 });
    const words = await student.evaluate(() => document.body.innerText);
    assert.match(words, /NetConnection\.Connect\.Success/);
    assert.match(words, /NetStream\.Play\.Start/);
    await student.screenshot(`tutorial-student-${own.name}`);
    await student.close();
  }
  await teacher.screenshot("tutorial-teacher");
});
