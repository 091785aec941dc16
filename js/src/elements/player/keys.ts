export type KeyAction = "play" | "sound" | "louder" | "quieter" | "fullscreen" | "pictureInPicture" | "audioOnly" | "live" | "stats";

/** As on the large video sites; nothing seeks, since the lesson is live, and a pause goes on where the lesson is then. */
const KEYS: Readonly<Record<string, KeyAction>> = {
  " ": "play",
  k: "play",
  m: "sound",
  ArrowUp: "louder",
  ArrowDown: "quieter",
  f: "fullscreen",
  p: "pictureInPicture",
  a: "audioOnly",
  End: "live",
  i: "stats",
};

/** Keys that a focused control uses itself. */
const BUTTON = new Set([" "]);
const SLIDER = new Set(["ArrowUp", "ArrowDown", "End"]);

/** What a key that was pressed inside the player asks for. */
export function keyAction(event: KeyboardEvent): KeyAction | null {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const control = event.composedPath()[0];
  if (control instanceof HTMLButtonElement && BUTTON.has(key)) return null;
  if (control instanceof HTMLInputElement && SLIDER.has(key)) return null;
  return KEYS[key] ?? null;
}
