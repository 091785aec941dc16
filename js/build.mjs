// Bundles src/ and the wasm in build/ into dist/. `tsc` writes the types afterwards.
import { build } from "esbuild";
import { access, copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const here = new URL("./", import.meta.url);
const path = (name) => new URL(name, here).pathname;

await access(path("build/chalkcast_bg.wasm")).catch(() => {
  console.error("js/build/chalkcast_bg.wasm is missing: run scripts/build-wasm first (make build does).");
  process.exit(1);
});

const common = {
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  sourcemap: false,
  legalComments: "none",
  charset: "utf8",
  logLevel: "warning",
  // What is loaded lazily carries its wasm: a bundler that copies the one file has copied all of it.
  loader: { ".gz": "binary" },
};

/** elements.js shares its classes with index.js by importing it, so a page that loads both has one of each. */
const shareIndex = {
  name: "share-index",
  setup(build) {
    build.onResolve({ filter: /\/index\.js$/ }, (args) =>
      args.kind === "entry-point" ? undefined : { path: "./index.js", external: true },
    );
  },
};

await rm(path("dist"), { recursive: true, force: true });
await mkdir(path("dist"), { recursive: true });
await build({ ...common, entryPoints: [path("src/index.ts")], outfile: path("dist/index.js") });
await build({ ...common, entryPoints: [path("src/elements.ts")], outfile: path("dist/elements.js"), plugins: [shareIndex] });

// Each of these runs in a scope of its own and is one file without imports, so that any bundler may move it.
for (const name of ["build/aac/chalkcast_aac_bg.wasm", "build/publisher/chalkcast_publisher_bg.wasm"]) {
  await writeFile(path(`${name}.gz`), gzipSync(await readFile(path(name)), { level: 9 }));
}
for (const name of ["worker", "worklet", "publisher", "aac"]) {
  await build({ ...common, entryPoints: [path(`src/${name}.ts`)], outfile: path(`dist/${name}.js`) });
}
await copyFile(path("build/chalkcast_bg.wasm"), path("dist/chalkcast.wasm"));
for (const name of ["LICENSE-APACHE", "LICENSE-MIT", "NOTICE"]) await copyFile(path(`../${name}`), path(`dist/${name}`));
