"""The report as one HTML file that needs nothing else: template, style, scripts and plotly's script are put into it.

Its content policy lets no request leave it and runs no script but those that it was written with.
"""

import base64
import hashlib
import json
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from solution.evaluation.calibration import BINS
from solution.evaluation.outliers import OUTLIERS_IN_WORDS
from solution.evaluation.summary import headline
from solution.evaluation.worst_faces import Mark, Picture
from solution.keypoints import SUBSETS
from solution.report.charts import charts
from solution.report.render import (
    calibration_sheet,
    comparison_sentences,
    comparison_sheet,
    contributions_sheet,
    folds_sheet,
    headline_sheet,
    heat_sheet,
    recipes_sheet,
    settings_sheet,
)
from solution.report.report import TOGETHER, Report
from solution.runtime.artifacts import write_text

NAME = "report.html"
ASSETS = Path(__file__).parent / "assets"
SCRIPTS = ("theme.js", "tables.js", "pictures.js", "charts.js")


def write_page(folder: Path, report: Report) -> Path:
    """Write the page into `folder`, atomically; the same report, the same bytes. Gives its path."""
    write_text(folder / NAME, render(report))
    return folder / NAME


def render(report: Report) -> str:
    """The whole page."""
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    early, own, plotly = _asset("early.js"), "\n".join(map(_asset, SCRIPTS)), _script(get_plotlyjs())
    figures = charts(report)
    return environment.get_template("page.html.j2").render(
        report=report,
        summary=report.summary,
        made=report.provenance,
        subsets=SUBSETS,
        bins=BINS,
        together=TOGETHER,
        outliers_in_words=OUTLIERS_IN_WORDS,
        sentences=headline(report.summary, steps=False),
        sheets=_sheets(report),
        compared=[] if report.comparison is None else comparison_sentences(report.comparison),
        recipes=list(dict.fromkeys(curve.recipe for curve in report.curves)),
        folds=sorted({curve.fold for curve in report.curves}),
        style=Markup(_asset("page.css")),
        early=Markup(early),
        own=Markup(own),
        plotly=Markup(plotly),
        allowed=" ".join(_hash(text) for text in (early, own, plotly)),
        heights={name: figure["layout"]["height"] for name, figure in figures.items()},
        data={"charts": _data(figures), "pictures": _data(_gallery(report))},
    )


def _sheets(report: Report) -> dict[str, Any]:
    sheets = {
        "standing": headline_sheet(report.headline.figures),
        "folds": folds_sheet(report.tables, report.summary),
        "heat": {subset: heat_sheet(report.tables, str(subset)) for subset in SUBSETS},
        "contributions": contributions_sheet(report.contributions),
        "calibration": calibration_sheet(report.calibration),
        "recipes": recipes_sheet(report.provenance),
        "settings": settings_sheet(report.provenance),
    }
    if report.comparison is not None:
        sheets["comparison"] = comparison_sheet(report.comparison)
    return sheets


def _asset(name: str) -> str:
    return _script((ASSETS / name).read_text(encoding="utf-8").strip())


def _script(text: str) -> str:
    """A script as it can stand within a page: with the line ends that a browser reads, and without the closing tag."""
    if "</script" in text.lower() or "<!--" in text:
        raise ValueError("expected a script that can stand within a page, got one that holds a tag")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _hash(script: str) -> str:
    """The script's name in the content policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _data(value: Any) -> Markup:  # noqa: ANN401 - any JSON value
    """JSON that can stand within a script tag."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=True)
    return Markup(text.replace("<", "\\u003c"))


def _gallery(report: Report) -> dict[str, Any]:
    """The pictures as the page's script takes them."""
    changed = () if report.comparison is None else report.comparison.changed
    return {
        "points": list(report.points),
        "worst": [_picture(one) for one in report.pictures],
        "changed": [_picture(one) for one in changed],
    }


def _picture(one: Picture) -> dict[str, Any]:
    height, width = one.image.shape
    return {
        "id": one.id,
        "subset": one.subset,
        "fold": one.fold,
        "rms": _rounded(one.rms),
        "other": None if one.rms_other is None else _rounded(one.rms_other),
        "outlier": one.outlier,
        "score": one.score,
        "reason": one.reason,
        "size": [width, height],
        "png": _png(one.image),
        "marks": [_mark(mark) for mark in one.marks],
    }


def _mark(mark: Mark) -> dict[str, Any]:
    """The point's number, its places, error and spread; `o` is what the other run says."""
    found = {
        "k": mark.point,
        "l": [_rounded(value) for value in mark.label],
        "p": [_rounded(value) for value in mark.predicted],
        "e": _rounded(mark.error),
        "s": _rounded(mark.sigma),
    }
    return found if mark.other is None else {**found, "o": [_rounded(value) for value in mark.other]}


def _rounded(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None


def _png(image: np.ndarray) -> str:
    """A grey picture (H, W) uint8 as PNG in base64."""
    _, encoded = cv2.imencode(".png", image)
    return base64.b64encode(encoded.tobytes()).decode()
