// Runs the test files one after the other. In CI a file that fails is run once more, as Playwright's `retries: 1` does, and is named as
// flaky if it passes then: these tests hold real browsers to milliseconds on a machine that may do something else for a moment.

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const named = process.argv.slice(2);
const files = named.length ? named : readdirSync(here).filter((name) => name.endsWith(".test.mjs")).sort();

const passes = (file) => {
  const args = ["--test", "--test-reporter=spec", "--test-timeout=300000", file];
  return spawnSync(process.execPath, args, { cwd: here, stdio: "inherit" }).status === 0;
};

const failed = files.filter((file) => !passes(file));
const again = process.env.CI ? failed.filter((file) => !passes(file)) : failed;
for (const file of failed) if (!again.includes(file)) console.log(`FLAKY: ${file} failed, and passed when run again`);
for (const file of again) console.log(`FAILED: ${file}`);
console.log(`${files.length - again.length} passed, ${again.length} failed`);
process.exitCode = again.length ? 1 : 0;
