/** The Worker of one NetConnection: it loads the engine and hands messages to it. What they mean is decided in Rust. */
import init, { Engine } from "../build/chalkcast.js";
import type { FromWorker, ToWorker } from "./protocol.js";

const waiting: ToWorker[] = [];
let engine: Engine | undefined;

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === "init") void start(data);
  else if (engine) engine.handle(data);
  else waiting.push(data);
};

async function start({ wasmUrl, aacUrl }: Extract<ToWorker, { type: "init" }>): Promise<void> {
  try {
    await init({ module_or_path: wasmUrl });
    const loadAac = () => import(/* @vite-ignore */ aacUrl);
    const started = new Engine((message: FromWorker, transfer: Transferable[]) => self.postMessage(message, { transfer }), loadAac);
    engine = started;
    self.postMessage({ type: "ready" } satisfies FromWorker);
    for (const message of waiting.splice(0)) started.handle(message);
  } catch (error) {
    self.postMessage({ type: "fatal", message: String(error) } satisfies FromWorker);
  }
}
