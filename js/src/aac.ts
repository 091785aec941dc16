/**
 * The AAC-LC encoder for browsers without one, imported by the Worker only there: replaceable by any module with the same `createEncoder`.
 */
import init, { AacEncoder } from "../build/aac/chalkcast_aac.js";
import wasm from "../build/aac/chalkcast_aac_bg.wasm.gz";
import { inflate } from "./worker/inflate.js";

export interface Encoder {
  /** The AudioSpecificConfig. */
  readonly description: Uint8Array;
  /** Samples a channel that each `encode` takes. */
  readonly frameSize: number;
  /** Samples by which what a decoder gives out lags what went in. */
  readonly priming: number;
  /** One access unit from `frameSize` samples of each channel, one channel after the other. Throws if the encoder failed. */
  encode(planar: Float32Array): Uint8Array;
  close(): void;
}

/** @throws If AAC-LC has no such sample rate, or more than two channels are asked for. */
export async function createEncoder(sampleRate: number, channels: number, bitrate: number): Promise<Encoder> {
  await init({ module_or_path: inflate(wasm) });
  const encoder = new AacEncoder(sampleRate, channels, bitrate);
  return {
    description: encoder.description(),
    frameSize: 1024,
    priming: 1024,
    encode: (planar) => encoder.encode(planar),
    close: () => encoder.free(),
  };
}
