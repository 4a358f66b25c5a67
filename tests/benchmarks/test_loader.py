"""The loaders that are compared make the same kind of batches, and what they cost is counted with their processes."""

import multiprocessing
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import loader  # noqa: E402  (the scripts' folder has to be on the path first)
import loader_cases  # noqa: E402
import loader_peers  # noqa: E402
import loader_worker  # noqa: E402
from measuring import Result, Results  # noqa: E402

TINY = {
    name: replace(case, side=16, batch=4, margin=case.margin and 2, stored="a.npy", sonde_stored="b.npy")
    for name, case in loader_cases.CASES.items()
    if case.kind != "decode"
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    np.save(tmp_path / "a.npy", rng.integers(0, 256, (10, 20, 20, 3), dtype=np.uint8))
    np.save(tmp_path / "b.npy", rng.integers(0, 256, (10, 16, 16, 3), dtype=np.uint8))
    (tmp_path / "40x32").mkdir()
    for number in range(6):
        pixels = rng.integers(0, 256, (32, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "40x32" / f"{number}.jpg")
    return tmp_path


@pytest.mark.parametrize("way", ["tutorial", "tensors", "expert"])
@pytest.mark.parametrize("name", [*TINY, "decode"])
def test_every_data_loader_makes_scaled_batches_of_the_asked_shape(
    way: str, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    decode = replace(loader_cases.CASES["jpeg"], side=16, batch=4, stored="40x32")
    case = TINY.get(name, decode)
    if way == "tensors" and case is decode:
        return
    if case.kind == "shift":
        # Images in memory are stored as large as they are read.
        case = replace(case, stored="b.npy")
    seen = []
    data_loader = torch.utils.data.DataLoader
    monkeypatch.setattr(
        data_loader, "__iter__", lambda self, old=data_loader.__iter__: (seen.append(b) or b for b in old(self))
    )
    loader_peers.WAYS[way](case, folder, 0, 1)(3)
    assert len(seen) == 3
    for inputs, labels in seen:
        assert inputs.shape == (4, 3, 16, 16) and inputs.dtype == torch.float32 and len(labels) == 4
        assert inputs.min() > -2.2 and inputs.max() < 2.7 and inputs.std() > 0.3


@pytest.mark.parametrize("name", list(TINY))
def test_sonde_makes_as_many_batches_as_are_asked_for(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = replace(TINY[name], sonde_stored="b.npy")
    made = loader_worker.training_set(case, folder).batch(1, 0)
    inputs = made.batch["inputs"]
    assert inputs.shape == (4, 16, 16, 3) and inputs.dtype == np.float32
    loader_worker.with_sonde(case, folder, 0, 1)(5)


def test_the_cost_of_a_burst_counts_processes_that_live_and_that_have_ended(tmp_path: Path) -> None:
    def work(steps: int) -> None:
        for _ in range(steps):
            process = multiprocessing.get_context("fork").Process(target=use_processor, args=(0.15,))
            process.start()
            process.join()

    loader_worker.noting(work, tmp_path / "spent")(2)
    assert 0.25 < float((tmp_path / "spent").read_text()) < 5


def use_processor(seconds: float) -> None:
    while time.process_time() < seconds:
        pass


def results(**rates: float) -> Results:
    return Results({name: Result(name, steps=1, seconds=[1 / rate] * 3) for name, rate in rates.items()})


@pytest.mark.parametrize(("ours", "reached"), [(300.0, "yes"), (200.0, "no")])
def test_the_promise_is_held_against_the_best_data_loader(ours: float, reached: str) -> None:
    names = {"sonde": ours, "DataLoader, tutorial, 0 workers": 50.0, "DataLoader, expert, 1 workers": 100.0}
    spent = results(**names, **{"sonde (again)": ours, "tf.data": 250.0})
    shares = {"bf16": {"step": 0.1, "processor": 0.05, "busy": 0.004, "wait": 0.0}}
    rows = loader._promises({"windows": (spent, spent)}, shares)
    assert "DataLoader, expert, 1 workers" in rows[0][0] and rows[0][-1] == reached
    assert rows[1][2] == "8.0%" and rows[1][-1] == "no"
