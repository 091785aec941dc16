/** The build puts such a file's bytes, gzipped, into the bundle that imports it. */
declare module "*.wasm.gz" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
