import type { AudioSettings, VideoSettings } from "../protocol.js";
import type { Camera } from "../camera.js";
import type { Microphone } from "../microphone.js";
import type { Screen } from "../screen.js";
import { bitrate, even } from "./encoding-cost.js";
import type { Source } from "./attachment.js";

export function cameraSource(camera: Camera | Screen): Source<VideoSettings> {
  return { input: camera, open: () => camera.open(), settings: (track) => camera.settings(track), release: () => camera.release() };
}

export function microphoneSource(microphone: Microphone): Source<AudioSettings> {
  return {
    input: microphone,
    open: () => microphone.open(),
    settings: (track) => microphone.settings(track),
    release: () => microphone.release(),
  };
}

/** A track the page made; it is the page's to stop. */
export function videoTrackSource(track: MediaStreamTrack): Source<VideoSettings> {
  const settings = (): VideoSettings => {
    const { width = 640, height = 480, frameRate = 30 } = track.getSettings();
    const rate = Math.max(1, Math.min(60, frameRate || 30));
    const size = { width: even(width), height: even(height) };
    return { ...size, frameRate: rate, bitrate: bitrate(size.width * size.height * rate, 0, 0), keyFrameInterval: 2 };
  };
  return { input: null, open: () => Promise.resolve(track), settings, release: () => {} };
}

/** A track the page made; it is the page's to stop. */
export function audioTrackSource(track: MediaStreamTrack): Source<AudioSettings> {
  const settings = (): AudioSettings => {
    const { sampleRate = 48000, channelCount = 1 } = track.getSettings();
    const channels = Math.min(2, channelCount);
    return { sampleRate, channels, bitrate: 64_000 * channels, codec: "aac" };
  };
  return { input: null, open: () => Promise.resolve(track), settings, release: () => {} };
}
