"use strict";
// The page is complete without this file; it moves marks to another scale, sorts, filters, shows values at once.
const page = document.documentElement;
const box = { left: 38, right: 10, top: 12, bottom: 40, width: 320, height: 236 };

function place() {
  const x = page.dataset.x || "log", y = page.dataset.y || "value", which = y === "raw" ? 2 : 1;
  for (const svg of document.querySelectorAll("svg.panel")) {
    const xs = svg.getAttribute("data-x-" + x).split(",").map(Number);
    const [low, high] = svg.getAttribute("data-y-" + y).split(",").map(Number);
    const up = v => box.top + (high - v) / (high - low) * (box.height - box.top - box.bottom);
    for (const mark of svg.querySelectorAll("[data-p]")) {
      const at = mark.dataset.p.split(" ").map(p => p.split(":")).map(p => [xs[p[0]].toFixed(1), up(+p[which]).toFixed(1)]);
      if (mark.tagName === "path") mark.setAttribute("transform", `translate(${at[0][0]} ${at[0][1]})`);
      else mark.setAttribute("points", at.map(p => p.join(",")).join(" "));
    }
  }
  for (const cell of document.querySelectorAll("#matrix td[data-r]")) {
    if (!cell.dataset.v) cell.dataset.v = cell.textContent;
    cell.textContent = y === "raw" ? cell.dataset.r : cell.dataset.v;
  }
}

function sort(button) {
  const head = button.closest("th"), column = head.cellIndex, body = document.querySelector("#matrix tbody");
  const down = head.getAttribute("aria-sort") !== "descending";
  for (const other of document.querySelectorAll("#matrix thead th")) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = row => { const text = row.cells[column].textContent; return column ? parseFloat(text) : text; };
  const rows = [...body.rows].map(row => [key(row), row]);
  rows.sort(([a], [b]) => {
    if (!column) return down ? b.localeCompare(a, "en", { numeric: true }) : a.localeCompare(b, "en", { numeric: true });
    if (isNaN(a) || isNaN(b)) return isNaN(a) - isNaN(b);  // what is missing comes last
    return down ? b - a : a - b;
  });
  body.append(...rows.map(([, row]) => row));
}

async function download(event) {
  if (!window.DecompressionStream) return;
  event.preventDefault();
  const link = event.currentTarget, bytes = Uint8Array.from(atob(link.href.split(",")[1]), c => c.charCodeAt(0));
  const text = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).blob();
  const plain = document.createElement("a");
  plain.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  plain.download = link.dataset.name;
  plain.click();
}

for (const tools of document.querySelectorAll(".tools")) tools.hidden = false;
const on = (id, event, act) => document.getElementById(id)?.addEventListener(event, act);
on("seeds", "change", e => page.classList.toggle("no-seeds", !e.target.checked));
on("subjects", "change", e => page.classList.toggle("subjects", e.target.checked));
on("raw", "change", e => { page.dataset.y = e.target.checked ? "raw" : "value"; place(); });
on("log", "change", e => { page.dataset.x = e.target.checked ? "log" : "lin"; place(); });
on("filter", "input", e => {
  const words = e.target.value.toLowerCase().split(/\s+/);
  let shown = 0;
  for (const row of document.querySelector("#matrix tbody").rows) {
    row.hidden = !words.every(word => row.cells[0].textContent.toLowerCase().includes(word));
    shown += !row.hidden;
  }
  document.getElementById("shown").textContent = `${shown} shown`;
});
for (const button of document.querySelectorAll("#matrix thead button")) button.addEventListener("click", () => sort(button));
for (const link of document.querySelectorAll("a.csv")) link.addEventListener("click", download);

const tip = document.createElement("div");
tip.id = "tip"; tip.hidden = true; tip.setAttribute("aria-hidden", "true"); document.body.append(tip);
document.addEventListener("pointermove", event => {
  const mark = event.target.closest?.("svg.panel [data-p], #matrix td");
  const title = mark?.querySelector?.("title");
  if (title) { mark.dataset.tip = title.textContent; title.remove(); }  // else the browser shows it a second time
  tip.hidden = !mark?.dataset.tip;
  if (tip.hidden) return;
  tip.textContent = mark.dataset.tip;
  tip.style.left = Math.max(4, Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8)) + "px";
  tip.style.top = Math.max(4, event.clientY - tip.offsetHeight - 10) + "px";
});
if (page.dataset.reload) setTimeout(() => location.reload(), 1000 * page.dataset.reload);
