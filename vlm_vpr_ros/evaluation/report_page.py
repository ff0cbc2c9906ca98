"""The page into which a report is written. `@@name@@` is replaced by `report_html`.

The content security policy lets the page load nothing from anywhere; the only scripts are those of
the map, in a frame of its own that may do nothing else.
"""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:;
 script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>@@title@@</title>
<style>
  :root { --page: #f4f5f7; --card: #fff; --ink: #20242b; --soft: #5d6470; --rule: #dfe2e7;
    --grid: #e9ebef; --good: #00795a; --bad: #c62828; --bad-tint: #fdecec;
    --s1: #0072b2; --s2: #d55e00; --s3: #00966d; --s4: #b2579a; --s5: #7b5ea7; }
  @media (prefers-color-scheme: dark) {
    :root { --page: #111418; --card: #1a1e24; --ink: #e8eaee; --soft: #9aa3b0; --rule: #303742;
      --grid: #272d36; --good: #3ecf9e; --bad: #ff7b72; --bad-tint: #3a1f20;
      --s1: #5cb8f0; --s2: #ff9850; --s3: #3ecf9e; --s4: #e69bcf; --s5: #b79cf0; }
  }
  * { box-sizing: border-box; }
  body { margin: 0; background: var(--page); color: var(--ink);
    font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
  main { max-width: 1180px; margin: 0 auto; padding: 28px 20px 56px; }
  h1 { font-size: 26px; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
  h2 { font-size: 18px; margin: 40px 0 12px; }
  h3 { font-size: 15px; margin: 0 0 2px; }
  p { margin: 4px 0 0; }
  .soft { color: var(--soft); }
  .small { font-size: 13px; }
  .card { background: var(--card); border: 1px solid var(--rule); border-radius: 12px;
    padding: 14px 16px; }
  .warning { border-left: 4px solid var(--s2); margin-top: 16px; }
  .tiles { display: grid; gap: 12px; margin-top: 22px;
    grid-template-columns: repeat(auto-fit, minmax(146px, 1fr)); }
  .tile b { display: block; white-space: nowrap; font-size: 25px; line-height: 1.2;
    font-weight: 650; font-variant-numeric: tabular-nums; }
  .tile.good b { color: var(--good); }
  .tile.bad b { color: var(--bad); }
  .plots { display: grid; gap: 14px; grid-template-columns: repeat(auto-fit, minmax(310px, 1fr)); }
  figure { margin: 0; }
  svg { display: block; width: 100%; height: auto; margin-top: 8px; }
  svg text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
    fill: var(--soft); }
  svg .title { fill: var(--ink); }
  svg .grid { stroke: var(--grid); }
  svg .line { fill: none; stroke: currentColor; stroke-width: 2.2; stroke-linejoin: round; }
  svg .thin { stroke-width: 1.2; opacity: .6; }
  svg .k1 { stroke-width: 5; opacity: .55; } svg .k2 { stroke-width: 3.6; opacity: .8; }
  svg .guide { stroke: var(--soft); stroke-width: 1.2; stroke-dasharray: 5 4; }
  svg .whisker { stroke-width: 1.6; opacity: .75; }
  svg .dot { fill: currentColor; stroke: var(--card); stroke-width: 1.5; }
  svg .bar { fill: currentColor; opacity: .85; }
  .s1 { color: var(--s1); } .s2 { color: var(--s2); } .s3 { color: var(--s3); }
  .s4 { color: var(--s4); } .s5 { color: var(--s5); }
  .legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 8px 0 0;
    padding: 0; font-size: 13px; }
  .legend i { display: inline-block; width: 18px; height: 3px; border-radius: 2px;
    background: currentColor; vertical-align: 4px; margin-right: 6px; }
  .legend span { color: var(--ink); }
  .scroll { overflow-x: auto; padding: 4px 0; }
  table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums;
    font-size: 14px; }
  th, td { text-align: right; padding: 7px 9px; white-space: nowrap; }
  th:first-child, td:first-child { text-align: left; }
  td:first-child { white-space: normal; overflow-wrap: anywhere; min-width: 100px; }
  thead th { color: var(--soft); font-weight: 500; border-bottom: 1px solid var(--rule); }
  tbody tr + tr td { border-top: 1px solid var(--grid); }
  iframe { display: block; width: 100%; height: 520px; border: 0; border-radius: 11px; }
  .map { padding: 0; overflow: hidden; }
  .cases { display: grid; gap: 14px; grid-template-columns: repeat(auto-fit, minmax(440px, 1fr)); }
  .cases img { display: block; width: 100%; height: auto; border-radius: 8px; margin-bottom: 10px;
    background: #14171c; }
  .cases figcaption { overflow-wrap: anywhere; }
  .badge { display: inline-block; font-size: 12.5px; font-weight: 600; border-radius: 999px;
    padding: 1px 10px; border: 1px solid var(--rule); margin-right: 6px; }
  .badge.bad { color: var(--bad); background: var(--bad-tint); border-color: transparent; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 0; }
  dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
  @media (max-width: 560px) {
    main { padding: 18px 12px 40px; }
    h1 { font-size: 21px; }
    .tiles { grid-template-columns: 1fr 1fr; gap: 10px; }
    .tile b { font-size: 22px; }
    .plots, .cases { grid-template-columns: 1fr; }
    .card { padding: 12px; } .map { padding: 0; }
    iframe { height: 400px; }
    th, td { padding: 6px 9px; }
    dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 8px; }
  }
  @media print { .card { break-inside: avoid; } }
</style>
</head>
<body>
<main>
<h1>@@title@@</h1>
<p class="soft">@@subtitle@@</p>
@@content@@
</main>
</body>
</html>
"""
