"""What every input spec is: plain values that stand in a model's folder, and are checked when they come from one."""

import json
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from sonde.errors import ModelError


class Spec(BaseModel):
    """How an example becomes numbers; each modality has its own, with what it encodes and prepares."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    kind: str

    @property
    def dtype(self) -> Literal["float32", "int32"]:
        """Type of the numbers that the model reads."""
        return "float32"

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """How many values each code has; none where there are no codes."""
        return ()

    @property
    def presence(self) -> bool:
        """Whether the last channel tells real steps (1) from padding (0)."""
        return False

    @property
    def fault(self) -> str:
        """What is wrong with values that are possible one by one but not together; empty where nothing is."""
        return ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild a spec from the values of a model folder, which may be anybody's.

        Raises:
            ModelError: a value is missing, unknown or out of range, or does not go with the others.
        """
        damaged = f"The model's {cls.model_fields['kind'].default} preprocessing is damaged"
        try:
            spec = cls.model_validate_json(json.dumps(dict(values)))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise ModelError(f"{damaged} at {where}: {first['msg']}.") from None
        except (TypeError, ValueError):
            raise ModelError(f"{damaged}: it holds values that are not JSON.") from None
        if fault := spec.fault:
            raise ModelError(f"{damaged}: {fault.rstrip('.')}.")
        return spec
