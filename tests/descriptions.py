"""Descriptions of models that nobody trained, as `models.model_folder` writes them."""

from collections.abc import Sequence
from typing import Any

from sonde.models.reads import Reads


def described(
    model: str,
    options: dict[str, Any],
    reads: Reads,
    *,
    task: str = "image-classification",
    input: dict[str, Any] | None = None,
    classes: Sequence[str] = ("a", "b", "c"),
    fitted: dict[str, Any] | None = None,
    answer: str = "classification",
    head: dict[str, Any] | None = None,
) -> Any:
    """Return the description of a classifier, a `models.model_folder.Description`."""
    from sonde.models.model_folder import Description, InputForm

    return Description(
        sonde="0.1.0",
        task=task,
        answer=answer,
        model=model,
        options=options,
        outputs=len(classes),
        head=head or {},
        reads=InputForm(
            shape=reads.shape, dtype=reads.dtype, cardinalities=reads.cardinalities, presence=reads.presence
        ),
        input={"kind": "image"} if input is None else input,
        target={"kind": answer, "classes": list(classes)},
        fitted=fitted or {},
    )
