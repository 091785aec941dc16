/** Where the package's other files are, for pages that move them or whose Content-Security-Policy is strict. */
export interface AssetUrls {
  /** The engine's script. On the page's own origin it is started directly, else from a Blob that imports it. */
  workerUrl: string;
  /** The audio worklets. */
  workletUrl: string;
  /** The engine. */
  wasmUrl: string;
  /** What publishes, loaded when a page first does. */
  publisherUrl: string;
  /** The AAC encoder, loaded when a browser without one publishes sound. */
  aacUrl: string;
}

let overrides: Partial<AssetUrls> = {};

/** Overrides where files are loaded from; relative addresses are the page's. Takes effect for what is started afterwards. */
export function configure(urls: Partial<AssetUrls>): void {
  overrides = { ...overrides, ...urls };
}

/** @internal The addresses in force, absolute. */
export function assetUrls(): AssetUrls {
  const base = typeof document === "undefined" ? import.meta.url : document.baseURI;
  const at = (url: string) => new URL(url, base).href;
  // Spelled out one by one: this is the form bundlers recognise, and they put the file beside the bundle. "?no-inline" keeps Vite from
  // turning a small file into a data: address, which a Content-Security-Policy would refuse.
  return {
    workerUrl: at(overrides.workerUrl ?? new URL("./worker.js?no-inline", import.meta.url).href),
    workletUrl: at(overrides.workletUrl ?? new URL("./worklet.js?no-inline", import.meta.url).href),
    wasmUrl: at(overrides.wasmUrl ?? new URL("./chalkcast.wasm", import.meta.url).href),
    publisherUrl: at(overrides.publisherUrl ?? new URL("./publisher.js", import.meta.url).href),
    aacUrl: at(overrides.aacUrl ?? new URL("./aac.js", import.meta.url).href),
  };
}
