import type { Language } from "../../language.js";
import { h, setText } from "../dom.js";
import { text } from "../text.js";

/** A labelled list of cameras or microphones to choose from. */
export class DevicePicker {
  readonly element: HTMLElement;
  readonly #kind: "camera" | "microphone";
  readonly #label = h("span");
  readonly #select: HTMLSelectElement;
  #devices: { id: string; label: string }[] = [];
  /** The value to choose once the list holds it. */
  #wanted = "";

  constructor(kind: "camera" | "microphone", chosen: () => void, below?: HTMLElement) {
    this.#kind = kind;
    const changed = (): void => {
      this.#wanted = this.#select.value;
      chosen();
    };
    this.#select = h("select", { part: `${kind}-select`, change: changed });
    this.element = h("div", {}, h("label", {}, this.#label, this.#select), ...(below ? [below] : []));
    this.draw("en");
  }

  /** The chosen device's id, "0" for the browser's own choice, null for none. */
  get value(): string | null {
    return this.#select.value === "none" ? null : this.#select.value || "0";
  }

  /** Shows what there is, with the one of `track` chosen. */
  show(devices: { id: string; label: string }[], track: MediaStreamTrack | null | undefined): void {
    this.#devices = devices;
    const current = this.#select.value;
    const id = track?.getSettings().deviceId;
    this.#wanted = current === "none" ? "none" : (id ?? current);
  }

  draw(language: Language): void {
    setText(this.#label, text(language, this.#kind));
    const options = this.#devices.map(({ id, label }, index) => ({
      value: id || String(index),
      label: label || text(language, this.#kind === "camera" ? "cameraN" : "microphoneN", { n: index + 1 }),
    }));
    if (options.length === 0) options.push({ value: "0", label: text(language, this.#kind) });
    options.push({ value: "none", label: text(language, "none") });
    const shown = [...this.#select.options].map(({ value, label }) => ({ value, label }));
    if (JSON.stringify(shown) !== JSON.stringify(options)) {
      const current = this.#wanted || this.#select.value;
      this.#select.replaceChildren(...options.map(({ value, label }) => h("option", { value }, label)));
      this.#select.value = options.some(({ value }) => value === current) ? current : (options[0]?.value ?? "");
    }
  }
}
