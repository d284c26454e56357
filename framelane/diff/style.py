"""How the report looks: light and dark, on a phone and on paper."""

CSS = """
:root { color-scheme: light dark; --bg: #fff; --fg: #1b1f24; --dim: #57606a; --line: #d0d7de; --cell: #f4f6f8;
  --bad: #b3261e; --good: #1a6b34; --link: #0b57d0; --bar: #8796a8; --missing: #b3261e; --extra: #0b57d0;
  --pictures: #8a5200; --events: #6f3cb4; }
@media (prefers-color-scheme: dark) {
  :root { --bg: #14171a; --fg: #e8eaed; --dim: #a3abb4; --line: #3a4149; --cell: #1e2327; --bad: #ff8a80;
    --good: #6fd08c; --link: #8ab4f8; --bar: #66727f; --missing: #ff8a80; --extra: #8ab4f8; --pictures: #f0b45c;
    --events: #c8a2ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--fg); font: 16px/1.5 system-ui, sans-serif; }
main, header { max-width: 72rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0.5rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2rem 0 0.5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 0.25rem; overflow-wrap: anywhere; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--bg); padding: 0.25rem 0.5rem; }
.verdict { font-weight: 600; }
.differs { color: var(--bad); }
.same { color: var(--good); }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.15rem 1rem; margin: 0.5rem 0; }
dt { color: var(--dim); }
dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
thead th { color: var(--dim); font-weight: 600; vertical-align: bottom; white-space: normal; }
td.differs { font-weight: 600; }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; list-style: none; padding: 0; margin: 0.5rem 0; }
.legend svg { width: 1rem; height: 1rem; vertical-align: -0.15rem; }
.timeline { display: block; width: 100%; min-width: 40rem; background: var(--cell); border-radius: 6px; }
.timeline text { fill: var(--dim); font-size: 12px; }
.lane { text-anchor: end; }
.tick { text-anchor: middle; }
.bar { fill: var(--bar); }
.rule, .axis { stroke: var(--line); }
.missing { fill: var(--missing); }
.extra { fill: var(--extra); }
.pictures { fill: var(--pictures); }
.events { fill: var(--events); }
.pair { background: var(--cell); border-radius: 6px; padding: 0.75rem; margin: 1rem 0; }
.pair h3 { margin: 0 0 0.25rem; }
.pictures-of { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr)); gap: 0.75rem; }
figure { margin: 0; }
figure img { display: block; width: 100%; height: auto; background: #000; }
figcaption, .dim { color: var(--dim); font-size: 0.9rem; }
ul.only { margin: 0.5rem 0 0; padding-left: 1.2rem; font-size: 0.9rem; }
code { overflow-wrap: anywhere; font-family: ui-monospace, monospace; }
footer { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: var(--dim); font-size: 0.9rem; }
@media (max-width: 40rem) { dl { grid-template-columns: minmax(0, 1fr); } dt { margin-top: 0.4rem; } }
@media print { .pair, .timeline { break-inside: avoid; } }
"""
