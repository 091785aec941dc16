/** One request for a track, waiting to be asked together with others of the same moment. */
interface Request {
  constraints: MediaTrackConstraints;
  resolve(track: MediaStreamTrack): void;
  reject(error: unknown): void;
}

type Kind = "audio" | "video";

const waiting: Record<Kind, Request[]> = { audio: [], video: [] };
let scheduled = false;

/**
 * A track from the user's camera or microphone. What is asked for within one turn is asked in one `getUserMedia`, so that a teacher
 * answers one question, not two.
 */
export function userMediaTrack(kind: Kind, constraints: MediaTrackConstraints): Promise<MediaStreamTrack> {
  return new Promise((resolve, reject) => {
    waiting[kind].push({ constraints, resolve, reject });
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(() => {
      scheduled = false;
      void ask(waiting.audio.splice(0), waiting.video.splice(0));
    });
  });
}

async function ask(audio: Request[], video: Request[]): Promise<void> {
  const first = { audio: audio.shift(), video: video.shift() };
  if (first.audio && first.video) {
    try {
      const stream = await getUserMedia({ audio: first.audio.constraints, video: first.video.constraints });
      give(first.audio, stream, "audio");
      give(first.video, stream, "video");
    } catch {
      // One of the two is missing, busy or refused: ask for each, so that the other still comes.
      await one("video", first.video);
      await one("audio", first.audio);
    }
  } else {
    if (first.video) await one("video", first.video);
    if (first.audio) await one("audio", first.audio);
  }
  for (const request of video) await one("video", request);
  for (const request of audio) await one("audio", request);
}

async function one(kind: Kind, request: Request): Promise<void> {
  try {
    give(request, await getUserMedia({ [kind]: request.constraints }), kind);
  } catch (error) {
    request.reject(error);
  }
}

function give(request: Request, stream: MediaStream, kind: Kind): void {
  const track = kind === "audio" ? stream.getAudioTracks()[0] : stream.getVideoTracks()[0];
  if (track) request.resolve(track);
  else request.reject(new DOMException(`no ${kind} track`, "NotFoundError"));
}

async function getUserMedia(constraints: MediaStreamConstraints): Promise<MediaStream> {
  if (!globalThis.navigator?.mediaDevices?.getUserMedia) throw new DOMException("no getUserMedia", "NotSupportedError");
  return await navigator.mediaDevices.getUserMedia(constraints);
}

/** The devices of one kind, in the browser's order; their labels are empty until the user has allowed one. */
export async function devices(kind: "videoinput" | "audioinput"): Promise<{ id: string; label: string }[]> {
  if (!globalThis.navigator?.mediaDevices?.enumerateDevices) return [];
  const found = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  return found.filter((device) => device.kind === kind).map(({ deviceId, label }) => ({ id: deviceId, label }));
}

/**
 * The `deviceId` that `name` means: ActionScript's index in decimal, or an id. Undefined for the first: the browser's own choice,
 * which is also what the user picked in the browser's question.
 */
export async function deviceId(kind: "videoinput" | "audioinput", name: string | null): Promise<string | undefined> {
  if (name === null || name === "0" || name === "") return undefined;
  if (!/^\d{1,3}$/.test(name)) return name;
  const device = (await devices(kind))[Number(name)];
  if (!device) throw new DOMException(`there is no device ${name}`, "NotFoundError");
  return device.id || undefined;
}
