"""Makes tiny data sets in every format, for tests.

Each image has one colour that tells its class and its number, with a mark in the upper left corner, so that a test can
see which image it has before it and whether it was turned.
"""

import csv
import gzip
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 12


def picture(kind: int, number: int, *, side: int = SIDE, channels: int = 3) -> NDArray[np.uint8]:
    """Return one small image: red says the class, green the number, and a white corner the upper left."""
    pixels = np.zeros((side, side, channels), dtype=np.uint8)
    pixels[..., 0] = 40 + 30 * kind + (number if channels == 1 else 0)
    if channels == 3:
        pixels[..., 1] = 5 * number % 256
        pixels[..., 2] = 7 * number % 251
    pixels[: side // 4, : side // 4] = 255
    return pixels


def pictures(per_class: int, classes: int = 2, *, side: int = SIDE, channels: int = 3) -> tuple[NDArray, NDArray]:
    """Return N x side x side x channels images and their class numbers, in turns."""
    numbers = [(kind, number) for number in range(per_class) for kind in range(classes)]
    images = np.stack([picture(kind, number, side=side, channels=channels) for kind, number in numbers])
    return images, np.array([kind for kind, _ in numbers])


def save(pixels: NDArray, path: Path) -> Path:
    """Write an array as an image file; the ending says how."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels).save(path)
    return path


def class_folders(
    root: Path, per_class: int = 10, classes: Sequence[str] = ("cat", "dog"), splits: Sequence[str] = ()
) -> Path:
    """Make a folder of images for each class, below a folder for each split where there are any."""
    for place, split in enumerate(splits or [""]):
        for kind, name in enumerate(classes):
            for number in range(per_class):
                save(picture(kind, number + place * per_class), root / split / name / f"{number:03}.png")
    return root


def manifest(root: Path, per_class: int = 10, suffix: str = ".csv", columns: Sequence[str] = ("path", "label")) -> Path:
    """Make images in one folder and a table of them; columns may be path, label, split and group."""
    rows = []
    for kind, name in enumerate(("cat", "dog")):
        for number in range(per_class):
            file = save(picture(kind, number), root / "images" / f"{name}-{number}.png")
            split = "test" if number % 5 == 0 else "val" if number % 5 == 1 else "train"
            whole = {"path": f"images/{file.name}", "label": name, "split": split, "group": f"{name}{number // 3}"}
            rows.append({column: whole[column] for column in columns})
    return write_table(root / f"list{suffix}", rows)


def write_table(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    """Write rows as CSV, TSV or parquet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path)
        return path
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writeheader()
        writer.writerows(rows)
    return path


def idx(root: Path, per_class: int = 10, *, packed: bool = True, dot: bool = False, channels: int = 1) -> Path:
    """Make the four IDX files of the MNIST family."""
    root.mkdir(parents=True, exist_ok=True)
    images, labels = pictures(per_class, channels=channels)
    shape = images.shape if channels == 3 else images.shape[:3]
    sign = "." if dot else "-"
    for split, rows in (("train", slice(4, None)), ("t10k", slice(0, 4))):
        count = len(labels[rows])
        write_idx(root / f"{split}-images{sign}idx3-ubyte", images[rows].reshape(count, *shape[1:]), packed=packed)
        write_idx(root / f"{split}-labels{sign}idx1-ubyte", labels[rows].astype(np.uint8), packed=packed)
    return root


def write_idx(path: Path, values: NDArray, *, packed: bool = False) -> Path:
    """Write one IDX file."""
    raw = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()
    if packed:
        path = path.with_name(path.name + ".gz")
    path.write_bytes(gzip.compress(raw, mtime=0) if packed else raw)
    return path


def cifar(root: Path, per_class: int = 10, *, fine: bool = False) -> Path:
    """Make the files of CIFAR-10's binary version, or of CIFAR-100's."""
    root.mkdir(parents=True, exist_ok=True)
    images, labels = pictures(per_class, side=32)
    planes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    marks = labels.astype(np.uint8)[:, None]
    rows = np.hstack([marks * 0, marks, planes] if fine else [marks, planes]).astype(np.uint8)
    files = ("train.bin", "test.bin") if fine else ("data_batch_1.bin", "test_batch.bin")
    (root / files[0]).write_bytes(rows[4:].tobytes())
    (root / files[1]).write_bytes(rows[:4].tobytes())
    (root / ("fine_label_names.txt" if fine else "batches.meta.txt")).write_text("cat\ndog\n")
    return root


def npz(path: Path, per_class: int = 10, *, split: bool = True) -> Path:
    """Make an archive with x_train, y_train, x_test, y_test, or with images and labels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images, labels = pictures(per_class)
    if split:
        np.savez(path, x_train=images[4:], y_train=labels[4:], x_test=images[:4], y_test=labels[:4])
    else:
        np.savez(path, images=images, labels=np.array(["cat", "dog"])[labels])
    return path
