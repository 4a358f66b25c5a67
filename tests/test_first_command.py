"""The first command of the README ends as it is promised, in a process of its own and with nothing kept from before."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rules.source import ROOT
from sonde.config import RunFolder


@pytest.mark.torch
def test_one_line_leads_from_data_to_a_report(tmp_path: Path) -> None:
    # The smallest model and two epochs: what is promised here is the way, not the score.
    words = ["train", "digits", "--model", "mlp", "--epochs", "2", "--set", "evaluation.resamples=100"]
    alone = {"SONDE_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"} | alone
    command = [sys.executable, "-m", "sonde", *words]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "Report: runs/digits-1/report.html" in done.stdout
    run = RunFolder(tmp_path / "runs" / "digits-1")
    assert run.report_file.is_file() and run.model.is_dir()
    # Ten classes: chance is 0.1.
    assert run.scores()["test"]["accuracy"]["value"] > 0.2
