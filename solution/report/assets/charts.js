"use strict";

// The charts: drawn by plotly once they come near the screen, in the colours of the theme.

const charts = stored("charts-data");
const CONFIG = { displayModeBar: false, responsive: true };
const foldsOff = new Set();
let calibrationSubset = "";

/** The layout with the theme's colours; plotly writes into what it is given, so it gets a copy. */
function themed(layout) {
  const made = structuredClone(layout);
  const [ink, muted, line, panel] = ["ink", "muted", "line", "panel"].map(colour);
  made.font = { family: "system-ui, sans-serif", size: 12, color: muted };
  made.hoverlabel = { bgcolor: panel, bordercolor: line, font: { color: ink, size: 13 } };
  for (const key of Object.keys(made).filter((name) => /^[xy]axis\d*$/.test(name))) {
    const zero = { zeroline: false, gridcolor: line, linecolor: line, automargin: true };
    made[key] = { ...zero, ...made[key], fixedrange: true };
  }
  return made;
}

/** Traces with those hidden that a switch has put out. */
function seen(data) {
  return structuredClone(data).map((trace) => {
    if (trace.meta?.fold !== undefined) trace.visible = !foldsOff.has(String(trace.meta.fold));
    if (trace.meta?.subset !== undefined && calibrationSubset) trace.visible = String(trace.meta.subset) === calibrationSubset;
    return trace;
  });
}

function draw(place) {
  const chart = charts[place.dataset.chart];
  place.classList.add("drawn");
  Plotly.react(place, seen(chart.data), themed(chart.layout), CONFIG);
}

const redraw = (places = all("[data-chart].drawn")) => places.forEach(draw);
const near = new IntersectionObserver(
  (entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      near.unobserve(entry.target);
      draw(entry.target);
    }
  },
  { rootMargin: "400px" },
);

const training = document.getElementById("training-chart");
const specialist = document.getElementById("specialist");
const foldButtons = all('[data-toggle="fold"] button');

function chooseSpecialist() {
  training.dataset.chart = `curves-${specialist.value}`;
  for (const button of foldButtons) button.disabled = specialist.value === "all";
  if (training.classList.contains("drawn")) draw(training);
}

specialist.addEventListener("change", chooseSpecialist);
for (const button of foldButtons) {
  button.addEventListener("click", () => {
    const on = foldsOff.has(button.value);
    if (on) foldsOff.delete(button.value);
    else foldsOff.add(button.value);
    button.setAttribute("aria-pressed", String(on));
    if (training.classList.contains("drawn")) draw(training);
  });
}
chooseSpecialist();

switches("calibration", (subset) => {
  calibrationSubset = subset;
  showGroup(document.getElementById("calibration-table"), subset);
  redraw(all('[data-chart="calibration"].drawn'));
});

document.addEventListener("theme", () => redraw());
// Plotly's own script stands behind this one, so that the page can be read before it has been.
document.addEventListener("DOMContentLoaded", () => all("[data-chart]").forEach((place) => near.observe(place)));
