"use strict";

// Tables: a click on a title sorts by that column; switches show the lines of one subset.

/** Cells without a value come last, whichever way round; figures are compared as numbers, the rest as text. */
function compared(first, second, way) {
  if (first === undefined || second === undefined) return (first === undefined) - (second === undefined);
  const [a, b] = [Number(first), Number(second)];
  const order = Number.isNaN(a) || Number.isNaN(b) ? first.localeCompare(second) : a - b;
  return order * way;
}

function sortBy(table, column) {
  const titles = all("thead th", table);
  const way = titles[column].getAttribute("aria-sort") === "ascending" ? -1 : 1;
  titles.forEach((title, at) => {
    if (at === column) title.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
    else title.removeAttribute("aria-sort");
  });
  const lines = all("tbody tr", table);
  lines.sort((a, b) => compared(a.cells[column].dataset.value, b.cells[column].dataset.value, way));
  table.tBodies[0].append(...lines);
}

for (const table of all("table[data-sorts]")) {
  all("thead th", table).forEach((title, column) => {
    title.querySelector("button").addEventListener("click", () => sortBy(table, column));
  });
}

/** Show the lines of one group, or all of them. */
function showGroup(table, group) {
  for (const line of all("tbody tr", table)) line.hidden = group !== "" && line.dataset.group !== group;
}

for (const name of ["folds-table", "comparison-table"]) {
  const table = document.getElementById(name);
  if (table) switches(name, (group) => showGroup(table, group));
}

switches("heat", (subset) => {
  for (const part of all("[data-heat]")) part.hidden = part.dataset.heat !== subset;
});
