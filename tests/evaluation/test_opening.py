"""A trained model is opened on the backend that is asked for, or else on the one that it was trained on."""

import pytest

from sonde import backend
from sonde.evaluation import opening


@pytest.mark.parametrize(
    ("in_use", "asked", "installed", "chosen"),
    [
        (None, "", ("torch", "jax"), "jax"),
        (None, "torch", ("torch", "jax"), "torch"),
        ("torch", "jax", ("torch", "jax"), "torch"),
        (None, "nonsense", ("torch", "jax"), "jax"),
        (None, "", ("torch",), "torch"),
        (None, "", (), "jax"),
    ],
)
def test_the_backend_that_predicts(
    monkeypatch: pytest.MonkeyPatch, in_use: str | None, asked: str, installed: tuple[str, ...], chosen: str
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", asked)
    monkeypatch.setattr(backend, "in_use", lambda: in_use)
    monkeypatch.setattr(backend, "is_installed", lambda name: name in installed)
    assert opening._backend_for("jax") == chosen
