import errno
import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import IO

import pytest

from solution.data import archive
from solution.data.archive import OUTER
from solution.data.competition import Competition
from solution.data.reader import has_competition, read_competition
from solution.kaggle.download import MARKER, STAGING, download
from solution.runtime.errors import UserError
from tests.data.tiny import zip_of
from tests.kaggle.conftest import Client
from tests.kaggle.stand_in import KEY, SIGNATURE, TOKEN, USER, StandIn

FILES = ["IdLookupTable.csv", "SampleSubmission.csv", "test.zip", "training.zip"]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def damaged(bundle: bytes) -> bytes:
    """The bundle with a byte changed in the middle of the training file: whole by its length alone."""
    at = len(bundle) - 1_000_000
    return bundle[:at] + bytes([bundle[at] ^ 1]) + bundle[at + 1 :]


def zip_content(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as handle:
        return {name: handle.read(name) for name in handle.namelist()}


# With the real client, in front of a stand-in for Kaggle


def test_a_download_that_breaks_off_goes_on_and_is_unpacked(site: StandIn, bundle: bytes, tmp_path: Path):
    site.archive, site.cuts = bundle, [1_500_000]
    assert download(tmp_path / "data") == tmp_path / "data"
    assert names(tmp_path / "data") == FILES
    assert site.calls[-3:] == ["DownloadDataFiles", "GET 0", "GET 1048576"]  # complete parts are not fetched again
    assert {name: (tmp_path / "data" / name).read_bytes() for name in FILES} == zip_content(bundle)


def test_a_later_download_goes_on_where_the_earlier_one_was_stopped(site: StandIn, bundle: bytes, tmp_path: Path):
    site.archive = bundle
    staging = tmp_path / "data" / STAGING
    staging.mkdir(parents=True)
    (staging / OUTER).write_bytes(bundle[:2_000_000])
    (staging / MARKER).write_text(json.dumps({"validator": site.etag, "size": len(bundle)}))
    download(tmp_path / "data")
    assert names(tmp_path / "data") == FILES
    assert "GET 2000000" in site.calls


def test_a_zip_that_is_damaged_twice_leaves_nothing(site: StandIn, bundle: bytes, tmp_path: Path):
    site.archive = damaged(bundle)
    with pytest.raises(UserError, match=r"training\.zip.*Bad CRC-32"):
        download(tmp_path / "data")
    assert site.calls.count("GET 0") == 2
    assert names(tmp_path / "data") == []


def test_a_whole_zip_is_kept_where_there_is_no_room_to_unpack_it(
    site: StandIn, bundle: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full() -> IO[bytes]:
        raise OSError(errno.ENOSPC, "No space left on device")

    site.archive = bundle

    with monkeypatch.context() as patch:
        patch.setattr("solution.data.archive.tempfile.TemporaryFile", full)
        with pytest.raises(UserError, match=r"expected room to unpack it in .*No space left.*TMPDIR"):
            download(tmp_path / "data")
    assert site.calls.count("GET 0") == 1
    download(tmp_path / "data")
    assert site.calls.count("GET 0") == 1  # nothing was fetched again
    assert names(tmp_path / "data") == FILES


@pytest.mark.parametrize("case", ["none", "key", "token"])
def test_a_refused_login_comes_with_a_remedy(site: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str):
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    wrong = TOKEN[::-1]
    if case == "key":
        monkeypatch.setenv("KAGGLE_USERNAME", USER)
        monkeypatch.setenv("KAGGLE_KEY", wrong)
    if case == "token":
        monkeypatch.setenv("KAGGLE_API_TOKEN", wrong)
    with pytest.raises(UserError) as caught:
        download(tmp_path / "data")
    message = str(caught.value)
    assert ("No credentials are set up." in message) == (case == "none")
    assert ("Kaggle did not accept the credentials of" in message) == (case != "none")
    assert "https://www.kaggle.com/settings/api" in message
    assert wrong not in message
    assert names(tmp_path / "data") == []


@pytest.mark.parametrize(
    ("status", "said", "remedy"),
    [
        (403, "You must accept this competition's rules before you can download its files.", "facial-keypoints"),
        (403, "", "Accept the competition's rules at https://www.kaggle.com/c/facial-keypoints-detection/rules"),
        (404, "", "is still there"),
    ],
)
def test_a_refusal_names_the_page_to_open(site: StandIn, tmp_path: Path, status: int, said: str, remedy: str):
    site.refusals["DownloadDataFiles"] = (status, said)
    with pytest.raises(UserError) as caught:
        download(tmp_path / "data")
    assert remedy in str(caught.value)
    assert said in str(caught.value)
    assert str(status) in str(caught.value) or said
    assert names(tmp_path / "data") == []


def test_no_network(site: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # no server listens on the discard port
    monkeypatch.setenv("VERBOSE", "1")
    with pytest.raises(UserError, match="Is there a network connection") as caught:
        download(tmp_path / "data")
    assert TOKEN not in str(caught.value)


def test_a_key_is_enough_and_its_download_may_be_refused_by_the_store(
    site: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    monkeypatch.setenv("KAGGLE_USERNAME", USER)
    monkeypatch.setenv("KAGGLE_KEY", KEY)
    site.store = 403
    with pytest.raises(UserError, match="403 Client Error") as caught:
        download(tmp_path / "data")
    assert "bundle.zip?***" in str(caught.value)
    assert SIGNATURE not in str(caught.value)


# With a client of a few shell lines


def given(tmp_path: Path, content: bytes, name: str = "given.zip") -> str:
    """The shell line of a client that downloads this."""
    (tmp_path / name).write_bytes(content)
    return f'cp "{tmp_path / name}" "$6/{OUTER}"'


def test_the_stages_read_what_was_downloaded(client: Client, tmp_path: Path, drawn_folder: Path, drawn: Competition):
    calls = client(download=given(tmp_path, zip_of({name: (drawn_folder / name).read_bytes() for name in FILES})))
    download(tmp_path / "data")
    read = read_competition(tmp_path / "data", tmp_path / "cache")
    assert (read.train.images == drawn.train.images).all()
    assert not read.drawn
    staging = str(tmp_path / "data" / STAGING)
    assert calls.read_text().splitlines() == ["competitions", "download", "-c", OUTER[:-4], "-p", staging]


def test_files_that_are_there_are_not_fetched_again(client: Client, tmp_path: Path, bundle: bytes):
    client(download=given(tmp_path, bundle))
    download(tmp_path / "data")
    calls = client(download="exit 1")
    calls.unlink()
    download(tmp_path / "data")
    assert not calls.exists()
    assert names(tmp_path / "data") == FILES


def test_a_damaged_file_that_is_there_is_named(client: Client, tmp_path: Path, bundle: bytes):
    client(download=given(tmp_path, bundle))
    download(tmp_path / "data")
    training = tmp_path / "data" / "training.zip"
    training.write_bytes(training.read_bytes()[:1000])
    with pytest.raises(UserError, match=r"training\.zip.*Is it cut off"):
        download(tmp_path / "data")


def test_a_zip_that_is_damaged_once_is_fetched_again(client: Client, tmp_path: Path, bundle: bytes):
    bad, good = given(tmp_path, damaged(bundle), "bad.zip"), given(tmp_path, bundle)
    once = tmp_path / "once"
    client(download=f'if [ -e "{once}" ]; then {good}; else touch "{once}"; {bad}; fi')
    download(tmp_path / "data")
    assert names(tmp_path / "data") == FILES


def test_an_incomplete_download_is_kept(client: Client, tmp_path: Path, bundle: bytes):
    client(download=f'{given(tmp_path, bundle[:1_200_000])}; echo "Max retries exceeded" >&2; exit 1')
    with pytest.raises(UserError, match=r"network connection.*1\.2 MB that came are kept"):
        download(tmp_path / "data")
    assert names(tmp_path / "data") == [STAGING]
    assert not has_competition(tmp_path / "data")


@pytest.mark.parametrize("marked", [True, False])
def test_an_incomplete_zip_of_the_bare_client_is_continued(client: Client, tmp_path: Path, bundle: bytes, marked: bool):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / OUTER).write_bytes(bundle[:1000])
    if marked:
        (tmp_path / "data" / MARKER).write_text("{}")
    client(download=f'[ -e "$6/{OUTER}" ] && {given(tmp_path, bundle)}')
    download(tmp_path / "data")
    assert names(tmp_path / "data") == FILES


UNSAFE = {
    "a path that climbs": ({"../training.zip": b"x"}, "leads out of"),
    "a file that lacks": ({"SampleSubmission.csv": None}, r"got no SampleSubmission\.csv"),
    "an empty file": ({"IdLookupTable.csv": b""}, r"got an empty IdLookupTable\.csv"),
    "no zip inside": ({"test.zip": b"test"}, "expected a whole file"),
    "a bomb": ({"test.zip": zip_of({"test.csv": bytes(4_000_000)})}, "at most 3000000 bytes unpacked"),
}


@pytest.mark.parametrize("case", UNSAFE)
def test_an_unsafe_zip_puts_nothing_anywhere(
    client: Client, tmp_path: Path, bundle: bytes, case: str, monkeypatch: pytest.MonkeyPatch
):
    changes, message = UNSAFE[case]
    entries = {name: content for name, content in (zip_content(bundle) | changes).items() if content is not None}
    monkeypatch.setattr(archive, "LIMIT", 3_000_000)
    client(download=given(tmp_path, zip_of(entries)))
    with pytest.raises(UserError, match=message):
        download(tmp_path / "data")
    assert names(tmp_path / "data") == []
    assert not (tmp_path / "training.zip").exists()


def test_a_client_that_brings_no_zip(client: Client, tmp_path: Path):
    client(download="echo done")
    with pytest.raises(UserError, match=r"got no training\.csv"):
        download(tmp_path / "data")


def test_an_archive_that_is_named_by_hand_is_left_alone(client: Client, tmp_path: Path, bundle: bytes):
    calls = client()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / OUTER).write_bytes(bundle)
    download(tmp_path / "data")
    assert names(tmp_path / "data") == [OUTER]
    assert not calls.exists()


def test_a_download_into_a_file(client: Client, tmp_path: Path):
    calls = client()
    (tmp_path / "data").touch()
    with pytest.raises(UserError, match="expected a folder to download to"):
        download(tmp_path / "data")
    assert not calls.exists()


@pytest.mark.parametrize("at", FILES)
def test_an_interrupted_unpacking_is_no_competition(
    client: Client, tmp_path: Path, bundle: bytes, monkeypatch: pytest.MonkeyPatch, at: str
):
    client(download=given(tmp_path, bundle))

    def stop(path: Path, target: Path) -> None:
        if target.name == at:
            raise KeyboardInterrupt
        shutil.move(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stop)
        with pytest.raises(KeyboardInterrupt):
            download(tmp_path / "data")
    assert not has_competition(tmp_path / "data")
    download(tmp_path / "data")
    assert names(tmp_path / "data") == FILES
