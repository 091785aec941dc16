/** The WebAssembly that a bundle carries gzipped, as the answer to a request. */
export function inflate(gzipped: Uint8Array<ArrayBuffer>): Response {
  const bytes = new Blob([gzipped]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(bytes, { headers: { "content-type": "application/wasm" } });
}
