import { describe, NetConnection, NetStatusEvent, NetStream, SoundTransform, Video, type StatusInfo } from "../index.js";
import { splitStream } from "../url.js";
import { ChalkcastElement, Retry } from "./base.js";
import { h, icon, type IconName, setIcon, setLabel, setText } from "./dom.js";

export type PlayerState = "idle" | "connecting" | "waiting" | "buffering" | "playing" | "ended" | "paused" | "retrying" | "failed";

/** Seconds of media that are not worth waiting for. */
const RESIDUE = 0.2;

/** What waiting and trying again cannot mend. */
const FINAL = new Set([
  "NetConnection.Connect.Rejected",
  "NetConnection.Connect.InvalidApp",
  "NetStream.Play.Denied",
  "NetStream.Play.Failed",
  "NetStream.Play.NoSupportedTrackFound",
]);

/**
 * `<chalkcast-player src="wss://HOST/APP/STREAM">`: plays a live stream, waits for it, and comes back after an interruption.
 *
 * Attributes: `src`, `buffer-time` and `buffer-time-max` (seconds), `muted`, `controls`, `poster`, `lang`.
 * Events: `netStatus` (with `info`), `statechange`, `surfacechange`, `resize`, `volumechange`.
 * Parts: frame, picture, poster, message, buffering, unmute, controls, live. Slot: `poster`.
 */
export class ChalkcastPlayer extends ChalkcastElement {
  static readonly observedAttributes = ["src", "buffer-time", "buffer-time-max", "muted", "controls", "poster", "lang"];

  #connection: NetConnection | null = null;
  #stream: NetStream | null = null;
  readonly #video = new Video();
  readonly #retry = new Retry();
  #state: PlayerState = "idle";
  #problem: StatusInfo | null = null;
  #final = false;
  #active = false;
  #volume = 1;
  #muted = false;
  /** The user has said whether there should be sound, so the page no longer asks. */
  #chosen = false;
  #hasPicture = false;
  /** The server has answered before, so a failure is an interruption. */
  #met = false;
  /** The publisher has gone, and the buffer plays out. */
  #ending = false;

  readonly #poster = h("img", { part: "poster", class: "poster", alt: "", hidden: true });
  readonly #picture = h("div", { part: "picture", class: "picture", role: "img" });
  readonly #messageIcon = icon("clock");
  readonly #messageTitle = h("strong");
  readonly #messageMore = h("p");
  readonly #again = h("button", { type: "button", class: "primary", part: "retry", click: () => this.play() });
  readonly #message = h("div", { part: "message", class: "message" });
  readonly #bufferingText = h("span");
  readonly #buffering: HTMLDivElement = h("div", { part: "buffering", class: "buffering" }, h("i", { class: "spinner" }), this.#bufferingText);
  readonly #announcer = h("div", { class: "hidden-text", role: "status" });
  readonly #unmuteText = h("span");
  readonly #unmute = h("button", { type: "button", part: "unmute", class: "unmute", click: () => this.#wantSound(true) }, icon("mute"), this.#unmuteText);
  readonly #playIcon = icon("pause");
  readonly #playButton = h("button", { type: "button", class: "icon", part: "play-button", click: () => this.#toggle() }, this.#playIcon);
  readonly #muteIcon = icon("sound");
  readonly #muteButton = h("button", { type: "button", class: "icon", part: "mute-button", click: () => this.#wantSound(this.#silent) }, this.#muteIcon);
  readonly #slider = h("input", { type: "range", min: "0", max: "100", value: "100", part: "volume", input: () => this.#slid() });
  readonly #live = h("span", { part: "live", class: "badge live" });
  readonly #behind = h("span", { part: "behind", class: "behind" });
  readonly #fullIcon = icon("full");
  readonly #full = h("button", { type: "button", class: "icon", part: "fullscreen-button", click: () => this.#toggleFullscreen() }, this.#fullIcon);
  readonly #controls: HTMLDivElement = h(
    "div",
    { part: "controls", class: "controls", role: "group" },
    this.#playButton, this.#muteButton, this.#slider, this.#live, this.#behind, h("span", { class: "space" }), this.#full,
  );
  readonly #frame = h("div", { part: "frame", class: "frame" });

  constructor() {
    super("player");
    this.#message.append(this.#messageIcon, this.#messageTitle, this.#messageMore, this.#again);
    this.#picture.append(this.#video.element);
    const poster = h("slot", { name: "poster" }, this.#poster);
    this.#frame.append(poster, this.#picture, this.#message, this.#buffering, this.#unmute);
    this.root.append(this.#frame, this.#controls, this.#announcer);
    this.#video.addEventListener("surfacechange", () => this.dispatchEvent(new Event("surfacechange")));
    this.#video.addEventListener("resize", () => this.#resized());
    this.addEventListener("keydown", (event) => this.#key(event));
    this.addEventListener("fullscreenchange", () => this.redraw());
    this.#frame.addEventListener("click", (event) => {
      if (event.target !== this.#unmute && this.#blocked) this.#wantSound(true);
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#active = true;
    if (this.getAttribute("src")) this.play();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#active = false;
    this.#leave();
    this.#setState("idle");
  }

  attributeChangedCallback(name: string, old: string | null, value: string | null): void {
    if (old === value) return;
    if (name === "src") {
      // While the parser's element is upgraded it is connected already; `connectedCallback` follows.
      if (this.#active) this.play();
    } else if (name === "muted") {
      this.#muted = value !== null;
      this.#applyVolume();
    } else if (name === "lang") {
      this.languageChanged();
    } else if (name === "poster") {
      this.#poster.hidden = !value;
      if (value) this.#poster.src = value;
    } else {
      this.#applyBufferTime();
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

  /** The canvas or video in use, null before anything is played. */
  get surface(): HTMLCanvasElement | HTMLVideoElement | null {
    return this.#video.surface;
  }

  get state(): PlayerState {
    return this.#state;
  }

  /** The stream in use, with its figures; a new one after each interruption. */
  get stream(): NetStream | null {
    return this.#stream;
  }

  get connection(): NetConnection | null {
    return this.#connection;
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

  /** Joins the lesson, or joins it again; done by itself when the element has a `src`. */
  play(): void {
    this.#problem = null;
    this.#met = false;
    this.#join();
  }

  #join(): void {
    this.#leave();
    const src = this.src;
    if (src === "") {
      this.#setState("idle");
      return;
    }
    const target = splitStream(src);
    if ("problem" in target) {
      this.#fail({ level: "error", code: "NetConnection.Connect.Failed", description: target.problem, reason: "address" });
      return;
    }
    this.#final = false;
    this.#ending = false;
    this.#setState("connecting");
    const connection = (this.#connection = new NetConnection());
    const stream = (this.#stream = new NetStream(connection));
    connection.addEventListener("netStatus", ({ info }) => this.#connection === connection && this.#status(info));
    stream.addEventListener("netStatus", ({ info }) => this.#stream === stream && this.#status(info));
    stream.addEventListener("stats", () => this.#stream === stream && this.#counted());
    stream.addEventListener("soundstate", () => this.redraw());
    this.#applyVolume();
    this.#applyBufferTime();
    this.#video.attachNetStream(stream);
    connection.connect(target.url);
    stream.play(target.name);
  }

  /** Leaves the lesson and keeps the last picture. */
  pause(): void {
    this.#leave();
    this.#setState("paused");
  }

  #leave(): void {
    this.#retry.cancel();
    const [connection, stream] = [this.#connection, this.#stream];
    this.#connection = null;
    this.#stream = null;
    stream?.dispose();
    connection?.close();
  }

  #status(info: StatusInfo): void {
    this.dispatchEvent(new NetStatusEvent(info));
    switch (info.code) {
      case "NetConnection.Connect.Success":
        this.#retry.succeeded();
        this.#problem = null;
        this.#met = true;
        break;
      case "NetStream.Play.Start":
        if (this.#state !== "waiting") this.#setState("buffering");
        break;
      case "NetStream.Play.PublishNotify":
        this.#ending = false;
        this.#setState("buffering");
        break;
      case "NetStream.Buffer.Empty":
        if (this.#ending) this.#setState("ended");
        else if (this.#state === "playing") this.#setState("buffering");
        break;
      case "NetStream.Buffer.Full":
        this.#setState("playing");
        break;
      case "NetStream.Play.StreamNotFound":
        this.#setState("waiting");
        break;
      case "NetStream.Play.UnpublishNotify":
        // What has arrived already is still to be seen.
        this.#ending = this.#state === "playing" && (this.#stream?.bufferLength ?? 0) > RESIDUE;
        if (!this.#ending) this.#setState("ended");
        break;
      case "NetConnection.Connect.Failed":
      case "NetConnection.Connect.Closed":
        this.#interrupted(info);
        break;
      default:
        if (FINAL.has(info.code) || (info.level === "error" && info.code.startsWith("NetConnection.Connect."))) {
          this.#problem = info;
          this.#final ||= FINAL.has(info.code);
          if (this.#final) this.#setState("failed");
        }
    }
  }

  #interrupted(info: StatusInfo): void {
    if (this.#final) {
      this.#setState("failed");
      return;
    }
    this.#problem = info;
    this.#retry.schedule(() => this.#join(), () => this.redraw());
    this.#setState("retrying");
  }

  #fail(info: StatusInfo): void {
    this.#problem = info;
    this.#final = true;
    this.#setState("failed");
    this.dispatchEvent(new NetStatusEvent(info));
  }

  #counted(): void {
    if (this.#ending && (this.#stream?.bufferLength ?? 0) < RESIDUE) {
      this.#ending = false;
      this.#setState("ended");
    }
    // A stream of sound alone never has a picture's size.
    if (this.#state === "buffering" && (this.#stream?.currentFPS ?? 0) > 0 && (this.#stream?.bufferTime ?? 0) < 1) this.#setState("playing");
    this.redraw();
  }

  #resized(): void {
    const { videoWidth, videoHeight } = this.#video;
    this.#hasPicture = videoWidth > 0;
    if (this.#hasPicture) this.#frame.style.setProperty("--_ratio", `${videoWidth} / ${videoHeight}`);
    this.dispatchEvent(new Event("resize"));
    this.redraw();
  }

  #setState(state: PlayerState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.dispatchEvent(new Event("statechange"));
    this.redraw();
  }

  #toggle(): void {
    if (this.#state === "paused" || this.#state === "failed" || this.#state === "retrying") this.play();
    else this.pause();
  }

  get #silent(): boolean {
    return this.#muted || this.#volume === 0 || (this.#stream !== null && !this.#stream.soundRunning);
  }

  /** There could be sound, and the page or the browser keeps it back. */
  get #blocked(): boolean {
    return !this.#chosen && this.#state === "playing" && this.#silent;
  }

  /** What the user's own hand does counts, also for the browser, which lets sound be heard only then. */
  #wantSound(on: boolean): void {
    this.#chosen = true;
    this.#muted = !on;
    if (on && this.#volume === 0) this.#volume = 1;
    if (on) void this.#stream?.resumeSound();
    this.#applyVolume();
  }

  #slid(): void {
    this.#volume = Number(this.#slider.value) / 100;
    this.#wantSound(this.#volume > 0);
  }

  #applyVolume(): void {
    if (this.#stream) this.#stream.soundTransform = new SoundTransform(this.#muted ? 0 : this.#volume);
    this.dispatchEvent(new Event("volumechange"));
    this.redraw();
  }

  #applyBufferTime(): void {
    if (!this.#stream) return;
    const bufferTime = this.numberAttribute("buffer-time");
    const bufferTimeMax = this.numberAttribute("buffer-time-max");
    if (bufferTime !== undefined) this.#stream.bufferTime = bufferTime;
    if (bufferTimeMax !== undefined) this.#stream.bufferTimeMax = bufferTimeMax;
  }

  #toggleFullscreen(): void {
    if (document.fullscreenElement === this) void document.exitFullscreen();
    else void this.requestFullscreen().catch(() => {});
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.hasAttribute("controls")) return;
    if (event.key === "m") this.#wantSound(this.#silent);
    else if (event.key === "f" && !this.#full.hidden) this.#toggleFullscreen();
    else if (event.key === "k") this.#toggle();
    else return;
    event.preventDefault();
  }

  protected override draw(): void {
    this.#drawMessage();
    this.#drawBuffering();
    this.#unmute.hidden = !this.#blocked;
    setText(this.#unmuteText, this.text("unmute"));
    setLabel(this.#picture, this.text("picture"));
    this.#picture.removeAttribute("title");
    this.#drawControls();
  }

  #drawMessage(): void {
    const [symbol, title, more] = this.#words();
    this.#message.hidden = title === "";
    setIcon(this.#messageIcon, symbol);
    setText(this.#messageTitle, title);
    setText(this.#messageMore, more);
    this.#messageMore.hidden = more === "";
    this.#again.hidden = this.#state !== "retrying" && this.#state !== "failed";
    setText(this.#again, this.text("retry"));
    // The seconds are left out, or a screen reader would count along.
    setText(this.#announcer, title || (this.#state === "buffering" ? this.text("joining") : ""));
  }

  #words(): [IconName, title: string, more: string] {
    switch (this.#state) {
      case "idle":
        return ["clock", this.text("idle"), ""];
      case "connecting":
        if (this.#problem) return this.#interruption(this.text("connecting"));
        return ["clock", this.#hasPicture ? "" : this.text("connecting"), ""];
      case "waiting":
        return ["clock", this.text("waiting"), this.text("waitingMore")];
      case "ended":
        return ["clock", this.text("ended"), this.text("endedMore")];
      case "paused":
        return ["pause", this.text("paused"), ""];
      case "retrying":
        return this.#interruption(this.text("retrying", { seconds: this.#retry.seconds }));
      case "failed":
        return ["warning", this.text("problem"), this.#advice()];
      default:
        return ["clock", "", ""];
    }
  }

  #interruption(next: string): [IconName, title: string, more: string] {
    if (this.#met) return ["warning", this.text("lost"), next];
    return ["warning", this.text("unreachable"), `${this.#advice()} ${next}`];
  }

  /** What the status means; what the server said itself is kept, since it may name what is missing. */
  #advice(): string {
    const info = this.#problem;
    if (!info) return "";
    if (info.reason === "address") return this.language === "en" ? info.description : describe(info, this.language);
    const words = describe(info, this.language);
    return info.code === "NetConnection.Connect.Rejected" && info.description ? `${words} (${info.description})` : words;
  }

  #drawBuffering(): void {
    this.#buffering.hidden = this.#state !== "buffering";
    const want = this.#stream?.bufferTime ?? 0;
    const have = Math.min(want, this.#stream?.bufferLength ?? 0);
    const slow = want >= 1 ? this.text("buffering", { have: have.toFixed(1), want }) : this.text("joining");
    setText(this.#bufferingText, slow);
  }

  #drawControls(): void {
    this.#controls.hidden = !this.hasAttribute("controls");
    this.#controls.setAttribute("aria-label", this.text("player"));
    const stopped = ["paused", "failed", "retrying", "idle"].includes(this.#state);
    setIcon(this.#playIcon, stopped ? "play" : "pause");
    setLabel(this.#playButton, this.text(stopped ? "play" : "pause"));
    setIcon(this.#muteIcon, this.#silent ? "mute" : "sound");
    setLabel(this.#muteButton, this.text(this.#silent ? "sound" : "mute"));
    setLabel(this.#slider, this.text("volume"));
    this.#slider.value = String(this.#muted ? 0 : Math.round(this.#volume * 100));
    setText(this.#live, this.text("live"));
    this.#live.hidden = this.#state !== "playing";
    const delay = this.#stream?.liveDelay ?? 0;
    this.#behind.hidden = this.#live.hidden || delay <= 0;
    setText(this.#behind, this.text("behind", { seconds: delay.toFixed(1) }));
    const full = document.fullscreenElement === this;
    this.#full.hidden = !document.fullscreenEnabled;
    setIcon(this.#fullIcon, full ? "small" : "full");
    setLabel(this.#full, this.text(full ? "small" : "full"));
  }
}
