"""Hostile competition files: text with all kinds of errors, packed into zips with wrong headers."""

import io
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from tests.data.tiny import write_tiny

NAMES = ("training.csv", "test.csv", "IdLookupTable.csv", "SampleSubmission.csv")
OUTER = "facial-keypoints-detection.zip"
PARTS = 10_000  # a place is named by ten-thousandths of what there is

TOKENS = (
    b"", b" ", b"nan", b"inf", b"-inf", b"1e999", b"-1", b"1e-400", b"0x10", b"1_0", b"-", b".", b"256", b"300",
    b"9" * 30, b"9" * 5000, b"-48", b"144", b"1" + b"0" * 18, b'"', b"'", b"=1+1", b"1,2", b",", b"\n", b"\r",
    b"\r\n\r\n", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xd9\xa3", b"\xe2\x80\xae", b"\x1b[31m", b"%s%n", b"{0}",
    b"third_eye_x", b"nose_tip_x", b"mouth_center_top_lip_y", b"RowId", b"ImageId", b"../../etc/passwd",
    b" ".join([b"7"] * 9215), b" ".join([b"7"] * 9216), b" ".join([b"7"] * 9217), b"1 " * 4608,
)  # fmt: skip

ENTRIES = ("{}", "folder/{}", "a/../{}", "../{}", "/{}", "C:\\{}", "..\\{}", "{}\x00.txt", "\u202e{}", "other.csv")
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)

Place = int  # 0 to PARTS


@dataclass(frozen=True)
class Change:
    """A change of a file's bytes. kind: see `changed`; row, column, token: place and new text."""

    kind: str
    row: Place
    column: Place
    token: bytes


@dataclass(frozen=True)
class Packing:
    """How a file is packed."""

    way: str = "plain"  # or zip, or outer
    entry: str = "{}"  # its name in the zip
    method: int = zipfile.ZIP_DEFLATED
    twice: bool = False  # two entries of that name
    size: int | None = None  # a false unpacked size
    encrypted: bool = False  # a false flag
    flips: tuple[Place, ...] = ()  # damaged places of the zip
    cut: Place = PARTS  # where the zip ends


@dataclass(frozen=True)
class Case:
    """A data set: by file, the changes and the packing."""

    changes: dict[str, list[Change]]
    packings: dict[str, Packing]
    absent: frozenset[str]  # missing files


def whole_files(folder: Path) -> dict[str, bytes]:
    """The files of a tiny data set, written into folder, by name."""
    write_tiny(folder, 3, 2, 1, 1)
    return {name: (folder / name).read_bytes() for name in NAMES}


def cases() -> st.SearchStrategy[Case]:
    """Data sets with few errors, mostly, since an error hides those after it."""
    place = st.integers(0, PARTS)
    kinds = ("cell", "cell", "insert", "drop", "repeat", "swap", "cut", "end", "flip", "junk", "empty", "header")
    token = st.one_of(st.sampled_from(TOKENS), st.binary(max_size=20))
    change = st.builds(Change, st.sampled_from(kinds), place, place, token)
    packing = st.builds(
        Packing,
        way=st.sampled_from(["zip", "zip", "outer"]),
        entry=st.one_of(st.just("{}"), st.sampled_from(ENTRIES)),
        method=st.one_of(st.just(zipfile.ZIP_DEFLATED), st.sampled_from(METHODS)),
        twice=st.sampled_from([False, False, False, True]),
        size=st.one_of(st.none(), st.none(), st.sampled_from([0, 1, 1000, 2**31, 2**32 - 1])),
        encrypted=st.sampled_from([False, False, False, True]),
        flips=st.one_of(st.just(()), st.lists(place, max_size=4).map(tuple)),
        cut=st.one_of(st.just(PARTS), st.just(PARTS), place),
    )
    return st.builds(
        Case,
        changes=st.dictionaries(st.sampled_from(NAMES), st.lists(change, max_size=3), max_size=2),
        packings=st.dictionaries(st.sampled_from(NAMES), packing, max_size=2),
        absent=st.one_of(st.just(frozenset()), st.just(frozenset()), st.frozensets(st.sampled_from(NAMES), max_size=1)),
    )


def write(case: Case, whole: dict[str, bytes], folder: Path) -> None:
    """Write the data set, made from the whole files."""
    folder.mkdir(parents=True)
    outer: dict[str, bytes] = {}
    for name in NAMES:
        if name in case.absent:
            continue
        content = whole[name]
        for change in case.changes.get(name, []):
            content = changed(content, change)
        how = case.packings.get(name, Packing())
        if how.way == "plain":
            (folder / name).write_bytes(content)
        elif how.way == "zip":
            (folder / zip_of(name)).write_bytes(packed(name, content, how))
        else:
            outer[zip_of(name)] = packed(name, content, how)
    if outer:
        with zipfile.ZipFile(folder / OUTER, "w") as archive:
            for name, content in outer.items():
                archive.writestr(name, content)


def zip_of(name: str) -> str:
    return Path(name).with_suffix(".zip").name


def changed(content: bytes, change: Change) -> bytes:
    """The content with one thing wrong."""
    lines = content.split(b"\n")
    row = 0 if change.kind == "header" else at(len(lines), change.row)
    other = at(len(lines), change.column)
    place, end = at(len(content) + 1, change.row), at(len(content) + 1, change.column)
    if change.kind in ("cell", "header"):
        cells = lines[row].split(b",")
        cells[at(len(cells), change.column)] = change.token
        lines[row] = b",".join(cells)
    elif change.kind == "drop":
        del lines[row]
    elif change.kind == "repeat":
        lines[row:row] = [lines[row]] * (1 + change.column % 40)
    elif change.kind == "swap":
        lines[row], lines[other] = lines[other], lines[row]
    else:
        return _bytes_changed(content, change, min(place, end), max(place, end))
    return b"\n".join(lines)


def _bytes_changed(content: bytes, change: Change, place: int, end: int) -> bytes:
    if change.kind == "insert":
        return content[:place] + change.token + content[place:]
    if change.kind == "cut":
        return content[:place] + content[end:]
    if change.kind == "end":
        return content[:end]
    if change.kind == "flip":
        bit = bytes([content[place] ^ (1 << change.column % 8)]) if place < len(content) else b"\x80"
        return content[:place] + bit + content[place + 1 :]
    return change.token if change.kind == "junk" else b""


def packed(name: str, content: bytes, how: Packing) -> bytes:
    """The content in a zip, with the wrong headers that `how` asks for."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", how.method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a duplicate name is intended
        for _ in range(1 + how.twice):
            info = zipfile.ZipInfo("placeholder")
            info.filename = how.entry.format(name)  # not through the constructor, which would clean it
            info.compress_type = how.method
            archive.writestr(info, content)
        for info in archive.infolist():
            info.file_size = info.file_size if how.size is None else how.size
            info.flag_bits |= int(how.encrypted)
    whole = bytearray(buffer.getvalue())
    for place in how.flips:
        whole[at(len(whole), place)] ^= 0x41
    return bytes(whole[: len(whole) * how.cut // PARTS])


def at(count: int, place: Place) -> int:
    """The index among `count` that the place names; 0 where there is nothing."""
    return max(0, min(place * count // PARTS, count - 1))
