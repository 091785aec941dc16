// A bad line between a browser and the gateway: a TCP proxy that delays, jitters, throttles, stalls and cuts.

import { once } from "node:events";
import { connect, createServer } from "node:net";

/** What is read ahead of a slow line, as a router's queue would hold it. Then the sender has to wait; the kernel holds some 100 KB more. */
const QUEUE = 16 * 1024;

/** A slow line carries one of these after the other. */
const PACKET = 1400;

/**
 * A line to `port`. Both directions are delayed by `latency` ± `jitter` milliseconds, in order; what comes down is limited to `rate` bits per
 * second when that is set, what goes up to `upRate`. All can be set anew at any time. `down` and `up` are the bytes delivered so far.
 */
export async function line(t, port, { latency = 0, jitter = 0, rate = Infinity, upRate = Infinity } = {}) {
  const pairs = new Set();
  const state = { latency, jitter, rate, upRate, down: 0, up: 0, stalledUntil: 0 };
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    const pair = { near, far };
    pairs.add(pair);
    const end = () => {
      near.destroy();
      far.destroy();
      pairs.delete(pair);
    };
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on("error", end);
      socket.on("close", end);
    }
    carry(state, near, far, "up");
    carry(state, far, near, "down");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = () => {
    for (const { near, far } of pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  };
  const close = () => {
    server.close();
    cut();
  };
  t.after(close);
  return Object.assign(state, {
    ws: `ws://localhost:${server.address().port}`,
    /** Nothing comes through for `ms`; then all that has waited comes at once. */
    stall: (ms) => (state.stalledUntil = performance.now() + ms),
    /** Resets every connection. */
    cut,
    /** Resets every connection and takes no other. */
    close,
  });
}

function carry(state, from, to, direction) {
  const queue = [];
  let [queued, free, last, timer] = [0, 0, 0, null];
  from.on("data", (data) => {
    const now = performance.now();
    for (let start = 0; start < data.length; start += PACKET) {
      const packet = data.subarray(start, start + PACKET);
      const seconds = (packet.length * 8) / (direction === "down" ? state.rate : state.upRate);
      free = Math.max(free, now, state.stalledUntil) + seconds * 1000;
      // In order, whatever the jitter.
      last = Math.max(last, free + state.latency + (Math.random() * 2 - 1) * state.jitter);
      queue.push({ at: last, data: packet });
    }
    queued += data.length;
    if (queued > QUEUE) from.pause();
    timer ??= setTimeout(deliver, Math.max(0, queue[0].at - now));
  });

  function deliver() {
    const now = performance.now();
    // A stall holds what is on its way too.
    const due = ({ at }) => Math.max(at, state.stalledUntil);
    while (queue.length > 0 && due(queue[0]) <= now) {
      const { data } = queue.shift();
      queued -= data.length;
      state[direction] += data.length;
      if (to.writable) to.write(data);
    }
    if (queued <= QUEUE) from.resume();
    timer = queue.length > 0 ? setTimeout(deliver, Math.max(1, due(queue[0]) - now)) : null;
  }
}
