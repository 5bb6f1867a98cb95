from pathlib import Path

import numpy as np
import pytest

from solution.data.archive import Source
from solution.data.table import PIXELS, Row, parse_pixels
from solution.runtime.errors import UserError

PICTURES = np.random.default_rng(0).integers(0, 256, (3, PIXELS))


def rows_of(cells: list[str]) -> list[Row]:
    return [
        Row(Source(Path("training.csv")), number, {"Image": cell.encode()})
        for number, cell in enumerate(cells, start=1)
    ]


def cells_of(pictures: np.ndarray) -> list[str]:
    return [" ".join(map(str, picture)) for picture in pictures.tolist()]


def test_pictures_come_out_as_they_went_in():
    images = parse_pixels(rows_of(cells_of(PICTURES)))
    assert images.dtype == np.uint8
    assert np.array_equal(images, PICTURES.reshape(3, 96, 96))


def test_unusual_spacing_is_read_all_the_same():
    cells = cells_of(PICTURES)
    cells[1] = cells[1].replace(" ", "  ")
    assert np.array_equal(parse_pixels(rows_of(cells)), PICTURES.reshape(3, 96, 96))


@pytest.mark.parametrize("word", ["300", "-1", "abc", "1.5", "256", "99999999999999999999", "+5", "1e1"])
def test_a_pixel_that_is_no_grey_value_is_named(word: str):
    cells = cells_of(PICTURES)
    words = cells[1].split()
    words[41] = word
    cells[1] = " ".join(words)
    with pytest.raises(
        UserError, match=r"training\.csv, data row 2 .*pixel 42: expected an integer from 0 to 255"
    ) as e:
        parse_pixels(rows_of(cells))
    assert repr(word) in str(e.value)


def test_a_short_row_is_named():
    cells = cells_of(PICTURES)
    cells[2] = cells[2].rsplit(" ", 1)[0]
    with pytest.raises(UserError, match=r"data row 3 .*9215 pixels, expected 9216 \(96×96\)\. Is the file cut off"):
        parse_pixels(rows_of(cells))


def test_a_short_row_beside_a_long_one_is_named():
    cells = cells_of(PICTURES)
    cells[0] += " 7"
    cells[1] = cells[1].rsplit(" ", 1)[0]
    with pytest.raises(UserError, match=r"data row 1 .*9217 pixels"):
        parse_pixels(rows_of(cells))


def test_an_empty_cell_is_named():
    with pytest.raises(UserError, match=r"data row 1 .*: 0 pixels"):
        parse_pixels(rows_of([""]))
