// Prints how soon a student who comes in mid-lesson sees a picture: after play() on a page whose connection is made, and after the page is opened.
// Usage: node join.mjs [joins a row]      (needs the package and the gateway built, and npm ci in tests/e2e)

import { chromium, firefox } from "../../e2e/lib/browsers.mjs";
import { gateway, publishTestCard } from "../../e2e/lib/programs.mjs";
import { percentile, until } from "../../e2e/lib/until.mjs";

const joins = Number(process.argv[2] ?? 10);
/** Seconds between keyframes. */
const GOPS = [1, 10];

// The helpers clean up when "a test" ends; here that is the end of the run.
const cleanups = [];
const t = { after: (cleanup) => cleanups.unshift(cleanup) };

console.log("| first picture, ms | keyframes | p50 | most |\n|---|---|---|---|");
try {
  const server = await gateway(t);
  for (const gop of GOPS) publishTestCard(t, `${server.rtmp}/live/gop${gop}`, { gop });
  await until("both lessons are there", async () => {
    const streams = await (await fetch(`${server.http}/api/streams`)).text();
    return GOPS.every((gop) => streams.includes(`gop${gop}`));
  });
  for (const launch of [chromium, firefox]) {
    const browser = await launch();
    t.after(() => browser.close());
    for (const gop of GOPS) {
      await row(`${browser.name}, after play()`, gop, () => afterPlay(browser, server, `gop${gop}`));
      await row(`${browser.name}, after the page is opened`, gop, () => afterOpening(browser, server, `gop${gop}`));
    }
  }
} finally {
  for (const cleanup of cleanups) await cleanup();
}

async function row(name, gop, join) {
  const times = [];
  for (let i = 0; i < joins; i++) times.push(await join());
  console.log(`| ${name} | every ${gop} s | ${percentile(times, 0.5).toFixed(0)} | ${Math.max(...times).toFixed(0)} |`);
}

async function afterPlay(browser, server, name) {
  const page = await browser.page();
  await page.goto(`${server.http}/`);
  await page.evaluate(pictured);
  const took = await page.evaluate(
    async ({ url, name }) => {
      const { NetConnection, NetStream, Video } = await import("/chalkcast/index.js");
      const connection = new NetConnection();
      await connection.connect(url);
      const stream = new NetStream(connection);
      const video = new Video();
      video.attachNetStream(stream);
      document.body.prepend(video.element);
      const asked = performance.now();
      void stream.play(name);
      return (await pictured(() => video.surface)) - asked;
    },
    { url: `${server.ws}/live`, name },
  );
  await page.close();
  return took;
}

async function afterOpening(browser, server, name) {
  const page = await browser.page();
  const asked = Date.now();
  await page.goto(`${server.http}/student?stream=${name}`);
  await page.evaluate(pictured);
  const at = await page.evaluate(async () => performance.timeOrigin + (await pictured(() => document.querySelector("chalkcast-player").surface)));
  await page.close();
  return at - asked;
}

/** Run in the page: defines `pictured(surface)`, which resolves with the performance.now() of the first refresh at which `surface()` is not black. */
function pictured() {
  globalThis.pictured = (surface) =>
    new Promise((resolve) => {
      const context = Object.assign(document.createElement("canvas"), { width: 8, height: 8 }).getContext("2d", { willReadFrequently: true });
      const look = () => {
        const source = surface();
        if (source && probe.pictured(source)) {
          context.drawImage(source, 0, 0, 8, 8);
          const { data } = context.getImageData(0, 0, 8, 8);
          if (data.some((value, i) => i % 4 !== 3 && value > 16)) return resolve(performance.now());
        }
        requestAnimationFrame(look);
      };
      look();
    });
}
