"""One table in its five forms."""

import io

import pytest
from rich.console import Console

from solution.table import BETTER, PART, Column, Marked, Table, written

NAN = float("nan")
COLUMNS = [
    Column("name", "of"),
    Column("a", "a, px", "px", ".2f", best=True),
    Column("b", form=".0%", wide=True),
    Column("interval", form="+.1f"),
]
ROWS = [
    ["one", 2.0, 0.5, (-1.0, 2.0)],
    ["two", 1.0, NAN, None],
    ["three", Marked(0.5, PART), 0.25, (0.0, 1.0)],
    ["four", NAN, None, (0.5, 1.5)],
]
TABLE = Table("A table", COLUMNS, ROWS)


def kinds(table: Table, column: int = 1) -> list[str]:
    return [row[column].kind for row in table.cells()]


def test_markdown_is_aligned_and_marks_the_best():
    assert TABLE.markdown().splitlines() == [
        "| of    |    a, px |   b |     interval |",
        "| ----- | -------: | --: | -----------: |",
        "| one   |     2.00 | 50% | -1.0 to +2.0 |",
        "| two   | **1.00** |   - |            - |",
        "| three |   (0.50) | 25% | +0.0 to +1.0 |",
        "| four  |        - |   - | +0.5 to +1.5 |",
    ]


def test_terminal_has_a_star_and_no_wide_columns():
    out = io.StringIO()
    Console(file=out, width=80).print(TABLE.narrow().rich())
    assert [line.split() for line in out.getvalue().splitlines()][:3] == [
        ["of", "a,", "px", "interval"],
        ["one", "2.00", "-1.0", "to", "+2.0"],
        ["two", "1.00*", "-"],
    ]


def test_json_and_csv_have_raw_values():
    assert TABLE.records()[2] == {"name": "three", "a": 0.5, "b": 0.25, "interval": [0.0, 1.0]}
    flags = Table("", [Column("x"), Column("y"), Column("z")], [[1.5, True, 3], [NAN, False, None]])
    assert flags.csv() == "x,y,z\n1.500000,True,3\n,False,\n"


def test_the_best_is_that_of_its_column_group_or_row():
    assert kinds(TABLE) == ["", "best", "part", ""]
    grouped = Table("", COLUMNS[:2], [["a", 2.0], ["b", 1.0], ["c", 3.0]], groups=["15", "15", "4"])
    assert kinds(grouped) == ["", "best", "best"]
    assert [row[0] for row in grouped.group("15").rows] == ["a", "b"]
    across = Table("", [COLUMNS[0], COLUMNS[1], COLUMNS[1]], [["a", 2.0, 1.0], ["b", 1.0, 1.0]], best_of_row=True)
    assert [kinds(across, column) for column in (1, 2)] == [["", "best"], ["best", "best"]]


def test_cells_sort_by_number_and_have_colours_and_bars():
    first, second, third, _ = TABLE.cells()
    assert [cell.value for cell in first] == ["one", 2.0, 0.5, -1.0]
    assert [second[2].value, third[1].value] == [None, 0.5]
    warm = Table("", COLUMNS[:2], [["a", 1.0], ["b", 10.0], ["c", 100.0], ["d", None]], heat=True)
    assert [row[1].heat for row in warm.cells()] == [0.0, 0.5, 1.0, None]
    bars = Table("", [Column("w", form=".1f", kind="bar")], [[0.5], [0.25], [None]])
    assert [(row[0].bar, row[0].kind) for row in bars.cells()] == [(1.0, "bar"), (0.5, "bar"), (None, "bar")]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.25, "1.2"), (NAN, "-"), (None, "-"), ("", "-"), ((1.0, 2.0), "1.0 to 2.0"), (Marked(-1.0, BETTER), "-1.0")],
)
def test_values_are_written_in_their_format(value: object, text: str):
    assert written(value, ".1f") == text
