import { audioContext, loadWorklets } from "../audio-context.js";
import type { AudioSettings, ToWorker, ToWorkletNode } from "../protocol.js";

type Post = (message: ToWorker, transfer?: Transferable[]) => void;

/** Takes sound from a track to the Worker: by MediaStreamTrackProcessor, or through a worklet where there is none. */
export class AudioFeed {
  readonly #stream: number;
  readonly #post: Post;
  /** Held because what it gave away stops when it is collected. */
  #processor: MediaStreamTrackProcessor<AudioData> | null = null;
  #nodes: AudioNode[] = [];
  #closed = false;

  constructor(stream: number, post: Post) {
    this.#stream = stream;
    this.#post = post;
  }

  /** Rejects where the worklets cannot be loaded. */
  async open(track: MediaStreamTrack, settings: () => AudioSettings): Promise<void> {
    const stream = this.#stream;
    if (typeof MediaStreamTrackProcessor === "function") {
      this.#processor = new MediaStreamTrackProcessor({ track: track as MediaStreamAudioTrack });
      const { readable } = this.#processor;
      this.#post({ type: "audioSource", stream, settings: settings(), readable }, [readable as unknown as Transferable]);
      return;
    }
    const context = audioContext();
    await loadWorklets(context);
    if (this.#closed) return;
    void context.resume().catch(() => {});
    const source = context.createMediaStreamSource(new MediaStream([track]));
    const capture = new AudioWorkletNode(context, "chalkcast-capture", { numberOfInputs: 1, numberOfOutputs: 1 });
    // Only what leads to the speakers is run; nothing of it may be heard.
    const silence = context.createGain();
    silence.gain.value = 0;
    source.connect(capture).connect(silence).connect(context.destination);
    this.#nodes = [source, capture, silence];
    const { port1, port2 } = new MessageChannel();
    capture.port.postMessage({ type: "port", port: port1 } satisfies ToWorkletNode, [port1]);
    this.#post({ type: "audioSource", stream, settings: { ...settings(), sampleRate: context.sampleRate }, port: port2 }, [port2]);
  }

  close(): void {
    this.#closed = true;
    for (const node of this.#nodes) node.disconnect();
    this.#nodes = [];
    this.#processor = null;
    this.#post({ type: "sourceEnded", stream: this.#stream, kind: "audio" });
  }
}
