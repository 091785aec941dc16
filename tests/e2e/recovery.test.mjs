// What a student lives through in a real browser on a bad network, and that the player comes back from each by itself: without a reload, without
// a black picture, and to the delay it had.

import assert from "node:assert/strict";
import { test } from "node:test";
import { OUT, chromium, chromiumTabs, firefox } from "./lib/browsers.mjs";
import { attend, pictures, status, teach } from "./lib/lesson.mjs";
import { line } from "./lib/line.mjs";
import { FRAMES, RATE, lessonFile } from "./lib/media.mjs";
import { chalkcast, gateway, run } from "./lib/programs.mjs";
import { median, until } from "./lib/until.mjs";

/** Milliseconds: what a delay may differ by before and after, on a machine that does other things. */
const SLACK = 250;
const LOOP = (FRAMES * 1000) / RATE;

for (const [name, launch] of [["Chromium", chromiumTabs], ["Firefox", firefox]]) {
  test(`a student in ${name} on a bad line`, async (t) => {
    const server = await gateway(t);
    const file = await lessonFile(OUT);
    const publish = () => run(t, chalkcast(), ["publish", file, `${server.rtmp}/live/conf`, "--loop"]);
    let teacher = publish();
    const way = await line(t, server.httpPort, { latency: 20, jitter: 8 });
    const browser = await launch();
    t.after(() => browser.close());
    const page = await browser.page();
    await page.goto(`${server.http}/`);
    await page.evaluate(keepWorkers);
    await attend(page, { http: server.http, ws: way.ws }, "conf", { origin: null });
    await page.evaluate(watchForBlack);
    await playing(page);
    await pictures(page, 60);
    const step = (name, body, { keepsPicture = true } = {}) =>
      t.test(name, async (t) => {
        await page.evaluate(() => statuses.splice(0));
        await body(t);
        const darkest = await page.evaluate(() => black.darkest);
        await page.evaluate(() => (black.darkest = 255));
        assert.ok(darkest > 20 || !keepsPicture, `the picture went as dark as ${darkest}`);
      });

    /** Interrupts the lesson until it plays again, with a new surface, to the delay it had. */
    const interrupted = async (interrupt, { same = true } = {}) => {
      const before = same ? await phase(page) : null;
      await interrupt();
      await playing(page, { seconds: 30 });
      await page.until("pictures", () => player.stream.currentFPS > 5);
      if (before !== null) await backTo(page, before);
    };

    await step("a stall of 3 s: Buffer.Empty, then live again by skipping", async (t) => {
      const before = await phase(page);
      const from = await page.evaluate(() => probe.pictures.length);
      way.stall(3000);
      await status(page, "NetStream.Buffer.Empty");
      await page.until("it says that it waits", () => player.state === "buffering", { seconds: 3 });
      await status(page, "NetStream.Buffer.Full");
      await playing(page);
      const later = await backTo(page, before);
      // Two of the three seconds at least were not played out.
      const seen = await page.evaluate((from) => probe.pictures.slice(from), from);
      const longest = Math.max(...seen.slice(1).map(({ number }, i) => (number - seen[i].number + FRAMES) % FRAMES));
      assert.ok(longest > RATE, `the longest step is ${longest} pictures`);
      t.diagnostic(`${later.toFixed(0)} ms later than before the stall, by a step of ${longest} pictures`);
    });

    await step("a hidden tab: the sound goes on, and the picture is live within a second of its return", async (t) => {
      const before = await phase(page);
      const show = await page.hide();
      await page.until("it is hidden", () => document.hidden);
      const beeps = await page.evaluate(() => probe.beeps.length);
      await page.until("three beeps", (from) => probe.beeps.length >= from + 3, { argument: beeps });
      await page.evaluate(() => {
        globalThis.returned = new Promise((resolve) => document.addEventListener("visibilitychange", () => resolve(performance.timeOrigin + performance.now())));
      });
      await show();
      const returned = await page.evaluate(() => returned);
      await backTo(page, before);
      const seen = (await page.evaluate(() => probe.pictures)).filter(({ at }) => at > returned);
      const first = seen.find(({ number, at }) => wrap(at - (number * 1000) / RATE - before) < SLACK);
      t.diagnostic(`a live picture ${(first.at - returned).toFixed(0)} ms after the tab came back`);
      assert.ok(first.at - returned < 1000, `${first.at - returned} ms`);
    });

    await step("sound alone: no pictures are sent, and they come back", async (t) => {
      const rate = async () => {
        const [from, since] = [way.down, performance.now()];
        await until("a while on the line", () => performance.now() - since > 1000);
        return ((way.down - from) * 8) / (performance.now() - since);
      };
      const both = await rate();
      await page.evaluate(() => (player.audioOnly = true));
      await page.until("it says so", () => /Sound only/.test(player.shadowRoot.querySelector("[part=message]").textContent));
      const sound = await rate();
      t.diagnostic(`${both.toFixed(0)} kbit/s, ${sound.toFixed(0)} kbit/s of sound alone`);
      assert.ok(sound < 150 && both > 1000, `${sound.toFixed(0)} of ${both.toFixed(0)} kbit/s are sent`);
      const beeps = await page.evaluate(() => probe.beeps.length);
      await page.until("beeps", (from) => probe.beeps.length > from + 1, { argument: beeps });
      await page.evaluate(() => (player.audioOnly = false));
      await pictures(page, 30);
    });

    await step("the teacher publishes anew", async () => {
      await teacher.stop();
      await status(page, "NetStream.Play.UnpublishNotify");
      teacher = publish();
      await status(page, "NetStream.Play.PublishNotify");
      await playing(page);
      await pictures(page, 30);
    });

    await step("a cut: connects again, with a new surface over the last picture", async () => {
      await page.evaluate(() => {
        globalThis.surfaces = 0;
        player.addEventListener("surfacechange", () => surfaces++);
      });
      await interrupted(async () => {
        way.cut();
        await status(page, "NetConnection.Connect.Closed");
        await status(page, "NetStream.Play.Start");
      });
      // A copy of the last picture, then the new stream's canvas.
      assert.equal(await page.evaluate(() => surfaces), 2);
    });

    for (const [what, end] of [
      // Nothing the engine knows: its handler throws.
      ["that throws", () => workers.at(-1).postMessage(null)],
      ["that the browser ends", () => workers.at(-1).terminate()],
    ]) {
      const takesOver = async () => {
        await interrupted(async () => {
          await page.evaluate(end);
          const { reason, level } = await status(page, "NetConnection.Connect.Closed");
          assert.deepEqual({ reason, level }, { reason: "engine", level: "error" });
          await status(page, "NetStream.Play.Start");
        });
      };
      // Firefox has a canvas's picture in the Worker that drew it: with a Worker that dies it is gone before a page can copy it.
      await step(`an engine ${what}: a new one takes over`, takesOver, { keepsPicture: name === "Chromium" });
    }

    await step("the browser takes its decoders back: new ones go on with the next keyframe", async () => {
      const before = await phase(page);
      await page.evaluate(() => {
        globalThis.made = [];
        globalThis.codecs = new BroadcastChannel("codecs");
        codecs.onmessage = ({ data }) => made.push(data);
        codecs.postMessage("reclaim");
      });
      await page.until("a new decoder for pictures and one for sound", () => made.includes("VideoDecoder") && made.includes("AudioDecoder"));
      const beeps = await page.evaluate(() => probe.beeps.length);
      await backTo(page, before);
      await page.until("beeps", (from) => probe.beeps.length > from + 1, { argument: beeps });
      assert.equal(await page.evaluate(() => player.state), "playing");
    });

    await step("the gateway dies and is started again", async () => {
      await interrupted(async () => {
        await server.stop("SIGKILL");
        await status(page, "NetConnection.Connect.Closed");
        await gateway(t, { httpPort: server.httpPort, rtmpPort: server.rtmpPort });
        await teacher.stop();
        teacher = publish();
      }, { same: false });
    });

    await step("a line of 600 kbit/s for a stream of 1,500: the sound goes on, and pictures come as the line carries them", async (t) => {
      way.rate = 600_000;
      await page.until("it is felt", () => player.stream.info.kbps < 900);
      // One beep begins each second; six in a row are sound without a break.
      const beeps = await page.until(
        "sound without a break",
        () => {
          const last = probe.beeps.slice(-6);
          return last.length === 6 && last.every((at, i) => i === 0 || Math.abs(at - last[i - 1] - 1000) < 150) && { from: last[0], to: last[5] };
        },
        { seconds: 40 },
      );
      const { info, count } = await page.evaluate(
        ({ from, to }) => ({ info: { ...player.stream.info }, count: probe.pictures.filter(({ at }) => at > from && at < to).length }),
        beeps,
      );
      t.diagnostic(`${(info.liveDelay / 1000).toFixed(1)} s behind live, ${count} pictures in 5 s, ${info.skips} skips`);
      assert.ok(count >= 5 && info.liveDelay < 4000, `${count} pictures, ${info.liveDelay} ms`);
    });
  });
}

test("a teacher's uplink that carries less than is published", async (t) => {
  const server = await gateway(t);
  const way = await line(t, server.httpPort, { latency: 20 });
  const browser = await chromium({ camera: [640, 480] });
  t.after(() => browser.close());
  const teacher = await browser.page();
  await teach(teacher, { http: server.http, ws: way.ws }, "uplink", { camera: [640, 480, 30] });
  const before = await teacher.evaluate(() => stream.info.kbps);
  // The sound's 64 kbit/s and some pictures.
  way.upRate = 95_000;
  await teacher.until("it asks the encoder for less", () => stream.info.targetKbps < 400);
  await teacher.until("pictures are left out", () => stream.info.droppedFrames > 20);
  await teacher.until("what is left is in time", () => stream.info.queueAge < 300 && stream.info.queuedBytes === 0 && stream.info.fps > 1, { seconds: 30 });
  const { kbps, fps, targetKbps } = await teacher.evaluate(() => ({ ...stream.info }));
  t.diagnostic(`${before.toFixed(0)} kbit/s before, then ${kbps.toFixed(0)} at ${fps.toFixed(0)} pictures a second, ${targetKbps.toFixed(0)} asked for`);
  way.upRate = Infinity;
  await teacher.until("it asks for more", (less) => stream.info.targetKbps > less + 50, { argument: targetKbps, seconds: 30 });
  assert.deepEqual(await teacher.evaluate(() => probe.errors), []);
});

function playing(page, options) {
  return page.until("it plays", () => player.state === "playing", options);
}

/** Milliseconds by which pictures are late against their numbers, modulo the loop: two of these differ by what the delay has changed. */
async function phase(page, count = 30) {
  return phaseOf((await pictures(page, count)).slice(-count));
}

function phaseOf(seen) {
  const [{ number, at }] = seen;
  const start = at - (number * 1000) / RATE;
  return start + median(seen.map((picture) => wrap(picture.at - (picture.number * 1000) / RATE - start)));
}

function wrap(ms) {
  return ((((ms + LOOP / 2) % LOOP) + LOOP) % LOOP) - LOOP / 2;
}

/** Waits until the pictures are no later than they were, and resolves with the difference in milliseconds. */
async function backTo(page, before, slack = SLACK) {
  await pictures(page, 15);
  return until("the delay is what it was", async () => {
    const seen = await page.evaluate(() => probe.pictures.slice(-15));
    const later = wrap(phaseOf(seen) - before);
    if (later > slack) throw new Error(`${later.toFixed(0)} ms later`);
    return { later };
  }).then(({ later }) => later);
}

/** On the page, before the player: the engines' Workers, so that a test can end one, or take its decoders from it as a browser does. */
function keepWorkers() {
  globalThis.workers = [];
  const prelude = () => {
    const early = [];
    self.onmessage = ({ data }) => early.push(data);
    const channel = new BroadcastChannel("codecs");
    const decoders = new Map();
    for (const name of ["VideoDecoder", "AudioDecoder"]) {
      const Own = self[name];
      self[name] = class extends Own {
        constructor(init) {
          super(init);
          decoders.set(this, init.error);
          channel.postMessage(name);
        }
      };
    }
    channel.onmessage = () => {
      for (const [decoder, failed] of [...decoders]) {
        decoders.delete(decoder);
        if (decoder.state === "closed") continue;
        decoder.close();
        failed(new DOMException("Codec reclaimed due to inactivity.", "QuotaExceededError"));
      }
    };
    return () => early.forEach((data) => self.onmessage({ data }));
  };
  globalThis.Worker = class extends Worker {
    constructor(url, options) {
      super(URL.createObjectURL(new Blob([`const begin = (${prelude})(); import("${url}").then(begin);`], { type: "text/javascript" })), { ...options, type: "classic" });
      workers.push(this);
    }
  };
}

/** On the page: how dark the player's picture has been, all its surfaces laid over each other as the page shows them. */
function watchForBlack() {
  const canvas = Object.assign(document.createElement("canvas"), { width: 40, height: 30 });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  globalThis.black = { darkest: 255 };
  let lit = false;
  const look = () => {
    context.fillStyle = "#000";
    context.fillRect(0, 0, 40, 30);
    const began = performance.now();
    for (const surface of player.shadowRoot.querySelectorAll("[part=picture] canvas, [part=picture] video")) {
      const seen = surface.style.visibility !== "hidden" && probe.pictured(surface);
      if (seen) context.drawImage(surface, 0, 0, 40, 30);
    }
    const { data } = context.getImageData(0, 0, 40, 30);
    const mean = data.reduce((sum, value, i) => (i % 4 === 3 ? sum : sum + value), 0) / (40 * 30 * 3);
    lit ||= mean > 20;
    // Firefox gives up reading a Worker's canvas after 500 ms here, with nothing read: that says nothing of what is on the screen.
    const read = performance.now() - began < 450;
    if (lit && read && !player.audioOnly) black.darkest = Math.min(black.darkest, mean);
    requestAnimationFrame(look);
  };
  look();
}
