type Attributes = Record<string, string | boolean | ((event: Event) => void)>;

/** An element with attributes; a function is a listener for the event its key names. */
export function h<K extends keyof HTMLElementTagNameMap>(name: K, attributes: Attributes = {}, ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** Sets text only when it differs, so that a screen reader does not read it again. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Names a control that shows no text. */
export function setLabel(element: Element, label: string): void {
  element.setAttribute("aria-label", label);
  element.setAttribute("title", label);
}

const ICONS = {
  play: "M8 5v14l11-7z",
  pause: "M7 5h4v14H7zM13 5h4v14h-4z",
  sound: "M4 9v6h4l5 4V5L8 9zM15.5 8.5a5 5 0 0 1 0 7M18 6a8.5 8.5 0 0 1 0 12",
  mute: "M4 9v6h4l5 4V5L8 9zM16 9.5l5 5M21 9.5l-5 5",
  full: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  small: "M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5",
  screen: "M3 5h18v11H3zM8 20h8M12 16v4M12 13V8M9.5 10L12 7.5 14.5 10",
  camera: "M3 7h12v10H3zM15 11l6-3.5v9L15 13z",
  forward: "M4 6l8 6-8 6zM13 6l8 6-8 6z",
  headphones: "M4 15v-3a8 8 0 0 1 16 0v3M4 14.5h3v5H5.5A1.5 1.5 0 0 1 4 18zM20 14.5h-3v5h1.5A1.5 1.5 0 0 0 20 18z",
  float: "M3 5h18v14H3zM12 12h7v5h-7z",
  clock: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16M12 8v4.5l3 2",
  warning: "M12 4L2.5 20h19zM12 10v5M12 17.3v.4",
} as const;
export type IconName = keyof typeof ICONS;

/** A picture beside words, or on a control that has a label. */
export function icon(name: IconName): SVGSVGElement {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(namespace, "path"));
  setIcon(svg, name);
  return svg;
}

export function setIcon(svg: SVGSVGElement, name: IconName): void {
  const path = svg.firstElementChild;
  if (path?.getAttribute("d") !== ICONS[name]) path?.setAttribute("d", ICONS[name]);
  svg.classList.toggle("solid", name === "play" || name === "pause" || name === "forward");
}
