from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from solution import ensemble, stacker
from solution.ambiguity import ambiguity
from solution.artefacts import Workspace
from solution.data.competition import Competition, Lookup
from solution.ensemble import BLEND, FINAL, PLAIN, STACK, Ensemble
from solution.errors import UserError
from solution.faces import FaceSet, Predictions
from solution.keypoints import FACE15, IN_FOUR
from solution.specialists import Specialist, Workbench
from solution.stacker import stack_all
from tests.small import FOLDS, small_faces, small_folds
from tests.tiny_recipes import ALL, BASE, OTHER

ROWS = 120


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacker, "ROUNDS", 60)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """Random faces, half of them much darker than the others."""
    train, test = small_faces(ROWS, ROWS), small_faces(20, 20, seed=1)
    train, test = (replace(faces, images=darkened(faces)) for faces in (train, test))
    lookup = Lookup(np.arange(40), test.ids, np.zeros(40, int))
    data = Competition(train, test, lookup, "d" * 16, "e" * 16, "f" * 16, True)
    return Workbench(Workspace(tmp_path, "planted"), data, small_folds(train))


def darkened(faces: FaceSet) -> np.ndarray:
    return np.where((faces.ids % 2 == 0)[:, None, None], faces.images // 3, faces.images)


def specialist(bench: Workbench, recipe: object, bias: float, seed: int) -> Specialist:
    """Errs by a pixel, and by `bias` more in x where the picture is dark: something that trees can learn."""
    rng = np.random.default_rng(seed)

    def say(faces: FaceSet) -> Predictions:
        coords = faces.coords + rng.standard_normal(faces.coords.shape).astype(np.float32)
        coords[faces.ids % 2 == 0, :, 0] += bias
        coords[~np.isin(faces.subset, recipe.subsets)] = np.nan
        return Predictions(recipe.name, faces.ids, coords, np.full(coords.shape[:2], np.nan, np.float32))

    data = bench.competition
    return Specialist(recipe, say(data.train), tuple(say(data.test) for _ in range(FOLDS)), 1.0)


def made(bench: Workbench, bias: float) -> Ensemble:
    return ensemble.make([specialist(bench, BASE, bias, 1), specialist(bench, OTHER, bias, 2)], bench)


def drifting(bench: Workbench, most: float) -> tuple[Workbench, np.ndarray]:
    """The same faces with 4-keypoint labels that glide by up to `most` px in y, and its test rows' so moved."""
    data = bench.competition
    moved = []
    for faces in (data.train, data.test):
        coords = faces.coords.copy()
        rows = np.flatnonzero(faces.subset == 4)
        coords[rows, :, 1] += most * np.sin(np.pi * 2 * (np.arange(len(rows)) + 0.5) / len(rows))[:, None]
        moved.append(coords)
    train = replace(data.train, coords=moved[0])
    return replace(bench, competition=replace(data, train=train)), moved[1]


def error(coords: np.ndarray, labels: np.ndarray) -> float:
    return float(np.sqrt(np.nanmean((coords - labels) ** 2)))


def test_the_stack_corrects_a_bias_that_depends_on_the_picture(bench: Workbench):
    found = made(bench, bias=3.0)
    data = bench.competition
    for name, parts, faces in (("oof", found.oof, data.train), ("test", found.test, data.test)):
        blend, stack = (error(parts[kind], faces.coords) for kind in (BLEND, STACK))
        assert stack < 0.7 * blend, name
    assert {choice["used"] for choice in found.choice.values()} == {STACK}
    for choice in found.choice.values():
        point, low, high = choice["difference"]
        assert low < point < high < 0
        assert point == pytest.approx(choice[STACK] - choice[BLEND])


def test_the_blend_is_used_where_the_stack_is_worse(bench: Workbench, monkeypatch: pytest.MonkeyPatch):
    def wrong(
        self: stacker.Trees, members: np.ndarray, spreads: np.ndarray, blend: np.ndarray, faces: object
    ) -> object:
        return blend + (2.0 if self.subset == 4 else 0.0)

    monkeypatch.setattr(stacker.Trees, "correct", wrong)
    found = made(bench, bias=0.0)
    assert found.choice[4]["used"] == BLEND
    in4 = bench.competition.test.subset == 4
    np.testing.assert_array_equal(found.test["plain"][:, in4], found.test[BLEND][:, in4])
    assert found.choice[4]["difference"][0] > 0.5


def test_a_rows_blend_and_stack_do_not_depend_on_its_own_folds_labels(bench: Workbench):
    members = [specialist(bench, BASE, 1.0, 1), specialist(bench, OTHER, -2.0, 2)]
    train, test, table = bench.competition.train, bench.competition.test, bench.table
    before = stack_all(members, train, test, table)
    own = table.fold == 1
    coords = train.coords.copy()
    coords[own] += np.random.default_rng(0).normal(0, 3, coords[own].shape).astype(np.float32)
    after = stack_all(members, replace(train, coords=coords), test, table)
    for new, old in ((after.blend, before.blend), (after.stack, before.stack)):
        np.testing.assert_array_equal(new[own], old[own])
        assert np.nanmax(np.abs(new - old)) > 1e-4  # the others' weights and trees were learnt from these labels


def test_a_face_that_one_specialist_has_lost_is_the_others_alone(bench: Workbench):
    """Held-out and test faces alike, and told by what is usual in the same fold: other networks may be less sure."""
    train, test, fold = bench.competition.train, bench.competition.test, bench.table.fold
    lost, lost_test = (np.flatnonzero(faces.subset == 4)[5] for faces in (train, test))

    def certain(member: Specialist, off: float, doubt: float, elsewhere: float) -> Specialist:
        """The specialist with spreads of 1 px, `elsewhere` in other folds; its one face `off` px off, `doubt` times."""
        usual = np.where(fold == fold[lost], 1.0, elsewhere)
        for part, face, spread in ((member.oof, lost, usual), *((part, lost_test, 1.0) for part in member.test)):
            part.spread[:] = np.broadcast_to(spread, len(part.ids))[:, None]
            part.spread[face] *= doubt
            part.coords[face, :, 0] += off
        return member

    wrong = certain(specialist(bench, BASE, 0.0, 1), off=40.0, doubt=3.0, elsewhere=40.0)
    right = certain(specialist(bench, OTHER, 0.0, 2), off=0.0, doubt=1.0, elsewhere=1.0)
    found = ensemble.make([wrong, right], bench)
    np.testing.assert_allclose(found.oof[BLEND][lost, IN_FOUR], right.oof.coords[lost, IN_FOUR], rtol=1e-4)
    for f in range(FOLDS):
        told = right.test[f].coords[lost_test, IN_FOUR]
        np.testing.assert_allclose(found.test[BLEND][f, lost_test, IN_FOUR], told, rtol=1e-4)


def test_a_drift_along_the_file_is_added_where_there_is_one(bench: Workbench):
    moved, answers = drifting(bench, most=3.0)
    told = [specialist(bench, BASE, 0.0, 1), specialist(bench, OTHER, 0.0, 2)]  # by networks that know no row
    still, found = ensemble.make(told, bench), ensemble.make(told, moved)
    assert not still.choice[4]["drift_used"]
    assert found.choice[4]["drift_used"]
    assert not found.choice[15]["drift_used"]
    in4 = moved.competition.train.subset == 4
    labels = moved.competition.train.coords
    assert error(found.oof[FINAL][in4], labels[in4]) < 0.6 * error(found.oof[PLAIN][in4], labels[in4])
    assert found.choice[4]["drift"] < 0.6 * found.choice[4]["plain"]
    in4 = moved.competition.test.subset == 4
    assert error(found.test[FINAL][:, in4], answers[in4]) < 0.6 * error(found.test[PLAIN][:, in4], answers[in4])
    for parts, faces in ((found.oof, moved.competition.train), (found.test, moved.competition.test)):
        rows = faces.subset == 15
        np.testing.assert_array_equal(parts[FINAL][..., rows, :, :], parts[PLAIN][..., rows, :, :])


@pytest.mark.parametrize("kind", [15, 4])
def test_a_test_file_may_lack_one_kind_of_row(bench: Workbench, kind: int):
    test = bench.competition.test
    only = replace(bench, competition=replace(bench.competition, test=test.take(test.subset == kind)))
    found = made(only, bias=0.0)
    assert np.isfinite(found.test["final"][:, :, 0]).all()
    assert ambiguity(found.test["final"], only.competition.test.subset).by_subset[19 - kind] == 0


def test_weights_are_named_and_sum_to_one(bench: Workbench):
    found = made(bench, bias=0.0)
    assert found.weights[15] == {"base": 1.0, "other": 0.0}
    assert sum(found.weights[4].values()) == pytest.approx(1.0, abs=1e-3)
    assert min(found.weights[4].values()) > 0.3


def test_a_subset_that_nobody_predicts_is_a_user_error(bench: Workbench):
    with pytest.raises(UserError, match="labelled cells are predicted by no specialist"):
        ensemble.make([specialist(bench, OTHER, 0.0, 1)], bench)


def test_it_is_read_as_it_was_made_and_only_for_its_inputs(bench: Workbench):
    found, inputs = made(bench, bias=0.0), ensemble.inputs_of(bench, ALL)
    assert ensemble.load(bench, inputs) is None
    ensemble.save(found, bench, inputs)
    again = ensemble.load(bench, inputs)
    assert again is not None
    assert (again.choice, again.weights) == (found.choice, found.weights)
    for ours, theirs in ((found.oof, again.oof), (found.test, again.test)):
        assert set(ours) == set(theirs)
        for name, value in ours.items():
            np.testing.assert_array_equal(value, theirs[name])
    assert ensemble.load(bench, ensemble.inputs_of(bench, (replace(BASE, seed=1), *ALL[1:]))) is None


def test_the_test_predictions_are_the_pipelines_mean(bench: Workbench):
    found = made(bench, bias=0.0)
    final = found.test_predictions(BLEND, bench)
    np.testing.assert_allclose(final.coords, found.test[BLEND].mean(axis=0), atol=1e-4)
    known = np.isfinite(final.coords).all(axis=2)
    assert (final.spread[known] > 0).all()
    assert found.oof_predictions(STACK, bench).coords.shape == (2 * ROWS, FACE15.size, 2)
