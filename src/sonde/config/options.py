"""What every set of options is: a frozen, strict value whose sentences are its help.

Options stand beside what they configure: a model's in its own file, the loop's in `training`. This file only says
how such a set is declared; `fill` gives it its values.
"""

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """A frozen, strict set of options; unknown names are refused, and the sentence under each option is its help."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True)
