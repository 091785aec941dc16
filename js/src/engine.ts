import { assetUrls } from "./configure.js";
import type { FromWorker, ToWorker } from "./protocol.js";

/** What the page does with an engine's messages. */
export interface EngineHandler {
  message(message: FromWorker): void;
  /** The engine cannot start or has died; nothing follows. `reason` is for people. */
  failed(reason: string): void;
}

/**
 * The Worker of one connection. What is posted before the engine is ready waits, in order, so a Worker that may not be started directly
 * can be started again from a Blob without losing anything.
 */
export class Engine {
  readonly #handler: EngineHandler;
  readonly #urls = assetUrls();
  #worker: Worker | null = null;
  #waiting: { message: ToWorker; transfer: Transferable[] }[] | null = [];
  #over = false;
  readonly #lock = `chalkcast-${Date.now()}-${Math.random()}`;
  readonly #watch = new AbortController();

  constructor(handler: EngineHandler) {
    this.#handler = handler;
    const sameOrigin = new URL(this.#urls.workerUrl).origin === globalThis.location?.origin;
    // Starting must not call back inside the caller's `connect`.
    queueMicrotask(() => (sameOrigin ? this.#start(this.#urls.workerUrl, () => this.#startFromBlob()) : this.#startFromBlob()));
  }

  post(message: ToWorker, transfer: Transferable[] = []): void {
    if (this.#over) return;
    if (this.#waiting) this.#waiting.push({ message, transfer });
    else this.#worker?.postMessage(message, transfer);
  }

  terminate(): void {
    this.#over = true;
    this.#watch.abort();
    this.#worker?.terminate();
    this.#worker = null;
    this.#waiting = null;
  }

  /**
   * A script of another origin may not be a Worker, but a Worker of this origin may import it. By `import()`: that asks script-src, where
   * an `import` statement would ask worker-src. What is posted meanwhile would find nobody, so it is kept.
   */
  #startFromBlob(): void {
    const advice = loadAdvice(this.#urls.workerUrl);
    const source =
      "const early = []; self.onmessage = ({ data }) => early.push(data);" +
      `import(${JSON.stringify(this.#urls.workerUrl)}).then(` +
      "() => { for (const data of early) self.onmessage({ data }); }," +
      `(error) => self.postMessage({ type: "fatal", message: ${JSON.stringify(advice)} + " (" + error + ")" }));`;
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    this.#start(url, () => this.#fail(advice));
  }

  #start(url: string, failed: () => void): void {
    if (this.#over) return;
    let worker: Worker;
    try {
      // A Blob's Worker is a classic one: from a page opened as a file, Chromium starts no other.
      worker = new Worker(url, { type: url.startsWith("blob:") ? "classic" : "module", name: "chalkcast" });
    } catch {
      failed();
      return;
    }
    this.#worker = worker;
    let alive = false;
    worker.onmessage = (event: MessageEvent<FromWorker>) => {
      if (!alive && url.startsWith("blob:")) URL.revokeObjectURL(url);
      alive = true;
      this.#receive(event.data);
    };
    worker.onerror = (event) => {
      // An error before the first message is a script that did not load; the browser keeps the reason to itself.
      if (alive || this.#over || this.#worker !== worker) return;
      event.preventDefault?.();
      worker.terminate();
      failed();
    };
    const { wasmUrl, publisherUrl, aacUrl } = this.#urls;
    worker.postMessage({ type: "init", wasmUrl, publisherUrl, aacUrl, lock: this.#lock } satisfies ToWorker);
  }

  #receive(message: FromWorker): void {
    if (this.#over) return;
    if (message.type === "fatal") {
      this.#fail(message.message);
    } else if (message.type === "ready") {
      const waiting = this.#waiting ?? [];
      this.#waiting = null;
      if (message.locked) this.#watchOver();
      for (const { message, transfer } of waiting) this.#worker?.postMessage(message, transfer);
    } else {
      this.#handler.message(message);
    }
  }

  /** A Worker that the browser has ended says nothing, but its lock is free then. */
  #watchOver(): void {
    navigator.locks.request(this.#lock, { signal: this.#watch.signal }, () => this.#fail("The browser has ended the engine.")).catch(() => {});
  }

  #fail(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    // First whoever keeps what the Worker has drawn, which Firefox takes away with it.
    this.#handler.failed(reason);
    this.terminate();
  }
}

function loadAdvice(url: string): string {
  return (
    `The engine could not be loaded from ${url}. Is the file there, served with CORS headers when it is on another origin, ` +
    "and does the page's Content-Security-Policy allow it (script-src with that origin, blob: and 'wasm-unsafe-eval'; worker-src blob:)?"
  );
}
