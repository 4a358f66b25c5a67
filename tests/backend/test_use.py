"""What choosing a backend settles for the process, and what the table of backends is tied to."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import each_backend
from sonde import backend
from sonde.backend import machine
from sonde.config.run import BackendName
from sonde.training import Options


def test_the_option_allows_the_backends_of_the_table() -> None:
    assert get_args(BackendName) == tuple(backend.BACKENDS)


def test_a_recurrent_layer_on_torch_does_not_bring_tensorflow_in() -> None:
    program = (
        "import sys; from sonde import backend; backend.use('torch')\n"
        "import keras; keras.layers.Bidirectional(keras.layers.GRU(2)); print('tensorflow' in sys.modules)"
    )
    kept = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    done = subprocess.run([sys.executable, "-c", program], env=kept, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


def test_a_keras_file_of_the_user_s_own_changes_nothing(tmp_path: Path) -> None:
    said = {"image_data_format": "channels_first", "floatx": "float16", "backend": "jax"}
    (tmp_path / "keras.json").write_text(json.dumps(said))
    program = (
        "import os; from sonde import backend; backend.use('torch')\n"
        "import keras; print(keras.config.backend(), keras.config.image_data_format(), keras.config.floatx())\n"
        "print(os.environ['CUBLAS_WORKSPACE_CONFIG'])"
    )
    kept = {key: value for key, value in os.environ.items() if key not in ("KERAS_BACKEND", "CUBLAS_WORKSPACE_CONFIG")}
    environment = {**kept, "KERAS_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["torch", "channels_last", "float32", ":4096:8"]


def test_cores_are_counted_where_the_system_ties_none_to_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert backend.cores() >= 1
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert backend.cores() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert backend.cores() == 1


@pytest.mark.parametrize(("platform", "unit"), [("linux", 1 << 10), ("darwin", 1 << 20)])
def test_memory_is_in_megabytes_on_every_system(monkeypatch: pytest.MonkeyPatch, platform: str, unit: int) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert machine.peak_memory_mb() == pytest.approx(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, rel=0.1)


def test_it_is_said_that_jax_takes_all_cores() -> None:
    assert "JAX uses all cores" in str(Options.model_fields["threads"].description)
    from sonde.config import from_words
    from sonde.planning import guesses

    for name in backend.BACKENDS:
        reason = guesses.threads(from_words({"run.backend": name}))["training.threads"].reason
        assert ("JAX takes them all" in reason) == (name == "jax")


@pytest.mark.jax
@pytest.mark.parametrize("name", each_backend.marked(("torch", "tensorflow")))
def test_another_backend_does_not_wait_for_jax_and_leaves_it_to_be_imported(name: str) -> None:
    program = (
        f"import sys; from sonde import backend; backend.use('{name}')\n"
        "print('jax' in sys.modules); import jax; print(jax.__name__)"
    )
    kept = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    done = subprocess.run([sys.executable, "-c", program], env=kept, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "jax"]
