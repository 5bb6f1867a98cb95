"use strict";

// Small helpers that the other scripts use, and the switch between light and dark.

const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const stored = (name) => JSON.parse(document.getElementById(name).textContent);

/** An element with attributes and children; names with "svg:" are of SVG. */
function make(name, attributes = {}, ...children) {
  const svg = name.startsWith("svg:");
  const element = svg
    ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(4))
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** A colour of the theme in force, as the browser computes it. */
function colour(name) {
  const probe = document.getElementById("probe");
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

const systemDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (systemDark.matches ? "dark" : "light")) === "dark";

function themeChanged() {
  document.getElementById("theme").setAttribute("aria-pressed", String(isDark()));
  document.dispatchEvent(new Event("theme"));
}

document.getElementById("theme").addEventListener("click", () => {
  const chosen = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = chosen;
  try {
    localStorage.setItem("report-theme", chosen);
  } catch {
    // Not kept, then.
  }
  themeChanged();
});
systemDark.addEventListener("change", themeChanged);
document.getElementById("theme").setAttribute("aria-pressed", String(isDark()));

/** Switches of which one is on: calls back with its value, now and on every change. */
function switches(name, changed) {
  const buttons = all(`[data-switch="${name}"] button`);
  for (const button of buttons) {
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      changed(button.value);
    });
  }
  const first = buttons.find((button) => button.getAttribute("aria-pressed") === "true");
  if (first) changed(first.value);
}
