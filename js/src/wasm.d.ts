/** The build puts such a file's bytes into the bundle that imports it. */
declare module "*.wasm" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
