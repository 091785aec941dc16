import { deviceId, devices, userMediaTrack } from "./capture/user-media.js";
import { Input } from "./capture/input.js";
import { audioContext } from "./audio-context.js";
import type { AudioSettings } from "./protocol.js";

const microphones = new Map<string, Microphone>();
let known: string[] = [];

/** ActionScript's rates in kHz and what they stand for. */
const RATES: Record<number, number> = { 5: 5512, 8: 8000, 11: 11025, 16: 16000, 22: 22050, 32: 32000, 44: 44100, 48: 48000 };

/** A microphone. Nothing is asked of the user until it is attached to a NetStream. */
export class Microphone extends Input {
  readonly #name: string;
  #echoSuppression = true;
  #noiseSuppression = true;
  #gain = 50;
  #gainNode: GainNode | null = null;
  #source: MediaStreamTrack | null = null;
  #rate = 48;
  #bitrate = 64_000;
  #codec: AudioSettings["codec"] = "aac";

  /** @internal */
  constructor(name: string) {
    super("Microphone");
    this.#name = name;
  }

  /** The microphone with that index (-1 and 0 are the browser's default) or device id; the same object each time. */
  static getMicrophone(index: number | string = -1): Microphone {
    const key = String(index) === "-1" ? "0" : String(index);
    let microphone = microphones.get(key);
    if (!microphone) microphones.set(key, (microphone = new Microphone(key)));
    return microphone;
  }

  /** The microphones' names as last heard from the browser. Asking also refreshes it; `devices` waits for the answer. */
  static get names(): string[] {
    void Microphone.devices();
    return known;
  }

  /** The microphones there are; labels are empty until the user has allowed one. */
  static async devices(): Promise<{ id: string; label: string }[]> {
    const found = await devices("audioinput");
    known = found.map(({ label, id }, index) => label || id || String(index));
    return found;
  }

  /** The track's label, or the name it was asked for by. */
  get name(): string {
    return this.#source?.label || this.#name;
  }

  /** Whether the loudspeakers' sound is taken out. On by default. */
  get useEchoSuppression(): boolean {
    return this.#echoSuppression;
  }

  setUseEchoSuppression(on: boolean): void {
    this.#echoSuppression = Boolean(on);
    this.#apply();
  }

  /** Whether the browser takes steady noise out, and keeps the level. On by default; turn it off for music. */
  get noiseSuppression(): boolean {
    return this.#noiseSuppression;
  }

  set noiseSuppression(on: boolean) {
    this.#noiseSuppression = Boolean(on);
    this.#apply();
  }

  /** 0 to 100; 50 leaves the sound as it is, 100 doubles it, 0 is silence. */
  get gain(): number {
    return this.#gain;
  }

  set gain(gain: number) {
    this.#gain = Math.min(100, Math.max(0, Number(gain) || 0));
    if (this.#gainNode) this.#gainNode.gain.value = this.#gain / 50;
    else if (this.#gain !== 50) this.reopen();
  }

  /** Samples per second in kHz, as ActionScript writes them: 8, 11, 16, 22, 32, 44 or 48. */
  get rate(): number {
    return this.#rate;
  }

  set rate(kilohertz: number) {
    if (!RATES[kilohertz]) throw new RangeError(`rate must be one of ${Object.keys(RATES).join(", ")}, and is ${kilohertz}`);
    this.#rate = kilohertz;
    this.dispatchEvent(new Event("settings"));
  }

  /** Bits per second. */
  get bitrate(): number {
    return this.#bitrate;
  }

  set bitrate(bitrate: number) {
    this.#bitrate = Math.max(8000, Math.round(Number(bitrate) || 0));
    this.dispatchEvent(new Event("settings"));
  }

  /** "aac", which every RTMP peer takes, or "opus", for peers that know Enhanced RTMP. */
  get codec(): AudioSettings["codec"] {
    return this.#codec;
  }

  set codec(codec: AudioSettings["codec"]) {
    this.#codec = codec;
    this.dispatchEvent(new Event("settings"));
  }

  /** @internal */
  settings(track: MediaStreamTrack): AudioSettings {
    const channels = Math.min(2, track.getSettings().channelCount ?? 1);
    return { sampleRate: RATES[this.#rate] ?? 48000, channels, bitrate: this.#bitrate, codec: this.#codec };
  }

  protected override async acquire(): Promise<MediaStreamTrack> {
    const id = /^0?$/.test(this.#name) ? undefined : await deviceId("audioinput", this.#name);
    const track = await userMediaTrack("audio", { ...this.#constraints(), ...(id ? { deviceId: { exact: id } } : {}) });
    this.#source = track;
    return this.#gain === 50 ? track : this.#amplified(track);
  }

  #constraints(): MediaTrackConstraints {
    return {
      echoCancellation: this.#echoSuppression,
      noiseSuppression: this.#noiseSuppression,
      autoGainControl: this.#noiseSuppression,
      channelCount: { ideal: 1 },
    };
  }

  #apply(): void {
    void this.#source?.applyConstraints(this.#constraints()).catch(() => {});
  }

  /** The same sound through a gain node; stopping the result also stops the microphone. */
  #amplified(track: MediaStreamTrack): MediaStreamTrack {
    const context = audioContext();
    const gain = context.createGain();
    gain.gain.value = this.#gain / 50;
    const destination = context.createMediaStreamDestination();
    context.createMediaStreamSource(new MediaStream([track])).connect(gain).connect(destination);
    this.#gainNode = gain;
    const amplified = destination.stream.getAudioTracks()[0] ?? track;
    const stop = amplified.stop.bind(amplified);
    amplified.stop = () => {
      stop();
      track.stop();
      gain.disconnect();
      this.#gainNode = null;
    };
    track.addEventListener("ended", () => amplified.dispatchEvent(new Event("ended")));
    return amplified;
  }
}
