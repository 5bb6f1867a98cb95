import json
import resource
from pathlib import Path

import cv2
import numpy as np
import pytest

from solution.__main__ import main
from solution.deploy.photo.images import NO_FACE, WRONG
from solution.deploy.photo.tracking import TrackedFace, Tracker
from solution.deploy.photo.video import VideoRun
from solution.runtime.errors import UserError
from tests.deploy.photo.fakes import finder, picture, points_of

FRAMES = 40


def place(frame: int) -> tuple[float, float, float]:
    return 80 + 3.0 * frame, 110 + 0.5 * frame, 30.0


def film(path: Path, frames: list[np.ndarray], code: str) -> Path:
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), 25, (width, height))
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


@pytest.fixture(params=["film.mp4", "film.avi"])
def moving(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A disc that crosses the picture."""
    code = "mp4v" if request.param.endswith("mp4") else "MJPG"
    return film(tmp_path / request.param, [picture(place(i)) for i in range(FRAMES)], code)


def watched(path: Path) -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (frame := capture.read())[0]:
        frames.append(frame[1])
    return frames


def test_a_video_is_followed_drawn_and_written(moving: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / f"out{moving.suffix}"
    assert VideoRun(str(moving), out, Tracker(finder())).run() == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{moving}: {FRAMES} frames, {FRAMES} with a face, ")
    assert said.endswith(f" frames/s, written to {out}\n")
    drawn, plain = watched(out), watched(moving)
    assert len(drawn) == FRAMES
    for number in (0, 20, FRAMES - 1):
        assert drawn[number].shape == (240, 320, 3)
        x, y, _ = place(number)
        change = np.abs(drawn[number].astype(int) - plain[number]).max(axis=2) > 60
        rows, columns = np.nonzero(change)
        np.testing.assert_allclose(((columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2), (x, y), atol=6)


def test_a_line_of_json_a_frame(moving: Path, capsys: pytest.CaptureFixture[str]):
    assert VideoRun(str(moving), None, Tracker(finder()), as_json=True, most=10).run() == 0
    out, err = capsys.readouterr()
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["frame"] for record in records] == list(range(10))
    assert {face["track"] for record in records for face in record["faces"]} == {0}
    points = np.array(list(records[9]["faces"][0]["points"].values()))[:, :2]
    assert np.linalg.norm(points - points_of(*place(9)), axis=1).max() < 5
    assert "10 frames" in err


def test_a_video_without_a_face_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = film(tmp_path / "wall.avi", [picture()] * 5, "MJPG")
    assert VideoRun(str(path), None, Tracker(finder())).run() == NO_FACE
    assert capsys.readouterr().err == f"{path}: no face found\n"


def test_a_video_that_ends_early_is_done_as_far_as_it_goes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = film(tmp_path / "film.avi", [picture(place(i)) for i in range(FRAMES)], "MJPG")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    out = tmp_path / "out.avi"
    assert VideoRun(str(path), out, Tracker(finder())).run() == WRONG
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 1
    assert err[0].startswith(f"error: {path}: expected {FRAMES} frames, the file ends after ")
    assert 5 < len(watched(out)) < FRAMES


@pytest.mark.parametrize(
    ("source", "out", "message"),
    [
        ("text.mp4", None, r"text\.mp4: expected a video that OpenCV can read"),
        ("none.mp4", None, "expected a video file or the number of a camera, found none"),
        ("97", None, "97: expected a camera of that number, got none"),
        ("text.mp4", Path("out.txt"), r"out\.txt: expected a name that ends in"),
    ],
)
def test_what_cannot_be_read_or_written_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, out: Path | None, message: str
):
    monkeypatch.chdir(tmp_path)
    Path("text.mp4").write_text("no video")
    with pytest.raises(UserError, match=message):
        VideoRun(source, out, Tracker(finder())).run()


class Interrupted(Tracker):
    """Ctrl-C comes in the fifth frame."""

    def step(self, grey: np.ndarray, seconds: float) -> list[TrackedFace]:
        if self._frames == 4:
            raise KeyboardInterrupt
        return super().step(grey, seconds)


def test_ctrl_c_leaves_no_half_video(moving: Path, tmp_path: Path):
    out = tmp_path / "new" / f"out{moving.suffix}"
    with pytest.raises(KeyboardInterrupt):
        VideoRun(str(moving), out, Interrupted(finder())).run()
    assert list(out.parent.iterdir()) == []


def test_a_full_disk_is_an_error_and_the_earlier_video_stays(moving: Path, tmp_path: Path):
    """OpenCV reports nothing. The limit lets no file grow beyond a few frames."""
    out = tmp_path / f"out{moving.suffix}"
    out.write_bytes(b"an earlier video")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, before[1]))
    try:
        with pytest.raises(UserError, match=f"expected to write {FRAMES} frames there, only [0-9]+ can be read"):
            VideoRun(str(moving), out, Tracker(finder())).run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert out.read_bytes() == b"an earlier video"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([moving.name, out.name])


def test_a_negative_number_of_frames_is_refused(moving: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["video", str(moving), "--frames", "-1"]) == 2
    assert "--frames -1: expected 0 or more" in capsys.readouterr().err
