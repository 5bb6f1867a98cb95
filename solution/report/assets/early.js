// Before the first paint: the theme that was chosen here last time, if any.
try {
  const chosen = localStorage.getItem("report-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // A browser that keeps nothing for files: the system's theme it is.
}
