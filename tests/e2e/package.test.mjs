// The npm package as a web developer meets it: installed from its tarball and bundled, and loaded from another origin under a CSP.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium, firefox, scratch } from "./lib/browsers.mjs";
import { pictures, status, teach } from "./lib/lesson.mjs";
import { gateway } from "./lib/programs.mjs";
import { web } from "./lib/web.mjs";
import { until } from "./lib/until.mjs";

const JS = fileURLToPath(new URL("../../js/", import.meta.url));

let browser;
test.before(async () => (browser = await chromium()));
test.after(() => browser.close());

test("the tarball, in an empty Vite project, publishes and plays", async (t) => {
  const server = await gateway(t);
  const project = scratch(t);
  const npm = (args, cwd) => execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const tarball = npm(["pack", "--ignore-scripts", "--silent", "--pack-destination", project], JS).trim().split("\n").at(-1);
  mkdirSync(join(project, "src"));
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "school", private: true, type: "module" }));
  npm(["install", "--no-audit", "--no-fund", "--prefer-offline", join(project, tarball), "vite@7"], project);
  writeFileSync(join(project, "index.html"), `<!doctype html><script type="module" src="/src/main.js"></script>`);
  writeFileSync(
    join(project, "src/main.js"),
    `import { NetConnection, NetStream, Camera, Microphone } from "chalkcast";
     import "chalkcast/elements";
     const connection = new NetConnection();
     globalThis.statuses = [];
     const note = (event) => statuses.push(event.info);
     connection.addEventListener("netStatus", note);
     connection.connect("${server.ws}/live");
     const stream = new NetStream(connection);
     stream.addEventListener("netStatus", note);
     stream.attachCamera(Camera.getCamera());
     stream.attachAudio(Microphone.getMicrophone());
     stream.publish("vite", "live");
     const player = document.createElement("chalkcast-player");
     player.setAttribute("src", "${server.ws}/live/vite");
     document.body.append(player);
     probe.watch(() => player.surface);`,
  );
  npm(["exec", "--", "vite", "build"], project);
  const origin = await web(t, { dir: join(project, "dist") });
  const page = await browser.page();
  t.after(() => page.close());
  await page.goto(`${origin}/`);
  await status(page, "NetStream.Publish.Start");
  await pictures(page, 30);
});

test("the gateway serves the package with CORS and its types", async (t) => {
  const server = await gateway(t);
  for (const [path, type] of [["index.js", /javascript/], ["elements.js", /javascript/], ["worker.js", /javascript/], ["worklet.js", /javascript/], ["publisher.js", /javascript/], ["aac.js", /javascript/], ["chalkcast.wasm", /^application\/wasm/]]) {
    const response = await fetch(`${server.http}/chalkcast/${path}`);
    assert.equal(response.status, 200, path);
    assert.match(response.headers.get("content-type"), type, path);
    assert.equal(response.headers.get("access-control-allow-origin"), "*", path);
    await response.arrayBuffer();
  }
});

for (const launch of [chromium, firefox]) {
  test(`loaded from a second origin, in a cross-origin iframe, under a CSP, without COOP or COEP: plays in ${launch.name}`, async (t) => {
    const server = await gateway(t);
    const teacher = await browser.page();
    t.after(() => teacher.close());
    await teach(teacher, server, "conf");

    const from = server.http;
    const csp = `default-src 'none'; style-src 'unsafe-inline'; script-src 'self' ${from} blob: 'wasm-unsafe-eval'; worker-src blob:; connect-src ${from} ${server.ws}; media-src blob:; img-src data:`;
    const lesson = await web(t, {
      pages: { "/lesson": `<!doctype html><body><script type="module" src="/embed.js"></script></body>` },
      dir: writeEmbed(t, server),
      headers: { "content-security-policy": csp },
    });
    const school = await web(t, {
      host: "127.0.0.1",
      pages: { "/": `<!doctype html><h1>School</h1><iframe width="640" height="480" allow="autoplay; fullscreen" src="${lesson}/lesson"></iframe>` },
    });
    const student = await (launch === chromium ? browser : await other(t, launch)).page();
    t.after(() => student.close());
    await student.goto(`${school}/`);
    // The frame tells its parent what its probe sees.
    await student.evaluate(() => addEventListener("message", (event) => (globalThis.seen = event.data)));
    const seen = await student.until("pictures in the frame", () => globalThis.seen?.pictures > 60 && globalThis.seen, { seconds: 40 });
    assert.deepEqual(seen.errors, []);
  });
}

async function other(t, launch) {
  const own = await launch();
  t.after(() => own.close());
  return own;
}

function writeEmbed(t, server) {
  const dir = scratch(t);
  writeFileSync(
    join(dir, "embed.js"),
    `import "${server.http}/chalkcast/elements.js";
     const player = document.createElement("chalkcast-player");
     player.setAttribute("src", "${server.ws}/live/conf");
     document.body.append(player);
     probe.watch(() => player.surface);
     document.addEventListener("securitypolicyviolation", (event) => probe.errors.push(event.violatedDirective + " " + event.blockedURI));
     setInterval(() => parent.postMessage({ pictures: probe.pictures.length, errors: probe.errors }, "*"), 200);`,
  );
  return dir;
}

test("workerUrl, workletUrl and wasmUrl override where the files come from", async (t) => {
  const server = await gateway(t);
  const teacher = await browser.page();
  t.after(() => teacher.close());
  await teach(teacher, server, "conf");
  const asked = [];
  const own = await web(t, { dir: join(JS, "dist"), pages: { "/": "<!doctype html>" }, asked });
  const page = await browser.page();
  t.after(() => page.close());
  // Playwright does not report what a worklet loads, so the server tells.
  const elsewhere = [];
  page.raw.on("request", (request) => elsewhere.push(request.url()));
  await page.goto(`${own}/`);
  await page.evaluate(
    async ({ from, src }) => {
      const { configure } = await import(`${from}/chalkcast/index.js`);
      configure({ workerUrl: "/worker.js", workletUrl: "/worklet.js", wasmUrl: "/chalkcast.wasm" });
      await import(`${from}/chalkcast/elements.js`);
      const player = document.createElement("chalkcast-player");
      player.setAttribute("src", src);
      document.body.append(player);
      probe.watch(() => player.surface);
    },
    { from: server.http, src: `${server.ws}/live/conf` },
  );
  await pictures(page, 30);
  const files = ["worker.js", "worklet.js", "chalkcast.wasm"];
  // The worklet may come after the first pictures.
  await until("each file was asked for", () => files.every((file) => asked.includes(`/${file}`)));
  // Whoever only plays loads nothing of what publishes.
  assert.deepEqual([...asked, ...elsewhere].filter((url) => /publisher|aac/.test(url)), []);
  for (const file of files) {
    assert.deepEqual(asked.filter((path) => path === `/${file}`), [`/${file}`]);
    assert.deepEqual(elsewhere.filter((url) => url.includes(`/${file}`) && !url.startsWith(own)), []);
  }
});
