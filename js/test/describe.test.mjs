import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { load } from "./fake.mjs";

const { describe } = await load();

test("every code of the protocol core has words in both languages", async () => {
  const rust = await readFile(new URL("../../core/src/session/status.rs", import.meta.url), "utf8");
  const codes = [...rust.matchAll(/"(Net(?:Connection|Stream)\.[A-Za-z.]+)"/g)].map(([, code]) => code);
  assert.ok(codes.length > 20, "the codes were not found");
  for (const code of codes) {
    assert.doesNotMatch(describe(code, "en"), /[\u3400-\u9fff]|Net(Stream|Connection)\./, code);
    assert.match(describe(code, "zh-CN"), /[\u3400-\u9fff]/, code);
    assert.doesNotMatch(describe(code, "zh-CN"), /Net(Stream|Connection)\./, code);
  }
});

test("a refused camera says what to allow, and which part of the frame's list is missing", () => {
  const info = { level: "error", code: "Camera.Muted", description: "", reason: "frame", feature: "camera" };
  assert.match(describe(info, "en"), /allow="camera"/);
  assert.match(describe({ ...info, reason: "insecure" }, "zh"), /https/);
  assert.match(describe({ ...info, reason: "denied" }, "en"), /allow the camera/);
});

test("an unknown code is shown, by its level", () => {
  assert.equal(describe({ level: "error", code: "Odd.Thing", description: "" }, "en"), "Something went wrong: Odd.Thing.");
});
