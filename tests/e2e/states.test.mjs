// Every state of the player as a student sees it on the demo's page: audited, and photographed at both widths, in both languages and browsers.

import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { OUT, chromium, firefox } from "./lib/browsers.mjs";
import { line } from "./lib/line.mjs";
import { see } from "./lib/look.mjs";
import { lessonFile } from "./lib/media.mjs";
import { chalkcast, gateway, run } from "./lib/programs.mjs";
import { until } from "./lib/until.mjs";

const POSTER = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 9'%3E%3Crect width='16' height='9' fill='%23e9dfc7'/%3E%3Ccircle cx='8' cy='4.5' r='3' fill='%230b6b57'/%3E%3C/svg%3E";

for (const launch of [chromium, firefox]) {
  test(`every state of the player in ${launch.name}`, async (t) => {
    const server = await gateway(t, { args: ["--app", "live"] });
    const file = await lessonFile(OUT);
    run(t, chalkcast(), ["publish", file, `${server.rtmp}/live/lesson`, "--loop"]);
    await until("the lesson is there", async () => (await (await fetch(`${server.http}/api/streams`)).text()).includes("lesson"));
    const way = await line(t, server.httpPort);
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    t.after(() => silent.close());
    const browser = await launch();
    t.after(() => browser.close());

    const url = `${server.http}/student?stream=nobody&lang=en`;
    const look = (name, attributes, state, words, then = async () => {}) =>
      t.test(name, () =>
        see(browser, {
          name, url, element: "chalkcast-player", attributes, words,
          then: async (page) => {
            await then(page);
            await page.until(`state ${state}`, (state) => shown.state === state, { argument: state });
          },
        }),
      );
    const live = { src: `${server.ws}/live/lesson` };
    const pictured = (page) => page.until("a picture", () => (shown.surface?.videoWidth || shown.surface?.width) > 300 && shown.state === "playing");

    await look("not-started", {}, "waiting", { en: "has not started yet", zh: "尚未开始" });
    await look("poster", { poster: POSTER }, "waiting", { en: "has not started yet", zh: "尚未开始" });
    await look("connecting", { src: `ws://localhost:${silent.address().port}/live/x` }, "connecting", { en: "Connecting", zh: "正在连接" });
    await look("playing", live, "playing", { en: "Live", zh: "直播" }, pictured);
    await look("muted", { ...live, muted: "" }, "playing", { en: "Tap to unmute", zh: "点按开启声音" }, pictured);
    await look("audio-only", { ...live, "audio-only": "" }, "playing", { en: "Sound only", zh: "仅播放声音" });
    await look("stats", { ...live, stats: "" }, "playing", { en: "Jitter\\d+ ms", zh: "网络抖动\\d+ ms" }, pictured);
    await look("paused", live, "paused", { en: "Paused", zh: "已暂停" }, async (page) => {
      await pictured(page);
      await page.evaluate(() => shown.pause());
    });
    await look("buffering", { ...live, stats: "", "buffer-time": "60" }, "buffering", { en: "Getting ready: \\d+\\.\\d of 60 s", zh: "正在缓冲：\\d+\\.\\d / 60 秒" });
    await look("behind", { ...live, "buffer-time": "3" }, "playing", { en: "Go live3\\.\\d s", zh: "回到直播延迟 3\\.\\d 秒" }, pictured);
    await look("reconnecting", { src: `${way.ws}/live/lesson` }, "retrying", { en: "connection was lost", zh: "连接已断开" }, async (page) => {
      await pictured(page);
      way.close();
    });
    await look("failed", { src: `${server.ws}/history/x` }, "failed", { en: "cannot be shown.*refused", zh: "无法显示课程.*拒绝" });
  });
}
