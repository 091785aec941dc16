// The house rules that tsc does not know.
import { readdir, readFile } from "node:fs/promises";

const RULES = [
  [/\s+$/, "trailing space"],
  [/\t/, "tab"],
  [/.{161,}/, "longer than 160 characters", /_TEXT|text\.ts$/],
  [/\bconsole\.(log|debug|info)\b/, "console output"],
  [/\bdebugger\b/, "debugger"],
  [/:\s*any\b|<any>|\bas any\b/, "any"],
  [/\.(inner|outer)HTML\s*=|insertAdjacentHTML/, "markup from a string"],
  [/\bexport default\b/, "default export", /\.d\.ts$/],
  [/\b(TODO|FIXME|XXX)\b/, "unfinished"],
  [/\beval\(|new Function\(/, "eval"],
  [/[\u3400-\u9fff][,:;?!]|[,:;?!][\u3400-\u9fff]/, "ASCII punctuation in Chinese text"],
  [/from "\.[^"]*(?<!\.(m?js|wasm|wasm\.gz))"/, "import without extension"],
];
const MAX_LINES = 600;

let problems = 0;
const report = (where, what) => {
  problems++;
  console.error(`${where}: ${what}`);
};

const root = new URL("./", import.meta.url);
for (const folder of ["src", "test"]) {
  const names = await readdir(new URL(folder, root), { recursive: true }).catch(() => []);
  for (const name of names.filter((name) => /\.(ts|mjs)$/.test(name)).sort()) {
    const file = `${folder}/${name}`;
    const lines = (await readFile(new URL(file, root), "utf8")).split("\n");
    if (folder === "src" && lines.length > MAX_LINES) report(file, `${lines.length} lines, more than ${MAX_LINES}`);
    if (lines.at(-1) !== "") report(file, "no newline at the end");
    lines.forEach((line, index) => {
      for (const [pattern, what, except] of RULES) {
        if (pattern.test(line) && !except?.test(file)) report(`js/${file}:${index + 1}`, what);
      }
    });
  }
}
if (problems > 0) process.exit(1);
