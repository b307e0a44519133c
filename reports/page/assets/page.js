"use strict";
// Charts: the options are data; colours are names of CSS variables.
const options = JSON.parse(document.getElementById("charts").textContent);
const data = JSON.parse(document.getElementById("data").textContent);
const drawn = [];
document.documentElement.classList.add("js");
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
// The text of a tooltip: a day, then its score and interval, or its rates.
function tip(list) {
  const at = (name) => list.find((p) => p.seriesName === name);
  const number = (p) => (p && p.value !== "-" && p.value !== undefined ? Number(p.value) : NaN);
  const lo = number(at("low")), score = number(at("score"));
  if (!Number.isNaN(lo)) {
    return list[0].axisValueLabel + ": " + (Number.isNaN(score) ? "?" : Math.round(score)) + " (" + Math.round(lo) + "–" + Math.round(lo + number(at("width"))) + ")";
  }
  const rates = list.filter((p) => !Number.isNaN(number(p)) && !/^(score|low|width|other)/.test(p.seriesName));
  return [list[0].axisValueLabel].concat(rates.reverse().map((p) => p.seriesName + " " + p.value)).join("\n");
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
    const o = paint(options[id], style);
    const ink = style.getPropertyValue("--ink").trim();
    o.tooltip = {
      show: true, trigger: "axis", renderMode: "richText", formatter: tip, confine: true, backgroundColor: style.getPropertyValue("--sf").trim(),
      borderColor: style.getPropertyValue("--line2").trim(), textStyle: { color: ink, fontSize: 13 }, axisPointer: { lineStyle: { color: ink, width: 1 } },
    };
    chart.setOption(o, true);
  }
}
draw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
addEventListener("resize", () => drawn.forEach((c) => c.resize()));
// Before printing the layout is still the screen's: these are the sizes on A4.
addEventListener("beforeprint", () => {
  for (const c of drawn) {
    const el = c.getDom(), wide = el.classList.contains("wide"), big = wide || el.closest(".big");
    c.resize({ width: big ? 690 : 216, height: wide ? 200 : big ? 200 : 150 });
    c.getZr().flush(); // now, not in the next frame
  }
});
addEventListener("afterprint", () => drawn.forEach((c) => c.resize({ width: "auto", height: "auto" })));

// Receivers side by side: one at a time.
for (const button of document.querySelectorAll("[data-tab]")) {
  button.addEventListener("click", () => {
    for (const other of document.querySelectorAll("[data-tab]")) {
      const on = other === button;
      other.setAttribute("aria-pressed", String(on));
      document.getElementById(other.dataset.tab).classList.toggle("off", !on);
    }
  });
}

// The table. A row of data is: IP, receiver, score, low, high, marks, band,
// change, first outcomes, accepted, deferred, refused, reason, cause, view;
// words stand as their place in data.words.
const UNKNOWN = 1, BORROWED = 2, HOT = 4;
const WORDS = new Set([0, 1, 6, 12, 13, 14]);
const table = document.getElementById("ft");
const word = (i) => data.words[i];
const group = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, data.text.group);
const share = (n, all) => (all ? (100 * n / all).toFixed(1).replace(".", data.text.decimal) + "\u00a0%" : "–");
function element(name, className, text) {
  const e = document.createElement(name);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}
function scoreCell(r) {
  const td = element("td", "n");
  const marks = r[5];
  if (marks & UNKNOWN) {
    td.append(element("i", "dotc unk"), "?");
    return td;
  }
  const shade = "q" + Math.min(20, Math.max(0, Math.floor(r[2] / 5)));
  td.append(element("i", "dotc " + shade + (marks & BORROWED ? " brw" : "")), element("b", "", Math.round(r[2])));
  if (marks & BORROWED) td.append(element("sup", "", "b"));
  return td;
}
function changeCell(r) {
  const td = element("td", "n"), d = r[7];
  if (!d) return td;
  const down = d[0] === "-";
  const span = element("span", "d " + (d === "~" ? "same" : down ? "dn" : "up"));
  const sign = element("span", "", d === "~" ? "~" : down ? "▼" : "▲");
  sign.setAttribute("aria-hidden", "true");
  span.append(sign, element("span", "vh", (d === "~" ? data.text.same : down ? data.text.down : data.text.up) + " "));
  if (d !== "~") span.append(d.slice(1));
  td.append(span);
  return td;
}
function rowElement(r) {
  const tr = element("tr", r[5] & HOT ? "hot" : "");
  tr.append(element("td", "", word(r[0])), element("td", "", word(r[1])), scoreCell(r), element("td", "n", r[3] + "–" + r[4]), element("td", "c", word(r[6])),
    changeCell(r), element("td", "n c", group(r[8])), element("td", "n c", share(r[9], r[8])), element("td", "n c", share(r[10], r[8])),
    element("td", "n c", share(r[11], r[8])), element("td", "c", word(r[12])), element("td", "", word(r[13])), element("td", "c", word(r[14])));
  return tr;
}
// What each column is sorted by.
const keys = [
  (r) => word(r[0]), (r) => word(r[1]), (r) => (r[5] & UNKNOWN ? -1 : r[2]), (r) => r[3], (r) => (r[5] & UNKNOWN ? -1 : r[2]),
  (r) => (r[7] === "" || r[7] === "~" ? 0 : Number(r[7])), (r) => r[8], (r) => (r[8] ? r[9] / r[8] : 0), (r) => (r[8] ? r[10] / r[8] : 0),
  (r) => (r[8] ? r[11] / r[8] : 0), (r) => word(r[12]), (r) => word(r[13]), (r) => word(r[14]),
];
function setUpTable() {
  const FIRST = 200;
  const filter = document.getElementById("filter"), more = document.getElementById("more");
  const texts = data.rows.map((r) => [...WORDS].map((i) => word(r[i])).join(" ").toLowerCase());
  let order = data.rows.map((_, i) => i);
  let all = false;
  const compare = new Intl.Collator(document.documentElement.lang, { numeric: true }).compare;
  function hits() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    return order.filter((i) => words.every((w) => texts[i].includes(w)));
  }
  function count(found) {
    const shown = all ? found.length : Math.min(found.length, FIRST);
    const text = shown < found.length ? data.text.first : data.text.count;
    document.getElementById("count").textContent = text.replace("{n}", group(found.length)).replace("{all}", group(data.rows.length)).replace("{shown}", group(shown));
    more.hidden = shown >= found.length;
    return shown;
  }
  function show() {
    const found = hits();
    table.tBodies[0].replaceChildren(...found.slice(0, count(found)).map((i) => rowElement(data.rows[i])));
  }
  Array.from(table.tHead.rows[0].cells).forEach((th, column) => {
    th.querySelector("button").addEventListener("click", () => {
      const down = th.getAttribute("aria-sort") !== "descending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      th.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = keys[column];
      order.sort((a, b) => {
        const x = key(data.rows[a]), y = key(data.rows[b]);
        const c = typeof x === "number" ? x - y : compare(x, y);
        return (down ? -c : c) || a - b;
      });
      show();
    });
  });
  filter.addEventListener("input", show);
  more.addEventListener("click", () => { all = true; show(); });
  document.getElementById("csv").addEventListener("click", () => save(csv(hits())));
  count(order);
}
// A spreadsheet must not take a text for a formula.
function csvCell(v) {
  if (typeof v === "number") return String(v);
  const s = /^[=+\-@\t\r ＝＋－＠]/.test(v) ? "'" + v : v;
  return '"' + s.replace(/"/g, '""') + '"';
}
function csv(list) {
  const head = ["ip", "receiver", "score", "lo", "hi", "unknown", "borrowed", "band", "change", "first_outcomes", "accepted", "deferred", "refused", "reason", "cause", "view"];
  const lines = list.map((i) => {
    const r = data.rows[i];
    const change = r[7] === "" || r[7] === "~" ? r[7] : Number(r[7]);
    return [word(r[0]), word(r[1]), r[2], r[3], r[4], Number((r[5] & UNKNOWN) > 0), Number((r[5] & BORROWED) > 0), word(r[6]), change, r[8], r[9], r[10], r[11],
      word(r[12]), word(r[13]), word(r[14])].map(csvCell).join(",");
  });
  return "\ufeff" + [head.join(","), ...lines].join("\r\n") + "\r\n";
}
function save(text) {
  const a = document.createElement("a");
  a.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  a.download = "repute-" + data.text.period + ".csv";
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10000);
}
if (table) setUpTable();
