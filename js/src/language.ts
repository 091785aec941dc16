/** The languages the package speaks. */
export type Language = "en" | "zh";

/** The language of `tag` (BCP 47), English when it is neither. */
export function languageOf(tag: string | null | undefined): Language {
  return /^zh\b/i.test(tag ?? "") ? "zh" : "en";
}

/** The language of an element: its own or its ancestors' `lang`, else the browser's. */
export function languageAt(element: Element | null): Language {
  const lang = element?.closest<HTMLElement>("[lang]")?.lang;
  return languageOf(lang || globalThis.navigator?.language);
}
