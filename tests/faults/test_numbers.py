"""Numbers that are not finite: a training stops with a remedy, or skips the batch and counts it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from solution.__main__ import main
from solution.data.competition import Competition
from solution.data.synthetic.settings import DrawnSettings
from solution.data.synthetic.write import write_drawn
from solution.ensemble.config import CONFIG, EnsembleConfig, StackerConfig
from solution.ensemble.stacker import Trees, stack_all
from solution.faces import FaceSet, Predictions
from solution.recipe import LandmarkRecipe, PatchRecipe
from solution.runtime.errors import UserError
from solution.specialists.cross_validation import Specialist
from solution.specialists.job import METHODS
from solution.specialists.landmarks import train
from solution.specialists.landmarks.losses import LOSSES
from solution.specialists.patches import train as patch_training
from solution.specialists.training import WEIGHTS, Training
from tests.jobs import run_on
from tests.small import FOLDS, member_stack, predicted, small_faces, small_folds
from tests.tiny_recipes import ALL, BASE, OTHER

CPU = torch.device("cpu")
RECIPE = replace(BASE, epochs=2, batch=4)


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Training]:
    """A job on 20 + 20 random faces, of which every fifth is held out."""

    def make(**changes: object) -> Training:
        faces = small_faces(20, 20)
        held = np.arange(40) % 5 == 0
        whole = Training(RECIPE, 0, tmp_path, faces.take(~held), faces.take(held), CPU, {"of": "this test"})
        return replace(whole, **changes)

    return make


def loss_with_bad_gradient(every: int) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """A fine loss, but in every so-manieth batch, whose value is 0 and whose gradient is not a number."""
    calls = [0]

    def loss(coords: Tensor, sigma: Tensor, labels: Tensor) -> Tensor:
        calls[0] += 1
        error = torch.where(torch.isnan(labels) | torch.isnan(coords), 0.0, coords - torch.nan_to_num(labels))
        return (error * 0).abs().sum().sqrt() if calls[0] % every == 0 else (error**2).mean()

    return loss


def lost(job: Training, rows: np.ndarray) -> Training:
    """The job with these training rows' labels missing."""
    coords = job.train.coords.copy()
    coords[rows] = np.nan
    return replace(job, train=replace(job.train, coords=coords))


def test_a_gradient_that_is_no_number_now_and_then_is_passed_over_and_counted(
    job: Callable[..., Training], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setitem(LOSSES, RECIPE.loss, loss_with_bad_gradient(every=13))
    train.train(job(recipe=replace(RECIPE, batch=2)))
    assert "base fold 0: epoch 1: 1 of 16 batches passed over: the gradient is not finite" in caplog.messages
    assert all(value.isfinite().all() for value in load_file(job().folder / WEIGHTS).values())


def test_gradients_that_are_no_numbers_too_often_stop_the_training(
    job: Callable[..., Training], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(LOSSES, RECIPE.loss, loss_with_bad_gradient(every=3))
    with pytest.raises(UserError, match=r"base fold 0: the gradient was not finite in 2 steps.*Lower the recipe's lr"):
        train.train(job())
    assert list(job().folder.iterdir()) == []


def test_an_exploding_training_stops_with_advice(job: Callable[..., Training]):
    wild = replace(RECIPE.optimiser, lr=1e30, clip=1e30)
    with pytest.raises(UserError, match=r"base fold 0: .* Lower the recipe's lr or clip and train again\."):
        train.train(job(recipe=replace(RECIPE, epochs=20, optimiser=wild)))
    assert not (job().folder / WEIGHTS).exists()


def test_batches_without_a_label_are_passed_over_and_counted(
    job: Callable[..., Training], caplog: pytest.LogCaptureFixture
):
    thin = lost(job(recipe=replace(RECIPE, batch=2)), np.arange(3, 32))
    train.train(thin)
    counted = [line for line in caplog.messages if "passed over: no point is labelled" in line]
    assert len(counted) == 2
    assert 13 <= int(counted[0].split("epoch 1: ")[1].split(" of ")[0]) <= 15
    assert all(value.isfinite().all() for value in load_file(thin.folder / WEIGHTS).values())


def test_a_label_missing_everywhere_teaches_nothing_and_breaks_nothing(job: Callable[..., Training]):
    train.train(lost(job(), np.arange(32)))
    assert all(value.isfinite().all() for value in load_file(job().folder / WEIGHTS).values())


@pytest.mark.parametrize("rows", [0, 1])
def test_a_training_on_less_than_two_rows_is_refused(job: Callable[..., Training], rows: int):
    whole = job()
    with pytest.raises(UserError, match=f"base fold 0: expected 2 or more training rows, got {rows}"):
        train.train(replace(whole, train=whole.train.take(np.arange(rows))))


@pytest.mark.parametrize("recipe", [RECIPE, replace(OTHER, rows="all", batch=64)])
def test_a_training_on_two_rows_goes_through(job: Callable[..., Training], recipe: LandmarkRecipe):
    whole = job(recipe=recipe)
    train.train(replace(whole, train=whole.train.take(np.array([0, 31]))))
    assert (whole.folder / WEIGHTS).exists()


def test_weights_that_are_no_numbers_are_not_kept(job: Callable[..., Training]):
    weights = {"good": torch.ones(2), "bad": torch.tensor([1.0, torch.nan]), "count": torch.tensor(3)}
    with pytest.raises(UserError, match=r"base fold 0: the trained weights are not finite \(bad and 0 more\)"):
        job().save_weights(weights)
    assert list(job().folder.iterdir()) == []


def test_patches_with_a_loss_that_is_no_number_stop_the_training(
    job: Callable[..., Training], monkeypatch: pytest.MonkeyPatch
):
    recipe = PatchRecipe(name="patches", rows="all", epochs=1, pretrain_epochs=1, patch=17, channels=(2, 4), batch=8)
    monkeypatch.setattr(
        patch_training.DenoisingTask, "loss", lambda task, _: next(task.net.parameters()).sum() * torch.nan
    )
    with pytest.raises(UserError, match="patches fold 0: the loss became nan"):
        patch_training.train(job(recipe=recipe))
    assert list(job().folder.iterdir()) == []


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("rows", [slice(3, 4), slice(None)])
def test_predictions_that_are_no_numbers_are_not_kept(
    drawn: Competition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float, rows: slice
):
    def predict(folder: Path, faces: FaceSet, device: torch.device) -> Predictions:
        found = predicted(faces, BASE.name)
        found.coords[rows, 0, 0] = value
        return found

    monkeypatch.setitem(METHODS, "landmarks", replace(METHODS["landmarks"], predict=predict))
    job = run_on(tmp_path, drawn).job("base", 0)
    with pytest.raises(
        UserError, match=r"base fold 0: a point of \d+ of \d+ \d+-keypoint rows is predicted as no number"
    ):
        job.run(CPU)
    assert not job.is_complete()


def run_drawn(settings: DrawnSettings, root: Path) -> int:
    write_drawn(root / "faces", settings)
    return main(["run", "--data", str(root / "faces"), "--scale", "smoke", "--jobs", "1"], root)


def test_the_smallest_folds_go_through(tmp_path: Path, use_recipes: Callable[..., None]):
    use_recipes(*ALL)
    assert run_drawn(DrawnSettings(train15=5, train4=5, test15=1, test4=1, duplicates=0, wrong=0), tmp_path) == 0
    assert (tmp_path / "submissions" / "faces" / "submission.csv").stat().st_size > 0
    assert "5-keypoint rows: blend kept in 5 of 5 folds" in (tmp_path / "folds" / "faces" / "log.txt").read_text()


@pytest.mark.parametrize(("train15", "train4"), [(1, 30), (30, 1), (4, 30)])
def test_a_subset_with_fewer_rows_than_folds_is_refused(
    tmp_path: Path, use_recipes: Callable[..., None], capsys: pytest.CaptureFixture[str], train15: int, train4: int
):
    use_recipes(*ALL)
    assert run_drawn(DrawnSettings(train15=train15, train4=train4, test15=1, test4=1, duplicates=0), tmp_path) == 2
    assert "expected at least 5 different pictures" in capsys.readouterr().err


def specialist(recipe: LandmarkRecipe, faces: FaceSet, test: FaceSet, bias: float) -> Specialist:
    def say(these: FaceSet) -> Predictions:
        found = predicted(these, recipe.name, error=0.5 * (bias == 0))
        found.coords[..., 0] += bias
        return found

    return Specialist(recipe, say(faces), tuple(say(test) for _ in range(FOLDS)), 1.0)


@pytest.mark.parametrize(
    ("rows", "bias", "why"),
    [
        (12, 0.0, f"labelled cells to learn from, trees need {CONFIG.stacker.fewest}"),
        (150, 1.0, "the blend has the same error everywhere"),
    ],
)
def test_trees_that_cannot_learn_leave_the_blend_and_say_so(
    caplog: pytest.LogCaptureFixture, rows: int, bias: float, why: str
):
    caplog.set_level("INFO")
    faces, test = small_faces(rows, rows), small_faces(4, 4, seed=1)
    faces = replace(faces, coords=np.round(faces.coords))  # so that prediction less label is the bias to the bit
    made = stack_all([specialist(BASE, faces, test, bias)], faces, test, small_folds(faces))
    np.testing.assert_array_equal(made.stack, made.blend)
    np.testing.assert_array_equal(made.stack_test, made.blend_test)
    told = [line for line in caplog.messages if "blend kept in 3 of 3 folds" in line]
    assert len(told) == 2
    assert all(why in line for line in told)


def test_trees_that_can_learn_are_used(caplog: pytest.LogCaptureFixture):
    faces = small_faces(60, 150)
    found = specialist(BASE, faces, faces, 0.0)
    config = EnsembleConfig(stacker=StackerConfig(rounds=5))
    made = stack_all([found], faces, faces, small_folds(faces), config)
    assert (made.stack != made.blend)[~np.isnan(made.blend)].any()
    assert not [line for line in caplog.messages if "blend kept" in line]


def test_no_rows_at_all_have_no_trees():
    empty = np.empty((1, 0, 15, 2), np.float32)
    trees = Trees(15).fit(member_stack(empty), empty[0], np.empty((0, 3), np.float32), empty[0])
    assert trees.models == [None, None]
    assert trees.untrained == [f"0 labelled cells to learn from, trees need {CONFIG.stacker.fewest}"] * 2
