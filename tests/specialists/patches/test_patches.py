"""The patch classifier: geometry of network and cuts, the reading, and training that can be stopped and resumed."""

import dataclasses
import json

import cv2
import numpy as np
import pytest
import torch

from solution.faces import FaceSet
from solution.keypoints import BEYOND_FOUR, FACE4, FACE15, IN_FOUR, SIZE, mirror
from solution.recipe import POINTS, PatchRecipe
from solution.recipes.eye_classifier import RECIPE
from solution.runtime.errors import UserError
from solution.specialists.patches import sampling
from solution.specialists.patches import train as training
from solution.specialists.patches.decoding import CONFIG, LabelBias, Prior, Reading, read
from solution.specialists.patches.network import CELLS, MARGIN, STRIDE, PatchNetwork, cell_centres, normalised
from solution.specialists.patches.predict import READING, predict, read_faces
from solution.specialists.training import HISTORY, SETTINGS, WEIGHTS, Training
from tests.specialists.stopping import stop_after

CPU = torch.device("cpu")
TINY = PatchRecipe(name="tiny", rows="all", patch=25, channels=(8, 16), epochs=3, pretrain_epochs=1, batch=32)


def drawn_faces(count: int, seed: int = 0) -> FaceSet:
    """Grey pictures with two dark discs (the right one ringed), a bar and an ellipse for eyes, nose and mouth."""
    rng = np.random.default_rng(seed)
    middle = np.array([[66, 38], [30, 38], [48, 57], [48, 76]], np.float32)
    points = middle + rng.uniform(-5, 5, (count, 1, 2)) + rng.uniform(-1.5, 1.5, (count, 4, 2))
    images = np.full((count, SIZE, SIZE), 170, np.uint8)
    for image, (left, right, nose, mouth) in zip(images, np.rint(points).astype(int).tolist(), strict=True):
        cv2.circle(image, left, 5, 30, -1)
        cv2.circle(image, right, 5, 30, -1)
        cv2.circle(image, right, 8, 30, 1)
        cv2.rectangle(image, (nose[0] - 2, nose[1] - 8), (nose[0] + 2, nose[1] + 3), 240, -1)
        cv2.ellipse(image, mouth, (12, 4), 0, 0, 360, 80, -1)
    images = np.clip(images + rng.normal(0, 6, images.shape), 0, 255).astype(np.uint8)
    subset = np.where(np.arange(count) < count // 3, 15, 4).astype(np.int8)
    coords = np.full((count, FACE15.size, 2), np.nan, np.float32)
    coords[:, IN_FOUR] = points
    coords[subset == 15, IN_FOUR[2]] += (0, 3)  # one source puts the nose lower than the other
    coords[subset == 15, BEYOND_FOUR[0]] = 40
    return FaceSet(np.arange(count) + 100, images, coords, FACE15, subset)


def job_in(folder, faces: FaceSet, recipe: PatchRecipe = TINY) -> Training:
    return Training(recipe, 0, folder, faces, drawn_faces(30, 1), CPU, {"made": "from this"})


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("patches")
    training.train(job_in(folder, drawn_faces(300)))
    return folder


def test_settings_survive_json_and_bad_ones_are_refused():
    assert PatchRecipe.restored(json.loads(json.dumps(TINY.settings()))) == TINY
    assert {TINY.at(scale).digest() for scale in RECIPE.scales} == {TINY.digest()}
    assert len({RECIPE.at(scale).digest() for scale in ("smoke", "cpu", "full")}) == 3
    for wrong in ({"patch": 32}, {"softness": 0.0}, {"masked": 1.0}, {"pretrain_epochs": -1}, {"warm_up": 1.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            dataclasses.replace(TINY, **wrong)


@pytest.mark.parametrize("patch", [17, 25, 41])
def test_a_patch_alone_gives_what_the_whole_picture_gives_there(patch):
    torch.manual_seed(0)
    network = PatchNetwork(dataclasses.replace(TINY, patch=patch)).eval()
    pixels = normalised(torch.from_numpy(drawn_faces(2).images))
    with torch.inference_mode():
        maps = network.maps(pixels)
        assert maps.shape == (2, len(POINTS) + 1, CELLS, CELLS)
        places = cell_centres(CPU)
        assert (places[0], places[-1]) == (-MARGIN, SIZE + MARGIN)
        assert places[1] - places[0] == STRIDE
        row, column = 3, 20
        centres = np.array([[[places[column], places[row]]]] * 2, np.float32)
        patches = sampling.cut(pixels, sampling.plain(centres), patch)
        assert torch.allclose(network(patches).softmax(1)[:, :, 0, 0], maps[:, :, row, column], atol=1e-5)
        assert network.reconstruct(patches).shape == patches.shape


def test_cut_takes_the_pixels_about_the_centre_and_mirrors_them():
    pixels = torch.from_numpy(drawn_faces(1).images).float()[:, None]
    cuts = sampling.plain(np.array([[[40, 30]]], np.float32))
    expected = pixels[:, :, 30 - 8 : 30 + 9, 40 - 8 : 40 + 9]
    assert torch.allclose(sampling.cut(pixels, cuts, 17), expected, atol=1e-2)
    turned = dataclasses.replace(cuts, turn=cuts.turn * np.array([-1, 1], np.float32))
    assert torch.allclose(sampling.cut(pixels, turned, 17), expected.flip(3), atol=1e-2)


def test_varied_cuts_stay_in_their_ranges():
    still = dataclasses.replace(TINY, mirror=False)
    centres = np.full((200, 5, 2), 40, np.float32)
    cuts = sampling.varied(centres, still, np.random.default_rng(0))
    assert not cuts.mirrored.any()
    size = np.sqrt(np.linalg.det(cuts.turn))
    assert size.min() >= 1 - still.scale - 1e-5
    assert size.max() <= 1 + still.scale + 1e-5
    angle = np.rad2deg(np.arctan2(cuts.turn[..., 1, 0], cuts.turn[..., 0, 0]))
    assert still.rotation * 0.9 < np.abs(angle).max() <= still.rotation + 1e-3
    flipped = sampling.varied(centres, TINY, np.random.default_rng(0))
    assert np.array_equal(np.linalg.det(flipped.turn)[:, 0] < 0, flipped.mirrored)
    assert 0.3 < flipped.mirrored.mean() < 0.7


def test_classes_follow_the_distance_and_swap_eyes_in_a_mirror():
    points = np.array([[[60, 40], [30, 40], [45, 55], [np.nan, np.nan]]], np.float32)
    centres = np.array([[[60, 40], [33, 40], [5, 5]]], np.float32)
    shares = sampling.class_shares(centres, points, softness=3.0)
    assert shares.sum(2) == pytest.approx(1.0)
    assert shares[0, 0] == pytest.approx([1, 0, 0, 0, 0], abs=1e-4)
    assert shares[0, 1, 1] == pytest.approx(np.exp(-0.5), abs=1e-4)
    assert shares[0, 2] == pytest.approx([0, 0, 0, 0, 1], abs=1e-4)
    swapped = sampling.mirrored_shares(shares, np.array([True]))
    assert swapped[0, :2, 0] == pytest.approx(shares[0, :2, 1])
    assert np.array_equal(sampling.mirrored_shares(shares, np.array([False])), shares)


def test_missing_points_give_near_misses_of_known_ones():
    points = np.tile(np.array([[[60, 40], [30, 40], [45, 55], [45, 75]]], np.float32), (50, 1, 1))
    points[:, 2:] = np.nan
    centres = sampling.class_centres(points, TINY, np.random.default_rng(0))
    assert centres.shape == (50, len(POINTS) + TINY.near + TINY.far, 2)
    distance = np.sqrt(((centres[:, :, None] - points[:, None, :2]) ** 2).sum(-1))
    assert (distance[:, :2].diagonal(axis1=1, axis2=2) < 5 * TINY.jitter).all()
    assert distance[:, 2:].min(2).max() <= TINY.miss + 1e-3


def test_corruption_masks_and_adds_noise():
    torch.manual_seed(0)
    patches = torch.zeros(64, 1, 25, 25) + torch.linspace(-1, 1, 25)
    masked = sampling.corrupt(patches, dataclasses.replace(TINY, noise=0.0)) != patches
    assert masked.float().mean() == pytest.approx(TINY.masked * 24 / 25, abs=0.03)
    noisy = sampling.corrupt(patches, dataclasses.replace(TINY, masked=0.0))
    assert (noisy - patches).std() == pytest.approx(TINY.noise, rel=0.05)


def test_the_target_has_no_shade_and_one_contrast():
    patches = torch.randn(4, 1, 25, 25)
    patches[3] = 0.7
    target = sampling.standardised(patches)
    assert torch.allclose(target, sampling.standardised(3 * patches + 5), atol=1e-4)
    assert torch.allclose(target[:3].std((2, 3)), torch.ones(3, 1), atol=1e-3)
    assert target[3].abs().max() < 1e-5


def test_a_peak_between_cells_is_found_and_a_second_peak_raises_the_uncertainty():
    cells = cell_centres(CPU)
    truth = torch.tensor([[66.3, 38.1], [30.0, 37.0], [48.9, 57.5], [47.0, 90.2]])
    maps = torch.zeros(2, 5, CELLS, CELLS)
    for point, (x, y) in enumerate(truth):
        maps[:, point] = torch.exp(-((cells[None] - x) ** 2 + (cells[:, None] - y) ** 2) / 18)
    maps[1, 0] += 0.8 * maps[1, 1]
    points, uncertainty = read(maps, torch.ones(4, CELLS, CELLS))
    assert torch.allclose(points[0], truth, atol=0.1)
    assert torch.allclose(points[1], truth, atol=0.3)
    assert uncertainty[1, 0] > 2 * uncertainty[0, 0]
    prior = Prior(truth.tolist(), [[5.0, 5.0]] * 4)
    with_prior = read(maps, prior.map(CPU))[1]
    assert with_prior[1, 0] == pytest.approx(float(with_prior[0, 0]), rel=0.1)
    assert np.array(prior.mirrored().mirrored().mean) == pytest.approx(np.array(prior.mean))


def test_a_label_bias_learns_the_offset_and_the_error_at_each_level_of_uncertainty():
    rng = np.random.default_rng(0)
    points = rng.uniform(20, 70, (4000, 4, 2))
    uncertainty = rng.uniform(1, 3, (4000, 4))
    labels = points + [1.5, -2.0] + uncertainty[..., None] * rng.normal(0, 1, points.shape)
    labels[0, 0] += 60
    labels[:, 3] = np.nan
    bias = LabelBias.learnt(points, uncertainty, labels)
    assert np.abs(bias.corrected(points) - points - [1.5, -2.0])[:, :3].max() < 0.5
    ratio = bias.sigma(uncertainty)[:, :3] / uncertainty[:, :3]
    assert np.quantile(ratio, 0.05) > 0.85
    assert np.quantile(ratio, 0.95) < 1.15
    assert (bias.sigma(uncertainty)[:, 3] == CONFIG.untaught).all()
    assert bias.errors[0] == sorted(bias.errors[0])


def test_a_subset_without_training_rows_is_not_corrected():
    none = np.empty((0, 4, 2))
    bias = LabelBias.learnt(none, np.empty((0, 4)), none)
    reading = Reading(Prior.learnt(none), {15: bias, 4: bias})
    again = Reading.restored(json.loads(json.dumps(reading.settings())))
    assert again == reading
    points = np.full((2, 4, 2), 33.0)
    coords, sigma = again.applied(points, np.ones((2, 4)), np.array([15, 4]))
    assert np.array_equal(coords, points)
    assert (sigma == CONFIG.untaught).all()


def test_predicts_the_four_points_of_unseen_faces(trained):
    faces = drawn_faces(60, 5)
    found = predict(trained, faces, CPU)
    assert found.name == TINY.name
    assert np.isnan(found.coords[:, BEYOND_FOUR]).all()
    assert np.isnan(found.sigma[:, BEYOND_FOUR]).all()
    error = (found.coords - faces.coords)[:, IN_FOUR]
    assert np.sqrt((error[:, :2] ** 2).mean()) < 2.5
    assert np.sqrt((error**2).mean()) < 3.5
    assert (found.sigma[:, IN_FOUR] > 0).all()
    four = dataclasses.replace(faces, coords=faces.coords[:, IN_FOUR], schema=FACE4)
    assert np.array_equal(predict(trained, four, CPU).coords, found.coords[:, IN_FOUR])
    assert np.array_equal(predict(trained, faces.take(np.arange(0)), CPU).coords, found.coords[:0])


def test_a_mirrored_picture_is_read_mirrored(trained):
    network = PatchNetwork(TINY).eval()
    images = drawn_faces(5, 7).images
    prior = Prior([[66, 38], [29, 38], [47.5, 57], [47.5, 76]], [[9.0, 9.0]] * 4)
    points, uncertainty = read_faces(network, images, prior)
    other, uncertainty_too = read_faces(network, np.ascontiguousarray(images[:, :, ::-1]), prior)
    assert mirror(other, FACE4) == pytest.approx(points, abs=1e-3)
    assert uncertainty_too[:, FACE4.mirror] == pytest.approx(uncertainty, rel=1e-3)


def history(folder):
    """The cells of a history but for the seconds."""
    return [line.split(",")[:4] for line in (folder / HISTORY).read_text().splitlines()]


def test_files_and_history(trained):
    assert {WEIGHTS, SETTINGS, READING, HISTORY} < {path.name for path in trained.iterdir()}
    rows = history(trained)
    assert rows[0] == ["epoch", "phase", "loss", "held_rmse"]
    assert [row[:2] for row in rows[1:]] == [["1", "pretrain"], ["2", "classes"], ["3", "classes"], ["4", "classes"]]
    assert rows[1][3] == ""
    assert float(rows[4][2]) < float(rows[2][2])
    assert float(rows[4][3]) > 0


@pytest.mark.parametrize("epochs", [1, 2])
def test_a_resumed_training_equals_an_unbroken_one(trained, tmp_path, monkeypatch, epochs):
    stop_after(monkeypatch, epochs)
    job = job_in(tmp_path, drawn_faces(300))
    with pytest.raises(KeyboardInterrupt):
        training.train(job)
    assert not (tmp_path / WEIGHTS).exists()
    training.train(job)
    for name in (WEIGHTS, READING):
        assert (tmp_path / name).read_bytes() == (trained / name).read_bytes()
    assert history(tmp_path) == history(trained)


def test_faces_without_labels_are_left_out_and_none_at_all_is_an_error(tmp_path):
    faces = drawn_faces(20)
    faces.coords[:, IN_FOUR] = np.nan
    with pytest.raises(UserError, match=r"expected 2 or more training rows with one of .* labelled, got"):
        training.train(job_in(tmp_path, faces))


def test_a_folder_without_a_training_says_what_to_do(tmp_path):
    with pytest.raises(UserError, match="Train this recipe"):
        predict(tmp_path, drawn_faces(2), CPU)
    big = FaceSet(np.arange(1), np.zeros((1, 48, 48), np.uint8), np.full((1, 15, 2), np.nan), FACE15, np.array([4]))
    with pytest.raises(UserError, match="96x96"):
        predict(tmp_path, big, CPU)
