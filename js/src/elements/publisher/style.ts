/** The publisher's style, on top of what both elements share. */
export const PUBLISHER = `
.badges { position: absolute; left: 12px; top: 12px; display: flex; gap: 8px; }
.badge.off { background: var(--_veil); }
.panel { padding: 12px; display: grid; gap: 12px; }
.actions { display: flex; flex-wrap: wrap; gap: 8px; }
.actions .start { flex: 1 1 12em; }
.actions .start.on { background: var(--_live); color: #fff; }
.actions .share { flex: 1 1 9em; }
.devices { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 200px), 1fr)); gap: 10px; }
label { display: grid; gap: 4px; font-size: .86rem; color: var(--_soft); min-width: 0; }
select {
  width: 100%; padding: 0 .6em; background: color-mix(in srgb, var(--_chalk) 7%, var(--_board)); color: var(--_chalk);
  border-color: color-mix(in srgb, var(--_chalk) 50%, var(--_board));
}
.level { height: 6px; border-radius: 3px; background: color-mix(in srgb, var(--_chalk) 15%, var(--_board)); overflow: hidden; margin-top: 4px; }
.level i { display: block; height: 100%; width: 100%; background: #8fd6a8; transform-origin: left; transform: scaleX(0); }
.line { display: flex; flex-wrap: wrap; gap: 4px 16px; justify-content: space-between; min-height: 1.45em; font-size: .93rem; }
.line .figures { font-variant-numeric: tabular-nums; color: var(--_soft); }
.line .note.error { color: color-mix(in srgb, var(--_live) 22%, var(--_chalk)); }
/* Beside the picture where there is room, so that the button is seen without scrolling. */
@container (min-width: 720px) {
  .layout { display: grid; grid-template-columns: minmax(0, 1fr) 290px; align-items: center; }
  .panel { align-self: stretch; align-content: start; padding: 16px; }
  .actions, .devices, .line { display: grid; grid-template-columns: minmax(0, 1fr); }
  .actions .start { min-height: 56px; font-size: 1.06rem; }
  .line { min-height: 3em; align-content: start; }
}
`;
