import { VideoInput } from "./capture/video-input.js";

/** A screen, window or tab that the user chooses. Attach it inside a click: browsers ask for nothing less. */
export class Screen extends VideoInput {
  /** @internal */
  constructor() {
    super("Screen", 1920, 1080, 15);
  }

  /** A new choice each time: the browser asks when it is attached. */
  static getScreen(): Screen {
    return new Screen();
  }

  get name(): string {
    return this.track?.label ?? "";
  }

  protected override async acquire(): Promise<MediaStreamTrack> {
    if (!globalThis.navigator?.mediaDevices?.getDisplayMedia) throw new DOMException("no getDisplayMedia", "NotSupportedError");
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: this.constraints(), audio: false });
    const track = stream.getVideoTracks()[0];
    if (!track) throw new DOMException("no picture", "NotFoundError");
    // Slides and code: legible text matters more than smooth motion.
    track.contentHint = "detail";
    return track;
  }
}
