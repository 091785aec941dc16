import type { StatusInfo } from "../events.js";

export type Device = "Camera" | "Microphone" | "Screen";

/** Why there is no picture or sound from a device; `describe` has the words, in each language. */
export type RefusalReason = "insecure" | "unsupported" | "frame" | "denied" | "missing" | "busy" | "ended" | "cancelled" | "failed";

/** The Permissions Policy feature, which is also the word in an iframe's `allow`. */
const FEATURE: Record<Device, string> = { Camera: "camera", Microphone: "microphone", Screen: "display-capture" };

/** The status for `error`, which `getUserMedia` or `getDisplayMedia` gave, or for a browser that has neither. */
export function refusal(device: Device, error: unknown): StatusInfo {
  const reason = reasonOf(device, error);
  const detail = error instanceof Error ? error.message : "";
  return { level: "error", code: `${device}.Muted`, description: words(device, reason), reason, feature: FEATURE[device], detail };
}

/** The status for a device that was there and has gone: unplugged, or no longer shared. */
export function ended(device: Device): StatusInfo {
  return { level: "error", code: `${device}.Muted`, description: words(device, "ended"), reason: "ended", feature: FEATURE[device] };
}

/** Whether the page is in a frame that was not given `feature`; null where the browser does not tell. */
export function allowedByFrame(feature: string): boolean | null {
  const policy = (globalThis.document as { featurePolicy?: { allowsFeature(name: string): boolean } } | undefined)?.featurePolicy;
  if (!policy) return null;
  try {
    return policy.allowsFeature(feature);
  } catch {
    return null;
  }
}

function reasonOf(device: Device, error: unknown): RefusalReason {
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  if (globalThis.isSecureContext === false) return "insecure";
  if (name === "NotSupportedError" || name === "TypeError") return "unsupported";
  if (name === "NotAllowedError" || name === "SecurityError") {
    const framed = globalThis.window !== undefined && window.self !== window.top;
    const allowed = allowedByFrame(FEATURE[device]);
    // A browser that does not tell names the frame's refusal in no other way; the words for "frame" cover both.
    if (framed && allowed !== true) return "frame";
    return device === "Screen" ? "cancelled" : "denied";
  }
  if (name === "NotFoundError" || name === "OverconstrainedError") return "missing";
  if (name === "NotReadableError" || name === "AbortError") return "busy";
  return "failed";
}

function words(device: Device, reason: RefusalReason): string {
  const what = device.toLowerCase();
  switch (reason) {
    case "insecure":
      return `The ${what} is off because this page came over plain http; browsers give it to https pages and to localhost only.`;
    case "unsupported":
      return `This browser has no ${what} capture.`;
    case "frame":
      return `This page is in a frame that may not use the ${what}: the iframe needs allow="${FEATURE[device]}", and the browser your permission.`;
    case "denied":
      return `The ${what} was not allowed. Allow it at the sign left of the address, then try again.`;
    case "missing":
      return `No ${what} was found.`;
    case "busy":
      return `The ${what} cannot be read; another program may be using it.`;
    case "ended":
      return `The ${what} has stopped.`;
    case "cancelled":
      return "Nothing was chosen to share.";
    default:
      return `The ${what} could not be started.`;
  }
}
