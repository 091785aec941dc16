// `make demo` as people run it: what it prints, what it serves, and that nothing of it is left. Needs what `scripts/build` makes.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { connect, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

test("the demo serves its pages and the lesson, and Ctrl-C leaves no process", { timeout: 120_000 }, async (t) => {
  const [http, rtmp] = [await freePort(), await freePort()];
  const demo = make(t, [`HTTP=${http}`, `RTMP=${rtmp}`]);
  await demo.prints(/Ctrl-C ends it/);
  assert.match(demo.text(), new RegExp(`Student +http://localhost:${http}/student\\?stream=lesson`));
  for (const path of ["/", "/teacher", "/student?stream=lesson"]) {
    const response = await fetch(`http://127.0.0.1:${http}${path}`);
    assert.equal(response.status, 200, path);
  }
  assert.ok(demo.processes().length >= 3, "make, the gateway and the lesson run");

  process.kill(-demo.child.pid, "SIGINT");
  await demo.ended;
  assert.deepEqual(demo.processes(), []);
  assert.equal(await accepts(http), false);
  assert.equal(await accepts(rtmp), false);
});

test("killing make alone leaves no process either", { timeout: 120_000 }, async (t) => {
  const demo = make(t, [`HTTP=${await freePort()}`, `RTMP=${await freePort()}`]);
  await demo.prints(/Ctrl-C ends it/);
  demo.child.kill("SIGTERM");
  await demo.ended;
  assert.deepEqual(demo.processes(), []);
});

for (const name of ["HTTP", "RTMP"]) {
  test(`a busy ${name} port is named, with the way out`, { timeout: 60_000 }, async (t) => {
    const busy = createServer().listen(0, "127.0.0.1");
    await once(busy, "listening");
    t.after(() => busy.close());
    const ports = { HTTP: await freePort(), RTMP: await freePort(), [name]: busy.address().port };
    const demo = make(t, [`HTTP=${ports.HTTP}`, `RTMP=${ports.RTMP}`]);
    assert.notEqual(await demo.ended, 0);
    assert.match(demo.text(), new RegExp(`127\\.0\\.0\\.1:${ports[name]} is in use`));
    assert.match(demo.text(), new RegExp(`make demo ${name}=\\d+`));
  });
}

/** `make demo` in a process group of its own, as a terminal starts it. */
function make(t, variables) {
  const child = spawn("make", ["demo", ...variables], { cwd: ROOT, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  const waiting = new Set();
  const keep = (data) => {
    text += data;
    for (const check of waiting) check();
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const ended = new Promise((resolve) => child.on("close", (code, signal) => resolve(code ?? signal)));
  const processes = () => inGroup(child.pid);
  t.after(() => processes().length && process.kill(-child.pid, "SIGKILL"));
  return {
    child,
    ended,
    processes,
    text: () => text,
    prints(pattern) {
      return new Promise((resolve, reject) => {
        const check = () => pattern.test(text) && resolve();
        waiting.add(check);
        ended.then((code) => reject(new Error(`make demo ended (${code}) before it printed ${pattern}:\n${text}`)));
        check();
      });
    },
  };
}

/** The processes of a group that run, as their command names. */
function inGroup(group) {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        // "pid (name) state ppid pgrp …"; the name may hold spaces.
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        const [state, , pgrp] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return Number(pgrp) === group && state !== "Z" ? [stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"))] : [];
      } catch {
        return []; // it has just ended
      }
    });
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => (socket.destroy(), resolve(true)));
    socket.on("error", () => resolve(false));
  });
}
