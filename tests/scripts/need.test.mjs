// What scripts/need says where it may not install: never a crash, always the list.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Runs scripts/need with a PATH on which only the basic tools, `programs` (name: script) and nothing else is found. */
function need(t, topics, { programs = {}, os = "ID=fedora\nVERSION_ID=42\n", user = 1000 } = {}) {
  const dir = mkdtempSync(join(tmpdir(), "need-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const basic = new Set("awk bash cat cp cut date dirname env find flock git grep head ls mkdir mktemp paste printf rm sed sha256sum sh sort tail timeout touch tr uname xargs".split(" "));
  for (const folder of ["/bin", "/usr/bin"]) {
    for (const name of readdirSync(folder)) if (basic.delete(name)) symlinkSync(join(folder, name), join(dir, name));
  }
  const scripts = { id: `echo ${user}`, "apt-get": "echo apt-get was called; exit 9", ...programs };
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(dir, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  writeFileSync(join(dir, "os-release"), os);
  const { status, stdout, stderr } = spawnSync(join(ROOT, "scripts/need"), topics, {
    env: { HOME: dir, PATH: dir, OS_RELEASE: join(dir, "os-release"), CHALKCAST_CACHE: join(dir, "cache") },
    encoding: "utf8",
  });
  return { status, text: stdout + stderr };
}

test("on another distribution, what is missing is listed with versions", (t) => {
  const { status, text } = need(t, ["rust", "node", "build"]);
  assert.equal(status, 1);
  assert.match(text, /Missing here:/);
  assert.match(text, /Rust 1\.\d+ or later: https:\/\/rustup\.rs/);
  assert.match(text, /Node\.js 20 or later.*Debian 12's own package is 18/);
  assert.match(text, /a C compiler/);
  assert.match(text, /Only on Debian 12/);
});

test("on Debian without root, the command to run as root is shown", (t) => {
  const { status, text } = need(t, ["build"], { os: "ID=debian\nVERSION_ID=12\n" });
  assert.equal(status, 1);
  assert.match(text, /sudo apt-get install --no-install-recommends build-essential/);
  assert.doesNotMatch(text, /apt-get was called/);
});

test("an old Node.js is named as such", (t) => {
  const { status, text } = need(t, ["node"], { programs: { node: "echo v18.20.4", npm: "echo 9" } });
  assert.equal(status, 1);
  assert.match(text, /Node\.js 20 or later; this is v18\.20\.4/);
});

test("where everything is there, nothing is asked for, whatever the system and the user", (t) => {
  const there = { node: "echo v22.1.0", npm: "echo 10", cc: "true" };
  assert.deepEqual(need(t, ["node", "build"], { programs: there }), { status: 0, text: "" });
});

test("a failing installation shows the end of its log and the log's name", (t) => {
  const { status, text } = need(t, ["build"], { os: "ID=debian\nVERSION_ID=12\n", user: 0 });
  assert.equal(status, 9);
  assert.match(text, /FAILED after \d+ s/);
  assert.match(text, /apt-get was called/);
  assert.match(text, /all of it: .*\/target\/log\/.*\.log/);
});
