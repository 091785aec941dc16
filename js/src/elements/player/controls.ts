import { h, icon, setIcon, setLabel, setText } from "../dom.js";
import type { TextKey } from "../text.js";

/** What the user may ask for. */
export interface Actions {
  togglePlay(): void;
  toggleSound(): void;
  setVolume(volume: number): void;
  goLive(): void;
  toggleAudioOnly(): void;
  togglePictureInPicture(): void;
  toggleFullscreen(): void;
}

/** What the controls show. */
export interface View {
  stopped: boolean;
  playing: boolean;
  silent: boolean;
  /** 0 to 1. */
  volume: number;
  /** Seconds behind live. */
  delay: number;
  audioOnly: boolean;
  /** Null where the browser has it not. */
  pictureInPicture: boolean | null;
  fullscreen: boolean | null;
}

/** Seconds behind live from which there is something to be gained by going there. */
export const BEHIND = 2;

/** The bar below the picture. */
export class Controls {
  readonly element: HTMLDivElement;
  readonly #playIcon = icon("pause");
  readonly #play: HTMLButtonElement;
  readonly #soundIcon = icon("sound");
  readonly #sound: HTMLButtonElement;
  readonly #volume: HTMLInputElement;
  readonly #live = h("span", { part: "live", class: "badge live" });
  readonly #goLiveText = h("span");
  readonly #goLive: HTMLButtonElement;
  readonly #delay = h("span", { part: "behind", class: "behind" });
  readonly #audioOnly: HTMLButtonElement;
  readonly #pictureInPicture: HTMLButtonElement;
  readonly #fullIcon = icon("full");
  readonly #full: HTMLButtonElement;

  constructor(actions: Actions) {
    const button = (part: string, keys: string, symbol: SVGSVGElement, click: () => void): HTMLButtonElement =>
      h("button", { type: "button", class: "icon", part, "aria-keyshortcuts": keys, click }, symbol);
    this.#play = button("play-button", "k", this.#playIcon, () => actions.togglePlay());
    this.#sound = button("mute-button", "m", this.#soundIcon, () => actions.toggleSound());
    this.#volume = h("input", {
      type: "range", min: "0", max: "100", value: "100", part: "volume", input: () => actions.setVolume(Number(this.#volume.value) / 100),
    });
    this.#goLive = h(
      "button",
      { type: "button", part: "go-live", class: "go-live", "aria-keyshortcuts": "End", click: () => actions.goLive() },
      icon("forward"), this.#goLiveText,
    );
    this.#audioOnly = button("audio-only-button", "a", icon("headphones"), () => actions.toggleAudioOnly());
    this.#pictureInPicture = button("picture-in-picture-button", "p", icon("float"), () => actions.togglePictureInPicture());
    this.#full = button("fullscreen-button", "f", this.#fullIcon, () => actions.toggleFullscreen());
    this.element = h(
      "div",
      { part: "controls", class: "controls", role: "group" },
      this.#play, this.#sound, this.#volume, this.#live, this.#goLive, this.#delay, h("span", { class: "space" }),
      this.#audioOnly, this.#pictureInPicture, this.#full,
    );
  }

  draw(view: View, text: (key: TextKey, values?: Record<string, string | number>) => string): void {
    this.element.setAttribute("aria-label", text("player"));
    setIcon(this.#playIcon, view.stopped ? "play" : "pause");
    setLabel(this.#play, text(view.stopped ? "play" : "pause"));
    setIcon(this.#soundIcon, view.silent ? "mute" : "sound");
    setLabel(this.#sound, text(view.silent ? "sound" : "mute"));
    setLabel(this.#volume, text("volume"));
    this.#volume.value = String(Math.round(view.volume * 100));
    const behind = view.playing && view.delay >= BEHIND;
    setText(this.#live, text("live"));
    this.#live.hidden = !view.playing || behind;
    this.#goLive.hidden = !behind;
    setText(this.#goLiveText, text("goLive"));
    this.#delay.hidden = !view.playing || view.delay <= 0;
    setText(this.#delay, text("delay", { seconds: view.delay.toFixed(1) }));
    pressed(this.#audioOnly, view.audioOnly, text("audioOnly"));
    this.#pictureInPicture.hidden = view.pictureInPicture === null;
    pressed(this.#pictureInPicture, view.pictureInPicture ?? false, text("pictureInPicture"));
    this.#full.hidden = view.fullscreen === null;
    setIcon(this.#fullIcon, view.fullscreen ? "small" : "full");
    setLabel(this.#full, text(view.fullscreen ? "small" : "full"));
  }
}

function pressed(button: HTMLButtonElement, on: boolean, label: string): void {
  button.setAttribute("aria-pressed", String(on));
  setLabel(button, label);
}
