import io
import json

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from solution.__main__ import main
from solution.evaluation.label_errors.ranking import COLUMNS, audit_of, make_audit
from solution.report.label_errors import FACTS, SHEET, TABLE, TOP, found_planted, read_planted, show, write_audit
from solution.runtime.artifacts import file_digest
from solution.runtime.errors import UserError
from tests.evaluation.label_errors.cases import oof_of, relabelled, table_of


def test_planted_rows_are_counted():
    found = found_planted(np.array([3, 5, 8]), {3: "shifted", 8: "swapped_eyes", 9: "other_face", 11: "shifted"})
    assert found["precision"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["recall"] == 0.5
    assert found["missed"] == [{"row": 9, "kind": "other_face"}, {"row": 11, "kind": "shifted"}]
    assert found["innocent"] == [5]


def test_precision_and_recall_of_nothing_are_none():
    nothing = found_planted(np.array([], dtype=int), {})
    assert nothing["precision"] is None
    assert nothing["recall"] is None


@pytest.mark.parametrize("text", ["{", "{}", '{"wrong": [1]}', None])
def test_a_damaged_manifest_is_an_error_that_names_it(tmp_path, text):
    path = tmp_path / "drawn.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=r"drawn\.json: expected the manifest of drawn faces"):
        read_planted(path)


def test_files_and_terminal_tell_the_same(truth, singles, tmp_path):
    coords = truth.coords.copy()
    wrong = singles[-12:]
    coords[wrong] += np.linspace(8, 28, len(wrong), dtype=np.float32)[:, None, None]
    faces = relabelled(truth, coords)
    planted = dict.fromkeys(wrong.tolist(), "shifted")
    audit = make_audit(faces, table_of(faces), oof_of(truth))
    stored = json.loads(json.dumps(audit.to_dict("records")))
    pd.testing.assert_frame_equal(audit_of(stored), audit, check_dtype=False)
    facts = write_audit(tmp_path, faces, audit, oof_of(truth), planted)
    assert facts["flagged_against_planted"]["precision"] == facts["flagged_against_planted"]["recall"] == 1.0
    assert 0 < facts["far_off_against_planted"]["recall"] < 1
    assert json.loads((tmp_path / FACTS).read_text()) == facts
    read = pd.read_csv(tmp_path / TABLE, keep_default_na=False)
    assert tuple(read.columns) == COLUMNS
    assert read["id"].tolist() == audit["id"].tolist()
    assert read["id"].iloc[0] == wrong[-1]

    screen = io.StringIO()
    show(audit, facts, tmp_path, Console(file=screen, width=200))
    printed = screen.getvalue()
    assert sum(line.lstrip().split(" ")[0] in set(map(str, wrong)) for line in printed.splitlines()) == TOP
    assert "12 flagged" in printed
    assert "recall 100%" in printed
    assert str(tmp_path / SHEET) in printed


def test_the_verb_writes_its_files_and_leaves_every_other_one_untouched(finished_copy, drawn_folder, capsys):
    arguments = ["--data", str(drawn_folder), "--scale", "smoke"]
    assert main(["report", *arguments], finished_copy) == 0
    files = [path for path in finished_copy.rglob("*") if path.is_file() and path.name != "log.txt"]
    before = {path: file_digest(path) for path in files}
    assert main(["audit", *arguments], finished_copy) == 0
    folder = finished_copy / "folds" / drawn_folder.name
    for name in (TABLE, SHEET, FACTS):
        assert (folder / name).is_file()
    assert json.loads((folder / FACTS).read_text())["planted"] == len(read_planted(drawn_folder / "drawn.json")) == 2
    assert "The audit drops no row" in capsys.readouterr().out
    assert main(["report", *arguments], finished_copy) == 0
    assert {path: file_digest(path) for path in files} == before


def test_the_verb_asks_for_the_stack(drawn_folder, tmp_path, capsys):
    arguments = ["--data", str(drawn_folder), "--scale", "smoke"]
    assert main(["folds", *arguments], tmp_path) == 0
    assert main(["audit", *arguments], tmp_path) == 2
    assert "Run `python -m solution stack` with" in capsys.readouterr().err
