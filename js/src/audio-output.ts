import { audioContext, audioContexts, hasAudioWorklet, loadWorklets } from "./audio-context.js";
import type { ToWorker, ToWorkletNode } from "./protocol.js";

/** How much the output latency may move before the engine is told, in seconds. */
const LATENCY_STEP = 0.002;

/** Where one stream's sound goes: a worklet fed by the Worker, then a volume, then the speakers. */
export class AudioOutput {
  readonly #stream: number;
  readonly #post: (message: ToWorker, transfer?: Transferable[]) => void;
  readonly #changed: () => void;
  #context: AudioContext | null = null;
  #node: AudioWorkletNode | null = null;
  #gain: GainNode | null = null;
  #volume: number;
  #told: { running: boolean; latency: number } | null = null;
  #closed = false;

  /** `changed` is called when `running` may have. */
  constructor(stream: number, volume: number, post: (message: ToWorker, transfer?: Transferable[]) => void, changed: () => void) {
    this.#stream = stream;
    this.#volume = volume;
    this.#post = post;
    this.#changed = changed;
  }

  /** Rejects where the worklets cannot be loaded; without sound output in the browser it does nothing. */
  async open(): Promise<void> {
    if (!hasAudioWorklet()) return;
    audioContexts.addEventListener("replace", this.#replaced);
    const context = audioContext();
    this.#context = context;
    await loadWorklets(context);
    if (this.#closed || context !== this.#context) return;
    const node = new AudioWorkletNode(context, "chalkcast-playback", { numberOfInputs: 0, numberOfOutputs: 1, outputChannelCount: [2] });
    const gain = context.createGain();
    gain.gain.value = this.#volume;
    node.connect(gain).connect(context.destination);
    const { port1, port2 } = new MessageChannel();
    node.port.postMessage({ type: "port", port: port1 } satisfies ToWorkletNode, [port1]);
    this.#node = node;
    this.#gain = gain;
    const outputLatency = this.#latency() * 1000;
    this.#post({ type: "audioOutput", stream: this.#stream, port: port2, sampleRate: context.sampleRate, outputLatency }, [port2]);
    context.addEventListener("statechange", this.#stateChanged);
    this.#stateChanged();
  }

  /** Whether sound can be heard: false until the user's first gesture on a page that may not play by itself. */
  get running(): boolean {
    return this.#context?.state === "running";
  }

  /** 0 to 1. */
  set volume(volume: number) {
    this.#volume = volume;
    // A jump in gain is heard as a click.
    if (this.#gain && this.#context) this.#gain.gain.setTargetAtTime(volume, this.#context.currentTime, 0.01);
  }

  /** Inside a gesture: lets the sound be heard. */
  async resume(): Promise<void> {
    await this.#context?.resume();
  }

  /** Tells the engine when the state or the latency of the speakers has changed. */
  refresh(): void {
    if (!this.#node) return;
    const running = this.running;
    const latency = this.#latency();
    if (this.#told && this.#told.running === running && Math.abs(this.#told.latency - latency) < LATENCY_STEP) return;
    this.#told = { running, latency };
    this.#post({ type: "audioOutputState", stream: this.#stream, running, outputLatency: latency * 1000 });
  }

  close(): void {
    this.#closed = true;
    audioContexts.removeEventListener("replace", this.#replaced);
    this.#disconnect();
  }

  #disconnect(): void {
    this.#context?.removeEventListener("statechange", this.#stateChanged);
    this.#node?.disconnect();
    this.#node?.port.close();
    this.#gain?.disconnect();
    this.#node = null;
    this.#gain = null;
    this.#told = null;
  }

  /** What is heard goes on behind another context; the engine is given the new port. */
  readonly #replaced = (): void => {
    this.#disconnect();
    // The worklets were loaded from the same place before.
    this.open().catch(() => {});
  };

  readonly #stateChanged = (): void => {
    this.refresh();
    this.#changed();
  };

  /** Seconds from the worklet to the ear, as far as the browser knows. */
  #latency(): number {
    const context = this.#context;
    return context ? context.outputLatency || context.baseLatency || 0 : 0;
  }
}
