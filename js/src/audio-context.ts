import { assetUrls } from "./configure.js";

/** Sound cards that were given too little, at the least buffer there is, so often within a second are given the usual one. */
const UNDERRUNS = 3;

/** `AudioContext.playbackStats`, where there is one. */
type PlaybackStats = { underrunEvents?: number };

let shared: AudioContext | null = null;
let worklets: Promise<void> | null = null;
let hint: AudioContextLatencyCategory | number = 0;
let watch: ReturnType<typeof setInterval> | undefined;

/** @internal Dispatches `replace` when outputs have to move to a new `audioContext()`. */
export const audioContexts = new EventTarget();

/**
 * @internal The page's one AudioContext: browsers allow few, and one clock serves every stream. Resumes at the user's first gesture.
 * It asks for the least latency there is, and for the usual one once this machine was seen not to keep up with that.
 */
export function audioContext(): AudioContext {
  if (shared && shared.state !== "closed") return shared;
  const context = new AudioContext({ latencyHint: hint });
  shared = context;
  worklets = null;
  const resume = () => void context.resume().catch(() => {});
  const gestures = ["pointerdown", "pointerup", "keydown"] as const;
  for (const gesture of gestures) document.addEventListener(gesture, resume, { capture: true, passive: true });
  context.addEventListener("statechange", () => {
    if (context.state !== "running") return;
    for (const gesture of gestures) document.removeEventListener(gesture, resume, { capture: true });
  });
  if (hint === 0) watchUnderruns(context);
  return context;
}

function watchUnderruns(context: AudioContext): void {
  const underruns = (): number => (context as { playbackStats?: PlaybackStats }).playbackStats?.underrunEvents ?? 0;
  let before = underruns();
  clearInterval(watch);
  watch = setInterval(() => {
    const now = underruns();
    if (context === shared && context.state !== "closed" && now - before < UNDERRUNS) {
      before = now;
      return;
    }
    clearInterval(watch);
    if (context !== shared || context.state === "closed") return;
    hint = "interactive";
    // The old one goes on for what captures with it; it is collected with the last of them.
    shared = null;
    audioContexts.dispatchEvent(new Event("replace"));
  }, 1000);
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
