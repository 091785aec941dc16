// What a student does with the player, by hand, by keyboard and by screen reader, in both browsers.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { OUT, chromium, firefox } from "./lib/browsers.mjs";
import { line } from "./lib/line.mjs";
import { audit } from "./lib/look.mjs";
import { lessonFile } from "./lib/media.mjs";
import { chalkcast, gateway, run } from "./lib/programs.mjs";
import { until } from "./lib/until.mjs";

const README = readFileSync(new URL("../../js/README.md", import.meta.url), "utf8");

async function lesson(t) {
  const server = await gateway(t);
  run(t, chalkcast(), ["publish", await lessonFile(OUT), `${server.rtmp}/live/lesson`, "--loop"]);
  await until("the lesson is there", async () => (await (await fetch(`${server.http}/api/streams`)).text()).includes("lesson"));
  return server;
}

/** A student's page on which the lesson plays; `said` collects what a screen reader is told. */
async function student(browser, server, { src = `${server.ws}/live/lesson`, bufferTime = 0.1, ...options } = {}) {
  const page = await browser.page(options);
  await page.goto(`${server.http}/student?stream=nobody&lang=en`);
  await page.evaluate(({ src, bufferTime }) => {
    globalThis.player = document.querySelector("chalkcast-player");
    globalThis.part = (name) => player.shadowRoot.querySelector(`[part=${name}]`);
    globalThis.said = [];
    const region = player.shadowRoot.querySelector("[role=status]");
    new MutationObserver(() => said.push(region.textContent)).observe(region, { childList: true, characterData: true, subtree: true });
    player.setAttribute("buffer-time", bufferTime);
    player.src = src;
  }, { src, bufferTime });
  await page.until("the lesson plays", () => player.state === "playing" && player.stream.info?.fps > 5);
  return page;
}

for (const launch of [chromium, firefox]) {
  test(`the player by keyboard in ${launch.name}`, async (t) => {
    const server = await lesson(t);
    const browser = await launch();
    t.after(() => browser.close());
    const page = await student(browser, server, { bufferTime: 3 });
    const press = (key) => page.raw.keyboard.press(key);
    const focused = () => {
      const control = player.shadowRoot.activeElement;
      if (!control) return null;
      const { outlineStyle, outlineWidth } = getComputedStyle(control);
      const name = control.getAttribute("aria-label") ?? control.textContent;
      return { part: control.part.value, ring: outlineStyle === "solid" && parseFloat(outlineWidth) >= 2, named: name !== "" };
    };

    await t.test("Tab reaches each control, which is named and shows a ring", async () => {
      await page.until("the offer to go live", () => !part("go-live").hidden);
      const reached = [];
      for (let i = 0; i < 30; i++) {
        await press("Tab");
        const control = await page.evaluate(focused);
        if (control) reached.push(control);
        else if (reached.length > 0) break;
      }
      const parts = ["play-button", "mute-button", "volume", "go-live", "audio-only-button", "picture-in-picture-button", "fullscreen-button"];
      assert.deepEqual(reached, parts.map((part) => ({ part, ring: true, named: true })));
    });

    await page.evaluate(() => part("frame").focus());
    await t.test("End goes live", async () => {
      await press("End");
      await page.until("live", () => part("go-live").hidden && !part("live").hidden && player.stream.liveDelay < 2);
      assert.equal(await page.evaluate(() => document.querySelector("#buffer").value), "0.1");
    });
    await t.test("m, ↓ and ↑ change the sound, as its slider does", async () => {
      const sound = () => [player.muted, Number(player.volume.toFixed(2)), Number(player.stream.soundTransform.volume.toFixed(2)), Number(part("volume").value)];
      await press("m");
      await page.until("silence", () => part("mute-button").getAttribute("aria-label") === "Turn sound on");
      assert.deepEqual(await page.evaluate(sound), [true, 1, 0, 0]);
      await press("m");
      await press("ArrowDown");
      await press("ArrowDown");
      await press("ArrowUp");
      await page.until("the slider", () => part("volume").value === "95");
      assert.deepEqual(await page.evaluate(sound), [false, 0.95, 0.95, 95]);
      await page.evaluate(() => part("volume").focus());
      await press("ArrowLeft");
      await page.until("the slider moved", () => Number(part("volume").value) < 95);
      const [muted, volume, heard, slider] = await page.evaluate(sound);
      assert.deepEqual([muted, volume, heard], [false, slider / 100, slider / 100]);
      await page.evaluate(() => part("frame").focus());
    });
    await t.test("i shows the figures and hides them", async () => {
      await press("i");
      await page.until("figures", () => !part("stats").hidden && /Delay\d+ ms/.test(part("stats").textContent));
      await press("i");
      await page.until("none", () => part("stats").hidden);
    });
    await t.test("f fills the screen, and leaves it", async () => {
      await press("f");
      await page.until("full screen", () => document.fullscreenElement === player && part("fullscreen-button").getAttribute("aria-label") === "Leave full screen");
      await press("f");
      await page.until("none", () => !document.fullscreenElement && part("fullscreen-button").getAttribute("aria-label") === "Full screen");
    });
    await t.test("k pauses with one change of surface, and joins again; a screen reader hears each state once", async () => {
      await page.evaluate(() => {
        said.length = 0;
        globalThis.changes = 0;
        player.addEventListener("surfacechange", () => changes++);
        globalThis.ended = false;
        player.connection.addEventListener("netStatus", ({ info }) => (ended ||= info.code === "NetConnection.Connect.Closed"));
      });
      await press("k");
      await page.until("a pause", () => player.state === "paused" && part("play-button").getAttribute("aria-label") === "Play");
      // With its connection the engine is gone, and can hand nothing over any more.
      await page.until("the connection's end", () => ended);
      assert.equal(await page.evaluate(() => changes), 1);
      assert.equal(await page.evaluate(() => player.surface.width), 320);
      await press("k");
      await page.until("the lesson again", () => player.state === "playing" && said.at(-1) === "The lesson is playing");
      const heard = await page.evaluate(() => said.filter(Boolean));
      assert.equal(heard[0], "Paused");
      assert.deepEqual(heard, heard.filter((words, i) => words !== heard[i - 1]));
      assert.ok(heard.every((words) => !/\d/.test(words)), heard.join());
    });
    // The last: Firefox gives the keyboard to the window that floats.
    await t.test("p floats the picture, and brings it back", async () => {
      assert.equal(await page.evaluate(() => part("picture-in-picture-button").hidden), !(await page.evaluate(() => document.pictureInPictureEnabled)));
      await press("p");
      await page.until("a floating picture", () => document.pictureInPictureElement && part("picture-in-picture-button").getAttribute("aria-pressed") === "true");
      await press("p");
      await page.until("none", () => !document.pictureInPictureElement && part("picture-in-picture-button").getAttribute("aria-pressed") === "false");
    });
    await page.close();
  });

  test(`sound only stops the bytes of the pictures in ${launch.name}`, async (t) => {
    const server = await lesson(t);
    const way = await line(t, server.httpPort);
    const browser = await launch();
    t.after(() => browser.close());
    const page = await student(browser, server, { src: `${way.ws}/live/lesson` });
    const kbps = async () => {
      const [bytes, at] = [way.down, performance.now()];
      await until("three seconds", () => performance.now() - at > 3000);
      return ((way.down - bytes) * 8) / (performance.now() - at);
    };
    const both = await kbps();
    await page.evaluate(() => part("frame").focus());
    await page.raw.keyboard.press("a");
    await page.until("the words", () => part("message").textContent.includes("saves data") && player.stream.info.kbps < 200);
    const sound = await kbps();
    t.diagnostic(`${both.toFixed(0)} kbit/s with pictures, ${sound.toFixed(0)} without`);
    assert.ok(both > 1000 && sound > 5 && sound < both / 10, `${both} and ${sound} kbit/s`);
    await page.raw.keyboard.press("a");
    await page.until("pictures again", () => part("message").hidden && player.stream.info.kbps > 1000 && player.stream.info.fps > 5);
    await page.close();
  });

  test(`where the browser lets no sound be heard by itself, the picture plays and one click brings the sound, in ${launch.name}`, async (t) => {
    const server = await lesson(t);
    const browser = await (launch === chromium ? chromium({ autoplay: false }) : firefox({ prefs: { "media.autoplay.default": 1, "media.autoplay.blocking_policy": 0 } }));
    t.after(() => browser.close());
    const page = await student(browser, server);
    await page.until("the offer", () => !part("unmute").hidden && !player.stream.soundRunning);
    assert.equal(await page.evaluate(() => player.muted), false);
    const at = await page.evaluate(() => {
      const { left, top, width, height } = part("unmute").getBoundingClientRect();
      return [left + width / 2, top + height / 2];
    });
    await page.raw.mouse.click(...at);
    await page.until("sound", () => player.stream.soundRunning && part("unmute").hidden);
    await page.close();
  });

  test(`no motion for who asked for less, no button for what there is not, and a page's own colours, in ${launch.name}`, async (t) => {
    const server = await lesson(t);
    const browser = await (launch === chromium ? chromium() : firefox({ prefs: { "ui.prefersReducedMotion": 1 } }));
    t.after(() => browser.close());
    const page = await student(browser, server, { reducedMotion: "reduce" });
    const animation = () => getComputedStyle(player.shadowRoot.querySelector(".spinner")).animationName;
    assert.equal(await page.evaluate(animation), "none");

    const offered = await page.evaluate(async () => {
      const frame = Object.assign(document.createElement("iframe"), { src: location.href, allow: "fullscreen 'none'; picture-in-picture 'none'" });
      document.body.append(frame);
      await new Promise((resolve) => frame.addEventListener("load", resolve));
      const inner = frame.contentDocument.querySelector("chalkcast-player");
      inner.setAttribute("src", player.src);
      while (!(inner.state === "playing" && (inner.surface?.width ?? 0) > 300)) await new Promise((resolve) => requestAnimationFrame(resolve));
      const { fullscreenEnabled } = frame.contentDocument;
      const shown = !inner.shadowRoot.querySelector("[part=fullscreen-button]").hidden;
      frame.remove();
      return { fullscreenEnabled, shown };
    });
    assert.deepEqual(offered, { fullscreenEnabled: false, shown: false });

    const [, parts] = README.match(/^\| parts \| (.*?) \|/m);
    const documented = parts.match(/`[\w-]+`/g).map((name) => name.slice(1, -1));
    const there = await page.evaluate(() => [...player.shadowRoot.querySelectorAll("[part]")].map((element) => element.part.value));
    assert.deepEqual(documented.sort(), there.sort());

    const theme = { board: "#fffdf5", chalk: "#202020", accent: "#5b2a86", "on-accent": "#ffffff", live: "#8a1c1c", focus: "#1a5fb4", mark: "#5b2a86", radius: "0px" };
    for (const name of Object.keys(theme)) assert.ok(README.includes(`--chalkcast-${name}\``), name);
    await page.evaluate((theme) => {
      for (const [name, value] of Object.entries(theme)) player.style.setProperty(`--chalkcast-${name}`, value);
    }, theme);
    await audit(page, "a light theme, playing");
    await page.screenshot(`theme-playing-${browser.name}`);
    await page.evaluate(() => player.toggleAttribute("audio-only"));
    await page.until("the words", () => part("message").textContent.includes("saves data"));
    await audit(page, "a light theme, with a message");
    await page.screenshot(`theme-message-${browser.name}`);
    const colour = await page.evaluate(() => [getComputedStyle(part("message")).backgroundColor, getComputedStyle(part("live")).backgroundColor, getComputedStyle(player).borderRadius]);
    assert.deepEqual(colour, ["rgb(255, 253, 245)", "rgb(138, 28, 28)", "0px"]);
    await page.close();
  });
}
