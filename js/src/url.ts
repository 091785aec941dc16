/** @internal The WebSocket address of `url`, or what is wrong with it in words. */
export function resolveUrl(url: unknown): { url: string } | { problem: string } {
  if (typeof url !== "string" || url === "") return { problem: "An address such as ws://host:8080/live is needed." };
  let parsed: URL;
  try {
    parsed = new URL(url, globalThis.location?.href);
  } catch {
    return { problem: `"${url}" is not an address. One looks like ws://host:8080/live.` };
  }
  if (parsed.protocol === "http:") parsed.protocol = "ws:";
  if (parsed.protocol === "https:") parsed.protocol = "wss:";
  if (parsed.protocol.startsWith("rtmp")) {
    const example = `ws://${parsed.hostname || "host"}:8080${parsed.pathname}`;
    return { problem: `A browser cannot open ${parsed.protocol}//. Use the gateway's WebSocket address, such as ${example}.` };
  }
  if (parsed.protocol !== "ws:" && parsed.protocol !== "wss:") {
    return { problem: `"${url}" is not a WebSocket address. One looks like ws://host:8080/live.` };
  }
  if (parsed.protocol === "ws:" && globalThis.location?.protocol === "https:" && !isLoopback(parsed.hostname)) {
    return { problem: `This page came over https, so the browser only opens wss:// addresses from it, not ${parsed.href}.` };
  }
  parsed.hash = "";
  return { url: parsed.href };
}

/** @internal An element's `src` names the stream too: its last segment, with the query. */
export function splitStream(src: string): { url: string; name: string } | { problem: string } {
  const resolved = resolveUrl(src);
  if ("problem" in resolved) return resolved;
  const parsed = new URL(resolved.url);
  const cut = parsed.pathname.lastIndexOf("/");
  const name = decodeURIComponent(parsed.pathname.slice(cut + 1));
  if (cut < 1 || name === "") return { problem: `"${src}" names no stream. It looks like ws://host:8080/live/lesson: an application, then a stream.` };
  const query = parsed.search;
  parsed.pathname = parsed.pathname.slice(0, cut);
  parsed.search = "";
  return { url: parsed.href, name: name + query };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127\./.test(host);
}
