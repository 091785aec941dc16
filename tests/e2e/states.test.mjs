// Every state of the player as a student sees it on the demo's page: audited, and photographed at both widths, in both languages and browsers.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { test } from "node:test";
import { OUT, chromium, firefox } from "./lib/browsers.mjs";
import { line } from "./lib/line.mjs";
import { lessonFile } from "./lib/media.mjs";
import { chalkcast, gateway, run } from "./lib/programs.mjs";
import { until } from "./lib/until.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SIZES = { wide: { width: 1280, height: 800 }, narrow: { width: 360, height: 740 } };
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

    /** Opens the student's page with `attributes` on the player, waits for `state` and for what `shown` finds, and looks at it. */
    const see = async (name, attributes, state, shown, then = async () => {}) => {
      const page = await browser.page();
      await page.goto(`${server.http}/student?stream=nobody&lang=en`);
      await page.evaluate((attributes) => {
        globalThis.visible = (root) => [...root.querySelectorAll("*")].filter((element) => element.checkVisibility?.() ?? true).filter(({ children }) => children.length === 0).map(({ textContent }) => textContent).join("");
        const player = (globalThis.player = document.querySelector("chalkcast-player"));
        for (const [name, value] of Object.entries(attributes)) player.setAttribute(name, value);
      }, attributes);
      await then(page);
      await page.until(`state ${state}`, (state) => player.state === state, { argument: state });
      for (const [lang, words] of Object.entries(shown)) {
        await page.viewport(SIZES.wide);
        await page.evaluate((lang) => document.querySelector(`.languages [lang^=${lang}]`).click(), lang);
        await page.until(`"${words}" on the page`, (words) => new RegExp(words).test(visible(player.shadowRoot)), { argument: words });
        for (const [size, viewport] of Object.entries(SIZES)) {
          await page.viewport(viewport);
          await page.screenshot(`state-${name}-${lang}-${size}-${browser.name}`);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          const cut = await page.evaluate(overflowing);
          assert.deepEqual({ name, lang, size, wide: Math.max(0, wide), cut }, { name, lang, size, wide: 0, cut: [] });
        }
        await page.evaluate(AXE);
        const { violations } = await page.evaluate(() => axe.run(document));
        assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`), [], `${name} ${lang}`);
      }
      await page.close();
    };
    const look = (name, ...rest) => t.test(name, () => see(name, ...rest));
    const live = { src: `${server.ws}/live/lesson` };
    const pictured = (page) => page.until("a picture", () => (player.surface?.videoWidth || player.surface?.width) > 300 && player.state === "playing");

    await look("not-started", {}, "waiting", { en: "has not started yet", zh: "尚未开始" });
    await look("poster", { poster: POSTER }, "waiting", { en: "has not started yet", zh: "尚未开始" });
    await look("connecting", { src: `ws://localhost:${silent.address().port}/live/x` }, "connecting", { en: "Connecting", zh: "正在连接" });
    await look("playing", live, "playing", { en: "Live", zh: "直播" }, pictured);
    await look("muted", { ...live, muted: "" }, "playing", { en: "Tap to unmute", zh: "点按开启声音" }, pictured);
    await look("audio-only", { ...live, "audio-only": "" }, "playing", { en: "Sound only", zh: "仅播放声音" });
    await look("stats", { ...live, stats: "" }, "playing", { en: "Jitter\\d+ ms", zh: "网络抖动\\d+ ms" }, pictured);
    await look("paused", live, "paused", { en: "Paused", zh: "已暂停" }, async (page) => {
      await pictured(page);
      await page.evaluate(() => player.pause());
    });
    await look("buffering", { ...live, "buffer-time": "60" }, "buffering", { en: "Getting ready: \\d+\\.\\d of 60 s", zh: "正在缓冲：\\d+\\.\\d / 60 秒" });
    await look("behind", { ...live, "buffer-time": "3" }, "playing", { en: "Go live3\\.\\d s", zh: "回到直播延迟 3\\.\\d 秒" }, pictured);
    await look("reconnecting", { src: `${way.ws}/live/lesson` }, "retrying", { en: "connection was lost", zh: "连接已断开" }, async (page) => {
      await pictured(page);
      way.close();
    });
    await look("failed", { src: `${server.ws}/history/x` }, "failed", { en: "cannot be shown.*refused", zh: "无法显示课程.*拒绝" });
  });
}

/** On the page: controls and words of the player that are cut off by its edge. */
function overflowing() {
  const box = player.getBoundingClientRect();
  return [...player.shadowRoot.querySelectorAll("button, .badge, .behind, .message, .stats, .buffering")]
    .filter((element) => element.getClientRects().length > 0)
    .filter((element) => {
      const { left, right, bottom } = element.getBoundingClientRect();
      return left < box.left - 1 || right > box.right + 1 || bottom > box.bottom + 1;
    })
    .map((element) => element.part.value);
}
