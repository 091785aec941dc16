import assert from "node:assert/strict";
import { test } from "node:test";
import { build } from "esbuild";

test("the elements may be imported where there is no page, as a server that renders does", async () => {
  const entry = new URL("../src/elements.ts", import.meta.url).pathname;
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "esm", write: false });
  const elements = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
  assert.equal(typeof elements.ChalkcastPlayer, "function");
  assert.equal(typeof elements.ChalkcastPublisher, "function");
});
