/** The player's style, on top of what both elements share. */
export const PLAYER = `
/* It stays where it is, so that its canvas is drawn into all the time. */
.picture.off { visibility: hidden; }
.buffering {
  position: absolute; left: 12px; top: 12px; display: flex; align-items: center; gap: .6em; padding: .4em .8em;
  border-radius: 99px; background: var(--_veil); font-size: .92rem; font-variant-numeric: tabular-nums;
}
.unmute {
  position: absolute; right: 12px; top: 12px; background: #fff; color: #16211f; font-weight: 600;
  border-radius: 99px; white-space: nowrap; box-shadow: 0 1px 8px rgb(0 0 0 / .6);
}
.frame:focus-visible { outline-offset: -3px; }
.unmute:hover { background: #e9efec; }
.controls { display: flex; align-items: center; gap: 4px; padding: 4px 8px; min-height: 52px; }
.controls .space { flex: 1; }
.controls input { width: clamp(60px, 20cqi, 110px); min-width: 0; height: 44px; accent-color: var(--_mark); margin: 0 4px; }
.behind { font-size: .86rem; color: var(--_soft); font-variant-numeric: tabular-nums; white-space: nowrap; margin-left: 6px; }
.go-live { padding: 0 .7em; gap: .35em; font-size: .86rem; font-weight: 600; white-space: nowrap; background: var(--_chalk); color: var(--_board); }
.go-live:hover { background: var(--_soft); }
.go-live svg { width: 18px; height: 18px; }
.stats {
  position: absolute; left: 12px; top: 12px; max-width: calc(100% - 24px); max-height: calc(100% - 24px); overflow: auto;
  padding: .6em .9em; border-radius: 8px; background: var(--_veil); font-size: .8rem; line-height: 1.4;
}
.stats dl { margin: .3em 0 0; display: grid; gap: 0 1.2em; }
.stats dl div { display: flex; justify-content: space-between; gap: 1.5em; }
.stats dt { color: var(--_soft); }
.stats dd { margin: 0; font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap; }
/* The corner is taken. */
.stats:not([hidden]) ~ .buffering { left: auto; right: 12px; }
@container (max-width: 560px) {
  .stats:not([hidden]) ~ .buffering { top: auto; bottom: 12px; }
  .controls { gap: 0; padding: 4px; }
  .controls input, .behind { display: none; }
  .stats { font-size: .72rem; line-height: 1.25; padding: .4em .6em; left: 6px; top: 6px; max-width: calc(100% - 12px); max-height: calc(100% - 12px); }
  .stats dl { grid-template-columns: 1fr; margin: 0; }
}
@container (max-width: 300px) { .go-live svg { display: none; } }
:host(:fullscreen) { border-radius: 0; display: flex; flex-direction: column; }
:host(:fullscreen) .frame { flex: 1; aspect-ratio: auto; max-height: none; min-height: 0; }
`;
