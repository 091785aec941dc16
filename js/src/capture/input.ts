import { StatusTarget } from "../events.js";
import { type Device, ended, refusal } from "./refusal.js";

/**
 * A camera, microphone or shared screen: one track, opened when first used and stopped when nobody uses it any more, so that the
 * camera's light goes off. Dispatches `status` as ActionScript does: `Camera.Muted` when refused or gone, `Camera.Unmuted` when open.
 */
export abstract class Input extends StatusTarget {
  /** @internal */
  readonly device: Device;
  #users = 0;
  #track: Promise<MediaStreamTrack> | null = null;

  /** @internal */
  constructor(device: Device) {
    super("status");
    this.device = device;
  }

  /** Asks the browser for the track. */
  protected abstract acquire(): Promise<MediaStreamTrack>;

  /** Whether the user refused, or has not been asked yet. */
  get muted(): boolean {
    return this.#live === null;
  }

  /** The open track, if there is one. */
  get track(): MediaStreamTrack | null {
    return this.#live;
  }
  #live: MediaStreamTrack | null = null;

  /** @internal The track, for one more user. Rejects with the StatusInfo of the refusal; call `release` in either case. */
  open(): Promise<MediaStreamTrack> {
    this.#users++;
    return (this.#track ??= this.#open());
  }

  /** @internal One user less; the last one stops the track. */
  release(): void {
    this.#users = Math.max(0, this.#users - 1);
    if (this.#users === 0) this.#forget();
  }

  /** @internal Closes the track and opens another, as after a change that a running one cannot take. Users hear "change". */
  protected reopen(): void {
    if (!this.#track) return;
    this.#forget();
    if (this.#users > 0) this.dispatchEvent(new Event("change"));
  }

  #open(): Promise<MediaStreamTrack> {
    const opening = this.acquire().then(
      (track) => {
        if (this.#track !== opening) {
          track.stop();
          throw ended(this.device);
        }
        this.#live = track;
        track.addEventListener("ended", () => this.#ended(track));
        this.dispatchEvent(new Event("open"));
        this.report({ level: "status", code: `${this.device}.Unmuted`, description: track.label });
        return track;
      },
      (error: unknown) => {
        const info = refusal(this.device, error);
        if (this.#track === opening) this.#track = null;
        this.report(info);
        throw info;
      },
    );
    return opening;
  }

  /** The browser ended it: unplugged, or "stop sharing". */
  #ended(track: MediaStreamTrack): void {
    if (this.#live !== track) return;
    this.#live = null;
    this.#track = null;
    this.report(ended(this.device));
    this.dispatchEvent(new Event("ended"));
  }


  #forget(): void {
    this.#live?.stop();
    this.#live = null;
    this.#track = null;
  }
}
