/** The page's style: text and plots take their colours from it, light or dark. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #fdfdfb; --ink: #1c1f23; --muted: #676e78; --faint: #e6e6e1;
  --accent: #0b63a5; --warm: #b3471b;
  --tier-0: #0b63a5; --tier-1: #4f93c4; --tier-2: #96bfdc; --tier-3: #c7d9e6; --tier-4: #d9d9d4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15181c; --ink: #e4e6e8; --muted: #969da6; --faint: #2b3037;
    --accent: #6cb4ee; --warm: #ef9066;
    --tier-0: #6cb4ee; --tier-1: #4583b4; --tier-2: #325c7d; --tier-3: #29455b; --tier-4: #3b4149;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 40px 20px 64px; max-width: 1160px;
  background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
  overflow-wrap: break-word;
}
header { max-width: 46rem; margin-bottom: 8px; }
.over { margin: 0 0 14px; color: var(--muted); font-size: 13px; }
h1 { margin: 0 0 12px; font-size: clamp(23px, 3.6vw, 32px); font-weight: 650; line-height: 1.22; letter-spacing: -0.012em; text-wrap: balance; }
h2 { margin: 52px 0 6px; padding-top: 18px; border-top: 1px solid var(--faint); font-size: 20px; font-weight: 650; line-height: 1.3; }
h3, summary { margin: 26px 0 4px; font-size: 15px; font-weight: 650; }
summary { cursor: pointer; }
h4 { margin: 0 0 2px; font-size: 12px; font-weight: 500; color: var(--muted); }
p { margin: 0 0 12px; max-width: 46rem; }
.lead { font-size: 16px; }
section > p, .note { color: var(--muted); font-size: 14px; }
figure { margin: 0; }
figcaption { color: var(--muted); font-size: 13px; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text { font-family: inherit; white-space: pre; }
.narrow { display: none; }
.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 8px 36px; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(310px, 100%), 1fr)); gap: 20px 28px; }
.panels.pairs { grid-template-columns: repeat(2, minmax(0, 1fr)); }
.panels.load { grid-template-columns: repeat(2, minmax(0, 1fr)); }
.broad { grid-column: 1 / -1; }
.scroll { overflow-x: auto; margin: 6px -20px 8px; padding: 0 20px; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; line-height: 1.3; min-width: 100%; }
th, td { padding: 7px 0 7px 22px; text-align: right; vertical-align: top; white-space: nowrap; font-weight: 400; }
th:first-child { padding-left: 0; text-align: left; }
thead th { color: var(--muted); font-size: 12px; vertical-align: bottom; border-bottom: 1px solid var(--muted); }
tbody tr + tr > * { border-top: 1px solid var(--faint); }
td small, th small { display: block; color: var(--muted); font-size: 10.5px; }
.front .id { font-weight: 650; color: var(--accent); }
.missing { color: var(--muted); }
.words { text-align: left; white-space: normal; min-width: 9rem; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 24px; margin: 8px 0; font-size: 14px; }
dt { color: var(--muted); }
dd { margin: 0; }
@media (max-width: 1080px) {
  .pair, .panels.pairs { grid-template-columns: minmax(0, 1fr); }
}
@media (max-width: 760px) {
  .panels.load { grid-template-columns: minmax(0, 1fr); }
}
@media (max-width: 620px) {
  body { padding: 24px 18px 48px; }
  .wide { display: none; }
  .narrow { display: block; }
  .scroll { margin: 6px -18px 8px; padding: 0 18px 0 0; }
  th:first-child { position: sticky; left: 0; padding: 7px 6px 7px 18px; background: var(--paper); white-space: normal; min-width: 9.5rem; overflow-wrap: anywhere; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; }
  dd { margin-bottom: 8px; }
}
@media print { body { max-width: none; } h2 { break-after: avoid; } figure, tr { break-inside: avoid; } }
`.trim();
