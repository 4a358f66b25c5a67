"""Makes the small data sets of the golden runs: the same bytes at every call, without a network.

    python benchmarks/golden_data.py FOLDER         writes them all there, to be looked at

Every maker draws from a seed of its own, so that a new data set changes none of the others.
"""

import csv
import json
import sys
import wave
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 8000
"""Samples a second of the tones."""
SIDE = 12
"""Height and width of the pictures in pixels."""

SUBJECTS = (
    "the film",
    "this old story",
    "the plot",
    "her new play",
    "the music of the film",
    "a cast of unknown actors",
)
PRAISE = ("was a joy", "shines from start to end", "moved all of us", "is warm , clever and short")
BLAME = ("was a bore", "falls apart", "left all of us cold", "is slow , loud and long")
NEITHER = ("runs for two hours", "opens on friday", "was made in 1994")
ENDINGS = ("", "again", "and i had not thought so", "as my sister said before we went in")

PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "film", "this", "was", "a", "joy", "bore", "two")
"""The vocabulary of the pretrained encoder; all other words are unknown to it."""
WIDTH, HIDDEN, POSITIONS = 8, 12, 40
"""Its sizes; it has one block of two heads."""


def make_all(folder: Path) -> None:
    """Write every data set below a folder; it is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, maker in MAKERS.items():
        maker(folder / name)


def _write_csv(path: Path, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def _pictures(folder: Path) -> None:
    """Grey pictures, each with a bar across, a bar down, a corner, several of them or none; labels in one column."""
    from PIL import Image

    rng = np.random.default_rng(1)
    (folder / "images").mkdir(parents=True)
    rows = []
    for number in range(150):
        pixels = rng.integers(0, 90, (SIDE, SIDE))
        across, down, corner = rng.random(3) < (0.5, 0.4, 0.3)
        row, column = rng.integers(2, SIDE - 2, 2)
        pixels[row] += 150 * across
        pixels[:, column] += 120 * down
        pixels[:4, :4] += 100 * corner
        name = f"images/{number:03}.png"
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / name)
        has = zip(("across", "down", "corner"), (across, down, corner), strict=True)
        rows.append((name, "|".join(label for label, is_there in has if is_there)))
    _write_csv(folder / "list.csv", ("path", "labels"), rows)


def _sentence(rng: np.random.Generator, endings: Sequence[str]) -> str:
    subject = SUBJECTS[rng.integers(len(SUBJECTS))]
    return " ".join((subject, endings[int(rng.integers(len(endings)))], ENDINGS[rng.integers(len(ENDINGS))])).strip()


def _texts(path: Path) -> None:
    """Texts of one to five sentences, so of 4 to 60 words; 240 of three classes."""
    rng = np.random.default_rng(2)
    kinds = {"good": PRAISE, "bad": BLAME, "fact": NEITHER}
    rows = []
    for number in range(240):
        label = list(kinds)[number % 3]
        # One sentence of another kind now and then, so that no model is always right.
        said = [kinds[label]] * int(rng.integers(1, 6)) + [kinds[list(kinds)[rng.integers(3)]]] * int(
            rng.random() < 0.4
        )
        rows.append((f"{number}: " + " . ".join(_sentence(rng, endings) for endings in said), label))
    _write_csv(path, ("text", "label"), rows)


def _rare_texts(path: Path) -> None:
    """The same sort of texts, of which one in six is of the rare class."""
    rng = np.random.default_rng(3)
    rows = []
    for number in range(300):
        is_rare = number % 6 == 0
        said = [NEITHER, BLAME if is_rare else PRAISE]
        said += [BLAME] if rng.random() < 0.1 else []
        label = "complaint" if is_rare else "other"
        rows.append((f"{number}: " + " . ".join(_sentence(rng, endings) for endings in said), label))
    _write_csv(path, ("text", "label"), rows)


def _topics(path: Path) -> None:
    """Texts with several labels in one column, some with none."""
    rng = np.random.default_rng(4)
    kinds = {"praise": PRAISE, "blame": BLAME, "fact": NEITHER}
    rows = []
    for number in range(200):
        labels = [label for label in kinds if rng.random() < 0.45]
        said = [_sentence(rng, kinds[label]) for label in labels] or ["nothing was said"]
        rows.append((f"{number}: " + " . ".join(said), "|".join(labels)))
    _write_csv(path, ("text", "labels"), rows)


def _write_tone(path: Path, samples: NDArray[np.float64]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def _tone(rng: np.random.Generator, hertz: Sequence[float], seconds: float) -> NDArray[np.float64]:
    times = np.arange(int(RATE * seconds)) / RATE
    sound = sum((0.2 * np.sin(2 * np.pi * each * times + rng.random()) for each in hertz), np.zeros(len(times)))
    return sound + rng.normal(0, 0.05, len(times))


def _tones(folder: Path) -> None:
    """A folder of recordings for each of three pitches, a quarter of a second and a little more or less."""
    rng = np.random.default_rng(5)
    for label, hertz in {"low": 300.0, "middle": 500.0, "high": 800.0}.items():
        for number in range(40):
            pitch = hertz * float(rng.uniform(0.75, 1.33))
            _write_tone(folder / label / f"{number:02}.wav", _tone(rng, [pitch], float(rng.uniform(0.2, 0.3))))


def _chords(folder: Path) -> None:
    """Recordings of none to three tones at once; labels in one column of a table."""
    rng = np.random.default_rng(6)
    rows = []
    for number in range(120):
        labels = {"low": 300.0, "middle": 700.0, "high": 1600.0}
        heard = {label: hertz * float(rng.uniform(0.8, 1.25)) for label, hertz in labels.items() if rng.random() < 0.45}
        name = f"{number:03}.wav"
        _write_tone(folder / name, _tone(rng, list(heard.values()), 0.25))
        rows.append((name, "|".join(heard)))
    _write_csv(folder / "list.csv", ("path", "labels"), rows)


def _waves(path: Path) -> None:
    """Series of 40 steps and three shapes, in an archive with a training and a test split."""
    rng = np.random.default_rng(7)
    steps = np.linspace(0, 4 * np.pi, 40)
    arrays: dict[str, NDArray[Any]] = {}
    for split, count in {"train": 150, "test": 60}.items():
        phases = rng.random((count, 1)) * 2 * np.pi
        kinds = np.arange(count) % 3
        forms = np.stack([np.sin(steps + phases), np.sign(np.sin(steps + phases)), np.sin(2 * steps + phases)], axis=1)
        series = forms[np.arange(count), kinds] + rng.normal(0, 0.6, (count, 40))
        arrays[f"x_{split}"], arrays[f"y_{split}"] = series.astype(np.float32), kinds
    np.savez(path, **arrays)  # type: ignore[arg-type]


def _readings(path: Path) -> None:
    """Series of 12 to 30 steps and two channels, a row for each step, with several labels and some gaps."""
    rng = np.random.default_rng(8)
    rows: list[Sequence[object]] = []
    for number in range(150):
        length = int(rng.integers(12, 31))
        rises, swings, jumps = rng.random(3) < (0.5, 0.4, 0.4)
        times = np.arange(length)
        first = rng.normal(0, 0.5, length) + rises * times / 8 + swings * np.sin(times)
        second = rng.normal(0, 0.5, length) + 2.0 * jumps * (times > length // 2)
        has = zip(("rises", "swings", "jumps"), (rises, swings, jumps), strict=True)
        labels = "|".join(label for label, is_there in has if is_there)
        for time in range(length):
            gap = rng.random() < 0.02
            rows.append((number, time, "" if gap else f"{first[time]:.4f}", f"{second[time]:.4f}", labels))
    _write_csv(path, ("series", "time", "first", "second", "labels"), rows)


def _people(rng: np.random.Generator, count: int) -> Iterator[tuple[list[object], float]]:
    for _ in range(count):
        age, income = float(rng.normal(45, 12)), float(rng.lognormal(3, 0.5))
        town, since = (
            ("north", "south", "east", "west")[rng.integers(4)],
            f"20{rng.integers(10, 25)}-0{rng.integers(1, 10)}-15",
        )
        score = (
            (age - 45) / 12
            + (income - 22) / 11
            + {"north": 1.0, "south": -1.0}.get(town, 0.0)
            + float(rng.normal(0, 0.7))
        )
        yield [f"{age:.1f}", "" if rng.random() < 0.05 else f"{income:.2f}", town, since], score


def _offers(path: Path) -> None:
    """Rows of numbers, gaps, a category and a date, with three labels as columns of 0 and 1."""
    rng = np.random.default_rng(9)
    rows = []
    for cells, score in _people(rng, 250):
        wants = [int(score + float(rng.normal(0, 0.5)) > level) for level in (-0.5, 0.3)]
        rows.append((*cells, *wants, int(cells[2] in ("north", "east") and score < 0.5)))
    _write_csv(path, ("age", "income", "town", "since", "wants_card", "wants_loan", "wants_visit"), rows)


def _loans(path: Path) -> None:
    """The same sort of rows with one label; of three classes 70, 20 and 10 in a hundred."""
    rng = np.random.default_rng(10)
    people = list(_people(rng, 300))
    paid, late = np.quantile([score for _, score in people], (0.1, 0.3))
    rows = [(*cells, "lost" if score < paid else "late" if score < late else "paid") for cells, score in people]
    _write_csv(path, ("age", "income", "town", "since", "outcome"), rows)


def _encoder(folder: Path) -> None:
    """A BERT of one block as Hugging Face's library writes it, with drawn weights."""
    from safetensors.numpy import save_file

    rng = np.random.default_rng(11)
    folder.mkdir(parents=True)
    config = {"model_type": "bert", "vocab_size": len(PIECES), "hidden_size": WIDTH, "num_hidden_layers": 1}
    config |= {"num_attention_heads": 2, "intermediate_size": HIDDEN, "hidden_act": "gelu"}
    config |= {"hidden_dropout_prob": 0.1, "max_position_embeddings": POSITIONS}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n")
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": true}')
    rows = {"word": len(PIECES), "position": POSITIONS, "token_type": 2}
    shapes: dict[str, tuple[int, ...]] = {
        f"embeddings.{name}_embeddings.weight": (count, WIDTH) for name, count in rows.items()
    }
    dense = {f"encoder.layer.0.attention.self.{name}": (WIDTH, WIDTH) for name in ("query", "key", "value")}
    dense |= {"encoder.layer.0.attention.output.dense": (WIDTH, WIDTH), "pooler.dense": (WIDTH, WIDTH)}
    dense |= {"encoder.layer.0.intermediate.dense": (HIDDEN, WIDTH), "encoder.layer.0.output.dense": (WIDTH, HIDDEN)}
    for name, shape in dense.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    weights = {f"bert.{name}": rng.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}
    for name in ("embeddings", "encoder.layer.0.attention.output", "encoder.layer.0.output"):
        weights[f"bert.{name}.LayerNorm.weight"] = rng.normal(1, 0.2, WIDTH).astype(np.float32)
        weights[f"bert.{name}.LayerNorm.bias"] = rng.normal(0, 0.2, WIDTH).astype(np.float32)
    save_file(weights, folder / "model.safetensors")


MAKERS: dict[str, Callable[[Path], None]] = {
    "pictures": _pictures,
    "texts.csv": _texts,
    "rare-texts.csv": _rare_texts,
    "topics.csv": _topics,
    "tones": _tones,
    "chords": _chords,
    "waves.npz": _waves,
    "readings.csv": _readings,
    "offers.csv": _offers,
    "loans.csv": _loans,
    "encoder": _encoder,
}
"""Name below the folder of the data, and what writes it."""


if __name__ == "__main__":
    make_all(Path(sys.argv[1]))
