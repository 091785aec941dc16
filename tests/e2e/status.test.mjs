// What a teacher and a student are told: each status code the way ActionScript gave it, from a real gateway.

import assert from "node:assert/strict";
import { test } from "node:test";
import { chromium } from "./lib/browsers.mjs";
import { attend, pictures, status, teach } from "./lib/lesson.mjs";
import { freePort, gateway, gatewayWith } from "./lib/programs.mjs";

let browser;
test.before(async () => (browser = await chromium()));
test.after(() => browser.close());

/** Connects from a page and resolves with the statuses that came, once one has `code`. */
async function connecting(t, page, url, code) {
  t.after(() => page.close());
  await page.evaluate(async (url) => {
    const { NetConnection } = await import("/chalkcast/index.js");
    globalThis.statuses = [];
    globalThis.connection = new NetConnection();
    connection.connect(url);
    connection.addEventListener("netStatus", (event) => statuses.push(event.info)); // added after connect, as many an old script does
  }, url);
  return status(page, code, { seconds: 30 });
}

for (const relay of ["embedded", "nginx-rtmp"]) {
  test(`NetStream.Play.StreamNotFound, and the player starts by itself when the stream appears; through ${relay}`, async (t) => {
    const server = await gatewayWith(t, relay);
    const student = await browser.page();
    t.after(() => student.close());
    await attend(student, server, "later");
    const info = await status(student, "NetStream.Play.StreamNotFound");
    assert.match(info.description, /later/);
    const teacher = await browser.page();
    t.after(() => teacher.close());
    await teach(teacher, server, "later");
    await pictures(student, 30);
  });

  test(`closing the teacher's tab is NetStream.Play.UnpublishNotify, reopening it brings the picture back; through ${relay}`, async (t) => {
    const server = await gatewayWith(t, relay);
    const first = await browser.page();
    await teach(first, server, "conf");
    const student = await browser.page();
    t.after(() => student.close());
    await attend(student, server, "conf");
    await pictures(student, 30);
    await first.close();
    await status(student, "NetStream.Play.UnpublishNotify", { seconds: 30 });
    const again = await browser.page();
    t.after(() => again.close());
    await teach(again, server, "conf");
    await status(student, "NetStream.Play.PublishNotify");
    await pictures(student, 30);
  });

  test(`NetStream.Publish.BadName for a name that is taken; through ${relay}`, async (t) => {
    const server = await gatewayWith(t, relay);
    const teacher = await browser.page();
    t.after(() => teacher.close());
    await teach(teacher, server, "conf");
    const other = await browser.page();
    t.after(() => other.close());
    await other.goto(`${server.http}/`);
    await other.evaluate(async (url) => {
      const { NetConnection, NetStream } = await import("/chalkcast/index.js");
      globalThis.statuses = [];
      const connection = new NetConnection();
      connection.connect(url);
      const stream = new NetStream(connection);
      stream.addEventListener("netStatus", (event) => statuses.push(event.info));
      stream.publish("conf", "live");
    }, `${server.ws}/live`);
    const info = await status(other, "NetStream.Publish.BadName");
    assert.equal(info.level, "error");
    assert.match(info.description, /conf/);
  });
}

test("NetConnection.Connect.Failed where there is no gateway", async (t) => {
  const server = await gateway(t);
  const page = await browser.page();
  await page.goto(`${server.http}/`);
  const info = await connecting(t, page, `ws://localhost:${await freePort()}/live`, "NetConnection.Connect.Failed");
  assert.equal(info.level, "error");
});

test("NetConnection.Connect.Rejected for an app that is not served, with the list of those that are", async (t) => {
  const server = await gateway(t, { args: ["--app", "maths", "--app", "physics"] });
  const page = await browser.page();
  await page.goto(`${server.http}/`);
  const info = await connecting(t, page, `${server.ws}/history`, "NetConnection.Connect.Rejected");
  assert.equal(info.level, "error");
  assert.match(info.description, /maths/);
  assert.match(info.description, /physics/);
});

test("NetConnection.Connect.Closed when the gateway dies", async (t) => {
  const server = await gateway(t);
  const page = await browser.page();
  await page.goto(`${server.http}/`);
  await connecting(t, page, `${server.ws}/live`, "NetConnection.Connect.Success");
  await server.stop("SIGKILL");
  await status(page, "NetConnection.Connect.Closed");
});

test("a camera that is refused says what to allow", async (t) => {
  const server = await gateway(t);
  const refusing = await chromium({ allow: false });
  t.after(() => refusing.close());
  const page = await refusing.page();
  await page.goto(`${server.http}/teacher`);
  await page.until("words about the permission", () => {
    const texts = [document.body.innerText];
    for (const element of document.querySelectorAll("*")) if (element.shadowRoot) texts.push(element.shadowRoot.textContent);
    return /camera was not allowed\. .*allow the camera/i.test(texts.join(" "));
  });
});
