import { h, icon, type IconName, setIcon, setText } from "../dom.js";
import type { PlayerState } from "./attendance.js";
import type { TextKey } from "../text.js";

/** What the words over the picture depend on. */
export interface Situation {
  state: PlayerState;
  /** A picture of the lesson, or a poster, is there to be seen behind the words. */
  backdrop: boolean;
  /** The lesson was seen before. */
  played: boolean;
  /** The server has answered before. */
  met: boolean;
  /** What went wrong, in words; empty when nothing did. */
  advice: string;
  /** Seconds until the next attempt. */
  seconds: number;
  /** Only sound is there to be had: because it was asked for so, because the lesson has no picture, or because the browser cannot show it. */
  soundOnly: "asked" | "lesson" | "browser" | null;
  /** Seconds in the buffer, and how many it waits for. */
  buffered: number;
  bufferTime: number;
}

type Text = (key: TextKey, values?: Record<string, string | number>) => string;

/** The words over the picture: why there is none, what happens next, and how far the buffer is. Screen readers hear each change once. */
export class Message {
  readonly elements: readonly HTMLElement[];
  readonly #icon = icon("clock");
  readonly #title = h("strong");
  readonly #more = h("p");
  readonly #again: HTMLButtonElement;
  readonly #box: HTMLDivElement;
  readonly #waitText = h("span");
  readonly #wait: HTMLDivElement;
  readonly #announcer = h("div", { class: "hidden-text", role: "status" });

  /** `again` is called by the button that tries again at once. */
  constructor(again: () => void) {
    this.#again = h("button", { type: "button", class: "primary", part: "retry", click: again });
    this.#box = h("div", { part: "message", class: "message" }, this.#icon, this.#title, this.#more, this.#again);
    this.#wait = h("div", { part: "buffering", class: "buffering" }, h("i", { class: "spinner" }), this.#waitText);
    this.elements = [this.#box, this.#wait, this.#announcer];
  }

  draw(situation: Situation, text: Text): void {
    const { state } = situation;
    const [symbol, title, more] = words(situation, text);
    this.#box.hidden = title === "";
    this.#box.classList.toggle("card", situation.backdrop);
    setIcon(this.#icon, symbol);
    setText(this.#title, title);
    setText(this.#more, more);
    this.#more.hidden = more === "";
    this.#again.hidden = state !== "retrying" && state !== "failed";
    setText(this.#again, text("retry"));
    this.#wait.hidden = state !== "buffering";
    setText(this.#waitText, waiting(situation, text));
    setText(this.#announcer, announcement(situation, title, text));
  }
}

function words(situation: Situation, text: Text): [IconName, title: string, more: string] {
  const { advice } = situation;
  switch (situation.state) {
    case "idle":
      return ["clock", text("idle"), ""];
    case "connecting":
      if (advice) return interruption(situation, text("connecting"), text);
      return ["clock", situation.played ? "" : text("connecting"), ""];
    case "waiting":
      return ["clock", text("waiting"), text("waitingMore")];
    case "ended":
      return ["clock", text("ended"), text("endedMore")];
    case "paused":
      return ["pause", text("paused"), text("pausedMore")];
    case "retrying":
      return interruption(situation, text("retrying", { seconds: situation.seconds }), text);
    case "failed":
      return ["warning", text("problem"), advice];
    case "playing":
      if (situation.soundOnly === "asked") return ["sound", text("soundOnly"), text("soundOnlyMore")];
      if (situation.soundOnly === "lesson") return ["sound", text("soundOnly"), ""];
      return situation.soundOnly ? ["warning", text("soundOnly"), advice] : ["clock", "", ""];
    default:
      // A lesson of nothing but a picture that cannot be shown never plays.
      return situation.soundOnly === "browser" ? ["warning", text("problem"), advice] : ["clock", "", ""];
  }
}

function interruption({ met, advice }: Situation, next: string, text: Text): [IconName, title: string, more: string] {
  if (met) return ["warning", text("lost"), next];
  return ["warning", text("unreachable"), `${advice} ${next}`];
}

function waiting({ played, buffered, bufferTime }: Situation, text: Text): string {
  if (bufferTime >= 1) return text("buffering", { have: Math.min(bufferTime, buffered).toFixed(1), want: bufferTime });
  return text(played ? "stalled" : "joining");
}

/** Without the seconds, or a screen reader would count along. */
function announcement({ state, played }: Situation, title: string, text: Text): string {
  if (title) return title;
  if (state === "playing") return text("playing");
  return state === "buffering" ? text(played ? "stalled" : "joining") : "";
}
