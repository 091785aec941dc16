// What is there to be copied from, run as it is: the examples, and the code in both READMEs. Only the gateway's address is this test's own.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { OUT, chromium, firefox } from "./lib/browsers.mjs";
import { audit, photograph } from "./lib/look.mjs";
import { lessonFile } from "./lib/media.mjs";
import { chalkcast, gateway, run } from "./lib/programs.mjs";
import { until } from "./lib/until.mjs";
import { web } from "./lib/web.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const EXAMPLES = join(ROOT, "examples");
/** The package from the gateway, where a bundler would take it from node_modules; package.test.mjs does that. */
const importMap = (server) => `<script type="importmap">{ "imports": { "chalkcast": "${server.http}/chalkcast/index.js" } }</script>`;

/** What the guidelines ask for; the page around an example may be too short for headings and landmarks, and speaks the browser's language. */
const ACCESSIBLE = { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"], rules: { "html-has-lang": { enabled: false } } };

function blocks(readme, language) {
  const text = readFileSync(join(ROOT, readme), "utf8");
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].filter(([, named]) => named === language).map(([, , code]) => code);
}

for (const launch of [chromium, firefox]) {
  test(`the examples and the READMEs' code in ${launch.name}`, async (t) => {
    const server = await gateway(t);
    run(t, chalkcast(), ["publish", await lessonFile(OUT), `${server.rtmp}/live/lesson`, "--loop"]);
    await until("the lesson is there", async () => (await (await fetch(`${server.http}/api/streams`)).text()).includes("lesson"));
    const here = (text) => text.replaceAll("localhost:8080", `localhost:${server.httpPort}`).replaceAll("wss://HOST", server.ws).replaceAll("https://HOST", server.http);
    const [embed] = blocks("README.md", "html");
    const [publish] = blocks("README.md", "js").map((code) => code.replace('publish("conf"', 'publish("readme"'));
    const [embedShort] = blocks("js/README.md", "html");
    const [publishShort] = blocks("js/README.md", "js");
    const script = (code) => `<!doctype html><html lang="en"><title>A page</title>${importMap(server)}<script type="module">${here(code)}\nglobalThis.stream = stream;</script>`;
    const named = Object.fromEntries(
      ["player.html", "publisher.html", "classroom.html", "lms-embed/index.html", "lms-embed/lesson.html"].map((name) => [`/${name}`, here(readFileSync(join(EXAMPLES, name), "utf8"))]),
    );
    const pages = { ...named, "/embed": here(embed), "/embed-short": here(embedShort), "/publish": script(publish), "/publish-short": script(publishShort.replace('publish("lesson")', 'publish("short")')) };
    const origin = await web(t, { dir: EXAMPLES, pages });
    const browser = await launch();
    t.after(() => browser.close());

    const on = (name, path, ready, { look = true } = {}) =>
      t.test(name, async (t) => {
        const page = await browser.page();
        t.after(() => page.close());
        await page.goto(`${origin}${path}`);
        await page.until("what it is for", ready, { seconds: 40 });
        if (look) {
          await photograph(page, `example-${name}-${browser.name}`);
          await audit(page, name, ACCESSIBLE);
        }
        assert.deepEqual(await page.evaluate(() => probe.errors), []);
      });
    const plays = () => {
      const player = (document.querySelector("iframe")?.contentDocument ?? document).querySelector("chalkcast-player");
      return player?.state === "playing" && player.stream.info?.fps > 5;
    };
    await on("player", "/player.html", plays);
    await on("lms-embed", "/lms-embed/index.html", plays);
    await on("readme-embed", "/embed", plays, { look: false });
    await on("package-readme-embed", "/embed-short", plays, { look: false });
    await on("publisher", "/publisher.html", () => {
      const publisher = document.querySelector("chalkcast-publisher");
      if (publisher.state === "off" && publisher.start) publisher.start();
      return publisher.state === "live" && publisher.stream.info?.fps > 5 && document.body.textContent.includes("NetStream.Publish.Start");
    });
    for (const [name, path] of [["readme-publish", "/publish"], ["package-readme-publish", "/publish-short"]]) {
      await on(name, path, () => globalThis.stream?.info?.fps > 5, { look: false });
    }
    await t.test("classroom", async (t) => {
      const enter = async (name) => {
        const page = await browser.page();
        t.after(() => page.close().catch(() => {}));
        await page.goto(`${origin}/classroom.html?gateway=${encodeURIComponent(server.http)}`);
        await page.until("the way in", () => !document.querySelector("form button").disabled);
        await page.evaluate((name) => {
          document.querySelector("[name=name]").value = name;
          document.querySelector("form").requestSubmit();
        }, name);
        return page;
      };
      const [ana, ben] = [await enter("Ana"), await enter("Ben")];
      for (const page of [ana, ben]) {
        await page.until("two faces", () => {
          const seen = [...document.querySelectorAll("figure")].map((figure) => figure.querySelector("canvas, video"));
          return seen.length === 2 && seen.every((surface) => (surface?.videoWidth ?? surface?.width) >= 320);
        }, { seconds: 40 });
      }
      await photograph(ana, `example-classroom-${browser.name}`);
      await audit(ana, "classroom", ACCESSIBLE);
      await ben.close();
      await ana.until("one left", () => document.querySelectorAll("figure").length === 1, { seconds: 40 });
    });
  });
}
