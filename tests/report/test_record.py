"""The record of a submission: each figure in its place, and nothing that JSON cannot hold."""

import json
from dataclasses import replace

import numpy as np

from solution.data.placement import Placement
from solution.ensemble.selection import FINAL, Ensemble
from solution.evaluation.evaluation import Duplicates
from solution.evaluation.summary import Figure, Worth
from solution.report.record import duplicates_record, record_of
from solution.report.report import Report
from tests.report.cases import CHOICE


def test_each_figure_and_fact_has_its_place(report: Report) -> None:
    figures = (
        Figure("expected", "", "", {"overall": 1.0000011, 15: 2.0, 4: 3.0}, {"overall": (0.5, 1.5), 15: (1.9, 2.1)}),
        Figure("new", "", "", {"overall": 4.0, 15: 5.0, 4: 6.0}),
    )
    summary = replace(report.summary, figures=figures, outliers=13, disagreeing=14)
    evaluation = replace(report.evaluation, summaries={FINAL: summary})
    placement = Placement(
        subset=4,
        relation="continues",
        pictures=5,
        pairs=(30, 20, 4),
        period=401.23456,
        rate=1.01,
        places=np.arange(10.0),
        error=np.ones(10),
    )
    made = Ensemble({}, {}, CHOICE, {15: {"unet_15": 1.0}}, {15: [["unet_15", 1.09]]})
    record = record_of(evaluation, FINAL, made, {4: placement})
    wanted = {
        "kind": "final",
        "expected": {"overall": 1.0, "15": 2.0, "4": 3.0},
        "expected_intervals": {"overall": [0.5, 1.5], "15": [1.9, 2.1]},
        "new": {"overall": 4.0, "15": 5.0, "4": 6.0},
        "new_intervals": {},
        "outliers": 13,
        "disagreeing": 14,
        "use_duplicates": False,
        "duplicates": {"test_pictures": 0},
        "blend_weights": {"15": {"unet_15": 1.0}},
        "added": {"15": [["unet_15", 1.09]]},
    }
    assert {name: record[name] for name in wanted} == wanted
    place = record["placement"]["4"]
    facts = {"relation": "continues", "pictures": 5, "pairs": (30, 20, 4), "period": 401.2346, "rate": 1.01}
    assert {name: place[name] for name in facts} == facts
    assert place["phase"] is place["concentration"] is None  # not NaN, which JSON does not have
    assert not {"places", "error", "subset"} & set(place)
    assert "NaN" not in json.dumps(record)


def test_the_submission_with_duplicates_records_their_worth() -> None:
    worth = Worth(weight=0.432101, unmet=0.54, rows=933, alone=1.6507, blended=1.3333)
    record = duplicates_record(Duplicates(test_pictures=7, used=5, worth={4: worth}, labels={}))
    facts = {"weight": 0.4321, "weight_unmet": 0.54, "rows": 933, "cv_alone": 1.6507, "cv_blended": 1.3333}
    assert record == {
        "use_duplicates": True,
        "duplicates": {"test_pictures": 7, "blended": 5, "worth": {"4": facts}},
    }
