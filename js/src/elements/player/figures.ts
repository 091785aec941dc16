import type { NetStream } from "../../index.js";
import { h, setText } from "../dom.js";
import type { TextKey } from "../text.js";

type Row = readonly [key: TextKey, value: (info: NonNullable<NetStream["info"]>, stream: NetStream) => string];

const ROWS: readonly Row[] = [
  ["figureDelay", (info) => millis(info.liveDelay)],
  ["figureEndToEnd", (info) => millis(info.endToEndDelay)],
  ["figureTarget", (info) => millis(info.targetDelay)],
  ["figureJitter", (info) => millis(info.jitter)],
  ["figureDepth", (info) => millis(info.bufferLength * 1000)],
  ["figurePicture", (info) => (info.width > 0 ? `${info.width} × ${info.height}` : NONE)],
  ["figureFps", (info) => number(info.fps, 0)],
  ["figureKbps", (info) => number(info.kbps, 0)],
  ["figureDropped", (info) => `${info.droppedFrames} (${[info.skippedFrames, info.shedFrames, info.lostFrames].map((count) => count ?? 0).join(" / ")})`],
  ["figureStalls", (info) => `${info.stalls ?? 0} (${seconds(info.stalled)})`],
  ["figureGaps", (info) => String(info.audioGaps ?? 0)],
  ["figureSkew", (info) => millis(info.skew)],
  ["figureDecode", (info) => millis(info.decodeTime)],
  ["figureRate", (info) => number(info.rate, 3)],
  ["figureRenderer", (info) => String(info.renderer ?? "webcodecs")],
];

const NONE = "–";

/** The stream's figures over the picture, for who wants to know how the line is. */
export class Figures {
  readonly element: HTMLElement;
  readonly #title = h("strong");
  readonly #cells: { term: HTMLElement; value: HTMLElement; row: HTMLElement }[];

  constructor() {
    this.#cells = ROWS.map(() => {
      const [term, value] = [h("dt"), h("dd")];
      return { term, value, row: h("div", {}, term, value) };
    });
    this.element = h("section", { part: "stats", class: "stats" }, this.#title, h("dl", {}, ...this.#cells.map(({ row }) => row)));
  }

  draw(stream: NetStream | null, text: (key: TextKey) => string): void {
    setText(this.#title, text("figures"));
    this.element.setAttribute("aria-label", text("figures"));
    const info = stream?.info;
    this.#cells.forEach(({ term, value, row }, index) => {
      const [key, read] = ROWS[index]!;
      setText(term, text(key));
      const shown = info && stream ? read(info, stream) : NONE;
      setText(value, shown);
      // Known only where the publisher says its clock.
      row.hidden = key === "figureEndToEnd" && shown === NONE;
    });
  }
}

function number(value: unknown, digits: number): string {
  return typeof value === "number" ? value.toFixed(digits) : NONE;
}

function millis(value: unknown): string {
  return typeof value === "number" ? `${value.toFixed(0)} ms` : NONE;
}

function seconds(value: unknown): string {
  return typeof value === "number" ? `${(value / 1000).toFixed(1)} s` : NONE;
}
