/**
 * What runs on the audio thread: playback of the samples the Worker posts, and capture where MediaStreamTrackProcessor is missing.
 * Both speak straight to the Worker through a port handed to them by `{ type: "port" }`, so a busy page interrupts neither.
 */
import type { FromCaptureWorklet, FromWorklet, ToWorklet, ToWorkletNode } from "./protocol.js";

/* The global scope of an AudioWorklet, which TypeScript's DOM library does not describe. */
declare const currentFrame: number;
declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

type Samples = Extract<ToWorklet, { type: "samples" }>;

/** Quanta of 128 frames between two reports: about 11 ms at 48 kHz. */
const REPORT_EVERY = 4;
/** Frames over which sound that begins or breaks off is faded, so that it does not click: about 1 ms. */
const FADE = 48;

class Playback extends AudioWorkletProcessor {
  private worker: MessagePort | undefined;
  private queue: Samples[] = [];
  /** Frames of `queue[0]` that have sounded. */
  private position = 0;
  private queued = 0;
  private quanta = 0;
  private underruns = 0;
  /** Of the first samples that have come since the last report. */
  private tag: number | undefined;
  private received = 0;
  private sounding = false;
  /** Frames of the running fade-in still to come. */
  private fade = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<ToWorkletNode>) => {
      this.worker?.close();
      this.flush();
      this.worker = data.port;
      this.worker.onmessage = (event: MessageEvent<ToWorklet>) => this.receive(event.data);
    };
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const output = outputs[0];
    if (!output || !output[0]) return true;
    const frames = output[0].length;
    const timestamp = this.timestamp();
    let filled = 0;
    while (filled < frames) {
      const head = this.queue[0];
      if (!head) break;
      const length = head.channels[0]?.length ?? 0;
      const wait = this.position === 0 && head.at !== undefined ? Math.round(head.at) - (currentFrame + filled) : 0;
      if (wait > 0) {
        this.sounding = false;
        filled += Math.min(wait, frames - filled);
        continue;
      }
      if (!this.sounding) this.fade = FADE;
      this.sounding = true;
      const count = Math.min(length - this.position, frames - filled);
      for (let channel = 0; channel < output.length; channel++) {
        const samples = head.channels[channel] ?? head.channels[0];
        if (samples) output[channel]!.set(samples.subarray(this.position, this.position + count), filled);
      }
      if (this.fade > 0) this.fadeIn(output, filled, count);
      this.position += count;
      this.queued -= count;
      filled += count;
      if (this.position >= length) {
        this.queue.shift();
        this.position = 0;
      }
    }
    if (filled < frames && this.sounding) {
      this.sounding = false;
      this.underruns++;
      this.report(timestamp);
    } else if (++this.quanta % REPORT_EVERY === 0) {
      this.report(timestamp);
    }
    return true;
  }

  private receive(message: ToWorklet): void {
    if (message.type === "flush") {
      this.flush();
    } else {
      if (this.tag === undefined) {
        this.tag = message.tag;
        this.received = currentFrame;
      }
      this.queue.push(message);
      this.queued += message.channels[0]?.length ?? 0;
    }
  }

  private flush(): void {
    this.queue = [];
    this.position = this.queued = 0;
    this.sounding = false;
  }

  /** Media time of the next sample, if one sounds at the start of this quantum. */
  private timestamp(): number | undefined {
    const head = this.queue[0];
    if (!head || (this.position === 0 && head.at !== undefined && head.at > currentFrame)) return undefined;
    const length = head.channels[0]?.length || 1;
    return head.timestamp + (head.duration * this.position) / length;
  }

  private report(timestamp: number | undefined): void {
    const { queued, underruns, tag, received } = this;
    const message: FromWorklet = { type: "rendered", timestamp, currentFrame, queued, underruns, tag, received };
    this.worker?.postMessage(message);
    this.tag = undefined;
  }

  private fadeIn(output: Float32Array[], from: number, count: number): void {
    const faded = Math.min(this.fade, count);
    for (let i = 0; i < faded; i++) {
      const gain = 1 - (this.fade - i) / FADE;
      for (const channel of output) channel[from + i]! *= gain;
    }
    this.fade -= faded;
  }
}

class Capture extends AudioWorkletProcessor {
  private worker: MessagePort | undefined;
  /** About 10 ms, as MediaStreamTrackProcessor gives. */
  private readonly length = Math.max(128, Math.round(sampleRate / 100 / 128) * 128);
  private channels: Float32Array[] = [];
  private filled = 0;
  private first = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<ToWorkletNode>) => {
      this.worker = data.port;
      this.filled = 0;
    };
  }

  process(inputs: Float32Array[][]): boolean {
    const input = inputs[0];
    if (!this.worker || !input || !input[0]) return true;
    if (this.filled > 0 && (input.length !== this.channels.length || this.first + this.filled !== currentFrame)) this.send();
    if (this.filled === 0) {
      this.first = currentFrame;
      this.channels = input.map(() => new Float32Array(this.length));
    }
    input.forEach((samples, channel) => this.channels[channel]!.set(samples, this.filled));
    this.filled += input[0].length;
    if (this.filled + 128 > this.length) this.send();
    return true;
  }

  private send(): void {
    const channels = this.channels.map((samples) => (this.filled < samples.length ? samples.slice(0, this.filled) : samples));
    const message: FromCaptureWorklet = { type: "samples", currentFrame: this.first, sampleRate, channels };
    this.worker?.postMessage(message, channels.map((samples) => samples.buffer));
    this.filled = 0;
  }
}

registerProcessor("chalkcast-playback", Playback);
registerProcessor("chalkcast-capture", Capture);
