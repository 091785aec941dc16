import { describe, NetStatusEvent, type NetConnection, type NetStream, type Renderer, SoundTransform, type StatusInfo, Video } from "../index.js";
import { ChalkcastElement } from "./base.js";
import { h, icon, setLabel, setText } from "./dom.js";
import { Attendance, type PlayerState } from "./player/attendance.js";
import { BEHIND, Controls } from "./player/controls.js";
import { Figures } from "./player/figures.js";
import { Floating } from "./player/floating.js";
import { keyAction } from "./player/keys.js";
import { Message } from "./player/message.js";

export type { PlayerState } from "./player/attendance.js";

const STOPPED = new Set<PlayerState>(["idle", "paused", "retrying", "failed"]);

/** Seconds of a lesson without a picture until that is said. */
const NO_PICTURE = 2;

/**
 * `<chalkcast-player src="wss://HOST/APP/STREAM">`: plays a live stream, waits for it, and comes back after an interruption.
 *
 * Attributes: `src`, `buffer-time` and `buffer-time-max` (seconds), `renderer` (`auto`, `webcodecs` or `mse`), `muted`, `audio-only`,
 * `controls`, `stats`, `poster`, `lang`.
 * Events: `netStatus` and `failed` (with `info`), `statechange`, `surfacechange`, `resize`, `volumechange`, `golive`.
 * The package's README lists parts, custom properties, keys and the slot.
 */
export class ChalkcastPlayer extends ChalkcastElement {
  static readonly observedAttributes = ["src", "buffer-time", "buffer-time-max", "renderer", "muted", "audio-only", "controls", "stats", "poster", "lang"];

  readonly #video = new Video();
  readonly #attendance = new Attendance({
    begins: (stream) => this.#begins(stream),
    status: (info) => this.dispatchEvent(new NetStatusEvent(info)),
    changed: () => this.redraw(),
    stateChanged: (state) => this.#stateChanged(state),
  });
  #active = false;
  #volume = 1;
  #muted = false;
  /** The user has said whether there should be sound, so the page no longer asks. */
  #chosen = false;
  #hasPicture = false;
  /** The user went to live: `buffer-time` counts again when it is set anew. */
  #nearLive = false;

  readonly #poster = h("img", { part: "poster", class: "poster", alt: "", hidden: true });
  readonly #picture = h("div", { part: "picture", class: "picture", role: "img" });
  readonly #message = new Message(() => this.play());
  readonly #figures = new Figures();
  readonly #unmuteText = h("span");
  readonly #unmute = h("button", { type: "button", part: "unmute", class: "unmute", click: () => this.#wantSound(true) }, icon("mute"), this.#unmuteText);
  readonly #floating = new Floating(() => this.redraw());
  readonly #controls = new Controls({
    togglePlay: () => this.#toggle(),
    toggleSound: () => this.#wantSound(this.#silent),
    setVolume: (volume) => this.#setVolume(volume),
    goLive: () => this.goLive(),
    toggleAudioOnly: () => this.toggleAttribute("audio-only"),
    togglePictureInPicture: () => this.#floating.toggle(this.surface),
    toggleFullscreen: () => this.#toggleFullscreen(),
  });
  // A click into the picture puts the keyboard there; Tab goes to the controls.
  readonly #frame = h("div", { part: "frame", class: "frame", tabindex: "-1" });

  constructor() {
    super("player");
    this.#picture.append(this.#video.element);
    const poster = h("slot", { name: "poster" }, this.#poster);
    this.#frame.append(poster, this.#picture, this.#figures.element, ...this.#message.elements, this.#unmute);
    this.root.append(this.#frame, this.#controls.element);
    poster.addEventListener("slotchange", () => this.redraw());
    this.#video.addEventListener("surfacechange", () => this.dispatchEvent(new Event("surfacechange")));
    this.#video.addEventListener("resize", () => this.#resized());
    this.addEventListener("keydown", (event) => this.#key(event));
    this.addEventListener("fullscreenchange", () => this.redraw());
    this.#picture.addEventListener("click", () => this.#blocked && this.#wantSound(true));
    this.#picture.addEventListener("dblclick", () => this.hasAttribute("controls") && this.#toggleFullscreen());
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#active = true;
    if (this.src) this.play();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#active = false;
    this.#floating.close();
    this.#attendance.leave("idle");
  }

  attributeChangedCallback(name: string, old: string | null, value: string | null): void {
    if (old === value) return;
    switch (name) {
      case "src":
        // While the parser's element is upgraded it is connected already; `connectedCallback` follows.
        if (this.#active) this.play();
        break;
      case "muted":
        this.#muted = value !== null;
        this.#applyVolume();
        break;
      case "audio-only":
        this.stream?.receiveVideo(value === null);
        break;
      case "renderer":
        if (this.stream) this.stream.renderer = this.renderer;
        break;
      case "lang":
        this.languageChanged();
        break;
      case "poster":
        this.#poster.hidden = !value;
        if (value) this.#poster.src = value;
        break;
      case "buffer-time":
      case "buffer-time-max":
        this.#nearLive = false;
        if (this.stream) this.#applyBufferTime(this.stream);
        break;
      default:
    }
    this.redraw();
  }

  /** `ws://HOST/APP/STREAM`; an address without a host is this page's own. */
  get src(): string {
    return this.getAttribute("src") ?? "";
  }

  set src(src: string) {
    this.setAttribute("src", src);
  }

  /** What plays the lesson: WebCodecs where it can ("auto"), or what is asked for. `stream.info.renderer` says what is in use. */
  get renderer(): Renderer {
    const renderer = this.getAttribute("renderer");
    return renderer === "webcodecs" || renderer === "mse" ? renderer : "auto";
  }

  set renderer(renderer: Renderer) {
    this.setAttribute("renderer", renderer);
  }

  /** The canvas or video in use, null before anything is played. */
  get surface(): HTMLCanvasElement | HTMLVideoElement | null {
    return this.#video.surface;
  }

  get state(): PlayerState {
    return this.#attendance.state;
  }

  /** The stream in use, with its figures; a new one after each interruption. */
  get stream(): NetStream | null {
    return this.#attendance.stream;
  }

  get connection(): NetConnection | null {
    return this.#attendance.connection;
  }

  /** What interrupted the lesson (in state "retrying") or ended it ("failed"); `describe` puts it into words. */
  get problem(): StatusInfo | null {
    return this.#attendance.problem;
  }

  /** 0 to 1. */
  get volume(): number {
    return this.#volume;
  }

  set volume(volume: number) {
    this.#volume = Math.min(1, Math.max(0, Number(volume) || 0));
    this.#applyVolume();
  }

  get muted(): boolean {
    return this.#muted;
  }

  set muted(muted: boolean) {
    this.#muted = Boolean(muted);
    this.#applyVolume();
  }

  /** Sound without pictures, which are not even sent then; the attribute `audio-only`. */
  get audioOnly(): boolean {
    return this.hasAttribute("audio-only");
  }

  set audioOnly(on: boolean) {
    this.toggleAttribute("audio-only", Boolean(on));
  }

  /** Joins the lesson, or joins it again; done by itself when the element has a `src`. */
  play(): void {
    this.#attendance.join(this.src);
  }

  /** Leaves the lesson and keeps the last picture; `play` joins it where it is then. */
  pause(): void {
    this.#attendance.leave("paused");
  }

  /** Drops what waits in the buffer and goes on with what is said now, until `buffer-time` is set anew. */
  goLive(): void {
    this.#nearLive = true;
    this.stream?.goLive();
    this.dispatchEvent(new Event("golive"));
  }

  #begins(stream: NetStream): void {
    this.#applyBufferTime(stream);
    stream.renderer = this.renderer;
    stream.soundTransform = this.#soundTransform;
    this.#video.attachNetStream(stream);
    if (this.audioOnly) stream.receiveVideo(false);
  }

  #stateChanged(state: PlayerState): void {
    this.dispatchEvent(new Event("statechange"));
    const { problem } = this;
    if (state === "failed" && problem) this.dispatchEvent(new NetStatusEvent(problem, "failed"));
    this.redraw();
  }

  #resized(): void {
    const { videoWidth, videoHeight } = this.#video;
    this.#hasPicture ||= videoWidth > 0;
    this.#floating.follow(this.surface);
    if (videoWidth > 0) this.#frame.style.setProperty("--_ratio", `${videoWidth} / ${videoHeight}`);
    this.dispatchEvent(new Event("resize"));
    this.redraw();
  }

  #toggle(): void {
    if (STOPPED.has(this.state)) this.play();
    else this.pause();
  }

  get #silent(): boolean {
    return this.#muted || this.#volume === 0 || (this.stream !== null && !this.stream.soundRunning);
  }

  /** There could be sound, and the page or the browser keeps it back. */
  get #blocked(): boolean {
    return !this.#chosen && this.state === "playing" && this.#silent;
  }

  get #soundTransform(): SoundTransform {
    return new SoundTransform(this.#muted ? 0 : this.#volume);
  }

  /** What the user's own hand does counts, also for the browser, which lets sound be heard only then. */
  #wantSound(on: boolean): void {
    this.#chosen = true;
    this.#muted = !on;
    if (on && this.#volume === 0) this.#volume = 1;
    if (on) void this.stream?.resumeSound();
    this.#applyVolume();
  }

  #setVolume(volume: number): void {
    this.#volume = Math.min(1, Math.max(0, volume));
    this.#wantSound(this.#volume > 0);
  }

  #applyVolume(): void {
    if (this.stream) this.stream.soundTransform = this.#soundTransform;
    this.dispatchEvent(new Event("volumechange"));
    this.redraw();
  }

  #applyBufferTime(stream: NetStream): void {
    const bufferTime = this.numberAttribute("buffer-time");
    const bufferTimeMax = this.numberAttribute("buffer-time-max");
    if (bufferTime !== undefined) stream.bufferTime = bufferTime;
    if (bufferTimeMax !== undefined) stream.bufferTimeMax = bufferTimeMax;
    if (this.#nearLive) stream.goLive();
  }

  #toggleFullscreen(): void {
    if (!document.fullscreenEnabled) return;
    if (document.fullscreenElement === this) void document.exitFullscreen();
    else void this.requestFullscreen().catch(() => {});
  }

  #key(event: KeyboardEvent): void {
    if (!this.hasAttribute("controls")) return;
    switch (keyAction(event)) {
      case "play":
        this.#toggle();
        break;
      case "sound":
        this.#wantSound(this.#silent);
        break;
      case "louder":
        this.#setVolume((this.#muted ? 0 : this.#volume) + 0.05);
        break;
      case "quieter":
        this.#setVolume((this.#muted ? 0 : this.#volume) - 0.05);
        break;
      case "fullscreen":
        this.#toggleFullscreen();
        break;
      case "pictureInPicture":
        this.#floating.toggle(this.surface);
        break;
      case "audioOnly":
        this.toggleAttribute("audio-only");
        break;
      case "live":
        if ((this.stream?.liveDelay ?? 0) >= BEHIND) this.goLive();
        break;
      case "stats":
        this.toggleAttribute("stats");
        break;
      default:
        return;
    }
    event.preventDefault();
  }

  get #soundOnly(): "asked" | "lesson" | "browser" | null {
    if (this.audioOnly) return "asked";
    if (this.#attendance.missing?.reason === "picture") return "browser";
    return !this.#hasPicture && (this.stream?.time ?? 0) > NO_PICTURE ? "lesson" : null;
  }

  protected override draw(): void {
    const { state, stream } = this;
    const text = this.text.bind(this);
    const poster = Boolean(this.getAttribute("poster")) || this.querySelector('[slot="poster"]') !== null;
    // A picture that stands still would be taken for the lesson's.
    this.#picture.classList.toggle("off", this.audioOnly || (!this.#hasPicture && poster));
    setLabel(this.#picture, text("picture"));
    this.#picture.removeAttribute("title");
    this.#message.draw(
      {
        state,
        backdrop: poster || (this.#hasPicture && !this.audioOnly),
        played: this.#attendance.played,
        met: this.#attendance.met,
        advice: this.#advice(),
        seconds: this.#attendance.seconds,
        soundOnly: this.#soundOnly,
        buffered: stream?.bufferLength ?? 0,
        bufferTime: stream?.bufferTime ?? 0,
      },
      text,
    );
    this.#unmute.hidden = !this.#blocked;
    setText(this.#unmuteText, text("unmute"));
    this.#figures.element.hidden = !this.hasAttribute("stats");
    this.#figures.draw(stream, text);
    this.#controls.element.hidden = !this.hasAttribute("controls");
    this.#controls.draw(
      {
        stopped: STOPPED.has(state),
        playing: state === "playing",
        silent: this.#silent,
        volume: this.#muted ? 0 : this.#volume,
        delay: stream?.liveDelay ?? 0,
        audioOnly: this.audioOnly,
        pictureInPicture: this.#hasPicture && this.#floating.available(this.surface) ? this.#floating.on : null,
        fullscreen: document.fullscreenEnabled ? document.fullscreenElement === this : null,
      },
      text,
    );
  }

  /** What the problem means; what the server said itself may name what is missing, to those who read its English. `problem` has it for all. */
  #advice(): string {
    const info = this.problem ?? this.#attendance.missing;
    if (!info) return "";
    if (info.reason === "address") return this.language === "en" ? info.description : describe(info, this.language);
    const words = describe(info, this.language);
    if (info.code !== "NetConnection.Connect.Rejected" || !info.description || this.language !== "en") return words;
    return `${words} (${info.description.replace(/`([^`]*)`/g, "“$1”")})`;
  }
}
