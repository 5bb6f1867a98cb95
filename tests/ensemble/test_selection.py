import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from solution.data.competition import Competition, Lookup
from solution.data.placement import CONTINUES, INTERLEAVED, UNKNOWN
from solution.ensemble import selection
from solution.ensemble.choice import SubsetChoice
from solution.ensemble.config import DriftConfig, EnsembleConfig, GatingConfig, StackerConfig
from solution.ensemble.selection import BLEND, FINAL, PLAIN, STACK, WITH_DRIFT, Ensemble
from solution.ensemble.stacker import Trees, stack_all
from solution.evaluation.ensemble_variance import ensemble_variance
from solution.faces import FaceSet, FoldTable, Predictions
from solution.keypoints import FACE15, IN_FOUR
from solution.run import Run
from solution.runtime.errors import UserError
from solution.specialists.cross_validation import Specialist
from tests.jobs import run_on, with_data
from tests.passes import passes
from tests.small import FOLDS, small_faces, small_folds
from tests.tiny_recipes import ALL, BASE, OTHER

ROWS = 120


CONFIG = EnsembleConfig(stacker=StackerConfig(rounds=60))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Random faces, half of them much darker than the others."""
    train, test = small_faces(ROWS, ROWS), small_faces(20, 20, seed=1)
    train, test = (replace(faces, images=darkened(faces)) for faces in (train, test))
    lookup = Lookup(np.arange(40), test.ids, np.zeros(40, int))
    data = Competition(train, test, lookup, "d" * 16, "e" * 16, "f" * 16, True)
    return run_on(tmp_path, data, small_folds(train))


def darkened(faces: FaceSet) -> np.ndarray:
    return np.where((faces.ids % 2 == 0)[:, None, None], faces.images // 3, faces.images)


def specialist(run: Run, recipe: object, bias: float, seed: int) -> Specialist:
    """Errs by a pixel, and by `bias` more in x where the picture is dark: something that trees can learn."""
    rng = np.random.default_rng(seed)

    def say(faces: FaceSet) -> Predictions:
        coords = faces.coords + rng.standard_normal(faces.coords.shape).astype(np.float32)
        coords[faces.ids % 2 == 0, :, 0] += bias
        coords[~np.isin(faces.subset, recipe.subsets)] = np.nan
        return Predictions(recipe.name, faces.ids, coords, np.full(coords.shape[:2], np.nan, np.float32))

    data = run.competition
    return Specialist(recipe, say(data.train), tuple(say(data.test) for _ in range(FOLDS)), 1.0)


def made(run: Run, bias: float = 0.0, of: Run | None = None) -> Ensemble:
    """The ensemble of two specialists, whose predictions are of `of` in place of the run."""
    members = [specialist(of or run, BASE, bias, 1), specialist(of or run, OTHER, bias, 2)]
    return selection.make(members, run, CONFIG)


def drifting(run: Run, most: float) -> tuple[Run, np.ndarray]:
    """The same faces with 4-keypoint labels that glide by up to `most` px in y, and its test rows' so moved."""
    data = run.competition
    moved = []
    for faces in (data.train, data.test):
        coords = faces.coords.copy()
        rows = np.flatnonzero(faces.subset == 4)
        coords[rows, :, 1] += most * np.sin(np.pi * 2 * (np.arange(len(rows)) + 0.5) / len(rows))[:, None]
        moved.append(coords)
    train = replace(data.train, coords=moved[0])
    return with_data(run, competition=replace(data, train=train)), moved[1]


def error(coords: np.ndarray, labels: np.ndarray) -> float:
    return float(np.sqrt(np.nanmean((coords - labels) ** 2)))


def test_the_stack_corrects_a_bias_that_depends_on_the_picture(run: Run):
    found = made(run, bias=3.0)
    data = run.competition
    for name, parts, faces in (("oof", found.oof, data.train), ("test", found.test, data.test)):
        blend, stack = (error(parts[kind], faces.coords) for kind in (BLEND, STACK))
        assert stack < 0.7 * blend, name
    for choice in found.choice.values():
        point, low, high = choice.difference
        assert choice.used == STACK
        assert low < point < high < 0
        assert point == pytest.approx(choice.stack - choice.blend)


def test_the_blend_is_used_where_the_stack_is_worse(run: Run, monkeypatch: pytest.MonkeyPatch):
    def wrong(self: Trees, members: object, blend: np.ndarray, pictures: object) -> np.ndarray:
        return blend + (2.0 if self.subset == 4 else 0.0)

    monkeypatch.setattr(Trees, "correct", wrong)
    found = made(run)
    assert found.choice[4].used == BLEND
    in4 = run.competition.test.subset == 4
    np.testing.assert_array_equal(found.test["plain"][:, in4], found.test[BLEND][:, in4])
    assert found.choice[4].difference[0] > 0.5


def test_a_rows_blend_and_stack_do_not_depend_on_its_own_folds_labels(run: Run):
    members = [specialist(run, BASE, 1.0, 1), specialist(run, OTHER, -2.0, 2)]
    train, test, table = run.competition.train, run.competition.test, run.table
    before = stack_all(members, train, test, table, CONFIG)
    own = table.fold == 1
    coords = train.coords.copy()
    coords[own] += np.random.default_rng(0).normal(0, 3, coords[own].shape).astype(np.float32)
    after = stack_all(members, replace(train, coords=coords), test, table, CONFIG)
    for new, old in ((after.blend, before.blend), (after.stack, before.stack)):
        np.testing.assert_array_equal(new[own], old[own])
        assert np.nanmax(np.abs(new - old)) > 1e-4  # the others' weights and trees were learnt from these labels


def test_a_face_that_a_specialist_misses_is_predicted_by_the_others(run: Run):
    """Held-out and test faces alike. Uncertainty is relative to the same fold, whose networks are the same."""
    train, test, fold = run.competition.train, run.competition.test, run.table.fold
    lost, lost_test = (np.flatnonzero(faces.subset == 4)[5] for faces in (train, test))

    def certain(member: Specialist, off: float, uncertainty: float, elsewhere: float) -> Specialist:
        """The specialist with spreads of 1 px, `elsewhere` in other folds; its one face `off` px off, `uncertainty`
        times.
        """
        usual = np.where(fold == fold[lost], 1.0, elsewhere)
        for part, face, sigma in ((member.oof, lost, usual), *((part, lost_test, 1.0) for part in member.test)):
            part.sigma[:] = np.broadcast_to(sigma, len(part.ids))[:, None]
            part.sigma[face] *= uncertainty
            part.coords[face, :, 0] += off
        return member

    wrong = certain(specialist(run, BASE, 0.0, 1), off=40.0, uncertainty=3.0, elsewhere=40.0)
    right = certain(specialist(run, OTHER, 0.0, 2), off=0.0, uncertainty=1.0, elsewhere=1.0)
    found = selection.make([wrong, right], run, CONFIG)
    np.testing.assert_allclose(found.oof[BLEND][lost, IN_FOUR], right.oof.coords[lost, IN_FOUR], rtol=1e-4)
    for f in range(FOLDS):
        told = right.test[f].coords[lost_test, IN_FOUR]
        np.testing.assert_allclose(found.test[BLEND][f, lost_test, IN_FOUR], told, rtol=1e-4)


def in_passes(run: Run, relation: str) -> Run:
    """The same 15-keypoint rows with 1,000 4-keypoint rows of passes over one picture order, a fifth of them the test
    file: random ones, or the last. Their ids tell their places, from 1000 on.
    """
    identities = passes(0, 1000, period=200, repeated=0.4)
    known = small_faces(0, identities.max() + 1, seed=2)
    held = np.arange(1000) >= 800
    if relation == INTERLEAVED:
        held = np.random.default_rng(0).permutation(held)
    parts = []
    for faces, rows in ((run.competition.train, ~held), (run.competition.test, held)):
        in15, shown = np.flatnonzero(faces.subset == 15), identities[rows]
        parts.append(
            FaceSet(
                np.concatenate([faces.ids[in15], 1000 + np.flatnonzero(rows)]),
                np.concatenate([faces.images[in15], known.images[shown]]),
                np.concatenate([faces.coords[in15], known.coords[shown]]),
                FACE15,
                np.repeat([15, 4], [len(in15), len(shown)]).astype(np.int8),
            )
        )
    train, test = parts
    lookup = Lookup(np.arange(len(test)), test.ids, np.zeros(len(test), int))
    group = np.concatenate([10_000 + np.arange((train.subset == 15).sum()), identities[~held]])
    table = FoldTable(train.ids, group % FOLDS, group)
    return with_data(run, competition=replace(run.competition, train=train, test=test, lookup=lookup), table=table)


def gliding(run: Run, most: float) -> tuple[Run, np.ndarray]:
    """The faces of `in_passes` with 4-keypoint labels that glide by up to `most` px in y, and its test rows' labels."""
    data, moved = run.competition, []
    for faces in (data.train, data.test):
        coords, in4 = faces.coords.copy(), faces.subset == 4
        coords[in4, :, 1] += most * np.sin((faces.ids[in4] - 1000) * 2 * np.pi / 400)[:, None]
        moved.append(coords)
    return with_data(run, competition=replace(data, train=replace(data.train, coords=moved[0]))), moved[1]


def test_drift_is_added_to_test_pictures_among_the_training_rows(run: Run):
    still = in_passes(run, INTERLEAVED)
    moved, answers = gliding(still, most=3.0)
    found = made(moved, of=still)
    choice = found.choice[4]
    assert (choice.relation, choice.drift_used, choice.carried) == (INTERLEAVED, True, None)
    assert choice.drift < 0.8 * choice.plain
    point, low, high = choice.drift_difference
    assert low < point < high < 0
    assert point == pytest.approx(choice.drift - choice.plain)
    assert (found.choice[15].relation, found.choice[15].drift_used) == (UNKNOWN, False)
    for parts, faces, labels in (
        (found.oof, moved.competition.train, moved.competition.train.coords),
        (found.test, moved.competition.test, answers),
    ):
        in4 = faces.subset == 4
        final, plain = (error(parts[kind][..., in4, :, :], labels[in4]) for kind in (FINAL, PLAIN))
        assert final < 0.65 * plain
        np.testing.assert_array_equal(parts[FINAL][..., ~in4, :, :], parts[PLAIN][..., ~in4, :, :])


@pytest.mark.parametrize("relation", [INTERLEAVED, CONTINUES])
def test_no_drift_is_added_where_labels_have_none(run: Run, relation: str):
    found = made(in_passes(run, relation))
    assert (found.choice[4].relation, found.choice[4].drift_used) == (relation, False)
    assert found.choice[4].drift_difference[2] >= 0
    for parts in (found.oof, found.test):
        np.testing.assert_array_equal(parts[FINAL], parts[PLAIN])


def test_drift_is_extrapolated_to_test_pictures_that_follow(run: Run):
    """Out-of-fold predictions have none of it: no training row follows all others."""
    still = in_passes(run, CONTINUES)
    moved, _ = gliding(still, most=3.0)
    found = made(moved, of=still)
    choice = found.choice[4]
    assert (choice.relation, choice.drift_used) == (CONTINUES, True)
    window, factor, decay = choice.carried
    np.testing.assert_array_equal(found.oof[FINAL], found.oof[PLAIN])
    in4 = np.flatnonzero(moved.competition.test.subset == 4)
    added = (found.test[FINAL] - found.test[PLAIN])[0][in4][:, list(IN_FOUR), 1]
    assert np.abs(added[0]).max() > 0.1 * factor
    np.testing.assert_allclose(added[100], added[0] * np.exp(-100 / decay), rtol=0.1, atol=0.01)
    assert window > 0


def test_no_drift_is_added_where_the_place_is_unknown(run: Run):
    """However much of it the labels have."""
    moved, _ = drifting(run, most=3.0)
    found = made(moved, of=run)
    for choice in found.choice.values():
        assert (choice.relation, choice.drift_used) == (UNKNOWN, False)
        assert (choice.drift, choice.drift_difference, choice.carried) == (None, None, None)
    for parts in (found.oof, found.test):
        np.testing.assert_array_equal(parts[FINAL], parts[PLAIN])


def test_training_rows_have_drift_only_for_the_audit(run: Run):
    """Wherever the test pictures stand: a training row's own place is known."""
    moved, _ = drifting(run, most=3.0)
    still, found = made(run), made(moved, of=run)
    labels, in4 = moved.competition.train.coords, moved.competition.train.subset == 4
    assert error(found.oof[WITH_DRIFT][in4], labels[in4]) < 0.6 * error(found.oof[PLAIN][in4], labels[in4])
    np.testing.assert_array_equal(found.oof[WITH_DRIFT][~in4], found.oof[PLAIN][~in4])
    np.testing.assert_array_equal(still.oof[WITH_DRIFT], still.oof[PLAIN])
    assert WITH_DRIFT not in found.test


@pytest.mark.parametrize("kind", [15, 4])
def test_a_test_file_may_lack_one_kind_of_row(run: Run, kind: int):
    test = run.competition.test
    only = with_data(run, competition=replace(run.competition, test=test.take(test.subset == kind)))
    found = made(only)
    assert np.isfinite(found.test["final"][:, :, 0]).all()
    assert ensemble_variance(found.test["final"], only.competition.test.subset).by_subset[19 - kind] == 0


def test_weights_are_named_and_sum_to_one(run: Run):
    found = made(run)
    assert found.weights[15] == {"base": 1.0, "other": 0.0}
    assert sum(found.weights[4].values()) == pytest.approx(1.0, abs=1e-3)
    assert min(found.weights[4].values()) > 0.3


def test_a_subset_without_specialist_is_a_user_error(run: Run):
    with pytest.raises(UserError, match="labelled cells are predicted by no specialist"):
        selection.make([specialist(run, OTHER, 0.0, 1)], run, CONFIG)


def test_an_ensemble_is_read_as_it_was_saved_and_only_for_its_inputs(run: Run):
    found, inputs = made(run), selection.inputs_of(run)
    assert selection.load(run, inputs) is None
    selection.save(found, run, inputs)
    again = selection.load(run, inputs)
    assert again is not None
    assert (again.choice, again.weights, again.added) == (found.choice, found.weights, found.added)
    for ours, theirs in ((found.oof, again.oof), (found.test, again.test)):
        assert set(ours) == set(theirs)
        for name, value in ours.items():
            np.testing.assert_array_equal(value, theirs[name])
    assert selection.load(run, selection.inputs_of(with_data(run, recipes=(replace(BASE, seed=1), *ALL[1:])))) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"drift": DriftConfig(near4=13.0)},
        {"gating": GatingConfig(ratio=2.0)},
        {"stacker": StackerConfig(rounds=5)},
    ],
)
def test_a_stack_of_other_settings_is_made_again(run: Run, changed: dict):
    selection.save(made(run), run, selection.inputs_of(run, CONFIG))
    assert selection.load(run, selection.inputs_of(run, replace(CONFIG, **changed))) is None


def test_a_stack_depends_on_how_test_pictures_are_placed(run: Run, monkeypatch: pytest.MonkeyPatch):
    before = selection.inputs_of(run)
    monkeypatch.setattr(selection, "SEQUENCE", replace(selection.SEQUENCE, continues=0.9))
    assert selection.inputs_of(run) != before


@pytest.mark.parametrize("drift", [{}, {"plain": 1.4, "drift": 1.3, "drift_difference": (-0.1, -0.2, -0.05)}])
@pytest.mark.parametrize("carried", [None, (50, 0.7, 100.0)])
def test_a_choice_is_the_same_after_json(drift: dict, carried: tuple | None):
    choice = SubsetChoice(
        used=BLEND, blend=1.1, stack=1.2, difference=(0.1, 0.0, 0.2), relation=UNKNOWN, drift_used=False,
        carried=carried, **drift,
    )  # fmt: skip
    fields = json.loads(json.dumps(choice.to_json()))
    assert SubsetChoice.from_json(fields) == choice
    assert None not in fields.values()


def test_the_test_predictions_are_the_pipelines_mean(run: Run):
    found = made(run)
    final = found.test_predictions(BLEND, run)
    np.testing.assert_allclose(final.coords, found.test[BLEND].mean(axis=0), atol=1e-4)
    known = np.isfinite(final.coords).all(axis=2)
    assert (final.sigma[known] > 0).all()
    assert found.oof_predictions(STACK, run).coords.shape == (2 * ROWS, FACE15.size, 2)
