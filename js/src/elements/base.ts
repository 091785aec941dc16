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
