import { type Language, languageAt, languageOf } from "./language.js";
import type { StatusInfo } from "./protocol.js";
import { DEVICE_TEXT, LEVEL_TEXT, REASON_TEXT, STATUS_TEXT } from "./status-text.js";

/**
 * What a status means, in words for the person in front of the page. Give the whole `info` where there is one: it also says why a
 * camera is off. `lang` is a BCP 47 tag; without it the page's language counts, else the browser's.
 */
export function describe(status: string | StatusInfo, lang?: string): string {
  const language = lang === undefined ? languageAt(globalThis.document?.documentElement ?? null) : languageOf(lang);
  const info: Partial<StatusInfo> = typeof status === "string" ? { code: status } : status;
  const code = info.code ?? "";
  const device = DEVICE_TEXT[code.split(".")[0] ?? ""];
  const reason = typeof info.reason === "string" && device ? REASON_TEXT[info.reason] : undefined;
  if (reason && device) {
    const feature = String(info.feature ?? "camera; microphone");
    return pick(reason, language).replaceAll("{device}", pick(device, language)).replaceAll("{feature}", feature);
  }
  const text = STATUS_TEXT[`${code}/${String(info.reason)}`] ?? STATUS_TEXT[code];
  if (text) return pick(text, language);
  return pick(LEVEL_TEXT[info.level ?? "status"] ?? LEVEL_TEXT.status!, language).replace("{code}", code);
}

function pick(text: readonly [en: string, zh: string], language: Language): string {
  return language === "zh" ? text[1] : text[0];
}
