/** What publishes, imported by the Worker when its page first does: a page that only plays never downloads it. */
import init, { Publishers } from "../build/publisher/chalkcast_publisher.js";
import wasm from "../build/publisher/chalkcast_publisher_bg.wasm.gz";
import { inflate } from "./worker/inflate.js";

export type { Publishers };

/** The engine that has the session. */
export interface Session {
  send(stream: number, tagType: number, timestamp: number, payload: Uint8Array): void;
  /** Bytes that are still on their way out of the browser. */
  queued(): number;
  /** Bytes sent, and those of them that the peer has acknowledged, if it ever did. */
  sent(): number;
  acknowledged(): number | undefined;
}

/** The publishers of one connection, which send their tags by `session`. */
export async function createPublishers(session: Session, loadAac: () => Promise<unknown>): Promise<Publishers> {
  await init({ module_or_path: inflate(wasm) });
  return new Publishers(session, loadAac);
}
