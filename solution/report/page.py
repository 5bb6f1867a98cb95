"""The report as one HTML file that needs no other file: template, style, scripts and plotly's script are in it.

Its content security policy forbids every request, and every script that was not written into the file.
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
from solution.evaluation.evaluation import TOGETHER
from solution.evaluation.outliers import OUTLIERS_IN_WORDS
from solution.evaluation.worst_faces import Mark, Picture
from solution.keypoints import SUBSETS
from solution.report.charts import charts
from solution.report.report import Report
from solution.report.sentences import comparison_sentences, headline, trust
from solution.report.tables import (
    calibration_table,
    comparison_table,
    contributions_table,
    folds_table,
    headline_table,
    keypoints_table,
    recipes_table,
    settings_table,
)
from solution.runtime.artifacts import write_text

NAME = "report.html"
ASSETS = Path(__file__).parent / "assets"
SCRIPTS = ("theme.js", "tables.js", "pictures.js", "charts.js")


def write_page(folder: Path, report: Report) -> Path:
    """Write the page into `folder`, atomically, and return its path. The same report gives the same bytes."""
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
    early, scripts, plotly = _asset("early.js"), "\n".join(map(_asset, SCRIPTS)), _script(get_plotlyjs())
    figures = charts(report)
    return environment.get_template("page.html.j2").render(
        report=report,
        summary=report.summary,
        provenance=report.provenance,
        subsets=SUBSETS,
        bins=BINS,
        together=TOGETHER,
        outliers_in_words=OUTLIERS_IN_WORDS,
        truth=report.evaluation.truth,
        trust=trust(report.evaluation, report.summary),
        sentences=headline(report, steps=False),
        tables=_tables(report),
        compared=[] if report.comparison is None else comparison_sentences(report.comparison),
        recipes=list(dict.fromkeys(curve.recipe for curve in report.curves)),
        folds=sorted({curve.fold for curve in report.curves}),
        style=Markup(_asset("page.css")),
        early=Markup(early),
        scripts=Markup(scripts),
        plotly=Markup(plotly),
        allowed=" ".join(_hash(text) for text in (early, scripts, plotly)),
        heights={name: figure["layout"]["height"] for name, figure in figures.items()},
        data={"charts": _data(figures), "pictures": _data(_gallery(report))},
    )


def _tables(report: Report) -> dict[str, Any]:
    tables = {
        "standing": headline_table(report),
        "folds": folds_table(report),
        "heat": {subset: keypoints_table(report.evaluation.errors, str(subset)) for subset in SUBSETS},
        "contributions": contributions_table(report),
        "calibration": calibration_table(report),
        "recipes": recipes_table(report.provenance),
        "settings": settings_table(report.provenance),
    }
    if report.comparison is not None:
        tables["comparison"] = comparison_table(report.comparison)
    return tables


def _asset(name: str) -> str:
    return _script((ASSETS / name).read_text(encoding="utf-8").strip())


def _script(text: str) -> str:
    """A script that can stand within a page. Its line ends are those that a browser reads, since digests name it."""
    if "</script" in text.lower() or "<!--" in text:
        raise ValueError("expected a script that can stand within a page, got one that contains a tag")
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
    image = dict(zip(report.faces.ids.tolist(), report.faces.images, strict=True))
    return {
        "points": list(report.points),
        "worst": [_picture(picture, image[picture.id]) for picture in report.evaluation.pictures],
        "changed": [_picture(picture, image[picture.id]) for picture in changed],
    }


def _picture(picture: Picture, image: np.ndarray) -> dict[str, Any]:
    height, width = image.shape
    return {
        "id": picture.id,
        "subset": picture.subset,
        "fold": picture.fold,
        "rms": _rounded(picture.rms),
        "other": None if picture.rms_other is None else _rounded(picture.rms_other),
        "outlier": picture.outlier,
        "score": picture.score,
        "reason": picture.reason,
        "size": [width, height],
        "png": _png(image),
        "marks": [_mark(mark) for mark in picture.marks],
    }


def _mark(mark: Mark) -> dict[str, Any]:
    """The point's number `k`, label `l`, prediction `p`, error `e` and sigma `s`; `o` is the other run's prediction."""
    entry = {
        "k": mark.point,
        "l": [_rounded(value) for value in mark.label],
        "p": [_rounded(value) for value in mark.predicted],
        "e": _rounded(mark.error),
        "s": _rounded(mark.sigma),
    }
    return entry if mark.other is None else {**entry, "o": [_rounded(value) for value in mark.other]}


def _rounded(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None


def _png(image: np.ndarray) -> str:
    """A grey picture (H, W) uint8 as PNG in base64."""
    _, encoded = cv2.imencode(".png", image)
    return base64.b64encode(encoded.tobytes()).decode()
