from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from solution.data.competition import Competition
from solution.keypoints import POINTS
from solution.specialists.landmarks.crop_search import CropSearchConfig
from solution.specialists.landmarks.label_offset import LabelOffset
from solution.specialists.landmarks.network import LandmarkNet
from solution.specialists.landmarks.predict import QUICK, predict, predict_with, read_label_offset
from solution.specialists.training import WEIGHTS
from tests.tiny_recipes import BASE, OTHER

CPU = torch.device("cpu")


@pytest.fixture
def folds(finished: Path) -> Path:
    return finished / "folds" / "faces"


def test_the_folder_alone_predicts_what_its_network_does(folds: Path, drawn: Competition):
    folder = folds / "base" / "fold1"
    net = LandmarkNet(BASE)
    net.load_state_dict(load_file(folder / WEIGHTS))
    net = net.to(memory_format=torch.channels_last)
    want = predict_with(net, read_label_offset(folder), drawn.test, CPU, "base")
    got = predict(folder, drawn.test, CPU)
    assert got.name == "base"
    np.testing.assert_array_equal(got.ids, drawn.test.ids)
    np.testing.assert_array_equal(got.coords, want.coords)
    np.testing.assert_array_equal(got.sigma, want.sigma)


def test_each_row_has_its_subsets_points_and_a_sigma(folds: Path, drawn: Competition):
    got = predict(folds / "base" / "fold0", drawn.test, CPU)
    for s in (15, 4):
        rows = drawn.test.subset == s
        assert np.isfinite(got.coords[rows][:, POINTS[s]]).all()
        assert (got.sigma[rows][:, POINTS[s]] > 0).all()
        rest = np.setdiff1d(np.arange(15), POINTS[s])
        assert np.isnan(got.coords[rows][:, rest]).all()
        assert np.isnan(got.sigma[rows][:, rest]).all()


def test_a_regressor_has_no_sigma(folds: Path, drawn: Competition):
    rows = drawn.test.subset == 4
    got = predict(folds / "other" / "fold0", drawn.test.take(rows), CPU)
    assert OTHER.subsets == (4,)
    assert np.isfinite(got.coords[:, POINTS[4]]).all()
    assert np.isnan(got.sigma).all()


def test_a_face_that_is_not_missed_is_predicted_alike_among_any_others(folds: Path, drawn: Competition):
    folder = folds / "base" / "fold0"
    together = predict(folder, drawn.test, CPU)
    alone = predict(folder, drawn.test.take(np.array([9])), CPU)
    np.testing.assert_allclose(alone.coords[0], together.coords[9], atol=0.1)  # bfloat16 sums in another order
    assert predict(folder, drawn.test.take(np.array([], int)), CPU).coords.shape == (0, 15, 2)


class ByBrightness(torch.nn.Module):
    """Answers every point with the column and row of the brightest pixel: as symmetric as can be."""

    def forward(self, images: torch.Tensor, subset: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        place = images.flatten(1).float().argmax(1)
        at = torch.stack([place % 96, place // 96], 1).float()
        return at[:, None].expand(-1, 15, 2).clone(), torch.ones(len(images), 15)


def test_all_views_are_read_in_the_labels_pixels(drawn: Competition):
    faces = drawn.train.take(np.arange(3))
    images = np.zeros((3, 96, 96), np.uint8)
    images[[0, 1, 2], [10, 20, 30], [40, 50, 60]] = 255
    offset = LabelOffset(np.full((2, 15), 1.25))
    faces = type(faces)(faces.ids, images, faces.coords, faces.schema, faces.subset)
    got = predict_with(ByBrightness(), offset, faces, CPU)
    np.testing.assert_allclose(got.coords[..., 0], np.array([[41.25], [51.25], [61.25]]) * np.ones(15))
    np.testing.assert_allclose(got.coords[..., 1], np.array([[10], [20], [30]]) * np.ones(15))
    np.testing.assert_allclose(got.sigma, 1.0)


class Unsure(ByBrightness):
    """The same, with a low sigma only in the middle of the picture."""

    def forward(self, images: torch.Tensor, subset: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        at, sigma = super().forward(images, subset)
        return at, torch.where((at[:, :1, 0] - 47.5).abs() < 24, sigma, 8 * sigma)


@pytest.mark.parametrize("search", [True, False])
def test_a_missed_face_is_searched_for_only_if_the_settings_say_so(drawn: Competition, search: bool):
    faces = drawn.train.take(np.arange(4))
    images = np.zeros((4, 96, 96), np.uint8)
    images[[0, 1, 2, 3], [40, 41, 42, 50], [40, 50, 60, 90]] = 255
    faces = type(faces)(faces.ids, images, faces.coords, faces.schema, np.full(4, 15, np.int8))
    offset = LabelOffset(np.full((2, 15), 1.25))
    config = replace(QUICK, crop_search=CropSearchConfig()) if search else QUICK
    got = predict_with(Unsure(), offset, faces, CPU, config=config)
    plain = predict_with(Unsure(), offset, faces, CPU, config=QUICK)
    np.testing.assert_array_equal(got.coords[:3], plain.coords[:3])
    np.testing.assert_allclose(got.sigma[3], 1 / 0.75 if search else 8.0)  # the first crop with the face further inside
    np.testing.assert_allclose(got.coords[3], np.tile([91.25, 50.0], (15, 1)), atol=1)  # whole pixels of that crop
