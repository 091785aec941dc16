import { deviceId, devices, userMediaTrack } from "./capture/user-media.js";
import { VideoInput } from "./capture/video-input.js";

const cameras = new Map<string, Camera>();
let known: string[] = [];

/** A camera. Nothing is asked of the user until it is attached to a NetStream or a Video. */
export class Camera extends VideoInput {
  readonly #name: string;

  /** @internal */
  constructor(name: string) {
    super("Camera", 640, 480, 30);
    this.#name = name;
  }

  /** The camera with that index ("0" is the browser's default) or device id; the same object each time. */
  static getCamera(name: string | null = null): Camera {
    const key = name === null || name === "" ? "0" : String(name);
    let camera = cameras.get(key);
    if (!camera) cameras.set(key, (camera = new Camera(key)));
    return camera;
  }

  /** The cameras' names as last heard from the browser. Asking also refreshes it; `devices` waits for the answer. */
  static get names(): string[] {
    void Camera.devices();
    return known;
  }

  /** The cameras there are; labels are empty until the user has allowed one. */
  static async devices(): Promise<{ id: string; label: string }[]> {
    const found = await devices("videoinput");
    known = found.map(({ label, id }, index) => label || id || String(index));
    return found;
  }

  /** The track's label, or the name it was asked for by. */
  get name(): string {
    return this.track?.label || this.#name;
  }

  protected override async acquire(): Promise<MediaStreamTrack> {
    const id = /^0?$/.test(this.#name) ? undefined : await deviceId("videoinput", this.#name);
    return userMediaTrack("video", { ...this.constraints(), ...(id ? { deviceId: { exact: id } } : {}) });
  }
}
