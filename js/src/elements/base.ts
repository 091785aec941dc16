import { type Language, languageAt } from "../language.js";
import { style } from "./style.js";
import { text, type TextKey } from "./text.js";

/** Importing the elements where there is no page (a server that renders) must not throw. */
const Base = globalThis.HTMLElement ?? (class {} as unknown as typeof HTMLElement);

/** What both elements share: a shadow root, its style, the language, and drawing at most once a turn. */
export abstract class ChalkcastElement extends Base {
  protected readonly root: ShadowRoot;
  protected language: Language = "en";
  #observer: MutationObserver | null = null;
  #scheduled = false;

  constructor(name: "player" | "publisher") {
    super();
    this.root = this.attachShadow({ mode: "open" });
    this.root.adoptedStyleSheets = [style(name)];
  }

  connectedCallback(): void {
    // The page's language may be switched while a lesson runs.
    this.#observer = new MutationObserver(() => this.languageChanged());
    this.#observer.observe(document.documentElement, { attributeFilter: ["lang"] });
    this.languageChanged();
  }

  disconnectedCallback(): void {
    this.#observer?.disconnect();
    this.#observer = null;
  }

  protected languageChanged(): void {
    this.language = languageAt(this);
    this.redraw();
  }

  /** Draws in the current state and language; may be called often. */
  protected abstract draw(): void;

  protected redraw(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.draw();
    });
  }

  protected text(key: TextKey, values?: Record<string, string | number>): string {
    return text(this.language, key, values);
  }

  protected numberAttribute(name: string): number | undefined {
    const value = this.getAttribute(name);
    return value === null || value.trim() === "" || !Number.isFinite(Number(value)) ? undefined : Number(value);
  }
}

/** When to try again: 1, 2, 4, … 30 s, each a little earlier or later, so that a class does not come back all at once. */
export class Retry {
  #attempts = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #at = 0;

  /** Seconds left, 0 when nothing is planned. */
  get seconds(): number {
    return this.#timer === undefined ? 0 : Math.max(1, Math.ceil((this.#at - performance.now()) / 1000));
  }

  /** Calls `again` when it is time, and `tick` every second until then. */
  schedule(again: () => void, tick: () => void): void {
    this.cancel();
    const delay = Math.min(30_000, 1000 * 2 ** this.#attempts++) * (0.75 + Math.random() / 2);
    this.#at = performance.now() + delay;
    this.#timer = setInterval(() => {
      if (performance.now() < this.#at) return tick();
      this.cancel();
      again();
    }, 250);
  }

  cancel(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** It worked: the next failure is tried again soon. */
  succeeded(): void {
    this.#attempts = 0;
  }
}
