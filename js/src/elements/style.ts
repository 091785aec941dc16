import { PLAYER } from "./player/style.js";
import { PUBLISHER } from "./publisher/style.js";

const COMMON = `
:host {
  --_accent: var(--chalkcast-accent, #0b6b57);
  --_on-accent: var(--chalkcast-on-accent, #fff);
  --_board: var(--chalkcast-board, #16211f);
  --_chalk: var(--chalkcast-chalk, #f3f5f2);
  --_live: var(--chalkcast-live, #b3261e);
  --_focus: var(--chalkcast-focus, #ffcf5c);
  --_mark: var(--chalkcast-mark, #f2d98b);
  --_radius: var(--chalkcast-radius, 10px);
  --_soft: color-mix(in srgb, var(--_chalk) 86%, var(--_board));
  --_veil: color-mix(in srgb, var(--_board) 92%, transparent);
  /* The controls below the picture are to be seen without scrolling. */
  --_max-height: var(--chalkcast-max-height, max(180px, calc(100vh - 64px)));
  display: block;
  position: relative;
  color: var(--_chalk);
  background: var(--_board);
  border-radius: var(--_radius);
  overflow: hidden;
  font: 15px/1.45 system-ui, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif;
  container-type: inline-size;
}
:host([hidden]) { display: none; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
.frame { position: relative; aspect-ratio: var(--_ratio, 16 / 9); width: 100%; max-height: var(--_max-height); overflow: hidden; background: var(--_board); }
.picture, .poster { position: absolute; inset: 0; width: 100%; height: 100%; }
.picture > * { width: 100% !important; height: 100% !important; }
.poster { object-fit: cover; }
button, select, input { font: inherit; color: inherit; }
button, select { min-height: 44px; border-radius: 8px; border: 1px solid transparent; }
button {
  display: inline-flex; align-items: center; justify-content: center; gap: .5em; padding: 0 .9em; cursor: pointer;
  background: color-mix(in srgb, var(--_chalk) 14%, var(--_board));
}
button:hover { background: color-mix(in srgb, var(--_chalk) 24%, var(--_board)); }
button:disabled { opacity: .6; cursor: default; }
button.icon { width: 44px; padding: 0; background: transparent; }
button.icon:hover { background: color-mix(in srgb, var(--_chalk) 16%, var(--_board)); }
button[aria-pressed="true"] { color: var(--_mark); box-shadow: inset 0 -3px var(--_mark); }
button.primary { background: var(--_accent); color: var(--_on-accent); font-weight: 600; }
button.primary:hover { filter: brightness(1.12); }
:focus-visible { outline: 3px solid var(--_focus); outline-offset: 2px; }
.controls :focus-visible { outline-offset: -3px; }
svg { width: 22px; height: 22px; flex: none; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
svg.solid { fill: currentColor; stroke: none; }
.message {
  position: absolute; inset: 0; display: flex; flex-direction: column; align-items: center; justify-content: safe center;
  gap: .35em; padding: .8em 1.1em; text-align: center; background: var(--_board); overflow: auto;
}
/* A picture or a poster is behind: it stays to be seen. */
.message.card {
  inset: auto 12px 12px; margin: 0 auto; width: fit-content; max-width: calc(100% - 24px); max-height: calc(100% - 24px); padding: .7em 1.1em;
  border-radius: 12px; background: var(--_veil); box-shadow: 0 4px 24px rgb(0 0 0 / .4);
}
.message.card svg { display: none; }
.message strong { font-size: clamp(1rem, 4.2cqi, 1.35rem); font-weight: 600; line-height: 1.3; }
.message p { margin: 0; max-width: 44ch; text-wrap: balance; color: var(--_soft); font-size: clamp(.86rem, 3.4cqi, 1rem); }
.message svg { width: clamp(24px, 8cqi, 40px); height: auto; margin-bottom: .2em; color: var(--_mark); }
.message button { margin-top: .6em; flex: none; }
@container (max-width: 420px) { .message svg { display: none; } .message p { line-height: 1.35; } }
.badge {
  display: inline-flex; align-items: center; gap: .45em; padding: .15em .65em; border-radius: 99px; font-size: .86rem; font-weight: 600;
  white-space: nowrap;
}
.badge.live { background: var(--_live); color: #fff; }
.badge.live::before { content: ""; width: .55em; height: .55em; border-radius: 50%; background: currentColor; }
.hidden-text { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.spinner {
  width: 1.1em; height: 1.1em; border-radius: 50%; border: 2px solid color-mix(in srgb, var(--_chalk) 35%, transparent); border-top-color: var(--_chalk);
  animation: turn 1s linear infinite;
}
@keyframes turn { to { transform: rotate(1turn); } }
@media (prefers-reduced-motion: reduce) { .spinner { animation: none; border-color: var(--_chalk); } }
`;

let sheets: Record<"player" | "publisher", CSSStyleSheet> | null = null;

/** The element's style. Constructed sheets need no `style-src` in a Content-Security-Policy. */
export function style(name: "player" | "publisher"): CSSStyleSheet {
  sheets ??= { player: sheet(COMMON + PLAYER), publisher: sheet(COMMON + PUBLISHER) };
  return sheets[name];
}

function sheet(css: string): CSSStyleSheet {
  const made = new CSSStyleSheet();
  made.replaceSync(css);
  return made;
}
