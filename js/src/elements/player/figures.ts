import type { NetStream } from "../../index.js";
import { h, setText } from "../dom.js";
import type { TextKey } from "../text.js";

type Text = (key: TextKey, values?: Record<string, string | number>) => string;
type Info = NonNullable<NetStream["info"]>;
type Row = readonly [key: TextKey, value: (info: Info, text: Text) => string];

const ROWS: readonly Row[] = [
  ["figureDelay", (info) => millis(info.liveDelay)],
  ["figureEndToEnd", (info) => millis(info.endToEndDelay)],
  ["figureTarget", (info) => millis(info.targetDelay)],
  ["figureJitter", (info) => millis(info.jitter)],
  ["figureDepth", (info) => millis(info.bufferLength * 1000)],
  ["figurePicture", (info) => (info.width > 0 ? `${info.width} × ${info.height}` : NONE)],
  ["figureFps", (info) => number(info.fps, 0)],
  ["figureKbps", (info) => number(info.kbps, 0)],
  ["figureDropped", dropped],
  ["figureStalls", (info) => (info.stalls ? `${info.stalls} (${seconds(info.stalled)})` : "0")],
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

  draw(stream: NetStream | null, text: Text): void {
    setText(this.#title, text("figures"));
    this.element.setAttribute("aria-label", text("figures"));
    const info = stream?.info;
    this.#cells.forEach(({ term, value, row }, index) => {
      const [key, read] = ROWS[index]!;
      setText(term, text(key));
      const shown = info ? read(info, text) : NONE;
      setText(value, shown);
      // Known only where the publisher says its clock.
      row.hidden = key === "figureEndToEnd" && shown === NONE;
    });
  }
}

/** How many pictures were not shown, and why: what has no other cause came after the one that follows it. */
function dropped(info: Info, text: Text): string {
  const [skipped, shed, lost] = [info.skippedFrames, info.shedFrames, info.lostFrames].map((count) => Number(count ?? 0)) as [number, number, number];
  const causes: [TextKey, number][] = [
    ["droppedSkipped", skipped],
    ["droppedShed", shed],
    ["droppedLost", lost],
    ["droppedLate", info.droppedFrames - skipped - shed - lost],
  ];
  const why = causes.filter(([, count]) => count > 0).map(([key, count]) => `${text(key)} ${count}`);
  return why.length > 0 ? `${info.droppedFrames} (${why.join(", ")})` : String(info.droppedFrames);
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
