"""The competition's files from Kaggle: fetched as one zip, read whole, and only then put where the stages look."""

import shutil
import zipfile
from contextlib import suppress
from pathlib import Path

from solution.data.archive import OUTER, NoRoomError, Source, locate
from solution.data.reader import REQUIRED, SAMPLE, has_competition
from solution.kaggle import COMPETITION, PAGE, client
from solution.runtime.artifacts import atomic
from solution.runtime.device import LOG
from solution.runtime.errors import UserError

STAGING = ".download"
"""Folder below the wanted one that holds the zip until it is whole: what lies in the wanted one can be relied on."""

MARKER = f"{OUTER}.kaggle-partial"
"""What the client leaves beside a zip that it has not got all of, and needs to go on."""

LIMIT = 3600.0
"""Seconds after which a download is given up: 80 MB at 22 kB/s. The next one goes on from there."""


def download(folder: Path) -> Path:
    """Fetch the competition's files into `folder`, as Kaggle's outer zip holds them; give the folder.

    Files that are there are read, not fetched again. A download that broke off goes on. UserError with the remedy: no
    client, no credentials, rules not accepted, no network, or files that are damaged or unsafe.
    """
    staging = folder / STAGING
    _take_over(folder, staging)
    if has_competition(folder):
        _read_whole(folder, REQUIRED)
        LOG.info("Kaggle: the files are there already, nothing is fetched")
    else:
        _unpack(_fetched(staging), folder)
    shutil.rmtree(staging, ignore_errors=True)
    return folder


def _make(staging: Path) -> None:
    try:
        staging.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{staging.parent}: expected a folder to download to, got: {error.strerror}. Name another one."
        ) from error


def _take_over(folder: Path, staging: Path) -> None:
    """Let a zip that the client was once told to put into the folder itself, and is cut off, be gone on with."""
    cut_off = folder / OUTER
    if not cut_off.is_file() or zipfile.is_zipfile(cut_off):
        return
    _make(staging)
    for name in (OUTER, MARKER):
        if (folder / name).is_file():
            (folder / name).replace(staging / name)


def _fetched(staging: Path, tries: int = 2) -> list[Source]:
    """Each file in the zip that the client fetches. One that is damaged though all of it came is fetched once more."""
    LOG.info("Kaggle: downloading %s, about 80 MB", COMPETITION)
    _make(staging)
    if not zipfile.is_zipfile(staging / OUTER):  # one that is whole could not be unpacked for lack of room
        _fetch(staging)
    try:
        return _read_whole(staging, (*REQUIRED, SAMPLE))
    except NoRoomError:
        raise  # what came is whole, and is gone on with
    except UserError as error:
        shutil.rmtree(staging)
        if tries == 1:
            raise
        LOG.info("Kaggle: what came is damaged (%s)", error)
    return _fetched(staging, tries - 1)


def _fetch(staging: Path) -> None:
    """One call of the client, which goes on with what lies there if it is of the same zip."""
    try:
        client.call("competitions", "download", "-c", COMPETITION, "-p", str(staging), limit=LIMIT)
    except UserError as error:
        archive = staging / OUTER
        if archive.is_file():
            size = archive.stat().st_size / 1e6
            raise UserError(f"{error} The {size:.1f} MB that came are kept: the same command goes on.") from error
        with suppress(OSError):
            staging.rmdir()
        raise


def _read_whole(folder: Path, names: tuple[str, ...]) -> list[Source]:
    """Where each file lies, every byte of it read once, which checks all checksums on the way.

    UserError where one is missing, empty, damaged, unsafe or larger than any of the competition's.
    """
    sources = []
    for name in names:
        source = locate(folder, name)
        if source is None or not sum(len(chunk) for chunk in source.chunks()):
            raise UserError(
                f"{folder}: expected {', '.join(names)}, got {'no' if source is None else 'an empty'} {name}. "
                f"Download again, or fetch {OUTER} by hand from {PAGE}/data."
            )
        sources.append(source)
    return sources


def _unpack(sources: list[Source], folder: Path) -> None:
    """Put what the outer zip holds into the folder, each file under the name it was looked for by, none half-written.

    The inner zips stay zips: the stages read them, and they are a third of the size.
    """
    for source in reversed(sources):  # the first ones tell a folder of the competition's files
        with atomic(folder / source.entries[0]) as temporary, temporary.open("wb") as handle:
            for chunk in Source(source.path, source.entries[:1]).chunks():
                handle.write(chunk)
