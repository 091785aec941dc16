import { assetUrls } from "./configure.js";

let shared: AudioContext | null = null;
let worklets: Promise<void> | null = null;

/** @internal The page's one AudioContext: browsers allow few, and one clock serves every stream. Resumes at the user's first gesture. */
export function audioContext(): AudioContext {
  if (shared && shared.state !== "closed") return shared;
  const context = new AudioContext({ latencyHint: "interactive" });
  shared = context;
  worklets = null;
  const resume = () => void context.resume().catch(() => {});
  const gestures = ["pointerdown", "pointerup", "keydown"] as const;
  for (const gesture of gestures) document.addEventListener(gesture, resume, { capture: true, passive: true });
  context.addEventListener("statechange", () => {
    if (context.state !== "running") return;
    for (const gesture of gestures) document.removeEventListener(gesture, resume, { capture: true });
  });
  return context;
}

/** @internal Whether this page can play and capture sound through a worklet; plain http pages cannot. */
export function hasAudioWorklet(): boolean {
  return typeof AudioContext !== "undefined" && "audioWorklet" in AudioContext.prototype && globalThis.isSecureContext;
}

/** @internal The processors "chalkcast-playback" and "chalkcast-capture", loaded once. */
export function loadWorklets(context: AudioContext): Promise<void> {
  worklets ??= context.audioWorklet.addModule(assetUrls().workletUrl).catch((error: unknown) => {
    worklets = null;
    throw error;
  });
  return worklets;
}
