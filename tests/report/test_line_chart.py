"""Line charts: ticks, names that do not overlap, lines where their points are."""

import numpy as np
import pytest

from solution.report.drawing import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Chart,
    Curve,
    draw_chart,
    even_ticks,
    spread_out,
    ticks,
)


def test_ticks_are_round_and_within():
    assert ticks(0.9, 12) == pytest.approx([1, 1.5, 2, 3, 5, 7, 10])
    assert ticks(0.11, 0.16) == pytest.approx([0.15])
    assert even_ticks(5.02) == [0, 1, 2, 3, 4, 5]
    assert even_ticks(1500) == pytest.approx([0, 200, 400, 600, 800, 1000, 1200, 1400])
    assert even_ticks(0.005)[-1] == pytest.approx(0.005)


def test_names_keep_their_distance_and_their_order():
    places = [50.0, 10.0, 51.0, 52.0, 99.0]
    moved = spread_out(places, 10, 0, 100)
    assert np.argsort(moved).tolist() == np.argsort(places).tolist()
    assert np.diff(sorted(moved)).min() >= 10 - 1e-9
    assert min(moved) >= 0
    assert max(moved) <= 100
    assert spread_out([5.0, 40.0], 10, 0, 100) == [5.0, 40.0]


def test_lines_run_through_their_points():
    curves = [
        Curve("falls", [(0, 10.0), (5, 1.0)], "#ff0000", bold=True),
        Curve("stays", [(0, 3.0), (5, 3.0)], "#0000ff"),
    ]
    picture = draw_chart(Chart("Title", "below it", "minutes", curves))
    pixels = np.asarray(picture).astype(int)
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    red = np.argwhere((pixels[..., 0] > 200) & (pixels[..., 1:] < 60).all(axis=2))
    plot = red[(red[:, 1] >= LEFT - 4) & (red[:, 1] <= WIDTH - RIGHT + 4)]
    assert plot[plot[:, 1] < LEFT + 20, 0].mean() < TOP + 40  # high at the start
    assert plot[plot[:, 1] > WIDTH - RIGHT - 20, 0].mean() > HEIGHT - BOTTOM - 40
    assert (red[:, 1] > WIDTH - RIGHT + 30).any()  # its name
    blue = np.argwhere((pixels[..., 2] > 200) & (pixels[..., :2] < 60).all(axis=2))
    blue = blue[(blue[:, 1] > LEFT + 10) & (blue[:, 1] < WIDTH - RIGHT - 10)]
    assert np.ptp(blue[:, 0]) <= 3
    share = np.log(3 / (1 / 1.08)) / np.log(10 * 1.08**2)
    assert blue[:, 0].mean() == pytest.approx(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), abs=2)
