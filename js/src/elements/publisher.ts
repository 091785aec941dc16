import { Camera, describe, Microphone, type NetConnection, NetStatusEvent, type NetStream, Screen, type StatusInfo, Video } from "../index.js";
import { ChalkcastElement } from "./base.js";
import { h, icon, setIcon, setText } from "./dom.js";
import { DevicePicker } from "./publisher/devices.js";
import { LevelMeter } from "./publisher/level.js";
import { Session } from "./session.js";

export type PublisherState = "off" | "starting" | "live" | "retrying";

/** What trying again cannot mend. */
const FINAL = new Set([
  "NetConnection.Connect.Rejected",
  "NetConnection.Connect.InvalidApp",
  "NetStream.Publish.BadName",
  "NetStream.Publish.Denied",
  "NetStream.Publish.Rejected",
  "NetStream.Failed",
]);

/**
 * `<chalkcast-publisher src="wss://HOST/APP/STREAM">`: shows the camera, and publishes it with the microphone, or a shared screen, by one click.
 *
 * Attributes: `src`, `width`, `height`, `fps`, `bitrate` (bits per second), `key-frame-interval` (frames), `preview` (open the camera at
 * once), `lang`. Events: `netStatus` (with `info`), `statechange`, `surfacechange`, `resize`.
 * The package's README lists parts and custom properties.
 */
export class ChalkcastPublisher extends ChalkcastElement {
  static readonly observedAttributes = ["src", "width", "height", "fps", "bitrate", "key-frame-interval", "lang"];

  #camera: Camera | null = null;
  #microphone: Microphone | null = null;
  #screen: Screen | null = null;
  readonly #video = new Video();
  readonly #session = new Session({ status: (info) => this.#status(info), changed: () => this.redraw() });
  #state: PublisherState = "off";
  #problem: StatusInfo | null = null;
  /** Why there is no picture, or no sound. */
  #refusals: { camera: StatusInfo | null; microphone: StatusInfo | null } = { camera: null, microphone: null };
  #opened = false;
  #held: Microphone | null = null;

  readonly #picture = h("div", { part: "picture", class: "picture", role: "img" });
  readonly #badge = h("span", { part: "badge", class: "badge off" });
  readonly #messageIcon = icon("camera");
  readonly #messageTitle = h("strong");
  readonly #messageMore = h("p");
  readonly #turnOn = h("button", { type: "button", part: "turn-on", click: () => this.openDevices() });
  readonly #message = h("div", { part: "message", class: "message" });
  readonly #startText = h("span");
  readonly #start = h("button", { type: "button", part: "start", class: "primary start", click: () => this.#toggle() }, this.#startText);
  readonly #shareText = h("span");
  readonly #share = h("button", { type: "button", part: "share", class: "share", click: () => void this.#toggleScreen() }, icon("screen"), this.#shareText);
  readonly #level = new LevelMeter();
  readonly #cameras = new DevicePicker("camera", () => this.#chooseCamera());
  readonly #microphones = new DevicePicker("microphone", () => this.#chooseMicrophone(), this.#level.element);
  readonly #note = h("span", { part: "note", class: "note" });
  readonly #announcer = h("div", { class: "hidden-text", role: "status" });
  readonly #figures = h("span", { part: "figures", class: "figures" });
  readonly #frame = h("div", { part: "frame", class: "frame" });

  constructor() {
    super("publisher");
    this.#message.append(this.#messageIcon, this.#messageTitle, this.#messageMore, this.#turnOn);
    this.#picture.append(this.#video.element);
    this.#frame.append(this.#picture, this.#message, h("div", { class: "badges" }, this.#badge));
    const actions = h("div", { class: "actions" }, this.#start, this.#share);
    const devices = h("div", { part: "devices", class: "devices" }, this.#cameras.element, this.#microphones.element);
    const line = h("div", { class: "line" }, this.#note, this.#figures, this.#announcer);
    const panel = h("div", { part: "panel", class: "panel" }, actions, line, devices);
    this.root.append(h("div", { class: "layout" }, this.#frame, panel));
    this.#video.addEventListener("surfacechange", () => this.dispatchEvent(new Event("surfacechange")));
    this.#video.addEventListener("resize", () => this.#resized());
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#refreshDevices();
    globalThis.navigator.mediaDevices?.addEventListener("devicechange", this.#devicesChanged);
    if (this.hasAttribute("preview")) this.openDevices();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    globalThis.navigator.mediaDevices?.removeEventListener("devicechange", this.#devicesChanged);
    this.stop();
    this.#stopScreen();
    this.#useCamera(null);
    this.#useMicrophone(null);
    this.#opened = false;
  }

  attributeChangedCallback(name: string, old: string | null, value: string | null): void {
    if (old === value) return;
    if (name === "lang") this.languageChanged();
    else if (name !== "src") this.#applyMode();
    this.redraw();
  }

  /** `ws://HOST/APP/STREAM`; an address without a host is this page's own. Read when the lesson starts. */
  get src(): string {
    return this.getAttribute("src") ?? "";
  }

  set src(src: string) {
    this.setAttribute("src", src);
  }

  /** The video in use, null while nothing is shown. */
  get surface(): HTMLCanvasElement | HTMLVideoElement | null {
    return this.#video.surface;
  }

  get state(): PublisherState {
    return this.#state;
  }

  /** The stream in use, with its figures; null while the lesson is off. */
  get stream(): NetStream | null {
    return this.#session.stream;
  }

  get connection(): NetConnection | null {
    return this.#session.connection;
  }

  /** Opens camera and microphone and shows the picture here; the browser asks the user. */
  openDevices(): void {
    this.#opened = true;
    this.#refusals = { camera: null, microphone: null };
    this.#chooseCamera();
    this.#chooseMicrophone();
    this.redraw();
  }

  /** Starts the lesson. */
  start(): void {
    if (this.#state === "starting" || this.#state === "live") return;
    if (!this.#opened || (!this.#camera?.track && !this.#microphone?.track && !this.#screen)) this.openDevices();
    this.#problem = null;
    this.#setState("starting");
    this.#connect();
  }

  /** Ends the lesson; camera and microphone stay open here. */
  stop(): void {
    this.#session.close();
    this.#setState("off");
  }

  #connect(): void {
    this.#session.open(this.src, (stream, name) => {
      stream.attachAudio(this.#microphone);
      stream.attachCamera(this.#screen ?? this.#camera);
      stream.publish(name, "live");
    });
  }

  #status(info: StatusInfo): void {
    this.dispatchEvent(new NetStatusEvent(info));
    if (info.code === "NetStream.Publish.Start") {
      this.#session.succeeded();
      this.#problem = null;
      this.#setState("live");
    } else if (FINAL.has(info.code) || info.reason === "address") {
      this.#problem = info;
      this.stop();
    } else if (info.code === "NetConnection.Connect.Failed" || info.code === "NetConnection.Connect.Closed") {
      this.#problem = info;
      // A lesson that was never live has nobody waiting for it: the teacher decides.
      if (this.#state === "starting" && info.code.endsWith("Failed")) this.stop();
      else this.#reconnect();
    }
    this.redraw();
  }

  #reconnect(): void {
    this.#session.later(() => this.#connect());
    this.#setState("retrying");
  }

  #toggle(): void {
    if (this.#state === "off") this.start();
    else this.stop();
  }

  #setState(state: PublisherState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.dispatchEvent(new Event("statechange"));
    this.redraw();
  }

  #chooseCamera(): void {
    const id = this.#cameras.value;
    this.#useCamera(id === null ? null : Camera.getCamera(id));
  }

  #useCamera(camera: Camera | null): void {
    this.#camera?.removeEventListener("status", this.#deviceStatus);
    this.#camera = camera;
    this.#refusals.camera = null;
    this.#applyMode();
    camera?.addEventListener("status", this.#deviceStatus);
    if (!this.#screen) this.#showVideo();
    this.redraw();
  }

  #chooseMicrophone(): void {
    const id = this.#microphones.value;
    this.#useMicrophone(id === null ? null : Microphone.getMicrophone(id));
  }

  #useMicrophone(microphone: Microphone | null): void {
    this.#microphone?.removeEventListener("status", this.#deviceStatus);
    this.#held?.release();
    this.#held = this.#microphone = microphone;
    this.#refusals.microphone = null;
    this.#level.show(null);
    microphone?.addEventListener("status", this.#deviceStatus);
    microphone?.open().then((track) => this.#microphone === microphone && this.#level.show(track), () => {});
    this.stream?.attachAudio(microphone);
    this.redraw();
  }

  readonly #deviceStatus = (event: Event): void => {
    const { info } = event as NetStatusEvent;
    const which = info.code.startsWith("Camera") ? "camera" : "microphone";
    this.#refusals[which] = info.level === "error" ? info : null;
    if (!this.stream) this.dispatchEvent(new NetStatusEvent(info));
    void this.#refreshDevices();
    this.redraw();
  };

  readonly #devicesChanged = (): void => void this.#refreshDevices();

  async #refreshDevices(): Promise<void> {
    const [cameras, microphones] = await Promise.all([Camera.devices(), Microphone.devices()]);
    this.#cameras.show(cameras, this.#camera?.track);
    this.#microphones.show(microphones, this.#microphone?.track);
    this.redraw();
  }

  async #toggleScreen(): Promise<void> {
    if (this.#screen) {
      this.#stopScreen();
      return;
    }
    const screen = Screen.getScreen();
    try {
      // The camera goes on being shown until something is chosen.
      await screen.open();
    } catch (error) {
      this.#screenRefused(error as StatusInfo);
      return;
    }
    this.#screen = screen;
    screen.addEventListener("ended", () => this.#screen === screen && this.#stopScreen());
    this.#showVideo();
    screen.release();
    this.redraw();
  }

  #screenRefused(info: StatusInfo): void {
    if (info.reason !== "cancelled") this.#problem = info;
    this.dispatchEvent(new NetStatusEvent(info));
    this.redraw();
  }

  #stopScreen(): void {
    if (!this.#screen) return;
    this.#screen = null;
    this.#showVideo();
    this.redraw();
  }

  /** Shows here, and publishes, what is to be seen now. */
  #showVideo(): void {
    const input = this.#screen ?? this.#camera;
    this.#video.attachCamera(input);
    this.stream?.attachCamera(input);
  }

  #applyMode(): void {
    const camera = this.#camera;
    if (!camera) return;
    camera.setMode(this.numberAttribute("width") || 640, this.numberAttribute("height") || 360, this.numberAttribute("fps") || 30);
    const bitrate = this.numberAttribute("bitrate");
    if (bitrate) camera.setQuality(bitrate / 8, 0);
    const keyFrameInterval = this.numberAttribute("key-frame-interval");
    if (keyFrameInterval) camera.setKeyFrameInterval(keyFrameInterval);
  }

  #resized(): void {
    const { videoWidth, videoHeight } = this.#video;
    // A portrait picture must not push the button off the page.
    if (videoWidth > 0) this.#frame.style.setProperty("--_ratio", String(Math.max(4 / 3, videoWidth / videoHeight)));
    this.dispatchEvent(new Event("resize"));
    this.redraw();
  }

  protected override draw(): void {
    this.#picture.setAttribute("aria-label", this.text("preview"));
    const live = this.#state === "live";
    const shown = (this.#screen ?? this.#camera)?.track;
    this.#badge.className = `badge ${live ? "live" : "off"}`;
    setText(this.#badge, this.text(live ? "live" : "offline"));
    this.#badge.hidden = !live && !shown;
    this.#start.classList.toggle("on", this.#state !== "off");
    // Elsewhere a browser gives neither camera nor microphone; the message says so.
    this.#start.disabled = globalThis.isSecureContext === false;
    setText(this.#startText, this.text(this.#state === "off" ? "start" : "stop"));
    this.#share.hidden = !globalThis.navigator.mediaDevices?.getDisplayMedia;
    setText(this.#shareText, this.text(this.#screen ? "unshare" : "share"));
    this.#share.setAttribute("aria-pressed", String(this.#screen !== null));
    this.#cameras.draw(this.language);
    this.#microphones.draw(this.language);
    this.#level.draw(this.language);
    this.#drawMessage();
    this.#drawLine();
  }

  #drawMessage(): void {
    const refusal = this.#refusals.camera;
    const shown = (this.#screen ?? this.#camera)?.track;
    const soundOnly = this.#opened && !this.#camera && !this.#screen;
    const asking = this.#opened && !soundOnly && !refusal;
    this.#message.hidden = Boolean(shown);
    setIcon(this.#messageIcon, refusal ? "warning" : soundOnly ? "sound" : "camera");
    setText(this.#messageTitle, this.text(soundOnly ? "noCamera" : asking ? "asking" : "cameraOff"));
    const more = soundOnly ? "" : this.text(asking ? "askingMore" : "cameraOffMore");
    setText(this.#messageMore, refusal ? describe(refusal, this.language) : more);
    this.#turnOn.hidden = soundOnly || asking || refusal?.reason === "insecure";
    setText(this.#turnOn, this.text(refusal ? "again" : "turnOn"));
  }

  #drawLine(): void {
    const [note, bad] = this.#noteWords();
    setText(this.#note, note);
    // Without the seconds, or a screen reader would count along.
    setText(this.#announcer, this.#state === "retrying" ? this.text("lost") : note);
    this.#note.classList.toggle("error", bad);
    const info = this.stream?.info;
    const live = this.#state === "live";
    const { width = 0, height = 0, fps = 0, kbps = 0 } = info ?? {};
    const figures = info && fps > 0 ? this.text("sending", { width, height, fps: Math.round(fps), kbps: Math.round(kbps) }) : this.text("measuring");
    setText(this.#figures, live ? figures : "");
  }

  #noteWords(): [words: string, bad: boolean] {
    const problem = this.#problem;
    if (this.#state === "retrying" && this.#session.seconds > 0) return [this.text("reconnecting", { seconds: this.#session.seconds }), true];
    if (this.#state === "starting" || this.#state === "retrying") return [this.text("starting"), false];
    const silent = this.#refusals.microphone;
    if (problem) return [describe(problem, this.language), true];
    if (silent && silent.reason !== "insecure") return [describe(silent, this.language), true];
    if (this.#state === "live") return [this.text("onAir"), false];
    return [this.#camera?.track || this.#microphone?.track ? this.text("ready") : "", false];
  }
}
