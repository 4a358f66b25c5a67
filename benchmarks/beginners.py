"""What beginners run: the first example that Keras and PyTorch show for MNIST and for Fashion-MNIST.

    python benchmarks/beginners.py torch-mnist --data ../shared/data/mnist --seed 0 --threads 2

One line of JSON goes to standard output: the test accuracy after each epoch, the seconds from the start of the process
to the end of each epoch, and in all. What an example prints itself goes to standard error.

Each is written anew from its published description, with the same net, optimizer, batches and epochs. Where an example
scores test images of its own accord, that is a part of its time; where it does not, scoring them is left out of it.
torchvision is not needed: `Pictures` does to each image what its data sets and transforms do, with fewer checks.
"""

import argparse
import gzip
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# The first line that runs; heavy libraries are imported below, where their time counts.
FIRST_LINE = time.time()

import numpy as np  # noqa: E402
from measuring import pin, thread_environment  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

CLASSES = 10
SIDE = 28


@dataclass(frozen=True)
class Images:
    """A data set as its files hold it."""

    train: NDArray[np.uint8]
    """N x height x width."""
    train_labels: NDArray[np.uint8]
    test: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]


@dataclass
class Watch:
    """Notes the seconds since the process was started, less those that are none of the example's."""

    began: float
    """Time of day at which the process was started."""
    left_out: float = 0.0
    """Seconds so far that do not count."""
    seconds: list[float] = field(default_factory=list)
    """At the end of each epoch."""
    accuracies: list[float] = field(default_factory=list)
    """On the test images, after each epoch."""

    def now(self) -> float:
        """Return the seconds that count so far."""
        return time.time() - self.began - self.left_out

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Leave out what is done inside."""
        begin = time.time()
        try:
            yield
        finally:
            self.left_out += time.time() - begin

    def note(self, accuracy: float) -> None:
        """Note that an epoch has just ended.

        Args:
            accuracy: on the test images.
        """
        self.seconds.append(self.now())
        self.accuracies.append(accuracy)


@dataclass(frozen=True)
class Example:
    """One published example."""

    title: str
    place: str
    """Where it is published."""
    data: str
    """The folder of its data set, below the folder of all."""
    epochs: int
    """As published."""
    build: Callable[[], Any]
    """Makes its untrained net; the framework is chosen by then."""
    run: Callable[[Images, Watch, int], int]
    """Does all of it, for so many epochs; returns the number of trained parameters."""


def main(words: Sequence[str] | None = None) -> int:
    """Run an example and print what it reached, and when.

    Args:
        words: the words behind the command; those of this process when left out.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=list(EXAMPLES))
    parser.add_argument("--data", type=Path, required=True, help="folder of the four IDX files")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, help="as published when left out")
    parser.add_argument("--backend", choices=["torch", "tensorflow", "jax"], default="torch", help="of Keras")
    parser.add_argument("--examples", type=int, help="take only so many images of each split, to try it out")
    parser.add_argument("--began", type=float, default=FIRST_LINE, help="time of day when the process was started")
    chosen = parser.parse_args(words)
    watch, example = Watch(chosen.began), EXAMPLES[chosen.name]
    with redirect_stdout(sys.stderr):
        _settle(chosen.name, chosen.backend, chosen.seed, chosen.threads)
        images = read(chosen.data, chosen.examples)
        parameters = example.run(images, watch, chosen.epochs or example.epochs)
        in_all = watch.now()
    told = {"example": chosen.name, "epochs": len(watch.seconds), "parameters": parameters}
    print(json.dumps({**told, "accuracy": watch.accuracies, "seconds": watch.seconds, "seconds_in_all": in_all}))
    return 0


def _settle(name: str, backend: str, seed: int, threads: int) -> None:
    os.environ.update(thread_environment(threads))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Not keras.utils.set_random_seed: it imports TensorFlow, seconds that the examples do not spend.
    random.seed(seed)
    np.random.seed(seed)
    if name.startswith("keras"):
        os.environ["KERAS_BACKEND"] = backend
        if backend == "jax":
            pin(threads)
    if name.startswith("torch") or backend == "torch":
        import torch

        torch.set_num_threads(threads)
        torch.manual_seed(seed)
    elif backend == "tensorflow":
        import tensorflow

        tensorflow.random.set_seed(seed)


def read(folder: Path, count: int | None = None) -> Images:
    """Read the four IDX files of a data set of the MNIST family.

    Args:
        folder: where they lie, packed by gzip or not.
        count: take only the first ones of each split.
    """
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    return Images(*(_array(folder / f"{name}-ubyte")[:count] for name in names))


def _array(path: Path) -> NDArray[np.uint8]:
    raw = path.read_bytes() if path.exists() else gzip.decompress(path.with_name(f"{path.name}.gz").read_bytes())
    # Two zero bytes, the type, the number of dimensions, each dimension in four bytes, the values.
    shape = np.frombuffer(raw, ">u4", raw[3], 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


def keras_mnist_net() -> Any:
    """Return the net of the Keras example "Simple MNIST convnet"."""
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def keras_mnist(images: Images, watch: Watch, epochs: int) -> int:
    """Run the Keras example "Simple MNIST convnet": Adam, batches of 128, a tenth kept for validation.

    Args:
        images: MNIST.
        watch: notes the epochs.
        epochs: passes over nine tenths of the training images.
    """
    import keras

    train, test = ((part.astype("float32") / 255)[..., None] for part in (images.train, images.test))
    labels = keras.utils.to_categorical(images.train_labels, CLASSES)
    model = keras_mnist_net()
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    scoring = _scoring(model, test, images.test_labels, watch)
    model.fit(train, labels, batch_size=128, epochs=epochs, validation_split=0.1, callbacks=[scoring], verbose=2)
    model.evaluate(test, keras.utils.to_categorical(images.test_labels, CLASSES), verbose=0)
    return int(model.count_params())


def keras_fashion_net() -> Any:
    """Return the net of the Keras tutorial "Basic classification"."""
    import keras
    from keras import layers

    hidden = layers.Dense(128, activation="relu")
    return keras.Sequential([keras.Input((SIDE, SIDE)), layers.Flatten(), hidden, layers.Dense(CLASSES)])


def keras_fashion(images: Images, watch: Watch, epochs: int) -> int:
    """Run the Keras tutorial "Basic classification": Adam, batches of 32, no validation.

    Args:
        images: Fashion-MNIST.
        watch: notes the epochs.
        epochs: passes over the training images.
    """
    import keras

    train, test = images.train / 255.0, images.test / 255.0
    model = keras_fashion_net()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    scoring = _scoring(model, test, images.test_labels, watch)
    model.fit(train, images.train_labels, epochs=epochs, callbacks=[scoring], verbose=2)
    model.evaluate(test, images.test_labels, verbose=2)
    return int(model.count_params())


def _scoring(model: Any, test: NDArray[Any], labels: NDArray[np.uint8], watch: Watch) -> Any:
    """Return a Keras callback that scores the test images after each epoch, which the examples do not."""
    import keras

    def score(epoch: int, logs: Any) -> None:
        with watch.resting():
            guesses = model.predict(test, batch_size=1000, verbose=0).argmax(axis=1)
        watch.note(float((guesses == labels).mean()))

    return keras.callbacks.LambdaCallback(on_epoch_end=score)


class Pictures:
    """Gives an image and its label as torchvision's MNIST data sets do with `ToTensor`, and `Normalize` if asked.

    Each image becomes a PIL image, its pixels are copied to a byte tensor, that is put channels first, turned to float,
    divided by 255, and normalised by tensors of mean and deviation. torchvision makes those two anew for each image.
    """

    def __init__(self, pixels: NDArray[np.uint8], labels: NDArray[np.uint8], scale: tuple[float, float] | None = None):
        """Keep the arrays; nothing is done to them yet.

        Args:
            pixels: N x height x width.
            labels: N.
            scale: mean and deviation to normalise by.
        """
        import torch

        self._pixels, self._labels = pixels, torch.from_numpy(labels.astype(np.int64))
        self._scale = [torch.tensor(each).view(-1, 1, 1) for each in scale] if scale else None

    def __len__(self) -> int:
        return len(self._pixels)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        import torch
        from PIL import Image

        picture = Image.fromarray(self._pixels[index])
        plane = torch.from_numpy(np.array(picture, np.uint8, copy=True)).view(picture.height, picture.width, 1)
        image = plane.permute(2, 0, 1).contiguous().to(torch.float32).div(255)
        if self._scale:
            image = image.clone().sub_(self._scale[0]).div_(self._scale[1])
        return image, int(self._labels[index])


def torch_mnist_net() -> Any:
    """Return the net of the PyTorch example "mnist"."""
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(),
        nn.Linear(9216, 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, CLASSES),
        nn.LogSoftmax(dim=1),
    )


def torch_mnist(images: Images, watch: Watch, epochs: int) -> int:
    """Run the PyTorch example "mnist": Adadelta, a rate that shrinks by 0.7 each epoch, batches of 64.

    On a processor it does not shuffle. It scores the test images after each epoch itself.

    Args:
        images: MNIST.
        watch: notes the epochs.
        epochs: passes over the training images.
    """
    import torch
    from torch.nn.functional import nll_loss
    from torch.utils.data import DataLoader

    scale = (0.1307, 0.3081)
    train: Any = DataLoader(Pictures(images.train, images.train_labels, scale), batch_size=64)
    test: Any = DataLoader(Pictures(images.test, images.test_labels, scale), batch_size=1000)
    model = torch_mnist_net()
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)
    for epoch in range(1, epochs + 1):
        _torch_epoch(model, train, nll_loss, optimizer, tell_every=10)
        watch.note(_torch_score(model, test, nll_loss))
        schedule.step()
        print(f"epoch {epoch}: {watch.accuracies[-1]:.4f}")
    return sum(each.numel() for each in model.parameters())


def torch_fashion_net() -> Any:
    """Return the net of the PyTorch tutorial "Quickstart"."""
    from torch import nn

    hidden = [nn.Linear(SIDE * SIDE, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU()]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(512, CLASSES))


def torch_fashion(images: Images, watch: Watch, epochs: int) -> int:
    """Run the PyTorch tutorial "Quickstart": plain SGD at 0.001, batches of 64, in the order of the files.

    It scores the test images after each epoch itself.

    Args:
        images: Fashion-MNIST.
        watch: notes the epochs.
        epochs: passes over the training images.
    """
    import torch
    from torch.utils.data import DataLoader

    train: Any = DataLoader(Pictures(images.train, images.train_labels), batch_size=64)
    test: Any = DataLoader(Pictures(images.test, images.test_labels), batch_size=64)
    model = torch_fashion_net()
    loss = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    for epoch in range(1, epochs + 1):
        _torch_epoch(model, train, loss, optimizer, tell_every=100)
        watch.note(_torch_score(model, test, loss))
        print(f"epoch {epoch}: {watch.accuracies[-1]:.4f}")
    return sum(each.numel() for each in model.parameters())


def _torch_epoch(model: Any, batches: Any, loss: Any, optimizer: Any, *, tell_every: int) -> None:
    model.train()
    for number, (inputs, labels) in enumerate(batches):
        optimizer.zero_grad()
        error = loss(model(inputs), labels)
        error.backward()
        optimizer.step()
        if number % tell_every == 0:
            print(f"batch {number} of {len(batches)}: {error.item():.4f}")


def _torch_score(model: Any, batches: Any, loss: Any) -> float:
    """Return the accuracy; the mean loss is computed too, as the examples print it."""
    import torch

    model.train(False)
    right, error = 0, 0.0
    with torch.no_grad():
        for inputs, labels in batches:
            outputs = model(inputs)
            error += loss(outputs, labels).item() * len(labels)
            right += int((outputs.argmax(dim=1) == labels).sum())
    print(f"test loss {error / len(batches.dataset):.4f}")
    return right / len(batches.dataset)


EXAMPLES: dict[str, Example] = {
    "keras-mnist": Example(
        'Keras, "Simple MNIST convnet"',
        "keras.io/examples/vision/mnist_convnet",
        "mnist",
        15,
        keras_mnist_net,
        keras_mnist,
    ),
    "torch-mnist": Example(
        'PyTorch, example "mnist"',
        "github.com/pytorch/examples",
        "mnist",
        14,
        torch_mnist_net,
        torch_mnist,
    ),
    "keras-fashion": Example(
        'Keras, "Basic classification"',
        "tensorflow.org/tutorials/keras/classification",
        "fashion-mnist",
        10,
        keras_fashion_net,
        keras_fashion,
    ),
    "torch-fashion": Example(
        'PyTorch, "Quickstart"',
        "pytorch.org/tutorials/beginner/basics/quickstart_tutorial",
        "fashion-mnist",
        5,
        torch_fashion_net,
        torch_fashion,
    ),
}
"""Every example, in the order of the tables."""


if __name__ == "__main__":
    sys.exit(main())
