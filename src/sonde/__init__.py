"""From labelled data to a model you can trust, in one command, on PyTorch, TensorFlow or JAX.

The verbs are the same here and in the shell:

    import sonde

    run = sonde.train("digits")
    sonde.predict(run.path, ["seven.png"])

Importing sonde loads no framework: each name below is fetched when it is first used.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sonde.api import compare, doctor, ensemble, evaluate, explain, init, list, predict, resume, show, train
    from sonde.errors import SondeError

__version__ = "0.1.0"

__all__ = [
    "SondeError",
    "__version__",
    "compare",
    "doctor",
    "ensemble",
    "evaluate",
    "explain",
    "init",
    "list",
    "predict",
    "resume",
    "show",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "SondeError":
        from sonde import errors

        return errors.SondeError
    if name in __all__:
        from sonde import api

        return api.VERBS[name]
    raise AttributeError(f"module 'sonde' has no attribute '{name}'")


def __dir__() -> Iterable[str]:
    return sorted(__all__)
