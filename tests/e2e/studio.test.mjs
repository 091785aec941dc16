// Every state of the publisher as a teacher sees it on the demo's page: audited, and photographed at both widths, in both languages and browsers.

import { test } from "node:test";
import { OUT, chromium, firefox } from "./lib/browsers.mjs";
import { line } from "./lib/line.mjs";
import { see } from "./lib/look.mjs";
import { lessonFile } from "./lib/media.mjs";
import { chalkcast, gateway, run } from "./lib/programs.mjs";
import { until } from "./lib/until.mjs";

/** What a teacher who has answered "never" to both questions has. */
const REFUSING = { "media.navigator.permission.disabled": false, "permissions.default.camera": 2, "permissions.default.microphone": 2 };

for (const launch of [chromium, firefox]) {
  test(`every state of the publisher in ${launch.name}`, async (t) => {
    const server = await gateway(t, { args: ["--app", "live"] });
    run(t, chalkcast(), ["publish", await lessonFile(OUT), `${server.rtmp}/live/taken`, "--loop"]);
    await until("the other lesson is there", async () => (await (await fetch(`${server.http}/api/streams`)).text()).includes("taken"));
    const way = await line(t, server.httpPort);
    const browser = await launch();
    t.after(() => browser.close());
    const forbidding = await (launch === chromium ? chromium({ allow: false }) : firefox({ prefs: REFUSING }));
    t.after(() => forbidding.close());

    const url = `${server.http}/teacher?lang=en`;
    const look = (name, attributes, words, then, { own = browser, at = url } = {}) =>
      t.test(name, () => see(own, { name: `teacher-${name}`, url: at, element: "chalkcast-publisher", attributes, words, then }));
    const pictured = (page) => page.until("a picture", () => shown.surface?.videoWidth > 300);
    const press = (page, part) => page.evaluate((part) => shown.shadowRoot.querySelector(`[part=${part}]`).click(), part);
    const live = async (page) => {
      await pictured(page);
      await press(page, "start");
      await page.until("it is live", () => shown.state === "live" && shown.stream.info?.fps > 5);
    };

    await look("off", {}, { en: "The camera is off", zh: "摄像头未开启" }, async (page) => {
      await page.evaluate(() => {
        // As a page without `preview` begins.
        const fresh = document.createElement("chalkcast-publisher");
        shown.replaceWith(fresh);
        globalThis.shown = fresh;
      });
    });
    await look("asking", {}, { en: "Allow the camera", zh: "请允许使用摄像头" }, async (page) => {
      await page.evaluate(() => {
        navigator.mediaDevices.getUserMedia = () => new Promise(() => {});
        shown.openDevices();
      });
    });
    await look("refused", {}, { en: "was not allowed.*Try again", zh: "未获得摄像头权限.*重试" }, undefined, { own: forbidding });
    await look("ready", {}, { en: "Nobody sees you yet", zh: "还没有人能看到您" }, pictured);
    await look("live", {}, { en: "You are live\\d+ × \\d+", zh: "正在直播\\d+ × \\d+" }, live);
    await look("sound-only", {}, { en: "Sound only", zh: "仅声音" }, async (page) => {
      await pictured(page);
      await page.evaluate(() => {
        const cameras = shown.shadowRoot.querySelector("[part=camera-select]");
        cameras.value = "none";
        cameras.dispatchEvent(new Event("change"));
      });
    });
    await look("name-taken", { src: "live/taken" }, { en: "already publishing under this name", zh: "该名称已有人在直播" }, async (page) => {
      await pictured(page);
      await press(page, "start");
    });
    await look("reconnecting", { src: `${way.ws}/live/again` }, { en: "Trying again in \\d+ s", zh: "\\d+ 秒后重试" }, async (page) => {
      await live(page);
      way.close();
    });
  });
}
