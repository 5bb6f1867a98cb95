"""Read any picture file as upright 8-bit colour, also with EXIF orientation, CMYK, 16 bits, transparency or animation.

Pillow decodes the file. Every error of a file becomes one UserError.
"""

import io
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from solution.runtime.errors import UserError

LARGEST_FILE = 256 * 2**20  # most bytes of a picture's file

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"})
"""Files that count as pictures when a folder is read; a file named by the user may have any name."""


@dataclass(frozen=True, eq=False)
class Picture:
    """An upright picture."""

    name: str
    colour: np.ndarray  # (H, W, 3) uint8, blue, green, red
    note: str = ""  # what is left out of the file's content, or empty

    @cached_property
    def grey(self) -> np.ndarray:
        """The picture in grey, (H, W) uint8."""
        return cv2.cvtColor(self.colour, cv2.COLOR_BGR2GRAY)


def read_picture(path: Path) -> Picture:
    """The picture in a file. UserError where it is missing, no picture, damaged or too large."""
    try:
        if not path.is_file():
            raise UserError(f"{path}: expected a picture, got {'a folder' if path.is_dir() else 'no such file'}")
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise UserError(f"{path}: expected a file of at most {LARGEST_FILE} bytes, got {size}")
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: expected a file that can be read, got: {error.strerror}") from error
    return decode(str(path), data)


def decode(name: str, data: bytes) -> Picture:
    """The picture in a file's bytes. UserError where they are no picture, damaged or too large."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _decoded(name, data)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UserError(
            f"{name}: expected a picture of at most {(Image.MAX_IMAGE_PIXELS or 0) / 1e6:.0f} megapixels, got: "
            f"{_first_line(error)} Scale it down first."
        ) from error
    except UnidentifiedImageError as error:
        kind = "an empty file" if not data else f"a file that begins with {data[:8]!r}"
        raise UserError(f"{name}: expected a picture (JPEG, PNG, …), got {kind}") from error
    except Exception as error:  # decoders raise many types of errors for damaged bytes; each means the same
        raise UserError(f"{name}: expected a whole picture, got: {_first_line(error)}. Is the file cut off?") from error


def _decoded(name: str, data: bytes) -> Picture:
    with Image.open(io.BytesIO(data)) as image:
        frames = getattr(image, "n_frames", 1)
        image.seek(0)
        colour = np.asarray(_eight_bit(ImageOps.exif_transpose(image)))
    note = f"it holds {frames} pictures, the first is taken" if frames > 1 else ""
    return Picture(name, np.ascontiguousarray(colour[..., ::-1]), note)


def _eight_bit(image: Image.Image) -> Image.Image:
    """The picture in 8-bit RGB; transparent parts become white."""
    if image.mode.startswith(("I", "F")):
        image = Image.fromarray(_grey_levels(image))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    return image.convert("RGB")


def _grey_levels(image: Image.Image) -> np.ndarray:
    """A picture of one deep channel in 8 bits, (H, W) uint8: 16-bit values by their range, others by their extremes."""
    values = np.asarray(image).astype(np.float64)
    if image.mode.startswith("I;16"):
        return (values / 257).round().astype(np.uint8)
    values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    low, high = values.min(), values.max()
    return ((values - low) * (255 / max(high - low, 1e-9))).round().astype(np.uint8)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
