/** Importing this defines `<chalkcast-player>` and `<chalkcast-publisher>`, unless the page has already. */
import { ChalkcastPlayer } from "./elements/player.js";
import { ChalkcastPublisher } from "./elements/publisher.js";

export { ChalkcastPlayer, type PlayerState } from "./elements/player.js";
export { ChalkcastPublisher, type PublisherState } from "./elements/publisher.js";

declare global {
  interface HTMLElementTagNameMap {
    "chalkcast-player": ChalkcastPlayer;
    "chalkcast-publisher": ChalkcastPublisher;
  }
}

const registry = globalThis.customElements as CustomElementRegistry | undefined;
if (registry && !registry.get("chalkcast-player")) registry.define("chalkcast-player", ChalkcastPlayer);
if (registry && !registry.get("chalkcast-publisher")) registry.define("chalkcast-publisher", ChalkcastPublisher);
