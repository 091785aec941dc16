// Fails when something that ships has a licence that asks more than to be named: the crates in the gateway and in the wasm, the npm runtime dependencies.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const ALLOWED = new Set(["MIT", "MIT-0", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "0BSD", "BSL-1.0", "Unicode-3.0", "CC0-1.0", "Unlicense", "CDLA-Permissive-2.0"]);
const SHIPPED = ["chalkcast-gateway", "chalkcast-wasm", "chalkcast-aac"];

const metadata = JSON.parse(execFileSync("cargo", ["metadata", "--locked", "--format-version", "1"], { maxBuffer: 1 << 28 }));
const packages = new Map(metadata.packages.map((each) => [each.id, each]));
const nodes = new Map(metadata.resolve.nodes.map((node) => [node.id, node]));
const seen = new Set();
const visit = (id) => {
  if (seen.has(id)) return;
  seen.add(id);
  for (const { pkg, dep_kinds: kinds } of nodes.get(id).deps) {
    if (kinds.some(({ kind }) => kind === null)) visit(pkg);
  }
};
for (const each of metadata.packages.filter(({ name }) => SHIPPED.includes(name))) visit(each.id);

const lock = JSON.parse(readFileSync("js/package-lock.json"));
const modules = Object.entries(lock.packages).filter(([path, each]) => path !== "" && !each.dev);

const shipped = [
  ...[...seen].map((id) => packages.get(id)).map(({ name, version, license }) => [`crate ${name} ${version}`, license]),
  ...modules.map(([path, { version, license }]) => [`npm ${path.replace(/.*node_modules\//, "")} ${version}`, license]),
];
const refused = shipped.filter(([, license]) => !allowed(license ?? ""));
for (const [what, license] of refused) console.error(`${what}: ${license ?? "no licence named"}`);
console.log(`${shipped.length} parts ship, ${refused.length} with a licence that is not on the list`);
process.exitCode = refused.length > 0 ? 1 : 0;

/** An SPDX expression: one side of every OR, both of every AND ("/" is an old OR). */
function allowed(expression) {
  const parts = expression.replace(/[()]/g, "").split(/ AND /);
  return parts.every((part) => part.split(/ OR |\//).some((one) => ALLOWED.has(one.trim())));
}
