"""The page in a real browser: Debian's chromium through Playwright, from a file, without a network."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd
import pytest

from solution.faces import FaceSet, FoldTable, Predictions
from solution.report.comparison import compare
from solution.report.page import write_page
from solution.report.previous_run import Other
from solution.report.report import Report
from tests.report.cases import WEIGHTS, gallery_of
from tests.small import predicted

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--headless", "--disable-background-networking"]
FIRST_PAINT = 1500
"""Milliseconds in which something is to be read."""

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(not CHROMIUM.is_file(), reason=f"no browser at {CHROMIUM}: apt-get install chromium")


@dataclass
class Opened:
    """A page, what it complained of and what it asked for."""

    page: "playwright.Page"
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def table(self, name: str) -> list[dict]:
        """The lines of a table that can be seen, by column title."""
        return self.page.evaluate(
            """(name) => {
              const table = document.getElementById(name);
              const titles = [...table.querySelectorAll("thead th")].map((one) => one.textContent.trim());
              const lines = [...table.querySelectorAll("tbody tr")].filter((line) => !line.hidden);
              return lines.map((line) => Object.fromEntries([...line.cells].map((c, i) => [titles[i], c.textContent])));
            }""",
            name,
        )

    def press(self, switch: str, title: str) -> None:
        """A button of a row of switches."""
        self.page.locator(f'[data-switch="{switch}"]').get_by_role("button", name=title, exact=True).click()

    def ids(self) -> list[int]:
        """The pictures whose cards are shown."""
        return [int(one) for one in self.page.eval_on_selector_all("#worst .card", "a => a.map(c => c.dataset.id)")]


@pytest.fixture(scope="module")
def browser() -> Iterator["playwright.Browser"]:
    with playwright.sync_playwright() as made:
        chromium = made.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield chromium
        chromium.close()


@contextmanager
def opening(browser: "playwright.Browser", path: Path, width: int = 1440, theme: str = "light") -> Iterator[Opened]:
    """A file in a window of this width and with this theme of the system's."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    found = Opened(context.new_page())
    found.page.on("console", lambda one: found.complaints.append(one.text) if one.type == "error" else None)
    found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
    found.page.on("request", lambda one: found.asked.append(one.url))
    found.page.goto(path.as_uri(), wait_until="load")
    yield found
    context.close()


@pytest.fixture(scope="module")
def page_file(finished: Path) -> Path:
    """The page that a run on drawn faces wrote."""
    return finished / "folds" / "faces" / "report.html"


@pytest.fixture(scope="module")
def desk(browser: "playwright.Browser", page_file: Path) -> Iterator[Opened]:
    """That page in a wide window, shared: who uses it sets what it needs and expects no order."""
    with opening(browser, page_file) as found:
        yield found


def csv_of(page_file: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(page_file.with_name(name), dtype={"subset": str, "fold": str})


def figure(text: str) -> float:
    return float(text.strip("()"))


def draw_all(found: Opened) -> int:
    """Bring every chart near the screen; how many there are."""
    places = found.page.locator("[data-chart]")
    for i in range(places.count()):
        places.nth(i).scroll_into_view_if_needed()
        places.nth(i).locator("svg.main-svg").first.wait_for()
    return places.count()


def test_it_opens_from_disk_quietly_and_draws_every_chart(desk: Opened):
    assert draw_all(desk) == 5
    assert desk.complaints == []
    assert [url for url in desk.asked if not url.startswith(("file://", "data:"))] == []
    assert sum(url.startswith("file://") for url in desk.asked) == 1


def test_nothing_can_leave_it(browser: "playwright.Browser", page_file: Path):
    with opening(browser, page_file) as found:
        said = found.page.evaluate("() => fetch('http://127.0.0.1:9/').then(() => 'sent', (error) => String(error))")
    assert "TypeError" in said
    assert any("Content Security Policy" in one for one in found.complaints)


def test_cells_are_the_reports_figures(desk: Opened, page_file: Path):
    desk.press("folds-table", "all lines")
    want = csv_of(page_file, "report.csv").dropna(subset="rmse")
    lines = {(line["predictions"], line["rows"]): line for line in desk.table("folds-table")}
    titles = {"15": "15", "4": "4", "weighted": "both"}
    assert len(lines) == len(want[want["fold"] == "all"]) > 10
    for row in want.to_dict("records"):
        line = lines[row["name"], titles[row["subset"]]]
        column = "all folds" if row["fold"] == "all" else f"fold {row['fold']}"
        assert figure(line[column]) == pytest.approx(row["rmse"], abs=0.0006)
        if row["fold"] == "all":
            assert figure(line["w/o outliers"]) == pytest.approx(row["rmse_without_outliers"], abs=0.0006)


@pytest.mark.parametrize("subset", ["15", "4"])
def test_the_heat_table_is_the_keypoints_figures(desk: Opened, page_file: Path, subset: str):
    want = csv_of(page_file, "keypoints.csv").dropna(subset="rmse").query("subset == @subset")
    heat = {line["keypoint"]: line for line in desk.table(f"heat-{subset}")}
    assert [name.replace(" ", "_") for name in heat] == list(want["point"].unique())
    assert len(heat) == int(subset)
    for row in want.to_dict("records"):
        cell = heat[row["point"].replace("_", " ")][row["name"]]
        assert figure(cell) == pytest.approx(row["rmse"], abs=0.0006)


def test_a_click_on_a_title_sorts(desk: Opened):
    desk.press("folds-table", "all lines")
    title = desk.page.locator("#folds-table thead").get_by_role("button", name="all folds")
    figures = []
    for _ in range(2):
        title.click()
        figures.append([figure(line["all folds"]) for line in desk.table("folds-table")])
    assert figures[0] == sorted(figures[0])
    assert figures[1] == sorted(figures[0], reverse=True)
    assert figures[0] != figures[1]
    desk.page.locator("#folds-table thead").get_by_role("button", name="minutes").click()
    minutes = [line["minutes"] for line in desk.table("folds-table")]
    known = [one for one in minutes if one != "-"]
    assert minutes == sorted(known, key=float) + ["-"] * (len(minutes) - len(known))  # what is not known comes last


def test_switches_show_the_rows_they_name(desk: Opened):
    for title, rows in (("both, weighted by asked cells", "both"), ("4-keypoint rows", "4")):
        desk.press("folds-table", title)
        assert {line["rows"] for line in desk.table("folds-table")} == {rows}
    for shown, hidden in (("15", "4"), ("4", "15")):
        desk.press("heat", f"{shown}-keypoint rows")
        assert desk.page.locator(f"#heat-{shown}").is_visible()
        assert not desk.page.locator(f"#heat-{hidden}").is_visible()


def test_pictures_are_filtered_and_enlarged(desk: Opened):
    data = desk.page.evaluate("() => stored('pictures-data')")
    desk.press("worst-subset", "both")
    assert desk.ids() == [one["id"] for one in data["worst"]][:24]
    desk.page.locator("#more").click()
    assert len(desk.ids()) == min(48, len(data["worst"]))
    desk.press("worst-subset", "4-keypoint")
    desk.press("worst-outlier", "no outliers")
    desk.page.locator("#keypoint").select_option(label="nose tip")
    nose = data["points"].index("nose_tip")
    want = [
        (next(mark["e"] for mark in one["marks"] if mark["k"] == nose), one["id"])
        for one in data["worst"]
        if one["subset"] == 4 and not one["outlier"] and nose in [mark["k"] for mark in one["marks"]]
    ]
    want.sort(key=lambda one: -one[0])
    assert desk.ids() == [identity for _, identity in want][:24]
    assert desk.page.locator("#count").text_content() == f"{len(want)} of {len(data['worst'])} pictures"
    desk.page.locator("#worst .card").first.click()
    assert desk.page.locator("#enlarged h3").text_content() == f"Picture {want[0][1]}"
    assert 1 <= desk.page.locator("#enlarged tbody tr").count() <= 4
    desk.page.keyboard.press("Escape")
    assert not desk.page.locator("#enlarged").is_visible()


def test_outliers_have_their_badge_and_their_switch(desk: Opened):
    data = desk.page.evaluate("() => stored('pictures-data')")
    desk.press("worst-subset", "both")
    desk.page.locator("#keypoint").select_option(label="all")
    for title, outlier in (("outliers", True), ("no outliers", False)):
        desk.press("worst-outlier", title)
        assert desk.ids() == [one["id"] for one in data["worst"] if one["outlier"] is outlier][:24]
        badges = desk.page.locator("#worst .card .badge").all_text_contents()
        assert badges == ["outlier"] * (len(desk.ids()) if outlier else 0)
    assert any(one["outlier"] for one in data["worst"])
    desk.press("worst-outlier", "all labels")


def test_marks_lie_where_the_pixels_are(desk: Opened):
    card = desk.page.locator("#worst .card").first
    card.scroll_into_view_if_needed()
    shown = int(card.get_attribute("data-id"))
    mark = desk.page.evaluate("(id) => stored('pictures-data').worst.find((one) => one.id === id).marks[0]", shown)
    frame, ring = card.locator("svg").bounding_box(), card.locator("circle.label").first.bounding_box()
    scale = frame["width"] / 96
    assert ring["x"] + ring["width"] / 2 - frame["x"] == pytest.approx((mark["l"][0] + 0.5) * scale, abs=0.3)
    assert ring["y"] + ring["height"] / 2 - frame["y"] == pytest.approx((mark["l"][1] + 0.5) * scale, abs=0.3)


def test_the_training_chart_shows_a_specialist_and_the_folds_chosen(desk: Opened):
    draw_all(desk)
    lit = """() => {
      const traces = document.getElementById("training-chart").data;
      return traces.filter((trace) => trace.visible !== false).map((trace) => trace.meta.fold).sort();
    }"""
    desk.page.locator("#specialist").select_option("base")
    assert desk.page.evaluate(lit) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    for fold in ("fold 1", "fold 3"):
        desk.page.locator('[data-toggle="fold"]').get_by_role("button", name=fold).click()
    assert desk.page.evaluate(lit) == [0, 0, 2, 2, 4, 4]
    desk.page.locator("#specialist").select_option("child")
    assert desk.page.evaluate(lit) == [0, 0, 2, 2, 4, 4]


@pytest.mark.parametrize(("system", "button"), [("light", "dark"), ("dark", "light")])
def test_the_theme_is_the_systems_until_it_is_switched(
    browser: "playwright.Browser", page_file: Path, system: str, button: str
):
    lightness = """() => {
      const read = (text) => text.match(/[0-9.]+/g).slice(0, 3).map(Number).reduce((a, b) => a + b) / 3;
      const chart = document.querySelector('[data-chart="standing"]');
      return [getComputedStyle(document.body).backgroundColor, chart._fullLayout.font.color].map(read);
    }"""
    with opening(browser, page_file, theme=system) as found:
        found.page.locator('[data-chart="standing"] svg.main-svg').first.wait_for()
        before = found.page.evaluate(lightness)
        found.page.locator("#theme").click()
        for _ in range(100):  # plotly may still be at the first drawing
            after = found.page.evaluate(lightness)
            if after[1] != before[1]:
                break
            found.page.wait_for_timeout(50)
        found.page.reload(wait_until="commit")
        found.page.locator("h1").first.wait_for()
        kept = found.page.evaluate("() => document.documentElement.dataset.theme")
    (light_paper, light_text), (dark_paper, dark_text) = (before, after) if system == "light" else (after, before)
    assert light_paper > 200 > 130 > light_text
    assert dark_paper < 60 < 130 < dark_text
    assert kept == button


def test_it_fits_a_phone(browser: "playwright.Browser", page_file: Path):
    with opening(browser, page_file, width=390) as found:
        assert overflow(found) == 390


def test_it_fits_a_desk(desk: Opened):
    assert overflow(desk) == 1440


def overflow(found: Opened) -> float:
    """The width that the page needs, everything drawn and unfolded; the window's where it fits."""
    draw_all(found)
    found.page.evaluate("() => document.querySelectorAll('details').forEach((one) => (one.open = true))")
    return found.page.evaluate("() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")


def test_something_can_be_read_soon(browser: "playwright.Browser", desk: Opened, page_file: Path):
    painted = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity"
    if desk.page.evaluate(painted) > FIRST_PAINT:  # a busy machine may be slow once
        with opening(browser, page_file) as again:
            assert again.page.evaluate(painted) <= FIRST_PAINT


def test_a_comparison_has_its_section(
    browser: "playwright.Browser",
    report: Report,
    faces: FaceSet,
    table: FoldTable,
    oof: list[Predictions],
    tmp_path: Path,
):
    gallery = gallery_of(faces, table, oof[-1])
    worse = predicted(faces, "final", 1.8, 11).coords.astype(float)
    other = Other(Path("/runs/b"), {"final": worse}, {})
    compared = compare(gallery, {"final": gallery.coords.astype(float)}, {}, other, WEIGHTS)
    with opening(browser, write_page(tmp_path, replace(report, comparison=compared))) as found:
        found.page.locator("#comparison").scroll_into_view_if_needed()
        found.page.locator('[data-chart="comparison"] svg.main-svg').first.wait_for()
        lines = found.table("comparison-table")
        assert [line["predictions"] for line in lines[:3]] == ["final"] * 3
        for line in lines:
            between = figure(line["this run"]) - figure(line["other run"])
            assert figure(line["difference"]) == pytest.approx(between, abs=0.0016)
        found.press("comparison-table", "15-keypoint rows")
        assert {line["rows"] for line in found.table("comparison-table")} == {"15"}
        assert found.page.locator("#changed .card").count() == len(compared.changed) > 10
    assert found.complaints == []
