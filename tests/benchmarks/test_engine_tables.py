"""What engine.py says of its measurements is what was measured; nothing is trained here."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import engine  # noqa: E402  (the scripts' folder has to be on the path first)
from measuring import Result  # noqa: E402
from nets import NETS  # noqa: E402

OPTIONS = ["--nets", "lstm", "--rounds", "3", "--seconds", "1", "--threads", "1", "--reuse"]


def result(name: str, steps: int, seconds: list[float]) -> Result:
    facts = {"precision": "bf16", "parameters": 213_258, "fallbacks": ["odd_layer"]}
    return Result(name, facts, steps, seconds, [0.9] * len(seconds), 0.01, 500.0, 600.0)


def keep(folder: Path, results: list[Result]) -> None:
    """Write measurements where engine.py would have kept them."""
    asked = {"rounds": 3, "seconds": 1.0, "threads": 1, "batch": NETS["lstm"].batch, "precision": "auto"}
    rows = {each.name: asdict(each) for each in results}
    text = json.dumps({"asked": {**asked, "contenders": list(engine.CONTENDERS)}, "results": rows})
    (folder / "lstm.json").write_text(text, encoding="utf-8")


def test_figures_name_nets_and_contenders_that_there_are() -> None:
    for figure in engine.FIGURES:
        assert figure.net in NETS and {figure.first, figure.second} <= {*engine.CONTENDERS}


def test_the_page_holds_the_figures_the_speeds_and_the_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(
        tmp_path,
        [
            result(engine.OURS, 160, [1.0, 1.0, 1.0]),
            result(engine.FIT, 10, [1.0, 1.25, 1.0]),
            # 2 % faster than ours, and ours strays by 3 % from itself.
            result(engine.EXPERT, 163, [1.0, 1.0, 1.0]),
            result(engine.AGAIN, 165, [1.0, 1.0, 1.0]),
            Result("sonde, jax", failed="ValueError: no such layer"),
        ],
    )
    page = tmp_path / "engine.md"
    monkeypatch.setattr(engine, "PAGE", page)
    monkeypatch.setattr(engine, "ROOT", tmp_path)
    assert engine.main([*OPTIONS, "--folder", str(tmp_path), "--write"]) == 0
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.read_text(encoding="utf-8").splitlines()]
    rows = {cells[0]: cells[1:] for cells in lines if cells}
    against_fit = rows["2-layer LSTM-128: sonde, torch / keras.fit, torch"]
    assert against_fit == ["≥ 15×", "16.00× (16.00 to 18.00)", "0.97× (0.97 to 0.97)", "yes"]
    assert rows["2-layer LSTM-128: sonde, torch / PyTorch, expert"][-1] == "within the noise"
    assert rows["2-layer LSTM-128: sonde, jax / keras.fit, jax"][-1] == "not measured"
    speed = f"{160 * NETS['lstm'].batch:,}"
    assert rows[engine.OURS][:2] == ["bf16", f"{speed} ({speed} to {speed})"]
    assert rows[engine.OURS][3:] == ["0.90", "600 (500)", "213,258"]
    assert rows["sonde, jax"][1] == "failed: ValueError: no such layer"
    assert "odd_layer" in page.read_text(encoding="utf-8")
    assert "within the noise" in capsys.readouterr().out


def test_a_figure_missed_by_more_than_the_noise_ends_with_exit_code_one(tmp_path: Path) -> None:
    keep(
        tmp_path,
        [
            result(engine.OURS, 100, [1.0] * 3),
            result(engine.AGAIN, 100, [1.0] * 3),
            result(engine.EXPERT, 110, [1.0] * 3),
        ],
    )
    assert engine.main([*OPTIONS, "--folder", str(tmp_path)]) == 1


def test_measurements_with_other_options_are_not_reused(tmp_path: Path) -> None:
    keep(tmp_path, [result(engine.OURS, 100, [1.0] * 3)])
    asked = json.loads((tmp_path / "lstm.json").read_text(encoding="utf-8"))["asked"]
    assert engine.kept(tmp_path / "lstm.json", asked) is not None
    assert engine.kept(tmp_path / "lstm.json", {**asked, "rounds": 4}) is None
    assert engine.kept(tmp_path / "cnn.json", asked) is None
