// node wasm.mjs FILE.wasm [EXPORT]: the tables of chalkcast-core-peers as wasm32 code, in Node's engine; all, or what EXPORT prints.
import { readFile } from "node:fs/promises";

const { instance } = await WebAssembly.instantiate(await readFile(process.argv[2]), {
  env: {
    now: () => performance.now(),
    line: (at, length) => console.log(new TextDecoder().decode(new Uint8Array(instance.exports.memory.buffer, at, length))),
  },
});
instance.exports[process.argv[3] ?? "bench"]();
