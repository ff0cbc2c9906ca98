"""The page into which a map is written. `@@name@@` is replaced by `map_html`.

Drawn on a canvas: fifty thousand marks move smoothly, where as many SVG elements would not. The
content security policy lets the page load nothing from anywhere. Names from the data only ever
become text nodes. In a frame of another page (a report), the wheel scrolls that page until the map
was clicked, and one finger scrolls it, too.
"""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>@@title@@</title>
<style>
  :root { --paper: #fff; --ink: #2b2f36; --soft: #5a606b; --faint: #8a909a; --grid: #eceff2;
    --card: #fffffff0; --rule: #d7dbe0; }
  @media (prefers-color-scheme: dark) {
    :root { --paper: #14171c; --ink: #e8eaee; --soft: #a3abb8; --faint: #7d8694; --grid: #262c35;
      --card: #1d2229f0; --rule: #39414d; }
  }
  html, body { margin: 0; height: 100%; overflow: hidden; color: var(--ink);
    background: var(--paper);
    font: 14px/1.4 system-ui, -apple-system, "Segoe UI", sans-serif; }
  canvas { position: absolute; inset: 0; width: 100%; height: 100%; touch-action: none;
    cursor: grab; }
  canvas:active { cursor: grabbing; }
  .card { position: absolute; background: var(--card); border: 1px solid var(--rule);
    border-radius: 8px; padding: 8px 12px; box-shadow: 0 1px 4px #0000001a; }
  #head { left: 12px; top: 12px; max-width: min(60%, 620px); pointer-events: none; }
  #head h1 { font-size: 16px; margin: 0; overflow-wrap: anywhere; }
  #head p { margin: 2px 0 0; font-size: 12.5px; color: var(--soft); }
  #side { right: 12px; top: 12px; max-width: 280px; max-height: calc(100% - 60px); overflow: auto; }
  #side label { display: flex; gap: 6px; align-items: center; font-size: 13px; cursor: pointer; }
  #side span { overflow-wrap: anywhere; }
  #side i { flex: none; width: 11px; height: 11px; border-radius: 50%; }
  #side button { font: inherit; font-size: 12.5px; margin: 0 0 6px; cursor: pointer; }
  #tip { display: none; pointer-events: none; font-size: 12.5px; white-space: pre-line;
    max-width: 360px; overflow-wrap: anywhere; }
  @media (max-width: 560px) {
    #head { right: 12px; max-width: none; padding: 6px 10px; }
    #head h1 { font-size: 14px; } #head p { font-size: 11.5px; }
    #side { top: auto; bottom: 12px; left: 12px; right: 56px; max-width: none; max-height: 30%;
      padding: 6px 10px; }
    #side label { display: inline-flex; margin-right: 10px; font-size: 12px; }
    #side button { display: none; }
  }
</style>
</head>
<body>
<canvas id="map"></canvas>
<div id="head" class="card"><h1>@@title@@</h1><p>@@subtitle@@</p></div>
<div id="side" class="card"><button id="fit">Show all</button></div>
<div id="tip" class="card"></div>
<noscript>This map needs JavaScript (its own, inside this file).</noscript>
<script type="application/json" id="data">@@data@@</script>
<script>
"use strict";
const map = JSON.parse(document.getElementById("data").textContent);
const canvas = document.getElementById("map"), ink = canvas.getContext("2d");
const tip = document.getElementById("tip"), side = document.getElementById("side");
let scale = 1, left = 0, top_ = 0;  // pixel = (x - left) * scale, (top_ - y) * scale
let hovered = null, moved = false;
const embedded = window.parent !== window;
let awake = !embedded;  // in a frame: whether the wheel belongs to the map
if (embedded) canvas.style.touchAction = "pan-y";
const style = getComputedStyle(document.documentElement);
const color = name => style.getPropertyValue("--" + name);
const many = map.layers.flatMap(l => l.points).reduce((n, s) => n + s.labels.length, 0) > 5000;
const shown = map.layers.map(() => true);

const px = x => (x - left) * scale, py = y => (top_ - y) * scale;

function fit() {
  const [x0, y0, x1, y1] = map.box, w = canvas.clientWidth, h = canvas.clientHeight;
  const least = map.local ? 40 : 0.001;  // a single point gets some ground around it
  const room = Math.max(h - 180, h / 3);
  scale = Math.min(w * 0.84 / Math.max(x1 - x0, least), room / Math.max(y1 - y0, least));
  scale = Math.max(scale, 1e-9);
  left = (x0 + x1) / 2 - w / 2 / scale;
  top_ = (y0 + y1) / 2 + (h / 2 + 30) / scale;
  redraw();
}

function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find(f => f * power >= least * 0.999);
}

function length(m) {
  return Math.abs(m) >= 1000 ? +(m / 1000).toPrecision(6) + " km" : +m.toPrecision(6) + " m";
}

function grid(w, h) {
  ink.lineWidth = 1; ink.strokeStyle = color("grid"); ink.fillStyle = color("faint");
  ink.font = "11px system-ui, sans-serif";
  const [k, ox, oy] = map.local ? [1, 0, 0] : [map.narrowing, map.lon0, map.lat0];
  const stepX = roundStep(110 / scale / k), stepY = roundStep(80 / scale);
  const label = (v, wrap) => map.local ? length(v) :
    +(wrap ? ((v + 180) % 360 + 360) % 360 - 180 : v).toPrecision(7) + "°";
  for (let v = Math.ceil((left / k + ox) / stepX) * stepX; px((v - ox) * k) < w; v += stepX) {
    const x = Math.round(px((v - ox) * k)) + 0.5;
    ink.beginPath(); ink.moveTo(x, 0); ink.lineTo(x, h); ink.stroke();
    ink.fillText(label(v, true), x + 3, h - 5);
  }
  for (let v = Math.ceil((top_ - h / scale + oy) / stepY) * stepY; py(v - oy) > 0; v += stepY) {
    if (!map.local && Math.abs(v) > 90) continue;
    const y = Math.round(py(v - oy)) + 0.5;
    ink.beginPath(); ink.moveTo(0, y); ink.lineTo(w, y); ink.stroke();
    ink.fillText(label(v, false), 4, y - 3);
  }
}

function polyline(xy) {
  ink.moveTo(px(xy[0]), py(xy[1]));
  for (let i = 2; i < xy.length; i += 2) ink.lineTo(px(xy[i]), py(xy[i + 1]));
}

function strokeAll(lines, width, alpha) {
  ink.lineWidth = width; ink.globalAlpha = alpha; ink.beginPath();
  for (const line of lines) polyline(line);
  ink.stroke(); ink.globalAlpha = 1;
}

function drawPoints(set, tint, w, h) {
  const xy = set.xy, n = xy.length / 2;
  const r = set.mark === "dot" ? (many ? 1.5 : 3.2) : set.mark === "ring" ? 3.6 : 6;
  ink.fillStyle = ink.strokeStyle = tint; ink.lineWidth = 1.4;
  for (let i = 0; i < n; i++) {
    const x = px(xy[2 * i]), y = py(xy[2 * i + 1]);
    if (x < -20 || y < -20 || x > w + 20 || y > h + 20) continue;
    if (set.headings && set.headings[i] !== null) {
      const a = set.headings[i] * Math.PI / 180;
      ink.beginPath(); ink.moveTo(x, y);
      ink.lineTo(x + 12 * Math.sin(a), y - 12 * Math.cos(a)); ink.stroke();
    }
    if (set.mark === "dot" && many) { ink.fillRect(x - r, y - r, 2 * r, 2 * r); continue; }
    ink.beginPath();
    if (set.mark === "cross") {
      ink.moveTo(x - 4, y - 4); ink.lineTo(x + 4, y + 4);
      ink.moveTo(x - 4, y + 4); ink.lineTo(x + 4, y - 4); ink.stroke();
    } else if (set.mark === "dot") { ink.arc(x, y, r, 0, 7); ink.fill(); }
    else if (set.mark === "ring") { ink.arc(x, y, r, 0, 7); ink.stroke(); }
    else {  // the start is a white disc, the end a filled square
      if (set.mark === "start") ink.arc(x, y, r, 0, 7);
      else ink.rect(x - r + 1, y - r + 1, 2 * r - 2, 2 * r - 2);
      ink.lineWidth = 2.5; ink.fillStyle = set.mark === "start" ? color("paper") : tint;
      ink.fill(); ink.stroke(); ink.lineWidth = 1.4; ink.fillStyle = tint;
    }
  }
}

function furniture(w, h) {
  ink.fillStyle = ink.strokeStyle = color("ink"); ink.font = "12px system-ui, sans-serif";
  if (map.local) {
    const bar = roundStep(70 / scale), y = h - 34;
    ink.fillRect(90, y, bar * scale, 3); ink.fillText(length(bar), 90, y - 6);
  }
  const x = w - 30, y = h - 50;
  ink.beginPath(); ink.moveTo(x, y - 24); ink.lineTo(x + 7, y); ink.lineTo(x, y - 6);
  ink.lineTo(x - 7, y); ink.closePath(); ink.fill();
  ink.textAlign = "center"; ink.fillText("N", x, y + 14); ink.textAlign = "start";
}

let waiting = false;
function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; draw(); });
}

function draw() {
  const ratio = window.devicePixelRatio || 1, w = canvas.clientWidth, h = canvas.clientHeight;
  if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
    canvas.width = Math.round(w * ratio); canvas.height = Math.round(h * ratio);
  }
  ink.setTransform(ratio, 0, 0, ratio, 0, 0);
  ink.clearRect(0, 0, w, h);
  grid(w, h);
  map.layers.forEach((layer, i) => {
    if (!shown[i]) return;
    ink.strokeStyle = layer.color;
    strokeAll(layer.lines, 1.6, 0.55); strokeAll(layer.outlines, 1, 0.55);
    for (const set of layer.points) drawPoints(set, layer.color, w, h);
  });
  if (hovered) {
    ink.lineWidth = 2; ink.strokeStyle = color("ink");
    ink.beginPath(); ink.arc(px(hovered.x), py(hovered.y), 8, 0, 7); ink.stroke();
  }
  furniture(w, h);
}

function nearest(mx, my) {
  let best = null, least = 12 * 12;
  map.layers.forEach((layer, i) => {
    if (!shown[i]) return;
    for (const set of layer.points) {
      for (let j = 0; j < set.labels.length; j++) {
        const dx = px(set.xy[2 * j]) - mx, dy = py(set.xy[2 * j + 1]) - my, d = dx * dx + dy * dy;
        // Of marks in one place the reference says more than the start of its drive.
        if (d < least || (d === least && set.mark === "dot")) {
          least = d; best = { x: set.xy[2 * j], y: set.xy[2 * j + 1], label: set.labels[j] };
        }
      }
    }
  });
  return best;
}

function hover(event) {
  hovered = nearest(event.offsetX, event.offsetY);
  tip.style.display = hovered ? "block" : "none";
  if (hovered) {
    tip.textContent = hovered.label;
    const w = canvas.clientWidth, h = canvas.clientHeight;
    tip.style.left = Math.min(event.offsetX + 14, w - tip.offsetWidth - 6) + "px";
    tip.style.top = Math.min(event.offsetY + 14, h - tip.offsetHeight - 6) + "px";
  }
  redraw();
}

function zoom(x, y, factor) {
  moved = true;
  const gx = left + x / scale, gy = top_ - y / scale;
  scale = Math.min(Math.max(scale * factor, 1e-6), 1e7);
  left = gx - x / scale; top_ = gy + y / scale;
  redraw();
}

const fingers = new Map();
canvas.addEventListener("pointerdown", e => {
  awake = true; canvas.setPointerCapture(e.pointerId);
  fingers.set(e.pointerId, [e.offsetX, e.offsetY]);
});
for (const name of ["pointerup", "pointercancel"])
  canvas.addEventListener(name, e => fingers.delete(e.pointerId));
canvas.addEventListener("pointermove", e => {
  const was = fingers.get(e.pointerId);
  if (!was) { hover(e); return; }
  const other = [...fingers].find(([id]) => id !== e.pointerId)?.[1];
  if (other) {
    const gap = p => Math.max(Math.hypot(p[0] - other[0], p[1] - other[1]), 1);
    zoom(other[0], other[1], gap([e.offsetX, e.offsetY]) / gap(was));
  } else {
    moved = true;
    left -= (e.offsetX - was[0]) / scale; top_ += (e.offsetY - was[1]) / scale; redraw();
  }
  fingers.set(e.pointerId, [e.offsetX, e.offsetY]);
});
canvas.addEventListener("pointerleave", () => {
  awake = !embedded; hovered = null; tip.style.display = "none"; redraw();
});
canvas.addEventListener("wheel", e => {
  if (!awake && !e.ctrlKey) return;
  e.preventDefault(); zoom(e.offsetX, e.offsetY, Math.exp(-e.deltaY * 0.0015));
}, { passive: false });
canvas.addEventListener("dblclick", e => zoom(e.offsetX, e.offsetY, 2));
document.getElementById("fit").addEventListener("click", fit);
window.addEventListener("resize", () => moved ? redraw() : fit());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

map.layers.forEach((layer, i) => {
  const label = document.createElement("label"), box = document.createElement("input");
  const dot = document.createElement("i"), name = document.createElement("span");
  box.type = "checkbox"; box.checked = true;
  box.addEventListener("change", () => { shown[i] = box.checked; redraw(); });
  dot.style.background = layer.color; name.textContent = layer.name;
  label.append(box, dot, name); side.append(label);
});
fit();
</script>
</body>
</html>
"""
