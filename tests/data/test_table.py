from pathlib import Path

import numpy as np
import pytest

from solution.data import table
from solution.data.archive import Source
from solution.data.table import PIXELS, Row, parse_pixels, read_rows, unique
from solution.runtime.errors import UserError

COLUMNS = ("RowId", "Location")


def rows_of(folder: Path, text: bytes) -> list[Row]:
    path = folder / "file.csv"
    path.write_bytes(text)
    return list(read_rows(Source(path), COLUMNS))


def cell(folder: Path, text: str) -> Row:
    return rows_of(folder, b"RowId,Location\n1," + text.encode())[0]


@pytest.mark.parametrize(
    "text",
    [
        b"RowId,Location\n1,2.5\n2,\n",
        b"RowId,Location\r\n1,2.5\r\n2,\r\n",
        b"\xef\xbb\xbfRowId,Location\n1,2.5\n2,",
        b"Location,RowId\n2.5,1\n\n,2\n\n",
        b'"RowId","Location"\n"1","2.5"\n"2",""\n',
    ],
)
def test_rows_are_read_from_any_usual_form(tmp_path: Path, text: bytes):
    rows = rows_of(tmp_path, text)
    assert [row.number for row in rows] == [1, 2]
    assert [row.integer("RowId") for row in rows] == [1, 2]
    assert rows[0].label("Location") == 2.5
    assert rows[1].label("Location") != rows[1].label("Location")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"RowId", r"missing: 'Location'"),
        (b"", r"missing: 'RowId', 'Location'"),
        (b"RowId,Location,More", r"unknown: 'More'"),
        (b"RowId,Location,Location", r"repeated: 'Location'"),
        (b"\x00\xff\xfe\x80\x81", r"missing: 'RowId', 'Location'; unknown: '\\x00"),
    ],
)
def test_a_wrong_header_says_what_is_wrong_with_it(tmp_path: Path, header: bytes, message: str):
    with pytest.raises(UserError, match=message):
        rows_of(tmp_path, header + b"\n1,2\n")


def test_a_row_with_another_number_of_cells_is_named(tmp_path: Path):
    with pytest.raises(UserError, match=r"file\.csv, data row 2 .*expected 2 cells, got 3"):
        rows_of(tmp_path, b"RowId,Location\n1,2\n2,3,4\n")


def test_a_file_without_lines_is_not_gathered_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(table, "LONGEST_LINE", 1000)
    with pytest.raises(UserError, match="a line of more than 1000 bytes"):
        rows_of(tmp_path, bytes(2000))


@pytest.mark.parametrize("text", ["1e9", "inf", "-inf", "nan", "abc", "1_0", "0x10", "144.5", "-48.5", "1;5"])
def test_a_coordinate_out_of_range_or_no_number_is_refused(tmp_path: Path, text: str):
    with pytest.raises(UserError, match=rf"data row 1 .*Location: expected a coordinate .*got '{text}'"):
        cell(tmp_path, text).label("Location")


@pytest.mark.parametrize(("text", "value"), [("66.0335638918728", 66.0335638918728), ("-48", -48), ("1.e1", 10)])
def test_a_coordinate_in_range_is_read(tmp_path: Path, text: str, value: float):
    assert cell(tmp_path, text).coordinate("Location") == value


def test_a_required_coordinate_that_is_missing_is_an_error(tmp_path: Path):
    with pytest.raises(UserError, match="got ''"):
        cell(tmp_path, "").coordinate("Location")


@pytest.mark.parametrize("text", ["", "1.0", "-1", "one", "9" * 19])
def test_a_text_that_is_no_integer_is_refused(tmp_path: Path, text: str):
    with pytest.raises(UserError, match="Location: expected an integer"):
        cell(tmp_path, text).integer("Location")


def test_unique_keeps_the_order_and_names_both_rows(tmp_path: Path):
    assert list(unique(rows_of(tmp_path, b"RowId,Location\n7,\n3,\n5,\n"), "RowId")) == [7, 3, 5]
    with pytest.raises(UserError, match=r"data row 3 .*got 7 as in data row 1"):
        unique(rows_of(tmp_path, b"RowId,Location\n7,\n3,\n7,\n"), "RowId")


PICTURES = np.random.default_rng(0).integers(0, 256, (3, PIXELS))


def picture_rows(cells: list[str]) -> list[Row]:
    return [
        Row(Source(Path("training.csv")), number, {"Image": cell.encode()})
        for number, cell in enumerate(cells, start=1)
    ]


def cells_of(pictures: np.ndarray) -> list[str]:
    return [" ".join(map(str, picture)) for picture in pictures.tolist()]


def test_pictures_come_out_as_they_went_in():
    images = parse_pixels(picture_rows(cells_of(PICTURES)))
    assert images.dtype == np.uint8
    assert np.array_equal(images, PICTURES.reshape(3, 96, 96))


def test_unusual_spacing_is_read():
    cells = cells_of(PICTURES)
    cells[1] = cells[1].replace(" ", "  ")
    assert np.array_equal(parse_pixels(picture_rows(cells)), PICTURES.reshape(3, 96, 96))


@pytest.mark.parametrize("word", ["300", "-1", "abc", "1.5", "256", "99999999999999999999", "+5", "1e1"])
def test_a_pixel_that_is_no_grey_value_is_named(word: str):
    cells = cells_of(PICTURES)
    words = cells[1].split()
    words[41] = word
    cells[1] = " ".join(words)
    with pytest.raises(
        UserError, match=r"training\.csv, data row 2 .*pixel 42: expected an integer from 0 to 255"
    ) as e:
        parse_pixels(picture_rows(cells))
    assert repr(word) in str(e.value)


def test_a_short_row_is_named():
    cells = cells_of(PICTURES)
    cells[2] = cells[2].rsplit(" ", 1)[0]
    with pytest.raises(UserError, match=r"data row 3 .*9215 pixels, expected 9216 \(96×96\)\. Is the file cut off"):
        parse_pixels(picture_rows(cells))


def test_a_short_row_beside_a_long_one_is_named():
    cells = cells_of(PICTURES)
    cells[0] += " 7"
    cells[1] = cells[1].rsplit(" ", 1)[0]
    with pytest.raises(UserError, match=r"data row 1 .*9217 pixels"):
        parse_pixels(picture_rows(cells))


def test_an_empty_cell_is_named():
    with pytest.raises(UserError, match=r"data row 1 .*: 0 pixels"):
        parse_pixels(picture_rows([""]))
