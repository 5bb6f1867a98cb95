import cv2
import numpy as np
import pandas as pd

from solution.evaluation.label_errors.ranking import audit_of, make_audit
from solution.keypoints import SIZE
from solution.report.drawing import LABEL, PREDICTION
from solution.report.label_errors import (
    CAPTION,
    COLUMNS,
    LEGEND,
    PAPER,
    SHEET,
    WORST,
    ZOOM,
    contact_sheet,
    write_audit,
)
from tests.evaluation.label_errors.cases import oof_of, relabelled, table_of

TILE = (ZOOM * SIZE + CAPTION, ZOOM * SIZE)


def made(truth, wrong):
    coords = truth.coords.copy()
    coords[wrong] += 13.0
    faces, oof = relabelled(truth, coords), oof_of(truth)
    return faces, oof, make_audit(faces, table_of(faces), oof)


def test_sheet_holds_one_tile_a_face_below_the_legend(truth, singles):
    faces, oof, audit = made(truth, singles[-12:])
    sheet = contact_sheet(faces, oof, audit.head(COLUMNS + 1))
    assert sheet.dtype == np.uint8
    assert sheet.shape == (LEGEND + 2 * TILE[0], COLUMNS * TILE[1], 3)
    assert (sheet[LEGEND + TILE[0] :, : TILE[1]] != PAPER).any()
    assert (sheet[LEGEND + TILE[0] :, TILE[1] :] == PAPER).all()


def test_labels_and_predictions_are_drawn_where_they_lie(truth, singles):
    faces, oof, audit = made(truth, singles[:1])
    tile = contact_sheet(faces, oof, audit)[LEGEND : LEGEND + TILE[0], : TILE[1]]
    row = singles[0]
    assert audit["id"].iloc[0] == row
    x, y = np.rint((oof.coords[row, 10] + 0.5) * ZOOM - 0.5).astype(int)
    assert tile[y, x].tolist() == list(PREDICTION)
    x, y = np.rint((faces.coords[row, 10] + 0.5) * ZOOM - 0.5).astype(int)
    around = tile[y - 7 : y + 8, x - 7 : x + 8].reshape(-1, 3).astype(int)
    assert (np.abs(around - LABEL).sum(axis=1) < 60).sum() > 8  # the ring, its edge softened


def test_no_more_than_the_worst_are_shown(truth, singles):
    faces, oof, audit = made(truth, singles[-12:])
    many = pd.concat([audit] * 5)
    assert len(many) > WORST
    assert contact_sheet(faces, oof, many).shape[0] == LEGEND + WORST // COLUMNS * TILE[0]


def test_an_empty_audit_gives_a_readable_picture_and_table(truth, tmp_path):
    faces = relabelled(truth, truth.coords.copy())
    oof = oof_of(truth, error=0.0)
    audit = audit_of(make_audit(faces, table_of(faces), oof).to_dict("records"))
    facts = write_audit(tmp_path, faces, audit, oof, None)
    assert len(audit) == facts["listed"] == facts["flagged"] == facts["far_off"] == 0
    assert cv2.imread(str(tmp_path / SHEET)).shape == (LEGEND, COLUMNS * TILE[1], 3)
