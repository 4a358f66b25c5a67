"""Image files of every usual kind become the same upright 8-bit pixels, and a bad one is named with its reason."""

import io
import re
import struct
import tracemalloc
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import makers
from sonde.data import loading
from sonde.data.image import decode
from sonde.data.image.decode import LARGEST_PIXELS, fit, read_image
from sonde.errors import DataError


def read(path: Path, size: tuple[int, int] = (12, 12), channels: int = 3, limit: int = LARGEST_PIXELS) -> np.ndarray:
    pixels = read_image(path, size, channels, largest_pixels=limit)
    assert pixels.dtype == np.uint8 and pixels.shape == (*size, channels)
    return pixels


@pytest.mark.parametrize("suffix", ["png", "bmp", "gif", "tif", "webp", "jpg"])
def test_the_usual_formats_give_the_same_picture(suffix: str, tmp_path: Path) -> None:
    pixels = makers.picture(1, 3)
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(pixels).save(path, **({"quality": 100} if suffix in ("jpg", "webp") else {}))
    # JPEG and WebP are lossy and share one colour among 2 x 2 pixels.
    assert np.abs(read(path).astype(int) - pixels).max() <= (60 if suffix in ("jpg", "webp") else 0)
    assert np.abs(read(path).astype(int) - pixels).mean() < 4


def test_a_file_is_known_by_its_content_not_by_its_ending(tmp_path: Path) -> None:
    makers.save(makers.picture(0, 1), tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert np.array_equal(read(tmp_path / "a.jpg"), makers.picture(0, 1))


def test_a_moving_gif_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("L", (12, 12), value) for value in (200, 10, 90)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert np.all(read(tmp_path / "a.gif") == 200)


def test_grey_and_black_and_white_become_three_equal_channels(tmp_path: Path) -> None:
    grey = makers.picture(2, 5, channels=1)
    assert np.array_equal(read(makers.save(grey, tmp_path / "a.png")), np.repeat(grey, 3, axis=2))
    Image.fromarray(grey[..., 0] > 128).save(tmp_path / "b.png")
    assert set(np.unique(read(tmp_path / "b.png"))) == {0, 255}


def test_colour_becomes_grey_by_luminance(tmp_path: Path) -> None:
    path = makers.save(np.full((12, 12, 3), (10, 200, 30), dtype=np.uint8), tmp_path / "a.png")
    assert np.all(read(path, channels=1) == round(0.299 * 10 + 0.587 * 200 + 0.114 * 30))


def test_sixteen_bits_are_scaled_and_not_cut(tmp_path: Path) -> None:
    values = np.array([[0, 257, 32896, 65535]] * 4, dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    assert read(tmp_path / "a.png", (4, 4), 1)[0, :, 0].tolist() == [0, 1, 128, 255]
    Image.fromarray(values).save(tmp_path / "a.tif")
    assert read(tmp_path / "a.tif", (4, 4), 1)[0, :, 0].tolist() == [0, 1, 128, 255]


@pytest.mark.parametrize("kind", ["a.png", "a.tif", "long.tif"])
def test_every_value_of_sixteen_bits_is_rounded_alike_in_every_block(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.arange(65536, dtype=np.uint16 if kind.startswith("a") else np.int32).reshape(256, 256)
    if kind == "long.tif":
        # 32-bit whole numbers beyond 16 bits are cut.
        values[0, :3] = -5, 70_000, 2**31 - 1
    Image.fromarray(values).save(tmp_path / kind)
    expected = np.rint(values.astype(np.float64).clip(0, 65535) / 257)[..., None]
    for at_once in (1 << 20, 256 * 100, 10):
        monkeypatch.setattr(decode, "SIXTEEN_AT_ONCE", at_once)
        assert np.array_equal(read(tmp_path / kind, (256, 256), 1), expected)


def test_a_large_image_of_sixteen_bits_takes_little_more_than_its_pixels(tmp_path: Path) -> None:
    Image.new("I;16", (4000, 2000), 1000).save(tmp_path / "a.png")
    tracemalloc.start()
    try:
        read(tmp_path / "a.png", (4, 4), 1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # 8 million pixels: a byte for each, and a block on the way; Pillow's own two bytes are not counted.
    assert peak < 8_000_000 + 24 * decode.SIXTEEN_AT_ONCE


def test_a_file_that_is_too_large_to_be_decoded_is_not_read_for_its_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "LARGEST_FILE", 10)
    found = []
    for content in (b"0123456789", b"012345678x", b"0123456789a", b"0123456789b", b"0123456789ab"):
        (tmp_path / "a.png").write_bytes(content)
        found.append(loading._hash_file(tmp_path / "a.png"))
    # Its content says nothing, and its size all the same.
    assert found[0] != found[1] and found[2] == found[3] != found[4] and len(set(found)) == 4


def test_fractional_pixels_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.ones((4, 4), dtype=np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match=r"a\.tif holds fractional pixels"):
        read(tmp_path / "a.tif")


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    pixels = np.zeros((12, 12, 4), dtype=np.uint8)
    pixels[..., 3] = 255
    pixels[:, :6, 3] = 0
    makers.save(pixels, tmp_path / "rgba.png")
    makers.save(pixels[..., [0, 3]], tmp_path / "la.png")
    palette = Image.new("P", (12, 12), 1)
    palette.putpalette([9, 9, 9, 0, 0, 0])
    palette.paste(0, (0, 0, 6, 12))
    palette.save(tmp_path / "palette.png", transparency=0)
    palette.save(tmp_path / "palette.gif", transparency=0)
    for name in ("rgba.png", "la.png", "palette.png", "palette.gif"):
        seen = read(tmp_path / name)
        assert np.all(seen[:, :6] == 255) and np.all(seen[:, 6:] == 0), name


def test_cmyk_becomes_the_colours_that_were_meant(tmp_path: Path) -> None:
    Image.new("RGB", (12, 12), (250, 20, 30)).convert("CMYK").save(tmp_path / "a.jpg", quality=100)
    assert np.abs(read(tmp_path / "a.jpg").astype(int) - (250, 20, 30)).max() < 12


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_the_exif_rotation_is_applied_as_pillow_does(orientation: int, suffix: str, tmp_path: Path) -> None:
    from PIL import ImageOps

    pixels = np.zeros((16, 32, 3), dtype=np.uint8)
    pixels[:8, :8] = 255
    pixels[8:, 16:] = (0, 0, 255)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(pixels).save(path, exif=exif)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB")).astype(int)
    assert np.abs(read(path, expected.shape[:2]) - expected).max() <= 2


def test_a_damaged_exif_block_does_not_spoil_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (12, 12), (90, 90, 90)).save(path, exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\xff" * 30)
    assert np.abs(read(path).astype(int) - 90).max() < 3


@pytest.mark.parametrize("side", [(300, 200), (201, 333)])
def test_a_jpeg_decoded_at_a_smaller_scale_looks_like_the_whole_one(side: tuple[int, int], tmp_path: Path) -> None:
    rows, columns = np.mgrid[: side[0], : side[1]]
    pixels = np.stack([rows * 255 // side[0], columns * 255 // side[1], rows * 0 + 60], axis=2).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.jpg", quality=95)
    small = read(tmp_path / "a.jpg", (24, 24))
    assert np.abs(small.astype(int) - fit(pixels, (24, 24), 3)).max() < 8


def test_the_middle_is_cut_out_and_nothing_is_squeezed() -> None:
    wide = np.zeros((10, 30, 1), dtype=np.uint8)
    wide[:, 10:20] = 200
    assert np.all(fit(wide, (5, 5), 1) == 200)
    assert np.all(fit(wide.transpose(1, 0, 2), (20, 20), 1) == 200)
    assert fit(wide, (7, 3), 3).shape == (7, 3, 3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50_000), (50_000, 1), (2, 3)])
def test_odd_shapes_are_resized_without_growing_on_the_way(shape: tuple[int, int]) -> None:
    assert np.all(fit(np.full((*shape, 3), 9, dtype=np.uint8), (64, 48), 3) == 9)


def test_what_cannot_be_read_is_named_with_its_reason(tmp_path: Path) -> None:
    whole = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(whole, "JPEG")
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("not an image at all")
    (tmp_path / "short.jpg").write_bytes(whole.getvalue()[:900])
    (tmp_path / "head.jpg").write_bytes(whole.getvalue()[:20])
    (tmp_path / "folder.jpg").mkdir()
    reasons = {
        "empty.jpg": "is empty",
        "text.jpg": "is not an image that sonde reads",
        "short.jpg": "is damaged or cut off",
        "head.jpg": "is",
        "folder.jpg": r"is a folder; name the files in it, such as folder.jpg/\*\.png",
        "absent.jpg": r"is not there \(looked in .*\); check the path",
        "*.png": "is a pattern that matched no file; check the folder",
    }
    for name, reason in reasons.items():
        with pytest.raises(DataError, match=f"^{re.escape(name)} {reason}"):
            read(tmp_path / name)


@pytest.mark.parametrize("suffix", ["png", "gif", "webp", "bmp", "jpg", "tif"])
def test_no_cut_or_changed_byte_raises_anything_but_a_named_error(suffix: str, tmp_path: Path) -> None:
    makers.save(makers.picture(1, 1), tmp_path / f"whole.{suffix}")
    raw = (tmp_path / f"whole.{suffix}").read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / f"bad.{suffix}"
    for place in rng.integers(0, len(raw), 60).tolist():
        for content in (raw[:place], raw[:place] + bytes([raw[place] ^ 0x5A]) + raw[place + 1 :]):
            path.write_bytes(content)
            # Loading turns decoders' own warnings off; reading a single file leaves them to the caller.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    read(path)
                except DataError as error:
                    assert str(error).startswith(path.name)


def test_a_flipped_bit_in_a_png_is_found_by_its_checksum(tmp_path: Path) -> None:
    path = makers.save(np.random.default_rng(0).integers(0, 255, (12, 12, 3), dtype=np.uint8), tmp_path / "a.png")
    raw = bytearray(path.read_bytes())
    raw[200] ^= 1
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"a\.png is damaged"):
        read(path)


def png_that_declares(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("side", [9_000, 12_000, 60_000])
def test_too_many_pixels_are_refused_before_decoding_and_without_a_warning(side: int, tmp_path: Path) -> None:
    (tmp_path / "bomb.png").write_bytes(png_that_declares(side, side))
    with pytest.raises(DataError, match=r"bomb\.png has .* pixels"):
        read(tmp_path / "bomb.png")


def test_the_bound_on_pixels_is_the_users(tmp_path: Path) -> None:
    path = makers.save(makers.picture(0, 0), tmp_path / "a.png")
    read(path, limit=144)
    with pytest.raises(DataError, match=r"12 x 12 pixels, more than image.largest_pixels = 143"):
        read(path, limit=143)
