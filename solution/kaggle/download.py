"""The competition's files from Kaggle: fetch one zip, read all of it, and then move its files to the data folder."""

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
"""Folder below the data folder that holds the zip until it is whole, so the data folder only has whole files."""

MARKER = f"{OUTER}.kaggle-partial"  # the file that the client leaves beside an incomplete zip; it needs it to continue
LIMIT = 3600.0  # Seconds after which a download stops: 80 MB at 22 kB/s. The next download continues it.


def download(folder: Path) -> Path:
    """Fetch the competition's files into `folder`, as they are in Kaggle's outer zip; return the folder.

    Files that are there are read and not fetched again. An interrupted download continues. UserError with the remedy:
    no client, no credentials, rules not accepted, no network, or files that are damaged or unsafe.
    """
    staging = folder / STAGING
    if (folder / OUTER).is_file() and not zipfile.is_zipfile(folder / OUTER):  # the client alone has left this one
        _make(staging)
        for name in (OUTER, MARKER):
            if (folder / name).is_file():
                (folder / name).replace(staging / name)
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


def _fetched(staging: Path, tries: int = 2) -> list[Source]:
    """Each file in the zip that the client fetches. A zip that is complete and damaged is fetched once more."""
    LOG.info("Kaggle: downloading %s, about 80 MB", COMPETITION)
    _make(staging)
    if not zipfile.is_zipfile(staging / OUTER):  # a whole one is left where the disk had no room to unpack it
        _fetch(staging)
    try:
        return _read_whole(staging, (*REQUIRED, SAMPLE))
    except NoRoomError:
        raise  # the zip is whole and is kept
    except UserError as error:
        shutil.rmtree(staging)
        if tries == 1:
            raise
        LOG.info("Kaggle: the downloaded zip is damaged (%s)", error)
    return _fetched(staging, tries - 1)


def _fetch(staging: Path) -> None:
    """One call of the client. It continues an incomplete zip of the same content."""
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
    """Find each file and read every byte of it, which verifies all checksums.

    UserError where one is missing, empty, damaged, unsafe or larger than any of the competition's files.
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
    """Write the files of the outer zip into the folder, each atomically.

    The inner zips stay zips: the stages read them, and they are a third of the size.
    """
    for source in reversed(sources):  # the first ones mark a folder as one of the competition's files
        with atomic(folder / source.entries[0]) as temporary, temporary.open("wb") as handle:
            for chunk in Source(source.path, source.entries[:1]).chunks():
                handle.write(chunk)
