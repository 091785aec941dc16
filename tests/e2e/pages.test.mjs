// The demo pages as people meet them: both browsers, wide and narrow, English and Chinese, by keyboard, and audited.

import assert from "node:assert/strict";
import { test } from "node:test";
import { chromium, firefox } from "./lib/browsers.mjs";
import { audit, photograph } from "./lib/look.mjs";
import { LESSON, chalkcast, gateway, run } from "./lib/programs.mjs";

for (const launch of [chromium, firefox]) {
  test(`the pages in ${launch.name}`, async (t) => {
    const server = await gateway(t);
    run(t, chalkcast(), ["publish", LESSON, `${server.rtmp}/live/lesson`, "--loop"]);
    const browser = await launch();
    t.after(() => browser.close());
    for (const [path, name, ready] of [
      ["/", "index", () => document.querySelector("h1") !== null],
      ["/student?stream=lesson", "student", () => {
        const { surface } = document.querySelector("chalkcast-player");
        return (surface?.videoWidth ?? surface?.width) > 300;
      }],
      ["/student?stream=nobody", "student-waiting", () => /not started|没有开始|尚未开始|还没/.test(document.querySelector("chalkcast-player").shadowRoot.textContent)],
      ["/teacher", "teacher", () => document.querySelector("chalkcast-publisher")?.shadowRoot.querySelector("button") !== null],
    ]) {
      for (const lang of ["en", "zh"]) {
        const page = await browser.page();
        await page.goto(`${server.http}${path}${path.includes("?") ? "&" : "?"}lang=${lang}`);
        await page.until(`${name} is ready`, ready);
        await photograph(page, `page-${name}-${lang}-${browser.name}`);
        await audit(page, `${name} ${lang}`);
        assert.equal(await page.evaluate(() => document.documentElement.lang.slice(0, 2)), lang);
        await page.close();
      }
    }
  });
}

test("a teacher starts and stops by keyboard, sees what is sent, and has the student link", async (t) => {
  const server = await gateway(t);
  const browser = await chromium();
  t.after(() => browser.close());
  const page = await browser.page();
  await page.goto(`${server.http}/teacher?lang=en`);
  await page.until("the start button is enabled", () => {
    const button = document.querySelector("chalkcast-publisher").shadowRoot.querySelector("[part~=start]");
    return button && !button.disabled;
  });
  const focused = () => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    return element?.part?.value ?? "";
  };
  for (let i = 0; i < 40 && !(await page.evaluate(focused)).includes("start"); i++) await page.raw.keyboard.press("Tab");
  await page.raw.keyboard.press("Enter");
  await page.until("kbit/s and frames shown", () => /\d+\s*×\s*\d+[\s\S]*fps[\s\S]*kbit\/s/.test(document.querySelector("chalkcast-publisher").shadowRoot.textContent));
  const link = await page.evaluate(() => document.querySelector("#link").value);
  assert.match(link, /^http:\/\/localhost:\d+\/student\?stream=conf$/);
  const student = await browser.page();
  await student.goto(link);
  await student.until("the lesson plays", () => document.querySelector("chalkcast-player").state === "playing");
  await page.screenshot("teacher-live");
  await student.screenshot("student-live");
  await page.raw.keyboard.press("Enter");
  await student.until("the student hears of the end", () => /lesson has ended/i.test(document.querySelector("chalkcast-player").shadowRoot.textContent));
});
