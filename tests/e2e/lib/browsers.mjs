// Chromium by Playwright, Firefox by WebDriver BiDi, behind one small face: page(), goto, evaluate, until, screenshot, close.

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium as playwright } from "playwright-core";
import puppeteer from "puppeteer-core";
import { cameraFile, microphoneFile } from "./media.mjs";
import { until } from "./until.mjs";

export const OUT = fileURLToPath(new URL("../out/", import.meta.url));
const PROBE = readFileSync(new URL("./probe.js", import.meta.url), "utf8");

/** Headless Chromium with the barcode camera (`camera` is its size) and the beeping microphone. `allow: false` refuses both, as a user would; without `autoplay` nothing sounds before a click. */
export async function chromium({ allow = true, autoplay = true, camera = [320, 240] } = {}) {
  const browser = await playwright.launch({ executablePath: CHROMIUM(), args: await switches(allow, camera, autoplay) });
  return {
    name: "Chromium",
    /** A page in a context of its own, as another person's browser would be. */
    async page({ watchCamera = false, locale = "en-GB", viewport = { width: 1280, height: 800 }, ...context } = {}) {
      const own = await browser.newContext({ locale, viewport, ignoreHTTPSErrors: true, ...context });
      await own.addInitScript(PROBE + (watchCamera ? ";probe.watchCamera();" : ""));
      const page = await own.newPage();
      return face(page, { close: () => own.close(), viewport: (size) => page.setViewportSize(size) });
    },
    /** The browser's processes: id, type, cpuTime in seconds. */
    async processes() {
      const session = await browser.newBrowserCDPSession();
      const { processInfo } = await session.send("SystemInfo.getProcessInfo");
      await session.detach();
      return processInfo;
    },
    close: () => browser.close(),
  };
}

/** The same Chromium by Puppeteer: Playwright keeps every page visible, here a page is hidden while another is in front of it. */
export async function chromiumTabs() {
  const args = await switches(true, [320, 240]);
  return tabs("Chromium", await puppeteer.launch({ browser: "chrome", executablePath: CHROMIUM(), headless: true, acceptInsecureCerts: true, args }));
}

/** Headless Firefox with its own fake camera and microphone (a changing colour and a steady tone). */
export async function firefox({ prefs = {} } = {}) {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: find("firefox-esr", ["/usr/bin/firefox-esr"]),
    headless: true,
    acceptInsecureCerts: true,
    extraPrefsFirefox: {
      "media.navigator.streams.fake": true,
      "media.navigator.permission.disabled": true,
      "media.cubeb.force_mock_context": true,
      "media.autoplay.default": 0,
      "media.autoplay.blocking_policy": 0,
      // What reads a canvas that a Worker has just begun to draw on waits for this long, 10 s otherwise; screenshots do, too.
      "gfx.offscreencanvas.snapshot-timeout-ms": 500,
      ...prefs,
    },
  });
  return tabs("Firefox", browser);
}

function tabs(name, browser) {
  return {
    name,
    async page({ viewport = { width: 1280, height: 800 } } = {}) {
      const own = await browser.createBrowserContext();
      const page = await own.newPage();
      await page.setViewport(viewport);
      await page.evaluateOnNewDocument(PROBE);
      return face(page, {
        close: () => own.close(),
        viewport: (size) => page.setViewport(size),
        /** Puts another tab in front; the function it resolves with brings this one back. */
        async hide() {
          const other = await own.newPage();
          await other.bringToFront();
          return async () => {
            await page.bringToFront();
            await other.close();
          };
        },
      });
    },
    close: () => browser.close(),
  };
}

const CHROMIUM = () => find("chromium", ["/usr/bin/chromium"]);

async function switches(allow, camera, autoplay = true) {
  return [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    `--autoplay-policy=${autoplay ? "no-user-gesture-required" : "document-user-activation-required"}`,
    "--use-fake-device-for-media-stream",
    ...(allow ? ["--use-fake-ui-for-media-stream"] : ["--deny-permission-prompts"]),
    `--use-file-for-fake-video-capture=${await cameraFile(OUT, camera)}`,
    `--use-file-for-fake-audio-capture=${microphoneFile(OUT)}`,
  ];
}

function face(page, own) {
  const log = [];
  page.on("console", (message) => log.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => log.push(`error: ${error.message}`));
  return {
    raw: page,
    log,
    ...own,
    goto: (url) => page.goto(url, { waitUntil: "load" }),
    evaluate: (script, argument) => page.evaluate(script, argument),
    click: (selector) => page.click(selector),
    screenshot: (name) => page.screenshot({ path: join(OUT, `${name}.png`) }),
    /** Asks the page until it answers something true, and gives that answer. */
    until: (what, script, { argument, seconds = 20 } = {}) =>
      until(what, () => page.evaluate(script, argument), { seconds, log: () => log.slice(-15).join("\n") }),
  };
}

function find(name, paths) {
  const path = process.env[`${name.toUpperCase().replace("-", "_")}_PATH`] ?? paths.find((candidate) => existsSync(candidate));
  if (!path) throw new Error(`${name} is not installed: run make test, which installs it`);
  return path;
}

/** An empty directory that the test's end removes. */
export function scratch(t) {
  const dir = mkdtempSync(join(tmpdir(), "chalkcast-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
