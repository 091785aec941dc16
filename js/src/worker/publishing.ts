import type { createPublishers, Publishers, Session } from "../publisher.js";
import type { FromWorker, ToWorker } from "../protocol.js";

type Tasks = (publishers: Publishers) => void;

/** What of the page's messages is about publishing. */
const OURS = new Set<ToWorker["type"]>(["videoSource", "videoFrame", "videoSettings", "audioSource", "sourceEnded"]);

/**
 * The publishers of a connection: loaded when they are first needed. What is asked of them waits for that and is done in order, and never within the
 * call in which it was asked, so that the engine may ask too.
 */
export class Publishing {
  readonly #urls: { publisherUrl: string; aacUrl: string };
  readonly #session: Session;
  #publishers: Promise<Publishers | null> | undefined;

  constructor(urls: { publisherUrl: string; aacUrl: string }, session: Session) {
    this.#urls = urls;
    this.#session = session;
  }

  /** Whether that message was for the publishers alone. */
  take(message: ToWorker): boolean {
    // The server's answer takes a while, so the loading begins with the question.
    if (message.type === "publish") void this.#load(message.stream);
    if (!OURS.has(message.type)) return false;
    const stream = "stream" in message ? message.stream : 0;
    this.#load(stream).then((publishers) => {
      if (publishers) publishers.handle(message);
      else if (message.type === "videoFrame") message.frame.close();
    });
    return true;
  }

  /** The server waits for the stream's tags. */
  start(stream: number, bufferTime: number): void {
    this.#tell((publishers) => publishers.start(stream, bufferTime), this.#load(stream));
  }

  stop(stream: number): void {
    this.#tell((publishers) => publishers.stop(stream));
  }

  setBufferTime(stream: number, bufferTime: number): void {
    this.#tell((publishers) => publishers.setBufferTime(stream, bufferTime));
  }

  acknowledged(): void {
    this.#tell((publishers) => publishers.acknowledged());
  }

  remove(stream: number): void {
    this.#tell((publishers) => publishers.remove(stream));
  }

  #tell(task: Tasks, publishers = this.#publishers): void {
    publishers?.then((publishers) => publishers && task(publishers));
  }

  /** Null when they could not be loaded, which the page is told; the next publish tries again. */
  #load(stream: number): Promise<Publishers | null> {
    const { publisherUrl, aacUrl } = this.#urls;
    this.#publishers ??= import(/* @vite-ignore */ publisherUrl)
      .then((module: { createPublishers: typeof createPublishers }) => module.createPublishers(this.#session, () => import(/* @vite-ignore */ aacUrl)))
      .catch((error: unknown) => {
        this.#publishers = undefined;
        const description = `What publishes could not be loaded from ${publisherUrl}: ${String(error)}`;
        self.postMessage({ type: "status", stream, info: { level: "error", code: "NetStream.Failed", description } } satisfies FromWorker);
        return null;
      });
    return this.#publishers;
  }
}
