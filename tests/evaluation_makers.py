"""Hand-made runs: the files that training and evaluation would have left, without either."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sonde.answers.answer import Contest
from sonde.answers.class_bars import class_bars
from sonde.answers.classification.baselines import guesses
from sonde.answers.classification.confusion_picture import confusion_matrix
from sonde.answers.classification.curve_pictures import precision_recall, roc
from sonde.answers.classification.fitted import Fitted
from sonde.answers.classification.options import Options
from sonde.answers.classification.pictures import MEASURES, PICTURES, areas
from sonde.answers.classification.reliability_picture import reliability
from sonde.answers.classification.selective_pictures import answered, set_sizes
from sonde.answers.classification.target import ClassTarget
from sonde.answers.facts import Shown
from sonde.config import RunFolder, Setting, Settings, write_settings
from sonde.config.run_folder import origins_of
from sonde.drawing import Pixels
from sonde.evaluation import plots
from sonde.evaluation.solved_baselines import solved_beside
from sonde.metrics.curves import Curve, Reliability


@dataclass(frozen=True)
class Evidence:
    """Everything that the pictures of a classification are drawn from, without a model that made it."""

    history: Sequence[Mapping[str, Any]] = ()
    scores: Mapping[str, Any] = field(default_factory=dict)
    roc: Mapping[str, Curve | None] = field(default_factory=dict)
    precision_recall: Mapping[str, Curve | None] = field(default_factory=dict)
    before: Reliability | None = None
    after: Reliability | None = None
    worst: Sequence[Shown] = ()


@dataclass(frozen=True)
class Drawn:
    """A picture as a function of such evidence."""

    function: Callable[[Evidence], str | None]
    title: str
    look_for: str


def _general(name: str) -> Drawn:
    row = plots.PLOTS[name]
    return Drawn(
        lambda made: row.function(plots.Evidence(made.history, made.scores, made.worst)), row.title, row.look_for
    )


def _of_classes(name: str, function: Callable[[Evidence], str | None]) -> Drawn:
    return Drawn(function, PICTURES[name].title, PICTURES[name].look_for)


PLOTS: dict[str, Drawn] = {
    **{name: _general(name) for name in plots.PLOTS},
    "confusion": _of_classes(
        "confusion",
        lambda made: (
            confusion_matrix(made.scores["confusion"], made.scores["classes"])
            if made.scores.get("confusion") and made.scores.get("classes")
            else None
        ),
    ),
    "classes": _of_classes("classes", lambda made: class_bars(made.scores.get("per_class") or {}, MEASURES, by="f1")),
    "roc": _of_classes("roc", lambda made: roc(made.roc, areas(made.scores, "roc_auc"))),
    "precision-recall": _of_classes(
        "precision-recall",
        lambda made: precision_recall(made.precision_recall, areas(made.scores, "average_precision")),
    ),
    "reliability": _of_classes(
        "reliability", lambda made: None if made.after is None else reliability(made.before, made.after)
    ),
    "answered": _of_classes("answered", lambda made: answered(made.scores.get("abstention") or {})),
    "set-sizes": _of_classes("set-sizes", lambda made: set_sizes(made.scores.get("conformal") or {})),
}
"""Every picture of a classification."""


def draw(made: Evidence) -> dict[str, str]:
    """Draw all pictures for which there is something to draw."""
    drawn = {name: row.function(made) for name, row in PLOTS.items()}
    return {name: picture for name, picture in drawn.items() if picture is not None}


NASTY = (
    "<script>alert(1)</script>",
    "quo\"ted & 'single'",
    "two\nlines\tand a bell\a",
    "reversed \u202egnp.exe",
    "שלום עולם",
    "🌼 daisy family 👩‍👩‍👧",
    "a very long name that goes on and on, much longer than any column could ever hold, and then some more",
    "中文类别名称",
    "]]>--><svg onload=alert(1)>",
    "{{ 7 * 7 }} ${x} %s",
    "null\x00byte\x7f\x9b",
    "\ud800half a pair",
    "   ",
    "z̷̧̢̛a̶̡̢̛l̵̨̛g̶̛o̷̧",
    "../../etc/passwd",
    "https://example.org/x.png",
)
"""What people, and people with bad intentions, call their classes."""

FLOWERS = ("daisy", "rose", "tulip")


def score(value: float | None, n: int, width: float = 0.02) -> dict[str, Any]:
    """Return a score as scores.json holds it."""
    if value is None:
        return {"value": None, "low": None, "high": None, "n": 0}
    return {"value": value, "low": max(0.0, value - width), "high": min(1.0, value + 0.8 * width), "n": n}


def class_names(count: int) -> tuple[str, ...]:
    """Return some class names, nasty ones among them where there are more than three."""
    if count <= 3:
        return FLOWERS[:count]
    plain = tuple(f"species {index:02d}" for index in range(count))
    return (NASTY + plain)[:count]


def make_scores(classes: tuple[str, ...], *, wins: str = "model") -> dict[str, Any]:
    """Return a hand-made scores.json: mostly right, the second class often taken for the third."""
    count = len(classes)
    confusion = np.eye(count, dtype=int) * 44
    confusion += (np.add.outer(3 * np.arange(count), 7 * np.arange(count)) % 11 == 4) * (count > 1)
    if count > 1:
        confusion[1, -1] += 9
    total = int(confusion.sum())
    accuracy = float(np.trace(confusion) / total)
    per_class = {}
    for index, label in enumerate(classes):
        right, truth, guess = confusion[index, index], confusion[index].sum(), confusion[:, index].sum()
        precision, recall = float(right / guess), float(right / truth)
        f1 = 2 * precision * recall / (precision + recall)
        values = {
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "roc_auc": 0.9 + 0.1 * f1,
            "average_precision": f1,
        }
        per_class[label] = {"n": int(truth), **{key: score(value, int(truth), 0.06) for key, value in values.items()}}
    names = ("balanced_accuracy", "top_5_accuracy", "precision_macro", "recall_macro", "f1_macro", "f1_weighted")
    linear = accuracy + {"model": -0.09, "baseline": 0.02, "neither": -0.005}[wins]
    difference = {"value": accuracy - linear, "low": accuracy - linear - 0.02, "high": accuracy - linear + 0.02}
    sentence = {
        "model": "The model beats the best baseline, logistic regression on pixels, by 9.0 points of accuracy.",
        "baseline": "A baseline wins: logistic regression on pixels is 2.0 points of accuracy better than the model.",
        "neither": "Within noise: the model and logistic regression on pixels differ by 0.5 points of accuracy.",
    }[wins]
    return {
        "format": 2,
        "task": "image-classification",
        "answer": "classification",
        "classes": list(classes),
        "headline": "accuracy",
        "confidence": 0.95,
        "resamples": 1000,
        "splits": f"the data's own test split ({total} examples)",
        "test": {
            "accuracy": score(accuracy, total),
            **{name: score(min(1.0, accuracy + 0.003), total) for name in names},
            "roc_auc_macro": score(0.987, total, 0.006),
            "average_precision_macro": score(None, 0),
            "log_loss": {"value": 0.312, "low": 0.25, "high": 0.391, "n": total},
            "brier": {"value": 0.141, "low": 0.11, "high": 0.17, "n": total},
            "expected_calibration_error": {"value": 0.021, "low": 0.012, "high": 0.034, "n": total},
        },
        "per_class": per_class,
        "confusion": confusion.tolist(),
        "calibration": {
            "temperature": 1.31,
            "before": {"expected_calibration_error": score(0.058, total), "log_loss": score(0.36, total)},
            "after": {"expected_calibration_error": score(0.021, total), "log_loss": score(0.312, total)},
        },
        "baselines": {
            "majority class": {"accuracy": score(1 / count, total), "log_loss": score(None, 0)},
            "logistic regression on pixels": {"accuracy": score(linear, total)},
        },
        **make_doubt(classes, total),
        "verdict": {
            "best_baseline": "logistic regression on pixels",
            "difference": {**difference, "n": total},
            "wins": wins,
            "sentence": sentence,
        },
    }


def make_doubt(classes: tuple[str, ...], n: int) -> dict[str, Any]:
    """Return hand-made entries on prediction sets and abstention."""
    sizes = [
        {"from": 1, "to": 1, "share": 0.8, "reached": score(0.95, n)},
        {"from": 4, "to": 5, "share": 0.2, "reached": score(0.8, n, 0.1)},
    ]
    used = {"reached": score(0.92, n), "mean_size": 1.3, "alone": 0.8, "sizes": sizes, "is_finite": True}
    used["per_class"] = {label: score(0.9, 10) for label in classes}
    conformal = {"wanted": 0.9, "method": "lac", "by_class": False, "examples": 60, "apart": False}
    conformal |= {
        "expected": [0.8, 0.97],
        "methods": {"lac": used, "aps": used},
        "sentence": "The coverage target was met.",
    }
    abstention = {"threshold": 0.7, "reason": "as classification.abstain_below says", "area": 0.0123}
    abstention |= {"coverage": score(0.8, n), "accuracy": score(0.99, n)}
    abstention |= {"curve": [[0.05 * at, 1 - 0.005 * at, 1 - 0.04 * at] for at in range(1, 21)]}
    return {"conformal": conformal, "abstention": abstention}


def make_history(epochs: int, *, best: int | None = None) -> list[dict[str, Any]]:
    """Return the records of a training that learns, and over-fits a little."""
    kept = best or max(1, round(epochs * 0.7))
    return [
        {
            "epoch": epoch,
            "step": 23 * epoch,
            "train": {"loss": 1.6 * 0.72**epoch + 0.02, "accuracy": 1 - 0.55 * 0.70**epoch},
            "validation": {
                "loss": 1.4 * 0.76**epoch + 0.16 + 0.008 * max(0, epoch - kept),
                "accuracy": 0.94 - 0.45 * 0.72**epoch,
            },
            "learning_rate": 0.001 * (1 + np.cos(np.pi * epoch / epochs)) / 2 if epoch > 1 else 0.0005,
            "clock": {"seconds": 1.9, "examples_per_second": 750.0, "memory_mb": 512.0, "loader_share": 0.03},
            **({"best": True} if epoch in (1, kept) else {}),
        }
        for epoch in range(1, epochs + 1)
    ]


def make_environment(sizes: dict[str, int]) -> dict[str, Any]:
    """Return a hand-made environment.json."""
    return {
        "sonde": "0.1.0",
        "python": "3.11.7",
        "platform": "Linux-6.1-x86_64",
        "processor": "Some CPU <fast> & quiet",
        "cores": 2,
        "threads": 2,
        "backend": "torch",
        "packages": {"keras": "3.15.1", "numpy": "2.4.0", "torch": "2.13.0"},
        "precision": {"value": "bf16", "reason": "the CPU does it natively and a self-check found it faster"},
        "git": {"revision": "0123456789abcdef", "dirty": True},
        "dataset": {
            "name": "flowers",
            "format": "folder of classes",
            "fingerprint": "9f" * 32,
            "sizes": sizes,
            "split_origin": {"train": "stratified, seed 0", "validation": "stratified, seed 0", "test": "given"},
        },
        "model": {"name": "cnn", "parameters": 123456},
        "command": ["sonde", "train", "my flowers", "--epochs", "12"],
        "started": "2026-01-02T03:04:05Z",
    }


OPTIONS = {
    "run.data": Setting("my flowers", "command line"),
    "run.task": Setting("image-classification", "guessed", reason="class folders hold images: 3 classes"),
    "run.model": Setting("cnn", "guessed", reason="images of 64x64 and smaller"),
    "run.backend": Setting("torch", "default"),
    "run.epochs": Setting(12, "file"),
    "run.seed": Setting(0, "default"),
    "run.name": Setting("flowers-1", "default"),
    "image.size": Setting([32, 32], "guessed", reason='the median image is "32  # 32" & <small>'),
    "image.root": Setting("a  # b", "command line"),
    "training.learning_rate": Setting(0.001, "default"),
}
"""What a run was told, in the order of its file."""


def make_findings(classes: tuple[str, ...]) -> dict[str, Any]:
    """Return a hand-made findings.json with something of everything."""
    return {
        "bad_files": [["rose/broken <1>.jpg", "truncated JPEG"], ["tulip/empty.png", "0 bytes"]],
        "duplicates": 4,
        "leaks": [["train: daisy/1.png", "test: daisy/<b>9.png"]],
        "leak_count": 2,
        "notes": ["3 files are CMYK and were converted"],
        "classes": {
            "train": {label: 100 + 7 * index for index, label in enumerate(classes)},
            "validation": dict.fromkeys(classes, 20),
            "test": dict.fromkeys(classes[1:], 45),
        },
    }


def make_several(classes: tuple[str, ...]) -> dict[str, Any]:
    """Return the parts of scores.json that tell of folds and of an ensemble, with names as bad as those of classes."""
    runs = [
        {"label": label, "name": label, "scores": {"accuracy": score(0.9 - 0.01 * place, 45)}}
        for place, label in enumerate(classes[:5])
    ]
    mean = {"value": 0.88, "low": 0.86, "high": 0.9, "corrected_low": 0.85, "corrected_high": 0.91}
    return {
        "folds": {"headline": "accuracy", "runs": runs, "spread": {"accuracy": mean}},
        "ensemble": {"metrics": ["accuracy"], "scores": {"accuracy": score(0.92, 45)}, "members": runs},
    }


def make_bins(sharpness: float) -> Reliability:
    """Return ten bins of a model that is too sure by `sharpness`."""
    edges = np.linspace(0.0, 1.0, 11)
    confidence = (edges[:-1] + edges[1:]) / 2
    counts = np.array([0, 0, 1, 2, 3, 5, 8, 14, 25, 90])
    return Reliability(edges, confidence, np.clip(confidence - sharpness * (1 - confidence), 0, 1), counts)


def make_curves(classes: tuple[str, ...], *, rising: bool) -> dict[str, Curve | None]:
    """Return one smooth curve for each class, from good to bad."""
    x = np.linspace(0.0, 1.0, 101)
    powers = {label: 0.03 + 0.3 * index / len(classes) for index, label in enumerate(classes)}
    return {label: Curve(x, x**power if rising else 1 - x ** (1 / power)) for label, power in powers.items()}


def make_worst(classes: tuple[str, ...], count: int = 8) -> list[Shown]:
    """Return predictions with small pictures, one of them without."""
    rng = np.random.default_rng(0)
    shapes = [(8, 8, 1), (32, 24, 3), (200, 150, 3), (28, 28, 1)]
    return [
        Shown(
            name=f"{classes[index % len(classes)]}/img_{index:04d}.jpg",
            truth=classes[index % len(classes)],
            predicted=classes[(index + 1) % len(classes)],
            confidence=0.999 - 0.03 * index,
            truth_confidence=0.001 + 0.01 * index,
            picture=None if index == 5 else Pixels(rng.integers(0, 255, shapes[index % 4]).astype(np.uint8)),
        )
        for index in range(count)
    ]


def make_evidence(count: int, *, epochs: int = 12, wins: str = "model") -> Evidence:
    """Return everything that pictures are drawn from, for some number of classes."""
    classes = class_names(count)
    return Evidence(
        history=make_history(epochs),
        scores=make_scores(classes, wins=wins) | make_several(classes),
        roc=make_curves(classes, rising=True),
        precision_recall=make_curves(classes, rising=False),
        before=make_bins(0.3),
        after=make_bins(0.05),
        worst=make_worst(classes),
    )


def make_run(path: Path, count: int, *, epochs: int = 12, wins: str = "model") -> RunFolder:
    """Write the files of a run that training and evaluation have gone through."""
    classes = class_names(count)
    folder = RunFolder(path)
    path.mkdir(parents=True)
    settings = Settings(OPTIONS)
    folder.settings_file.write_text(write_settings(settings), encoding="utf-8")
    folder.write_json(folder.origins_file, origins_of(settings))
    scores = make_scores(classes, wins=wins)
    for file, content in (
        (folder.scores_file, scores),
        (folder.environment_file, make_environment({"train": 321, "validation": 60, "test": 45 * count})),
        (folder.findings_file, make_findings(classes)),
    ):
        file.write_text(json.dumps(content, indent=1), encoding="utf-8")
    folder.history_file.write_text(
        "".join(json.dumps(record) + "\n" for record in make_history(epochs)), encoding="utf-8"
    )
    return folder


def guess_baselines(modality: str, train: Any, truth: Any, test: Any, *, classes: int, most: int = 1000) -> Any:
    """Return the probabilities that each baseline of a classification gives, N x C by name."""
    contest = Contest(
        modality,
        ClassTarget(tuple(str(number) for number in range(classes))),
        Fitted(),
        Options(),
        train,
        np.asarray(truth, np.int64),
        test,
        [str(row) for row in range(len(test))],
        np.zeros(len(test), np.int64),
        most,
    )
    made = guesses(solved_beside(contest, "classification", besides=""))
    return {name: each.probabilities for name, each in made.items()}
