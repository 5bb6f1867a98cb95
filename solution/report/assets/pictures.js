"use strict";

// The worst pictures: cards with labels, predictions and uncertainty, filtered, and enlarged on a click.

const gallery = stored("pictures-data");
const PAGE = 24; // cards put in at a time
const named = (k) => gallery.points[k].replaceAll("_", " ");
const px = (value) => (value === null ? "–" : `${value.toFixed(2)} px`);

/** The tooltip of a point. */
function tooltip(mark) {
  const sigma = mark.s === null ? "" : `, uncertainty ${px(mark.s)}`;
  return make("svg:title", {}, `${named(mark.k)}: ${px(mark.e)} off${sigma}`);
}

function drawn(mark, chosen) {
  const [[lx, ly], [x, y]] = [mark.l, mark.p];
  const group = make("svg:g", { class: chosen === null || chosen === mark.k ? "mark" : "mark faint" });
  if (mark.s !== null) group.append(make("svg:circle", { class: "sigma", cx: x, cy: y, r: 2 * mark.s }));
  group.append(make("svg:line", { class: "link", x1: lx, y1: ly, x2: x, y2: y }));
  if (mark.o) {
    const [ox, oy] = mark.o;
    group.append(make("svg:path", { class: "other", d: `M${ox - 1.3} ${oy}h2.6M${ox} ${oy - 1.3}v2.6` }));
  }
  group.append(make("svg:circle", { class: "label", cx: lx, cy: ly, r: 1.7 }));
  group.append(make("svg:circle", { class: "predicted", cx: x, cy: y, r: 1 }));
  group.append(make("svg:circle", { class: "touch", cx: x, cy: y, r: 3 }, tooltip(mark)));
  return group;
}

/** The picture with its marks. The centre of the top left pixel is (0, 0), so its corner is at (-0.5, -0.5). */
function overlay(picture, chosen = null) {
  const [width, height] = picture.size;
  const frame = { viewBox: `-0.5 -0.5 ${width} ${height}`, role: "img", "aria-label": `picture ${picture.id}` };
  const image = { href: `data:image/png;base64,${picture.png}`, x: -0.5, y: -0.5, width, height };
  return make("svg:svg", frame, make("svg:image", image), ...picture.marks.map((mark) => drawn(mark, chosen)));
}

const worstMark = (picture) => picture.marks.reduce((worst, mark) => (mark.e > worst.e ? mark : worst));

/** A card's two lines. A run compared with has its own figure beside this one's. */
function caption(picture, chosen) {
  const mark = chosen === null ? worstMark(picture) : picture.marks.find((one) => one.k === chosen);
  const figure = chosen === null ? px(picture.rms) : px(mark.e);
  const first = picture.other === null ? figure : `${picture.other.toFixed(2)} → ${px(picture.rms)}`;
  const badge = picture.outlier ? [make("span", { class: "badge" }, "outlier")] : [];
  const lines = [`id ${picture.id}, fold ${picture.fold}`, named(mark.k)].map((line) => make("span", {}, line));
  return make("span", { class: "caption" }, make("b", {}, first), ...badge, ...lines);
}

function card(picture, chosen) {
  const button = make("button", { type: "button", class: "card", "data-id": picture.id });
  button.append(overlay(picture, chosen), caption(picture, chosen));
  button.addEventListener("click", () => enlarge(picture));
  return button;
}

const dialog = document.getElementById("enlarged");

function enlarge(picture) {
  const rows = [...picture.marks].sort((a, b) => b.e - a.e).map((mark) =>
    make("tr", {}, make("td", {}, named(mark.k)), make("td", {}, px(mark.e)), make("td", {}, px(mark.s))),
  );
  const titles = ["keypoint", "error", "uncertainty"].map((title) => make("th", {}, title));
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...titles)), make("tbody", {}, ...rows));
  const lines = [`${picture.subset} points, fold ${picture.fold}, ${px(picture.rms)} rms`];
  if (picture.other !== null) lines.push(`the other run: ${px(picture.other)} rms`);
  if (picture.reason) lines.push(`audit score ${picture.score.toFixed(2)}: ${picture.reason}`);
  document.getElementById("enlarged-body").replaceChildren(
    make("h3", {}, `Picture ${picture.id}`),
    ...lines.map((line) => make("p", {}, line)),
    make("div", { class: "pair" }, overlay(picture), table),
  );
  dialog.showModal();
}

dialog.addEventListener("click", (event) => {
  if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
});

/** Put cards into a place, a page at a time. */
function fill(place, more, pictures, chosen) {
  let shown = 0;
  const next = () => {
    place.append(...pictures.slice(shown, shown + PAGE).map((picture) => card(picture, chosen)));
    shown = Math.min(shown + PAGE, pictures.length);
    more.hidden = shown >= pictures.length;
    more.textContent = `Show more (${shown} of ${pictures.length})`;
  };
  place.replaceChildren();
  more.onclick = next;
  next();
}

const wanted = { subset: "", outlier: "" };
const keypoint = document.getElementById("keypoint");

/** The pictures that the filters let through, the worst first: over all labels, or at the keypoint chosen. */
function filtered() {
  const chosen = keypoint.value === "" ? null : Number(keypoint.value);
  const at = (picture) => picture.marks.find((mark) => mark.k === chosen);
  const found = gallery.worst.filter(
    (picture) =>
      (wanted.subset === "" || String(picture.subset) === wanted.subset) &&
      (wanted.outlier === "" || String(picture.outlier) === wanted.outlier) &&
      (chosen === null || at(picture) !== undefined),
  );
  if (chosen !== null) found.sort((a, b) => at(b).e - at(a).e);
  document.getElementById("count").textContent = `${found.length} of ${gallery.worst.length} pictures`;
  fill(document.getElementById("worst"), document.getElementById("more"), found, chosen);
}

for (const filter of ["subset", "outlier"]) {
  switches(`worst-${filter}`, (value) => {
    wanted[filter] = value;
    filtered();
  });
}
keypoint.addEventListener("change", filtered);

if (gallery.changed.length) {
  fill(document.getElementById("changed"), document.getElementById("changed-more"), gallery.changed, null);
}
