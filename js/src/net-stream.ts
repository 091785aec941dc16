import { AudioOutput } from "./audio-output.js";
import type { Camera } from "./camera.js";
import { Attachment, type Source } from "./capture/attachment.js";
import { audioTrackSource, cameraSource, microphoneSource, videoTrackSource } from "./capture/source.js";
import { closeToPeers, handlerOf } from "./client-call.js";
import { NetStatusError, StatusTarget } from "./events.js";
import type { Link } from "./link.js";
import type { Microphone } from "./microphone.js";
import { MseOutput, type View } from "./mse-output.js";
import type { NetConnection } from "./net-connection.js";
import { Ordered } from "./ordered.js";
import type { AudioSettings, StatusInfo, StreamStats, ToWorker, VideoSettings } from "./protocol.js";
import type { Screen } from "./screen.js";
import { SoundTransform } from "./sound-transform.js";

/** Seconds that `goLive` leaves a player at most to keep ahead. */
const BUFFER_TIME = 0.1;

export type PublishType = "live" | "record" | "append";

/**
 * What plays a stream: WebCodecs, with the least delay, or a video element by Media Source Extensions, which works on plain http pages
 * and in browsers without WebCodecs too. "auto" takes WebCodecs where it can.
 */
export type Renderer = "auto" | "webcodecs" | "mse";

interface Settle {
  /** The code that fulfils the promise. */
  code: string;
  resolve(info: StatusInfo): void;
  reject(error: NetStatusError): void;
}

/**
 * One stream over a NetConnection: publishes what is attached to it, or plays what another publishes. Dispatches `netStatus`.
 *
 * Calls return at once and are carried out in order, waiting for the connection and for the camera where they must.
 */
export class NetStream extends StatusTarget {
  /** Its methods are called for what the publisher sends: `onMetaData`, `onCuePoint`, and handlers named in `send`. */
  client: object = {};

  readonly #link: Link;
  readonly #stream: number;
  readonly #order = new Ordered();
  readonly #attachments: { video: Attachment<VideoSettings> | null; audio: Attachment<AudioSettings> | null } = { video: null, audio: null };
  #ended: StatusInfo | null = null;
  #settle: Settle | null = null;
  #role: "play" | "publish" | null = null;
  #bufferTime = 0;
  #bufferTimeMax: number | undefined;
  #paused = false;
  #sound: AudioOutput | null = null;
  #media: MseOutput | null = null;
  #renderer: Renderer = "auto";
  /** The renderer in use, once there is something to show or to play. */
  #using: "webcodecs" | "mse" | null = null;
  #view: View | null = null;
  #soundTransform = new SoundTransform();
  #stats: StreamStats | null = null;
  #size = { width: 0, height: 0 };

  /** A stream on `connection`, which need not be connected yet. */
  constructor(connection: NetConnection) {
    super();
    this.#link = connection.link();
    this.#stream = this.#link.addStream({
      status: (info) => this.#status(info),
      invoke: (name, args) => handlerOf(this.client, name)?.(...args),
      videoSize: (width, height) => this.#resized(width, height),
      picture: (frame) => {
        this.#view?.keep(frame);
        frame.close();
      },
      stats: (stats) => this.#counted(stats),
      media: (message) => this.#media?.receive(message),
      ended: (info) => this.#end(info),
    });
  }

  /** Publishes what is attached under `name`; `false` stops. NetStream.Publish.Start fulfils the promise. */
  publish(name: string | false | null, type: PublishType = "live"): Promise<StatusInfo> {
    const promise = this.#expect("NetStream.Publish.Start");
    if (typeof name !== "string") {
      this.close();
      return promise;
    }
    this.#role = "publish";
    const attachments = [this.#attachments.video, this.#attachments.audio].filter((attachment) => attachment !== null);
    const start = (): void => {
      if (attachments.length > 0 && !attachments.some((attachment) => attachment.live)) {
        this.#status(failed("Neither camera nor microphone could be opened, so there is nothing to publish.", "nothing"));
      } else {
        this.#post({ type: "publish", stream: this.#stream, name, kind: type });
      }
    };
    this.#order.run(() => {
      if (attachments.every((attachment) => attachment.live)) return start();
      // What was refused before is asked for again: the user may have changed their mind.
      return Promise.all(attachments.map((attachment) => attachment.open())).then(start);
    });
    return promise;
  }

  /**
   * Plays `name`; `false` stops. `start` is -2 (live, else recorded), -1 (live, and wait for it) or seconds into a recording;
   * `length` in seconds, -1 for all; `reset` ends what was playing. NetStream.Play.Start fulfils the promise.
   */
  play(name: string | false | null, start = -2, length = -1, reset: boolean | number = 1): Promise<StatusInfo> {
    const promise = this.#expect("NetStream.Play.Start");
    if (typeof name !== "string") {
      this.close();
      return promise;
    }
    const renderer = chooseRenderer(this.#renderer);
    if (!renderer) {
      this.#status(nothingToPlayBy(this.#renderer));
      return promise;
    }
    this.#role = "play";
    this.#paused = false;
    this.#use(renderer);
    if (this.#media) this.#media.paused = false;
    this.#openSound();
    this.#tell({ type: "play", stream: this.#stream, name, start, length, reset });
    return promise;
  }

  /** Stops playing or publishing; what is attached stays, and the stream may be used again. */
  close(): void {
    this.#order.clear();
    this.#role = null;
    this.#stats = null;
    if (this.#media) this.#media.paused = true;
    this.#post({ type: "closeStream", stream: this.#stream });
    this.#settle?.reject(new NetStatusError(failed("The stream was closed.", "closed")));
    this.#settle = null;
  }

  /** Closes the stream for good and lets camera, microphone and loudspeaker go. */
  dispose(): void {
    this.close();
    this.#post({ type: "deleteStream", stream: this.#stream });
    this.#end(failed("The stream was disposed of.", "closed"));
  }

  pause(): void {
    this.#paused = true;
    if (this.#media) this.#media.paused = true;
    this.#tell({ type: "pause", stream: this.#stream, paused: true });
  }

  resume(): void {
    this.#paused = false;
    if (this.#media) this.#media.paused = false;
    this.#tell({ type: "pause", stream: this.#stream, paused: false });
  }

  togglePause(): void {
    if (this.#paused) this.resume();
    else this.pause();
  }

  /** Seconds into a recording. */
  seek(offset: number): void {
    this.#tell({ type: "seek", stream: this.#stream, offset: Number(offset) || 0 });
  }

  /** Whether sound is sent at all. */
  receiveAudio(on: boolean): void {
    this.#tell({ type: "receiveAudio", stream: this.#stream, on: Boolean(on) });
  }

  /** Whether pictures are sent at all. */
  receiveVideo(on: boolean): void {
    this.#tell({ type: "receiveVideo", stream: this.#stream, on: Boolean(on) });
  }

  /** Publishes the picture of `camera`, or of a shared screen; null takes it away. The browser asks the user now. */
  attachCamera(camera: Camera | Screen | null, _snapshotMilliseconds = -1): void {
    this.#attachVideo(camera && cameraSource(camera));
  }

  /** Publishes the sound of `microphone`; null takes it away. The browser asks the user now, once for camera and microphone together. */
  attachAudio(microphone: Microphone | null): void {
    this.#attachAudio(microphone && microphoneSource(microphone));
  }

  /** Publishes the first picture track and the first sound track of any MediaStream; null takes both away. The tracks stay the caller's. */
  attachMediaStream(stream: MediaStream | null): void {
    const video = stream?.getVideoTracks()[0];
    const audio = stream?.getAudioTracks()[0];
    this.#attachVideo(video ? videoTrackSource(video) : null);
    this.#attachAudio(audio ? audioTrackSource(audio) : null);
  }

  /** Calls `handler` of every viewer's `client`, in step with picture and sound. */
  send(handler: string, ...args: unknown[]): void {
    this.#tell({ type: "send", stream: this.#stream, name: handler, args: structuredClone(args) });
  }

  /** What plays the stream. A change while it plays brings a new surface, below which the old picture stays; `info.renderer` says what is in use. */
  get renderer(): Renderer {
    return this.#renderer;
  }

  set renderer(renderer: Renderer) {
    if (!["auto", "webcodecs", "mse"].includes(renderer)) return;
    this.#renderer = renderer;
    if (!this.#using) return;
    const choice = chooseRenderer(renderer);
    if (choice) this.#use(choice);
    else this.#status(nothingToPlayBy(renderer));
    if (this.#role === "play") this.#openSound();
  }

  /**
   * Seconds of media the player keeps ahead; also how far behind live it starts. 0 when it was never set: as near to live as the network lets it,
   * where Flash had 0.1.
   */
  get bufferTime(): number {
    return this.#bufferTime;
  }

  set bufferTime(seconds: number) {
    this.#bufferTime = Math.max(0, Number(seconds) || 0);
    this.#tellBufferTime();
  }

  /** Seconds the buffer may grow to on a bad line before the player catches up; 0 leaves it to the player. */
  get bufferTimeMax(): number {
    return this.#bufferTimeMax ?? 0;
  }

  set bufferTimeMax(seconds: number) {
    this.#bufferTimeMax = Number(seconds) > 0 ? Number(seconds) : undefined;
    this.#tellBufferTime();
  }

  /** Drops what waits to be played and goes on as near to live as the network lets it: a `bufferTime` above 0.1 s becomes that again. */
  goLive(): void {
    this.bufferTime = Math.min(this.#bufferTime, BUFFER_TIME);
  }

  /** Seconds of media received and not yet shown. */
  get bufferLength(): number {
    return this.#stats?.bufferLength ?? 0;
  }

  /** Seconds of media played or published so far. */
  get time(): number {
    return this.#stats?.time ?? 0;
  }

  /** Seconds between the publisher and what is shown, as far as the player can know. */
  get liveDelay(): number {
    return (this.#stats?.liveDelay ?? 0) / 1000;
  }

  /** Frames shown or published in the last second. */
  get currentFPS(): number {
    return this.#stats?.fps ?? 0;
  }

  /** The latest figures, or null before the first. */
  get info(): Readonly<StreamStats> | null {
    return this.#stats;
  }

  /** The picture's size in pixels, 0 before the first. `resize` is dispatched when it changes. */
  get videoWidth(): number {
    return this.#size.width;
  }

  get videoHeight(): number {
    return this.#size.height;
  }

  /** How loud the stream is; assign a new SoundTransform to change it. */
  get soundTransform(): SoundTransform {
    return new SoundTransform(this.#soundTransform.volume);
  }

  set soundTransform(transform: SoundTransform) {
    this.#soundTransform = new SoundTransform(transform.volume);
    if (this.#sound) this.#sound.volume = this.#soundTransform.volume;
    if (this.#media) this.#media.volume = this.#soundTransform.volume;
  }

  /** Whether sound can be heard. A page may have to wait for the user's first gesture; `soundstate` is dispatched when this changes. */
  get soundRunning(): boolean {
    return this.#media?.running ?? this.#sound?.running ?? false;
  }

  /** Inside a click or a key press: lets the sound be heard. */
  async resumeSound(): Promise<void> {
    await (this.#media ?? this.#sound)?.resume();
  }

  /** @internal Where pictures go. */
  showOn(view: View | null): void {
    this.#view = view;
    if (!this.#using) this.#use(chooseRenderer(this.#renderer) ?? "webcodecs");
    else this.#showSurface();
  }

  #use(renderer: "webcodecs" | "mse"): void {
    if (renderer === this.#using) return;
    const changed = this.#using !== null || renderer === "mse";
    this.#using = renderer;
    this.#media?.close();
    this.#media = null;
    if (renderer === "mse") {
      this.#sound?.close();
      this.#sound = null;
      this.#media = new MseOutput(this.#stream, this.#soundTransform.volume, this.#post, {
        surface: (element) => this.#view?.use(element),
        pictured: (width, height) => this.#resized(width, height),
        soundChanged: () => this.dispatchEvent(new Event("soundstate")),
        report: (info) => this.#status(info),
      });
    }
    if (changed) this.#post({ type: "renderer", stream: this.#stream, renderer, bareMp3: MseOutput.takes("audio/mpeg") });
    if (this.#view) this.#showSurface();
  }

  /** Gives the view a surface to show; a canvas goes to the Worker, once. */
  #showSurface(): void {
    const view = this.#view;
    if (this.#media) {
      view?.use(this.#media.element);
    } else if (view) {
      const element = document.createElement("canvas");
      view.use(element);
      const canvas = element.transferControlToOffscreen();
      this.#post({ type: "canvas", stream: this.#stream, canvas }, [canvas]);
    } else {
      this.#post({ type: "canvas", stream: this.#stream, canvas: null });
    }
  }

  #attachVideo(source: Source<VideoSettings> | null): void {
    this.#attachments.video?.close();
    this.#attachments.video = source && Attachment.video(this.#stream, source, this.#post, (info) => this.report(info));
    void this.#attachments.video?.open();
  }

  #attachAudio(source: Source<AudioSettings> | null): void {
    this.#attachments.audio?.close();
    this.#attachments.audio = source && Attachment.audio(this.#stream, source, this.#post, (info) => this.report(info));
    void this.#attachments.audio?.open();
  }

  #openSound(): void {
    if (this.#sound || this.#media || typeof document === "undefined") return;
    const sound = new AudioOutput(this.#stream, this.#soundTransform.volume, this.#post, () => this.dispatchEvent(new Event("soundstate")));
    this.#sound = sound;
    sound.open().catch((error: unknown) => {
      this.report({ level: "warning", code: "NetStream.Sound.Failed", description: `The sound output could not be opened: ${String(error)}` });
    });
  }

  #tellBufferTime(): void {
    const max = this.#bufferTimeMax === undefined ? {} : { bufferTimeMax: this.#bufferTimeMax };
    this.#tell({ type: "bufferTime", stream: this.#stream, bufferTime: this.#bufferTime, ...max });
  }

  /** Sends in the order of the calls, behind a `publish` that waits for the camera. */
  #tell(message: ToWorker): void {
    this.#order.run(() => this.#post(message));
  }

  readonly #post = (message: ToWorker, transfer: Transferable[] = []): void => {
    if (!this.#ended) this.#link.post(message, transfer);
  };

  #expect(code: string): Promise<StatusInfo> {
    this.#settle?.reject(new NetStatusError(failed("Another call took the place of this one.", "replaced")));
    const promise = new Promise<StatusInfo>((resolve, reject) => (this.#settle = { code, resolve, reject }));
    promise.catch(() => {});
    if (this.#ended) this.#status(failed("The connection of this stream is closed. Make a new NetStream on a new connection.", "closed"));
    return promise;
  }

  #status(info: StatusInfo): void {
    const settle = this.#settle;
    if (settle && (info.code === settle.code || info.level === "error")) {
      this.#settle = null;
      if (info.code === settle.code) settle.resolve(info);
      else settle.reject(new NetStatusError(info));
    }
    this.report(info);
  }

  #resized(width: number, height: number): void {
    this.#view?.pictured();
    this.#size = { width, height };
    this.dispatchEvent(new Event("resize"));
  }

  #counted(stats: StreamStats): void {
    if (this.#role !== stats.role) return;
    this.#stats = stats;
    this.#sound?.refresh();
    this.dispatchEvent(new Event("stats"));
  }

  #end(info: StatusInfo): void {
    if (this.#ended) return;
    this.#attachments.video?.close();
    this.#attachments.audio?.close();
    this.#sound?.close();
    this.#media?.close();
    this.#order.clear();
    this.#ended = info;
    this.#stats = null;
    this.#settle?.reject(new NetStatusError(info));
    this.#settle = null;
    this.dispatchEvent(new Event("ended"));
  }
}
closeToPeers(NetStream.prototype);

function failed(description: string, reason: string): StatusInfo {
  return { level: "error", code: "NetStream.Failed", description, reason };
}

/** What plays on this page, if anything can. Safari had WebCodecs for pictures years before it had it for sound. */
function chooseRenderer(wanted: Renderer): "webcodecs" | "mse" | null {
  const webcodecs = typeof document === "undefined" || (typeof VideoDecoder === "function" && typeof AudioDecoder === "function");
  if (wanted !== "mse" && webcodecs) return "webcodecs";
  if (wanted !== "webcodecs" && MseOutput.supported) return "mse";
  return null;
}

function nothingToPlayBy(wanted: Renderer): StatusInfo {
  const [reason, description] =
    wanted === "webcodecs" && !globalThis.isSecureContext
      ? ["insecure", "Browsers have WebCodecs on https pages and on localhost only."]
      : ["unsupported", "This browser has neither WebCodecs nor Media Source Extensions."];
  return { level: "error", code: "NetStream.Play.Failed", description, reason };
}
