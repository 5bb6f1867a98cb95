import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from solution.data.images import decode, read_picture
from solution.runtime.errors import UserError

RED = (250, 10, 20)


def halves(mode: str = "RGB", left: object = RED, right: object = (0, 0, 0)) -> Image.Image:
    """A picture of 40×20 pixels, its left half of one colour, its right half of another."""
    image = Image.new(mode, (40, 20), right)
    image.paste(left, (0, 0, 20, 20))
    return image


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF", "PPM"])
def test_colours_come_blue_green_red(form: str):
    picture = decode("a", saved(halves(), form))
    assert picture.colour.shape == (20, 40, 3)
    assert picture.note == ""
    np.testing.assert_allclose(picture.colour[10, 5], RED[::-1], atol=12)
    np.testing.assert_allclose(picture.grey[10, 5], 0.299 * 250 + 0.587 * 10 + 0.114 * 20, atol=8)
    assert picture.grey[10, 35] < 10


def test_exif_orientation_is_honoured():
    exif = Image.Exif()
    exif[274] = 6  # turn by a quarter, clockwise
    picture = decode("a", saved(halves(), "JPEG", exif=exif))
    assert picture.colour.shape == (40, 20, 3)
    assert picture.grey[5, 10] > 60
    assert picture.grey[35, 10] < 10


def test_cmyk_becomes_colour():
    picture = decode("a", saved(halves("CMYK", (0, 255, 255, 0), (0, 0, 0, 255)), "JPEG"))
    blue, green, red = picture.colour[10, 5].tolist()
    assert red > 180
    assert max(blue, green) < 80
    assert picture.colour[10, 35].max() < 40


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_becomes_white(mode: str):
    clear = (0,) * (len(mode) - 1) + (0,)
    solid = (90,) * (len(mode) - 1) + (255,)
    picture = decode("a", saved(halves(mode, solid, clear), "PNG"))
    assert picture.colour[10, 35].tolist() == [255, 255, 255]
    assert picture.colour[10, 5].tolist() == [90, 90, 90]


def test_a_palettes_transparent_colour_becomes_white():
    image = halves().convert("P")
    picture = decode("a", saved(image, "PNG", transparency=image.getpixel((30, 10))))
    assert picture.colour[10, 35].tolist() == [255, 255, 255]


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bits_become_eight(form: str):
    values = np.zeros((20, 40), np.uint16)
    values[:, :20] = 51400
    picture = decode("a", saved(Image.fromarray(values), form))
    assert (picture.colour[10, 5] == 200).all()
    assert (picture.colour[10, 35] == 0).all()


def test_floating_point_is_stretched():
    values = np.full((20, 40), -3.0, np.float32)
    values[:, :20] = 7.5
    picture = decode("a", saved(Image.fromarray(values), "TIFF"))
    assert (picture.colour[10, 5] == 255).all()
    assert (picture.colour[10, 35] == 0).all()


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_few_colours_are_fine(mode: str):
    picture = decode("a", saved(halves("L", 255, 0).convert(mode), "PNG"))
    assert picture.grey[10, 5] == 255
    assert picture.grey[10, 35] == 0


def test_of_an_animation_the_first_picture_is_taken():
    others = [halves(right=(0, 255, 0)), halves(right=(0, 0, 255))]
    picture = decode("a", saved(halves(), "GIF", save_all=True, append_images=others))
    assert picture.note == "it holds 3 pictures, the first is taken"
    assert picture.colour[10, 35].max() < 10


def test_one_pixel_is_a_picture():
    assert decode("a", saved(Image.new("L", (1, 1), 9), "PNG")).grey.tolist() == [[9]]


def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"])
def test_a_picture_that_is_cut_off_is_an_error(form: str):
    data = saved(noise(), form)
    with pytest.raises(UserError, match=r"^a: expected a (whole )?picture.*"):
        decode("a", data[: len(data) // 2])


@pytest.mark.parametrize("data", [b"", b"hello, this is text\n", b"\x00" * 500, b"\xff\xd8\xff\xe0", b"GIF89a"])
def test_other_files_are_an_error(data: bytes):
    with pytest.raises(UserError, match=r"^a: expected a (whole )?picture") as caught:
        decode("a", data)
    assert "\n" not in str(caught.value)


def test_a_picture_too_large_is_refused_unread():
    head = b"IHDR" + struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    data += struct.pack(">I", 1000) + b"IDAT" + b"x" * 1000
    with pytest.raises(UserError, match=r"^a: expected a picture of at most 89 megapixels"):
        decode("a", data)


def test_files_that_cannot_be_read(tmp_path: Path):
    with pytest.raises(UserError, match="expected a picture, got no such file"):
        read_picture(tmp_path / "none.png")
    with pytest.raises(UserError, match="expected a picture, got a folder"):
        read_picture(tmp_path)
    with pytest.raises(UserError, match="expected a picture, got no such file"):
        read_picture(Path("a\0b"))


def test_a_file_is_named_in_its_error(tmp_path: Path):
    (tmp_path / "letter.jpg").write_text("Dear all,")
    with pytest.raises(UserError, match=r"letter\.jpg: expected a picture .* begins with b'Dear all'"):
        read_picture(tmp_path / "letter.jpg")
