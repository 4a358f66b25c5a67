"""One contender of loader.py: a process that makes batches in one way, in bursts. Started by loader.py.

    python benchmarks/loader_worker.py CASE WAY WORKERS CORES FOLDER SPENT     bursts of batches
    python benchmarks/loader_worker.py step PRECISION CORES FOLDER             training steps with their loader, as JSON
    python benchmarks/loader_worker.py parts CASE FOLDER                       where sonde's time goes, as JSON

measuring.py counts the processor time of its workers, but not that of processes which they start. So each burst
writes what it and they have spent, one line each, to the file SPENT.
"""

import itertools
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from loader_cases import CASES, MEAN, STD, Case
from measuring import Burst, Facts, pin, serve

from sonde import data
from sonde.answers.classification.target import ClassTarget
from sonde.data.augment.draws import uniform
from sonde.data.dataset import Examples
from sonde.data.image.decode import LARGEST_PIXELS, read_image
from sonde.data.image.spec import ImageSpec
from sonde.training.batches import PIECE, TrainingSet

Batches = Callable[[int], Any]
"""Makes that many batches and lets each go."""


def spent() -> float:
    """Return the processor seconds of this process and of those that it started, whether they live or have ended."""
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    living = 0
    for child in active_children() if Path("/proc/self/stat").exists() else []:
        # Behind the name, which may hold anything: state, ten numbers, then clock ticks for itself and the system.
        numbers = Path(f"/proc/{child.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        living += int(numbers[11]) + int(numbers[12])
    return sum(use.ru_utime + use.ru_stime for use in uses) + living / os.sysconf("SC_CLK_TCK")


def noting(make: Batches, file: Path) -> Burst:
    """Return the burst that makes batches and writes down what that cost.

    Args:
        make: makes them.
        file: gets a line for each burst.
    """

    def burst(steps: int) -> None:
        begin = spent()
        make(steps)
        with file.open("a", encoding="utf-8") as lines:
            lines.write(f"{spent() - begin}\n")

    return burst


def training_set(case: Case, folder: Path) -> TrainingSet:
    """Return sonde's training set of a cached case.

    Args:
        case: not of files.
        folder: where the arrays are.
    """
    in_memory = case.kind == "shift"
    stored = np.load(folder / (case.sonde_stored or case.stored), mmap_mode=None if in_memory else "r")
    count = len(stored)
    names = np.arange(count).astype(np.str_)
    spec = ImageSpec(height=case.side, width=case.side, channels=3, mean=MEAN, std=STD)
    truth, examples = np.arange(count) % 10, Examples(stored, names, names, stored)
    return TrainingSet(examples, ClassTarget(()), truth, spec, "image", case.augment, 0, case.batch)


def with_sonde(case: Case, folder: Path, workers: int, cores: int) -> Batches:
    """Make batches as sonde trains: gathered, augmented and prepared in a thread beside the step.

    Args:
        case: what is made.
        folder: where its files are.
        workers: not used; one thread makes batches.
        cores: threads that decode files.
    """
    if case.kind == "decode":
        return _decoding(case, folder, cores)
    training = training_set(case, folder)
    epoch = 0

    def make(steps: int) -> None:
        nonlocal epoch
        left = steps
        while left:
            epoch += 1
            for _ in training.batches(epoch, 0):
                left -= 1
                if not left:
                    break

    return make


def _decoding(case: Case, folder: Path, cores: int) -> Batches:
    paths = sorted((folder / case.stored).glob("*.jpg"))
    spec = ImageSpec(height=case.side, width=case.side, channels=3, mean=MEAN, std=STD)
    size = (case.side, case.side)
    order = np.random.default_rng(0)

    def make(steps: int) -> None:
        with ThreadPoolExecutor(cores) as pool:
            for _ in range(steps):
                chosen = [paths[place] for place in order.permutation(len(paths))[: case.batch]]
                images = pool.map(lambda path: read_image(path, size, 3, largest_pixels=LARGEST_PIXELS), chosen)
                spec.prepare(np.stack(list(images)))

    return make


def prepare(case: Case, way: str, workers: int, cores: int, folder: Path, file: Path) -> tuple[Burst, Facts]:
    """Return the burst of a contender.

    Args:
        case: what is made.
        way: "sonde", or a name in `loader_peers.WAYS`.
        workers: processes of a DataLoader.
        cores: that this process may use.
        folder: where the files are.
        file: gets what each burst cost.
    """
    if way == "sonde":
        make = with_sonde(case, folder, workers, cores)
    else:
        from loader_peers import WAYS

        make = WAYS[way](case, folder, workers, cores)
    return noting(make, file), {}


def measure_step(precision: str, cores: int, folder: Path) -> dict[str, float]:
    """Train the small CNN on batches of 128 with sonde's loader, and tell what the loader's part in a step is.

    Args:
        precision: fp32 or bf16.
        cores: threads of the engine.
        folder: where the arrays are.
    """
    from sonde import backend
    from sonde.backend import EngineSettings

    module = backend.use("torch")
    module.start(threads=cores)

    import keras
    from reference_nets import BUILDS, named

    from sonde.models.heads import head as head_of

    keras.config.set_dtype_policy(module.dtype_policy(precision))
    model = named(BUILDS["cnn"]((32, 32, 3), 10))
    keras.config.set_dtype_policy("float32")
    head = head_of("classification")
    engine = module.build(model, head.loss({}), head.scores, EngineSettings(optimizer="adamw", precision=precision))
    told: dict[str, list[float]] = {"step": [], "wait": [], "busy": [], "processor": []}
    batches = training_set(CASES["small"], folder).batches(1, 0)
    while True:
        begin, used = time.perf_counter(), time.process_time()
        made = next(batches, None)
        if made is None:
            break
        told["wait"].append(time.perf_counter() - begin)
        engine.step(made.batch, 1e-3)
        told["step"].append(time.perf_counter() - begin)
        told["processor"].append(time.process_time() - used)
        told["busy"].append(made.busy)
    # The first steps touch memory for the first time.
    return {name: statistics.median(values[4:]) for name, values in told.items()}


def measure_parts(case: Case, folder: Path) -> dict[str, float]:
    """Tell how many microseconds of processor time sonde's loader spends on each part of its work, for one image.

    Args:
        case: not of files.
        folder: where the arrays are.
    """
    training = training_set(case, folder)
    stored = training.examples.inputs
    rows = np.arange(max(1, PIECE // stored[:1].nbytes))[: case.batch]
    images = stored[rows]
    # Once some megabytes were let go, the C library keeps memory instead of giving it back after each call.
    np.ones(1 << 24, dtype=np.uint8)
    # As in a training, where three batches of memory are gone through in turn.
    memory = np.empty((3 * case.batch // len(rows), *images.shape), dtype=np.float32)
    turns = itertools.cycle(memory)
    parts: dict[str, Callable[[], Any]] = {"gather": lambda: stored[np.roll(rows, 1)]}
    for name, strength in case.augment.items():
        row = data.AUGMENTATIONS["image"][name]
        draws = uniform(name, row.draws, seed=0, epoch=1, indices_B=rows)
        parts[f"draw for {name}"] = lambda name=name, row=row: uniform(name, row.draws, seed=0, epoch=1, indices_B=rows)
        change = row.apply or row.function
        parts[name] = lambda change=change, strength=strength, draws=draws: change(images, strength, draws)
    parts["scale to float32"] = lambda: training.spec.prepare(images, next(turns))
    return {name: 1e6 * _median_cost(part) / len(rows) for name, part in parts.items()}


def _median_cost(part: Callable[[], Any]) -> float:
    costs = []
    for _ in range(200):
        begin = time.thread_time()
        part()
        costs.append(time.thread_time() - begin)
    return statistics.median(costs)


def main(words: list[str]) -> None:
    """Do what the words say; see the top of this file.

    Args:
        words: those behind the command.
    """
    cv2.setNumThreads(1)
    if words[0] == "step":
        pin(int(words[2]))
        print(json.dumps(measure_step(words[1], int(words[2]), Path(words[3]))))
        return
    if words[0] == "parts":
        print(json.dumps(measure_parts(CASES[words[1]], Path(words[2]))))
        return
    name, way, workers, cores, folder, file = words
    job = (CASES[name], way, int(workers), int(cores), Path(folder), Path(file))
    serve(lambda: prepare(*job), threads=int(cores))


if __name__ == "__main__":
    main(sys.argv[1:])
