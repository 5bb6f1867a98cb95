from pathlib import Path

import numpy as np
import pytest

from solution.data import archive
from solution.data.archive import OUTER, Source, locate
from solution.runtime.errors import UserError
from tests.data.tiny import zip_of

TEXT = b"RowId,Location\n" + b"\n".join(b"%d,0" % row for row in range(2000))


def content(source: Source) -> bytes:
    return b"".join(source.chunks())


def test_plain_comes_before_zip_before_outer(tmp_path: Path):
    assert locate(tmp_path, "test.csv") is None
    inner = zip_of({"test.csv": TEXT + b"inner"})
    (tmp_path / OUTER).write_bytes(zip_of({"test.zip": inner}))
    assert content(locate(tmp_path, "test.csv")) == TEXT + b"inner"
    (tmp_path / OUTER).write_bytes(zip_of({"test.zip": inner, "test.csv": TEXT + b"outer"}))
    assert content(locate(tmp_path, "test.csv")) == TEXT + b"outer"
    (tmp_path / "test.zip").write_bytes(zip_of({"test.csv": TEXT + b"zip"}))
    assert content(locate(tmp_path, "test.csv")) == TEXT + b"zip"
    (tmp_path / "test.csv").write_bytes(TEXT)
    assert content(locate(tmp_path, "test.csv")) == TEXT
    assert locate(tmp_path, "training.csv") is None


def test_an_entry_below_a_folder_of_the_zip_is_found(tmp_path: Path):
    (tmp_path / OUTER).write_bytes(zip_of({"fkd/": b"", "fkd/test.zip": zip_of({"x/test.csv": TEXT})}))
    assert content(locate(tmp_path, "test.csv")) == TEXT


@pytest.mark.parametrize("name", ["../evil.csv", "a/../../evil.csv", "/etc/evil", "C:\\evil", "..\\evil", "\\evil"])
def test_an_entry_that_leads_out_is_refused(tmp_path: Path, name: str):
    (tmp_path / "test.zip").write_bytes(zip_of({name: b"x", "test.csv": TEXT}))
    with pytest.raises(UserError, match=r"test\.zip.*leads out of"):
        content(locate(tmp_path, "test.csv"))
    assert [path.name for path in tmp_path.iterdir()] == ["test.zip"]


@pytest.fixture
def four_megabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lower limit for unpacked files."""
    monkeypatch.setattr(archive, "LIMIT", 4_000_000)


BOMB = zip_of({"test.csv": bytes(5_000_000)})


@pytest.mark.usefixtures("four_megabytes")
@pytest.mark.parametrize(("name", "packed"), [("test.zip", BOMB), (OUTER, zip_of({"test.zip": BOMB}))])
def test_a_zip_bomb_is_refused_by_its_declared_size(tmp_path: Path, name: str, packed: bytes):
    (tmp_path / name).write_bytes(packed)
    with pytest.raises(UserError, match=r"at most 4000000 bytes unpacked, got 5000000 bytes declared"):
        content(locate(tmp_path, "test.csv"))


def test_a_zip_with_a_wrong_declared_size_is_refused(tmp_path: Path):
    packed = zip_of({"test.csv": bytes(5_000_000)})
    truth, lie = (5_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little")
    (tmp_path / "test.zip").write_bytes(packed.replace(truth, lie))
    with pytest.raises(UserError, match=r"test\.zip: test\.csv: expected a whole file"):
        content(locate(tmp_path, "test.csv"))


@pytest.mark.usefixtures("four_megabytes")
def test_size_is_counted_while_streaming(tmp_path: Path):
    (tmp_path / "test.csv").write_bytes(bytes(5_000_000))
    taken: list[bytes] = []
    with pytest.raises(UserError, match="at most 4000000 bytes"):
        taken.extend(Source(tmp_path / "test.csv").chunks())
    assert 0 < sum(map(len, taken)) <= 4_000_000


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.98])
def test_a_truncated_zip_is_named(tmp_path: Path, keep: float):
    whole = zip_of({"test.csv": np.random.default_rng(0).bytes(50_000)})
    (tmp_path / "test.zip").write_bytes(whole[: int(keep * len(whole))])
    with pytest.raises(UserError, match=r"test\.zip.*Is it cut off\? Fetch it again"):
        content(locate(tmp_path, "test.csv"))
    (tmp_path / "test.zip").rename(tmp_path / OUTER)
    with pytest.raises(UserError, match=r"facial-keypoints-detection\.zip.*Is it cut off"):
        locate(tmp_path, "test.csv")


def test_any_flipped_byte_is_a_user_error_or_harmless(tmp_path: Path):
    whole = zip_of({"test.csv": TEXT})
    damaged = 0
    for place in range(0, len(whole), 11):
        (tmp_path / "test.zip").write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            assert content(locate(tmp_path, "test.csv")) == TEXT
        except UserError:
            damaged += 1
    assert damaged > len(whole) / 11 * 0.8


def test_a_zip_without_the_file_or_with_two_says_so(tmp_path: Path):
    (tmp_path / "test.zip").write_bytes(zip_of({"other.csv": TEXT}))
    with pytest.raises(UserError, match=r"one entry named test\.csv, got 0 among \['other\.csv'\]"):
        content(locate(tmp_path, "test.csv"))
    (tmp_path / "test.zip").write_bytes(zip_of({"a/test.csv": TEXT, "b/test.csv": TEXT}))
    with pytest.raises(UserError, match=r"one entry named test\.csv, got 2"):
        content(locate(tmp_path, "test.csv"))


def test_digest_follows_the_content(tmp_path: Path):
    path = tmp_path / "test.csv"
    path.write_bytes(TEXT)
    before = Source(path).digest()
    path.write_bytes(TEXT + b"\n")
    assert Source(path).digest() != before
    path.unlink()
    with pytest.raises(UserError, match="No such file"):
        Source(path).digest()
