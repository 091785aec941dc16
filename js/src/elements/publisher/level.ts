import type { Language } from "../../language.js";
import { h, setText } from "../dom.js";
import { text } from "../text.js";

/** Milliseconds between two looks: enough to see that the microphone hears. */
const INTERVAL = 100;

/** A bar that moves with a microphone, so that a teacher sees before the lesson that it works. */
export class LevelMeter {
  readonly element: HTMLElement;
  readonly #bar = h("i");
  readonly #label = h("span", { class: "hidden-text" });
  #context: AudioContext | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor() {
    this.element = h("div", {}, this.#label, h("div", { class: "level", part: "level", "aria-hidden": "true" }, this.#bar));
  }

  /** Follows `track`; null lets go. */
  show(track: MediaStreamTrack | null): void {
    clearInterval(this.#timer);
    void this.#context?.close().catch(() => {});
    this.#context = null;
    this.#bar.style.transform = "scaleX(0)";
    if (!track || typeof AudioContext === "undefined") return;
    const context = (this.#context = new AudioContext());
    const analyser = context.createAnalyser();
    analyser.fftSize = 1024;
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.#timer = setInterval(() => {
      if (document.hidden) return;
      analyser.getFloatTimeDomainData(samples);
      let sum = 0;
      for (const sample of samples) sum += sample * sample;
      const decibels = 10 * Math.log10(sum / samples.length + 1e-9);
      // From -60 dB, a quiet room, to -10 dB, a voice close by.
      this.#bar.style.transform = `scaleX(${Math.min(1, Math.max(0, (decibels + 60) / 50)).toFixed(2)})`;
    }, INTERVAL);
  }

  draw(language: Language): void {
    setText(this.#label, text(language, "level"));
  }
}
