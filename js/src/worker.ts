/** The Worker of one NetConnection: it loads the engine and hands messages to it. What they mean is decided in Rust. */
import init, { Engine } from "../build/chalkcast.js";
import type { FromWorker, ToWorker } from "./protocol.js";
import { Publishing } from "./worker/publishing.js";

let engine: Engine | undefined;
let publishing: Publishing | undefined;

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === "init") void start(data);
  else if (!publishing?.take(data)) engine?.handle(data);
};
self.addEventListener("error", (event) => fatal(event.error ?? event.message));

function fatal(error: unknown): void {
  self.postMessage({ type: "fatal", message: String(error) } satisfies FromWorker);
}

/** Takes the lock that the browser lets go when this Worker is gone, however it went. False where there are no locks. */
function hold(lock: string): Promise<boolean> {
  return new Promise((resolve) => {
    const held = navigator.locks?.request(lock, () => {
      resolve(true);
      return new Promise(() => {});
    });
    if (held) held.catch(() => resolve(false));
    else resolve(false);
  });
}

async function start({ wasmUrl, publisherUrl, aacUrl, lock }: Extract<ToWorker, { type: "init" }>): Promise<void> {
  try {
    await init({ module_or_path: wasmUrl });
    publishing = new Publishing(
      { publisherUrl, aacUrl },
      {
        send: (stream, type, timestamp, payload) => engine?.send(stream, type, timestamp, payload),
        queued: () => engine?.queued() ?? 0,
        sent: () => engine?.sent() ?? 0,
        acknowledged: () => engine?.acknowledged(),
      },
    );
    engine = new Engine(publishing);
    self.postMessage({ type: "ready", locked: await hold(lock) } satisfies FromWorker);
  } catch (error) {
    fatal(error);
  }
}
