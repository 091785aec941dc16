// A plain web server on localhost, as a school's own site is: other origin, no COOP or COEP, any CSP.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".svg": "image/svg+xml" };

/** Serves the files below `dir`, and the `pages` given as text, with `headers` on every answer. `host` makes it another origin than localhost; the paths asked for are put into `asked`. */
export async function web(t, { dir, pages = {}, headers = {}, host = "localhost", asked = [] }) {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://x").pathname));
    asked.push(path);
    const file = path.endsWith("/") ? `${path}index.html` : path;
    try {
      const body = pages[path] ?? (await readFile(join(dir, file)));
      response.writeHead(200, { "content-type": pages[path] ? TYPES[".html"] : (TYPES[extname(file)] ?? "application/octet-stream"), ...headers });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://${host}:${server.address().port}`;
}
