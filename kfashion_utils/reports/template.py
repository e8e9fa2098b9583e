"""The document of a report and its style sheet."""

import string

PAGE = string.Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
$style
</style>
</head>
<body>
<main>
<header>
<h1>$title</h1>
<p class="lead">$lead</p>
</header>
$body
</main>
</body>
</html>
""")

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f6f4; --card: #ffffff; --ink: #1d1d1f; --quiet: #63636a; --line: #e2e2df;
  --accent: #0072b2; --grey: #9a9a9a; --yes: #00735c; --no: #b3470b; --note: #fdf4df;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #161618; --card: #212124; --ink: #ececef; --quiet: #a5a5ad; --line: #37373c;
    --accent: #56b4e9; --grey: #85858c; --yes: #3ccba5; --no: #f0914f; --note: #33301f;
  }
  .plate { filter: brightness(.9); }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink); font-size: 16px; line-height: 1.5; word-break: keep-all;
  overflow-wrap: anywhere;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Apple SD Gothic Neo", "Malgun Gothic", "Noto Sans KR",
    "Noto Sans CJK KR", NanumGothic, sans-serif;
}
main { max-width: 1000px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 8px; }
h2 { font-size: 20px; margin: 0 0 12px; }
h2 small { color: var(--quiet); font-weight: normal; font-size: 16px; margin-left: 6px; }
h3 { font-size: 16px; margin: 24px 0 4px; }
h3 small { color: var(--quiet); font-weight: normal; font-size: 14px; margin-left: 6px; }
p { margin: 0 0 10px; max-width: 75ch; }
i { font-style: normal; color: var(--quiet); }
.lead, .quiet { color: var(--quiet); }
.quiet { font-size: 14px; }
.scroll + .quiet { margin-top: 12px; }
section {
  background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 22px 24px; margin-top: 18px;
}
section.note { background: var(--note); }
section ul { margin: 0; padding-left: 20px; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 14px; }
pre {
  background: var(--page); border-radius: 8px; padding: 14px; overflow-x: auto; white-space: pre-wrap;
  margin: 0 0 12px;
}
.headline { display: flex; gap: 32px; align-items: center; flex-wrap: wrap; margin-bottom: 16px; }
.big {
  font-size: 64px; font-weight: 700; line-height: 1; margin: 0; letter-spacing: -2px; color: var(--accent);
  white-space: nowrap;
}
.beside { flex: 1 1 300px; }
.beside p { margin: 0 0 6px; }
.row {
  display: grid; grid-template-columns: 130px 1fr 50px; gap: 10px; align-items: center; font-size: 14px;
  margin: 4px 0;
}
.row b { text-align: right; font-variant-numeric: tabular-nums; }
.track { background: var(--line); border-radius: 4px; overflow: hidden; }
.track div { height: 14px; }
.model { background: var(--accent); }
.base { background: var(--grey); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin: 0 0 16px; }
.tile { border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; display: flex; flex-direction: column; }
.tile b { font-size: 24px; font-variant-numeric: tabular-nums; }
.tile small { color: var(--quiet); }
dl { display: grid; grid-template-columns: 170px 1fr; gap: 8px 20px; margin: 0; }
dt { color: var(--quiet); }
dd { margin: 0; }
details { margin-top: 14px; }
summary { cursor: pointer; color: var(--accent); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.plain th, .plain td { padding: 2px 18px 2px 0; font-size: 14px; font-weight: normal; text-align: left; }
.plain thead th { color: var(--quiet); }
table.classes { width: 100%; }
.classes th, .classes td {
  padding: 7px 10px; text-align: right; border-bottom: 1px solid var(--line); font-weight: normal;
  white-space: nowrap;
}
.classes thead th { color: var(--quiet); font-size: 14px; }
.classes th:first-child, .classes .parent, .classes.parents thead th:nth-child(2) {
  text-align: left; white-space: normal;
}
.under { display: none; color: var(--quiet); }
.meter {
  display: inline-block; width: 90px; height: 8px; border-radius: 4px; background: var(--line); overflow: hidden;
  margin-right: 10px; vertical-align: middle;
}
.meter span { display: block; height: 100%; background: var(--accent); }
.scroll { overflow-x: auto; }
table.figures { margin: 4px 0 12px; }
.figures th, .figures td {
  padding: 6px 14px 6px 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line);
  font-weight: normal; overflow-wrap: normal;
}
.figures thead th { color: var(--quiet); font-size: 14px; }
.interval { color: var(--quiet); font-size: 12px; margin-left: 6px; white-space: nowrap; }
.cards.heat { grid-template-columns: repeat(auto-fill, minmax(205px, 1fr)); }
.cards .pair { display: grid; grid-template-columns: 1fr 1fr; }
.plate { background: #fff; border-radius: 8px; padding: 10px; overflow-x: auto; margin-top: 8px; }
.plate img { display: block; height: auto; max-width: 100%; margin: 0 auto; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); gap: 12px; margin-top: 10px; }
.cards figure {
  margin: 0; border: 3px solid var(--yes); border-radius: 10px; overflow: hidden; background: var(--page);
}
.cards figure.wrong { border-color: var(--no); border-style: dashed; }
.cards img, .placeholder { display: block; width: 100%; height: auto; aspect-ratio: 1; background: #fff; }
.cards img.pixelated { image-rendering: pixelated; }
.placeholder {
  display: flex; align-items: center; justify-content: center; text-align: center; padding: 10px; font-size: 13px;
  color: #63636a; background: #ececea;
}
figcaption { padding: 8px 10px; font-size: 14px; line-height: 1.35; }
figcaption p { margin: 0 0 3px; }
figcaption small { color: var(--quiet); font-size: 12px; }
figcaption em { font-style: normal; color: var(--quiet); }
.yes, .no { display: block; }
.yes { color: var(--yes); }
.no { color: var(--no); }
@media (max-width: 620px) {
  main { padding: 20px 12px 40px; }
  h1 { font-size: 23px; }
  section { padding: 16px 14px; }
  .big { font-size: 52px; }
  .headline { gap: 12px; }
  .row { grid-template-columns: 112px 1fr 46px; }
  .tiles { grid-template-columns: 1fr 1fr; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: 10px; }
  .classes th, .classes td { padding: 6px 2px; font-size: 13px; }
  .classes thead th { font-size: 12px; }
  .classes .interval { font-size: 10px; }
  .classes .parent, .classes.parents thead th:nth-child(2), .classes .meter { display: none; }
  .classes th:first-child { overflow-wrap: anywhere; }
  .under { display: block; }
  .plate.wide img { max-width: none; width: 640px; }
  .cards { grid-template-columns: 1fr 1fr; gap: 8px; }
  .cards.heat { grid-template-columns: 1fr; }
  .figures th, .figures td { padding-right: 10px; font-size: 14px; }
  .interval { display: block; margin-left: 0; }
}
@media print { body { background: #fff; } section { break-inside: avoid; } }
"""
