"""The other loaders of loader.py: `torch.utils.data.DataLoader` as tutorials and experts write it, and `tf.data`.

torchvision is not asked for: its transforms are written out here as its documentation describes them.
"""

# B batch, H height, W width, C channels

import math
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from loader_cases import MEAN, STD, Case
from PIL import Image, ImageOps

Batches = Callable[[int], Any]


class Draws:
    """What `RandomCrop`, `RandomHorizontalFlip` and a resized crop draw for one image."""

    def __init__(self, case: Case):
        """Draw.

        Args:
            case: how far an image moves, or how much of it is cut away.
        """
        lost = random.randint(0, case.margin) if case.kind == "resized" else 0
        room = lost if case.kind == "resized" else 2 * case.margin
        self.side = case.side - lost
        self.top, self.left = random.randint(0, room), random.randint(0, room)
        self.mirrored = random.random() < 0.5


def with_tutorial(case: Case, folder: Path, workers: int, cores: int) -> Batches:
    """Load Pillow images one by one: crop, flip, `ToTensor`, `Normalize`.

    Args:
        case: what is made.
        folder: where its files are.
        workers: processes.
        cores: not used.
    """
    import torch

    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (MEAN, STD))
    images = _stored(case, folder)

    def example(row: int) -> tuple[Any, int]:
        if case.kind == "decode":
            with Image.open(images[row]) as file:
                image = _middle(file.convert("RGB"), case.side)
        else:
            image = _changed_by_pillow(Image.fromarray(images[row]), case)
        tensor = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().to(torch.float32).div(255)
        return tensor.sub_(mean).div_(std), row % 10

    return _data_loader(case, example, len(images), workers)


def _changed_by_pillow(image: Image.Image, case: Case) -> Image.Image:
    draws = Draws(case)
    if case.kind == "shift":
        image = ImageOps.expand(image, case.margin)
    box = (draws.left, draws.top, draws.left + draws.side, draws.top + draws.side)
    if case.kind == "resized":
        image = image.resize((case.side, case.side), Image.Resampling.BILINEAR, box=box)
    else:
        image = image.crop(box)
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if draws.mirrored else image


def _middle(image: Image.Image, side: int) -> Image.Image:
    """Return `Resize(side)` and `CenterCrop(side)` of an image."""
    scale = side / min(image.size)
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BILINEAR)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def with_tensors(case: Case, folder: Path, workers: int, cores: int) -> Batches:
    """Load uint8 tensors one by one and change them as tensors, as newer transforms do.

    Args:
        case: what is made; not of files.
        folder: where its files are.
        workers: processes.
        cores: not used.
    """
    import torch
    from torch.nn import functional

    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (MEAN, STD))
    images = _stored(case, folder)

    def example(row: int) -> tuple[Any, int]:
        draws = Draws(case)
        image = torch.from_numpy(np.array(images[row])).permute(2, 0, 1)
        if case.kind == "shift":
            image = functional.pad(image, [case.margin] * 4)
        image = image[:, draws.top : draws.top + draws.side, draws.left : draws.left + draws.side]
        if case.kind == "resized":
            image = functional.interpolate(image[None], (case.side, case.side), mode="bilinear")[0]
        if draws.mirrored:
            image = image.flip(-1)
        return image.to(torch.float32).div_(255).sub_(mean).div_(std), row % 10

    return _data_loader(case, example, len(images), workers)


def with_expert(case: Case, folder: Path, workers: int, cores: int) -> Batches:
    """Load uint8 arrays changed by numpy and OpenCV; a whole batch is scaled at once, and stays channels last.

    Args:
        case: what is made.
        folder: where its files are.
        workers: processes.
        cores: not used.
    """
    import torch

    factor = torch.tensor([1 / (255 * each) for each in STD])
    summand = torch.tensor([-mean / std for mean, std in zip(MEAN, STD, strict=True)])
    images = _stored(case, folder)

    def example(row: int) -> tuple[Any, int]:
        if case.kind == "decode":
            return _decoded_small(images[row], case.side), row % 10
        return _changed_by_opencv(images[row], case), row % 10

    def collate(examples: list[tuple[Any, int]]) -> tuple[Any, Any]:
        pixels_BHWC = torch.from_numpy(np.stack([image for image, _ in examples]))
        # A row of pixels as one axis: over an axis of three numbers torch takes half as long again.
        rows_BHR, width = pixels_BHWC.flatten(2).to(torch.float32), pixels_BHWC.shape[2]
        scaled = rows_BHR.mul_(factor.repeat(width)).add_(summand.repeat(width)).view(pixels_BHWC.shape)
        return scaled.permute(0, 3, 1, 2), torch.tensor([label for _, label in examples])

    return _data_loader(case, example, len(images), workers, collate)


def _changed_by_opencv(image: Any, case: Case) -> Any:
    draws = Draws(case)
    if case.kind == "shift":
        image = cv2.copyMakeBorder(image, *[case.margin] * 4, cv2.BORDER_CONSTANT)
    image = image[draws.top : draws.top + draws.side, draws.left : draws.left + draws.side]
    if case.kind == "resized":
        image = cv2.resize(image, (case.side, case.side), interpolation=cv2.INTER_LINEAR)
    return cv2.flip(image, 1) if draws.mirrored else image


def _decoded_small(path: Path, side: int) -> Any:
    with Image.open(path) as image:
        image.draft("RGB", (side, side))
        wide, high = image.size
        least = min(wide, high)
        left, top = (wide - least) / 2, (high - least) / 2
        box = (left, top, left + least, top + least)
        return np.array(image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR, box=box))


def _stored(case: Case, folder: Path) -> Any:
    if case.kind == "decode":
        return sorted((folder / case.stored).glob("*.jpg"))
    return np.load(folder / case.stored, mmap_mode=None if case.kind == "shift" else "r")


def _data_loader(
    case: Case, example: Callable[[int], Any], count: int, workers: int, collate: Callable[[Any], Any] | None = None
) -> Batches:
    from torch.utils.data import DataLoader, Dataset

    class Images(Dataset[Any]):
        """Calls `example`."""

        def __len__(self) -> int:
            """Return how many images there are."""
            return count

        def __getitem__(self, row: int) -> Any:
            """Return one image and its label."""
            return example(row)

    class Shuffled:
        """Rows of so many batches, shuffled anew each time."""

        steps = 0

        def __iter__(self) -> Iterator[list[int]]:
            """Yield the rows of one batch after the other."""
            each = count // case.batch
            for step in range(self.steps):
                if step % each == 0:
                    order = np.random.permutation(count).tolist()
                start = step % each * case.batch
                yield order[start : start + case.batch]

        def __len__(self) -> int:
            """Return how many batches there are."""
            return self.steps

    rows = Shuffled()
    # Elsewhere than on Linux nobody tells what living processes have used: they then end with each burst.
    lasting = workers > 0 and Path("/proc/self/stat").exists()
    loader = DataLoader(
        Images(), batch_sampler=rows, num_workers=workers, collate_fn=collate, persistent_workers=lasting
    )

    def make(steps: int) -> None:
        rows.steps = steps
        for _ in loader:
            pass

    return make


def with_tensorflow(case: Case, folder: Path, workers: int, cores: int) -> Batches:
    """Load with `tf.data`: shuffle, map, batch, prefetch, as its guide shows.

    Args:
        case: what is made.
        folder: where its files are.
        workers: not used.
        cores: threads of the pipeline.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    tf.config.set_visible_devices([], "GPU")
    images = _stored(case, folder)
    if case.kind == "decode":
        sources: Any = [str(path) for path in images]
    else:
        sources = np.asarray(images)
    labels = np.arange(len(sources)) % 10
    change = _tensorflow_change(case)
    options = tf.data.Options()
    options.threading.private_threadpool_size = cores
    pipeline = (
        tf.data.Dataset.from_tensor_slices((sources, labels))
        .shuffle(len(sources))
        .repeat()
        .map(lambda source, label: (change(source), label), num_parallel_calls=tf.data.AUTOTUNE)
        .batch(case.batch, drop_remainder=True)
        .prefetch(tf.data.AUTOTUNE)
        .with_options(options)
    )

    def make(steps: int) -> None:
        for _ in pipeline.take(steps):
            pass

    return make


def _tensorflow_change(case: Case) -> Callable[[Any], Any]:
    import tensorflow as tf

    side = case.side

    def scaled(image: Any) -> Any:
        return (tf.cast(image, tf.float32) / 255.0 - MEAN) / STD

    def decoded(path: Any) -> Any:
        # The largest scale down that does not fall short of the target; the files of a case are of one size.
        shorter = int(case.stored.split("x")[1])
        ratio = 2 ** min(3, int(math.log2(shorter / side)))
        image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3, ratio=ratio)
        high, wide = tf.shape(image)[0], tf.shape(image)[1]
        least = tf.minimum(high, wide)
        part = tf.image.crop_to_bounding_box(image, (high - least) // 2, (wide - least) // 2, least, least)
        return scaled(tf.ensure_shape(tf.image.resize(part, (side, side)), (side, side, 3)))

    def changed(image: Any) -> Any:
        if case.kind == "shift":
            image = tf.image.resize_with_crop_or_pad(image, side + 2 * case.margin, side + 2 * case.margin)
        cut = side
        if case.kind == "resized":
            cut = side - tf.random.uniform((), 0, case.margin + 1, dtype=tf.int32)
        image = tf.image.random_crop(image, (cut, cut, 3))
        if case.kind == "resized":
            image = tf.image.resize(image, (side, side))
        return scaled(tf.image.random_flip_left_right(image))

    return decoded if case.kind == "decode" else changed


WAYS: dict[str, Callable[[Case, Path, int, int], Batches]] = {
    "tutorial": with_tutorial,
    "tensors": with_tensors,
    "expert": with_expert,
    "tf.data": with_tensorflow,
}
"""Every way but sonde's."""
