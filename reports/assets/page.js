"use strict";
// Charts: the options are data; colours are names of CSS variables.
const options = JSON.parse(document.getElementById("charts").textContent);
const drawn = [];
function paint(value, style) {
  if (typeof value === "string" && value.startsWith("--")) return style.getPropertyValue(value).trim();
  if (Array.isArray(value)) return value.map((v) => paint(v, style));
  if (value && typeof value === "object") {
    const out = {};
    for (const k of Object.keys(value)) out[k] = paint(value[k], style);
    return out;
  }
  return value;
}
function draw() {
  const style = getComputedStyle(document.documentElement);
  for (const id of Object.keys(options)) {
    const el = document.getElementById(id);
    if (!el) continue;
    let chart = echarts.getInstanceByDom(el);
    if (!chart) {
      chart = echarts.init(el, null, { renderer: "canvas", devicePixelRatio: Math.max(2, window.devicePixelRatio || 1) });
      drawn.push(chart);
    }
    chart.setOption(paint(options[id], style), true);
  }
}
draw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
addEventListener("resize", () => drawn.forEach((c) => c.resize()));
addEventListener("beforeprint", () => { drawn.forEach((c) => c.resize()); draw(); });

// The table: sort by a click on its head, filter by words.
const table = document.getElementById("ft");
const body = table.tBodies[0];
const rows = Array.from(body.rows);
const first = 200;
let all = rows.length <= first;
function value(row, i) {
  const cell = row.cells[i];
  const v = cell.dataset.v;
  return v === undefined ? cell.textContent.trim() : Number(v);
}
Array.from(table.tHead.rows[0].cells).forEach((th, i) => {
  th.querySelector("button").addEventListener("click", () => {
    const down = th.getAttribute("aria-sort") !== "descending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    th.setAttribute("aria-sort", down ? "descending" : "ascending");
    rows.sort((a, b) => {
      const x = value(a, i), y = value(b, i);
      const c = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
      return down ? -c : c;
    });
    body.append(...rows);
    show();
  });
});
const filter = document.getElementById("filter");
function show() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  let n = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    const hit = words.every((w) => text.includes(w));
    if (hit) n++;
    row.hidden = !hit || (!all && n > first);
  }
  document.getElementById("count").textContent = n + " of " + rows.length + " pairs" + (!all && n > first ? ", the first " + first + " shown: filter for the others" : "");
}
filter.addEventListener("input", show);
show();
