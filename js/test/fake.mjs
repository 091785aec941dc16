// A browser's parts as far as the package's pure code needs them: a Worker that a test plays by hand.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

export const workers = [];

class FakeWorker {
  sent = [];
  terminated = false;
  constructor(url) {
    this.url = String(url);
    workers.push(this);
  }
  postMessage(message) {
    this.sent.push(structuredClone(message));
  }
  terminate() {
    this.terminated = true;
  }
  /** What the Worker says to the page. */
  say(message) {
    this.onmessage?.({ data: message });
  }
  fail() {
    this.onerror?.({ preventDefault() {} });
  }
  types() {
    return this.sent.map(({ type }) => type).filter((type) => type !== "init" && type !== "visibility");
  }
}
globalThis.Worker = FakeWorker;
globalThis.location = new URL("https://school.example/lesson");

/** The package, or another of its sources, bundled as it is published. */
export async function load(source = "index") {
  const folder = await mkdtemp(join(tmpdir(), "chalkcast-"));
  const file = join(folder, "index.mjs");
  await build({ entryPoints: [new URL(`../src/${source}.ts`, import.meta.url).pathname], bundle: true, format: "esm", outfile: file });
  try {
    return await import(pathToFileURL(file).href);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Lets everything that is only waiting for its turn happen. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

/** The Worker of the latest connection, once it is started. */
export async function worker() {
  await settle();
  return workers.at(-1);
}

export const status = (code, level = "status", description = "") => ({ level, code, description });

/** The codes `target` dispatches, as they come. */
export function codes(target) {
  const heard = [];
  target.addEventListener("netStatus", (event) => heard.push(event.info.code));
  return heard;
}
