"""The weights in the repository."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from solution.__main__ import main
from solution.data.competition import Competition
from solution.deploy.photo.landmarker import RECIPES, open_landmarker
from solution.runtime.artifacts import intact, manifest
from solution.runtime.errors import UserError
from solution.specialists.landmarks.pretrained import SHIPPED
from solution.specialists.training import SETTINGS, WEIGHTS
from tests.deploy.photo.fakes import picture

LARGEST = 4 * 2**20
every = pytest.mark.parametrize("points", sorted(RECIPES))


@every
def test_each_is_small_whole_and_has_a_card(points: int):
    folder = SHIPPED / RECIPES[points]
    content = manifest(folder)
    assert content is not None
    assert intact(folder, content)
    assert sorted(content["files"]) == sorted(path.name for path in folder.iterdir() if path.name != "manifest.json")
    assert (folder / WEIGHTS).stat().st_size <= LARGEST
    assert json.loads((folder / SETTINGS).read_text())["name"] == RECIPES[points]
    card = (folder / "card.md").read_text()
    for word in ("Made by", "Data", "Measured", "Licence"):
        assert f"- {word}" in card


@every
def test_each_is_calibrated_for_its_points(points: int):
    calibration = open_landmarker(points).calibration
    assert calibration.shape.shape == (points, 2)
    assert ((calibration.shape > 0) & (calibration.shape < 95)).all()
    assert calibration.sigma_scale.shape == (points,)
    assert (calibration.sigma_scale > 0).all()
    assert 0 < calibration.uncertainty < 48


def test_weights_for_other_points_are_refused():
    with pytest.raises(UserError, match="expected weights for 68 points, got weights for 15"):
        open_landmarker(68, SHIPPED / RECIPES[15])


def test_the_fifteen_points_of_drawn_faces_are_found(drawn: Competition):
    """The network was not trained on drawn faces. An error of a third of the distance between the eyes is chance."""
    landmarker = open_landmarker(15)
    rows = np.flatnonzero(~np.isnan(drawn.train.coords).any(axis=(1, 2)))[:12]
    errors = []
    for row in rows:
        image = drawn.train.images[row]
        (reading,) = landmarker.read(image, [landmarker.calibration.of_picture(image)])
        errors.append(np.linalg.norm(reading.coords - drawn.train.coords[row], axis=1))
    assert np.median(errors) < 4.0


def test_a_wall_has_no_face(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    cv2.imwrite(str(tmp_path / "disc.png"), picture((120, 110, 40)))
    assert main(["photo", str(tmp_path / "disc.png"), "--json"]) == 3
    out, err = capsys.readouterr()
    assert json.loads(out) == {"file": str(tmp_path / "disc.png"), "width": 320, "height": 240, "faces": []}
    assert err == f"{tmp_path / 'disc.png'}: no face found\n"
