"""Where the data comes from: --data, else data/, else Kaggle where credentials are set up, else drawn faces."""

from dataclasses import dataclass
from pathlib import Path

from solution.data.drawn.write import DrawnSettings, ensure_drawn, is_drawn
from solution.data.files import REQUIRED, has_competition, missing
from solution.errors import UserError
from solution.kaggle.credentials import has_credentials
from solution.kaggle.download import download
from solution.runtime import LOG

DRAWN = "drawn"
KAGGLE = "kaggle"


@dataclass(frozen=True)
class Source:
    """A folder with the competition's files, and the name that its results go by."""

    folder: Path
    dataset: str


def find(root: Path, data: Path | None) -> Source:
    """The first source that applies, said aloud in one line. UserError where --data holds no competition files."""
    default = root / "data"
    if data is not None:
        if not has_competition(data):
            raise UserError(
                f"--data {data}: expected a folder with the competition's files (training.zip, test.zip, "
                "IdLookupTable.csv), found none. Name the folder they were unpacked or downloaded to."
            )
        return _said(Source(data, dataset_name(data, default)), "named by --data")
    lacking = missing(default)
    if not lacking:
        return _said(Source(default, KAGGLE), "data/ holds the competition's files")
    if has_credentials():
        LOG.info("Data: none in data/; Kaggle credentials found, downloading to %s", default)
        download(default)
        return _said(Source(default, KAGGLE), "downloaded from Kaggle")
    if len(lacking) < len(REQUIRED):
        raise UserError(
            f"{default}: expected all of {', '.join(REQUIRED)} (or zips of them), got none of {', '.join(lacking)}. "
            "Put what is missing there too; or move the others away, and faces are drawn."
        )
    folder = default / DRAWN
    settings = DrawnSettings()
    doing = "the faces drawn earlier" if is_drawn(folder, settings) else "drawing faces"
    LOG.info("Data: none in data/, no Kaggle credentials: %s (made up, not for Kaggle)", doing)
    try:
        ensure_drawn(folder, settings)
    except OSError as error:
        raise UserError(
            f"{folder}: expected a folder to draw faces into, got: {error.strerror}. "
            "Name the competition's files with --data, or run from a copy that can be written to."
        ) from error
    return _said(Source(folder, DRAWN), "drawn faces")


def dataset_name(folder: Path, default: Path) -> str:
    """data/ and its drawn faces keep their own names; any other folder lends its name."""
    resolved = folder.resolve()
    if resolved == default.resolve():
        return KAGGLE
    return resolved.name or "root"


def _said(source: Source, why: str) -> Source:
    LOG.info("Data: %s (%s); results under folds/%s and submissions/%s", source.folder, why, *[source.dataset] * 2)
    return source
