// Codecs and shapes of a lesson, in both browsers, by WebCodecs and by Media Source: what the browser decodes is shown and heard, what it does not
// is said.

import assert from "node:assert/strict";
import { test } from "node:test";
import { OUT, chromium, firefox } from "./lib/browsers.mjs";
import { flashFile, formatFile } from "./lib/flv.mjs";
import { assertRising, attend, pictures, status } from "./lib/lesson.mjs";
import { chalkcast, gateway, run } from "./lib/programs.mjs";

const FORMATS = {
  "H.264 with B-frames, MP3": { audio: "mp3" },
  "HEVC, AAC": { video: "hevc" },
  "VP9, Opus": { video: "vp9", audio: "opus" },
  "AV1, Opus": { video: "av1", audio: "opus" },
  "sound alone": { video: null },
  "a picture alone": { audio: null },
  "sound that begins after 3 s": { audioFrom: 3 },
  "a picture that begins after 3 s": { videoFrom: 3 },
  "another size after 5 s": { sizes: [[320, 240], [640, 480]] },
};

let browsers;
test.before(async () => (browsers = await Promise.all([chromium(), firefox()])));
test.after(() => Promise.all(browsers.map((browser) => browser.close())));

for (const [name, format] of Object.entries(FORMATS)) {
  test(name, async (t) => {
    const students = await lesson(t, await formatFile(OUT, format));
    for (const { page, renderer, title } of students) {
      await t.test(title, async (t) => {
        // A tab of Firefox behind another is not drawn.
        await page.raw.bringToFront();
        if (!(await decodes(page, renderer, format))) {
          const { description } = await status(page, "NetStream.Play.NoSupportedTrackFound");
          t.diagnostic(`${title}, ${name}: ${description}`);
          return;
        }
        await attended(page, renderer, format);
        t.diagnostic(`${title}, ${name}: plays`);
      });
    }
  });
}

test("Flash's own codecs are said not to play", async (t) => {
  for (const { page, title } of await lesson(t, await flashFile(OUT))) {
    const told = await page.until(`${title} says so`, () => {
      const infos = statuses.filter(({ code }) => code === "NetStream.Play.NoSupportedTrackFound");
      return infos.length >= 2 && infos.map(({ reason, description }) => `${reason}: ${description}`);
    });
    assert.equal(told.length, 2, told.join());
    assert.ok(told.some((words) => /^picture: .*Sorenson/.test(words)) && told.some((words) => /^sound: .*Nellymoser/.test(words)), told.join());
  }
});

/** Publishes the file to four students: each browser, each renderer. */
async function lesson(t, file) {
  const server = await gateway(t);
  const students = [];
  for (const browser of browsers) {
    for (const renderer of ["webcodecs", "mse"]) {
      const page = await browser.page();
      t.after(() => page.close());
      await attend(page, server, "format", { renderer });
      students.push({ page, renderer, title: `${browser.name}, ${renderer}` });
    }
  }
  run(t, chalkcast(), ["publish", file, `${server.rtmp}/live/format`, "--loop"]);
  return students;
}

/** Shows and sounds as it should. */
async function attended(page, renderer, { video = "h264", audio = "aac", sizes = [] }) {
  if (video) assertRising((await pictures(page, 20)).slice(1));
  if (audio) {
    if (renderer === "mse") await page.evaluate(hear);
    await page.until("a beep", () => probe.beeps.length > 0);
  }
  if (sizes.length > 1) {
    for (const [width] of sizes) await page.until(`pictures ${width} wide`, (width) => player.stream.videoWidth === width, { argument: width });
    assertRising((await pictures(page, 20)).slice(1));
  }
  assert.deepEqual(await page.evaluate(() => probe.errors), []);
}

/** An element's sound does not pass the page: this leads it past the probe. */
function hear() {
  const context = new AudioContext();
  context.createMediaElementSource(player.surface).connect(context.destination);
}

/** Whether the browser says that it decodes this. */
function decodes(page, renderer, { video = "h264", audio = "aac" }) {
  return page.evaluate(
    async ({ renderer, video, audio }) => {
      const codecs = { h264: "avc1.42c01e", hevc: "hvc1.1.6.L60.90", vp9: "vp09.00.20.08", av1: "av01.0.00M.08", aac: "mp4a.40.2", opus: "opus", mp3: "mp3" };
      if (renderer === "mse") return [["video", video], ["audio", audio]].every(([kind, codec]) => !codec || MediaSource.isTypeSupported(`${kind}/mp4; codecs="${codecs[codec]}"`) || (codec === "mp3" && MediaSource.isTypeSupported("audio/mpeg")));
      const picture = !video || (await VideoDecoder.isConfigSupported({ codec: codecs[video] })).supported;
      const sound = !audio || (await AudioDecoder.isConfigSupported({ codec: codecs[audio], sampleRate: 48000, numberOfChannels: 1 })).supported;
      return picture && sound;
    },
    { renderer, video, audio },
  );
}
