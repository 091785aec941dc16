// The interoperability table: every publisher with every player, by every way. All cells of a way run at the same time.

import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { OUT, chromium, scratch } from "./lib/browsers.mjs";
import { assertRising, attend, pictures, teach } from "./lib/lesson.mjs";
import { lessonFile } from "./lib/media.mjs";
import { assertClean, examine, ffmpeg, gateway, gatewayBefore, nginx, run } from "./lib/programs.mjs";
import { until } from "./lib/until.mjs";

/** Where programs publish and where they play; a browser publishes to the gateway and plays from it. */
const WAYS = {
  "the embedded relay": async (t) => {
    const server = await gateway(t);
    return { server, to: server.rtmp, from: server.rtmp };
  },
  "nginx-rtmp, published to the gateway": async (t) => {
    const behind = await nginx(t);
    const server = await gatewayBefore(t, behind);
    return { server, to: server.rtmp, from: behind.url };
  },
  "nginx-rtmp, played from the gateway": async (t) => {
    const behind = await nginx(t);
    const server = await gatewayBefore(t, behind);
    return { server, to: behind.url, from: server.rtmp };
  },
};

/** Each publishes a stream of its own name, until the test ends. */
const PUBLISHERS = {
  ffmpeg: (t, { to, lesson }) => void ffmpeg(t, ["-re", "-stream_loop", "-1", "-i", lesson, "-c", "copy", "-f", "flv", `${to}/live/ffmpeg`]),
  // Held back by its clock after the multiplexer, which would stamp alike what comes to it late.
  GStreamer: (t, { to, lesson }) =>
    void gstreamer(t, `filesrc location=${lesson} ! flvdemux name=from
      flvmux streamable=true name=mux ! rtmp2sink sync=true location=${to}/live/GStreamer
      from.video ! queue ! h264parse ! mux. from.audio ! queue ! aacparse ! mux.`),
  Chromium: async (t, { server, browser }) => {
    const teacher = await browser.page();
    t.after(() => teacher.close());
    await teach(teacher, server, "Chromium");
  },
};

/** Each records `url` to `path`, until stopped. */
const RECORDERS = {
  ffmpeg: (t, url, path) => ffmpeg(t, ["-rw_timeout", "20000000", "-i", url, "-c", "copy", "-flush_packets", "1", path]),
  GStreamer: (t, url, path) => gstreamer(t, `rtmp2src location=${url} ! filesink buffer-mode=unbuffered location=${path}`),
  rtmpdump: (t, url, path) => run(t, "rtmpdump", ["-q", "-r", url, "-o", path]),
};

for (const [way, open] of Object.entries(WAYS)) {
  test(way, async (t) => {
    const browser = await chromium();
    t.after(() => browser.close());
    const ends = { ...(await open(t)), browser, lesson: await lessonFile(OUT, { seconds: 60 }) };
    await Promise.all(Object.values(PUBLISHERS).map((publish) => publish(t, ends)));
    const names = Object.keys(PUBLISHERS);
    const students = await Promise.all(names.map((name) => student(t, ends, name)));
    const recordings = names.map((name) => Object.entries(RECORDERS).map(([player, record]) => recording(t, record, ends, name, player)));

    for (const [i, name] of names.entries()) {
      await t.test(`${name} to Chromium`, async () => assertRising(await pictures(students[i], 30)));
      for (const { player, path, program } of recordings[i]) {
        await t.test(`${name} to ${player}`, async (t) => {
          await until("three seconds of it", () => statSync(path).size > (name === "Chromium" ? CAMERA_BYTES : LESSON_BYTES), { log: program.log });
          await program.stop("SIGINT");
          assertClean(await examine(t, path));
        });
      }
    }
  });
}

/** Bytes of three seconds, of the lesson and of Chromium's camera. */
const LESSON_BYTES = 600_000;
const CAMERA_BYTES = 60_000;

/** A page that plays `name`, once it shows it and beeps. */
async function student(t, { server, browser }, name) {
  const page = await browser.page();
  t.after(() => page.close());
  await attend(page, server, name);
  await pictures(page, 5);
  await page.until("a beep", () => probe.beeps.length > 0);
  return page;
}

function recording(t, record, { from }, name, player) {
  const path = join(scratch(t), "recorded.flv");
  return { player, path, program: record(t, `${from}/live/${name}`, path) };
}

function gstreamer(t, pipeline) {
  return run(t, "gst-launch-1.0", ["-q", ...pipeline.split(/\s+/)]);
}
