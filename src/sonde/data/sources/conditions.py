"""Says of examples by a field of their own whether they are meant: `index<5`, `speaker=theo|lucas and take!=3`.

A condition is a field, one of = != < <= > >=, and a value; = and != take several values with | between them, the others
compare numbers. Several conditions are joined by "and".
"""

# N examples

import operator
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sonde.errors import DataError, did_you_mean

CONDITION = re.compile(r"\s*([^=!<>]+?)\s*(<=|>=|!=|==|=|<|>)\s*(.+?)\s*")
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

EXAMPLES = "index<5, speaker=theo or speaker=theo|lucas, and several with 'and' between them"


def meant(text: str, fields: Mapping[str, Sequence[str]], option: str) -> NDArray[np.bool_]:
    """Return which examples fulfil all conditions.

    Args:
        fields: by name the text of each example, N.
        option: what the conditions were given as, such as "data.test_where".

    Returns:
        N booleans.

    Raises:
        DataError: a condition cannot be understood, or names no field, or compares what is no number.
    """
    count = len(next(iter(fields.values()), ()))
    chosen = np.ones(count, dtype=bool)
    for part in re.split(r"\s+and\s+", text.strip()):
        found = CONDITION.fullmatch(part)
        if found is None:
            raise DataError(f"{option} = '{text}': '{part}' is no condition. Write it like {EXAMPLES}.")
        name, sign, value = found.groups()
        if name not in fields:
            raise DataError(
                f"{option} = '{text}': there is no field called '{name}'.{did_you_mean(name, fields)} "
                f"There are: {', '.join(fields)}."
            )
        if sign in COMPARE:
            chosen &= _compared(fields[name], sign, value, f"{option} = '{text}'")
        else:
            among = set(value.split("|"))
            chosen &= np.array([(cell in among) != (sign == "!=") for cell in fields[name]], dtype=bool)
    return chosen


def _compared(cells: Sequence[str], sign: str, value: str, said: str) -> NDArray[np.bool_]:
    limit = _number(value)
    if limit is None:
        raise DataError(f"{said}: '{value}' is no number; {sign} compares numbers. For texts take = or !=.")
    chosen = []
    for cell in cells:
        number = _number(cell)
        if number is None:
            raise DataError(f"{said}: '{cell}' is no number; {sign} compares numbers. For texts take = or !=.")
        chosen.append(COMPARE[sign](number, limit))
    return np.array(chosen, dtype=bool)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def with_test(splits: Sequence[str], where: str, fields: Mapping[str, Sequence[str]], notes: list[str]) -> list[str]:
    """Return the split of each example, with those in test that the conditions mean, and the rest out of it.

    Args:
        splits: the data's own splits, "" for none.
        where: the conditions of data.test_where; "" leaves the splits as they are.
        fields: by name the text of each example.
        notes: gets a sentence on what was done.

    Raises:
        DataError: the conditions cannot be understood, or mean no example, or all.
    """
    if not where:
        return list(splits)
    chosen = meant(where, fields, "data.test_where")
    if chosen.all() or not chosen.any():
        some = ", ".join(f"{name} such as '{cells[0]}'" for name, cells in fields.items() if len(cells))
        raise DataError(
            f"data.test_where = '{where}' puts {'every' if chosen.any() else 'no'} example into the test split. "
            f"The fields: {some}."
        )
    notes.append(f"the test split are the {int(chosen.sum()):,} examples with {where} (data.test_where)")
    kept = ["validation" if split == "validation" else "train" for split in splits]
    return ["test" if test else split for test, split in zip(chosen.tolist(), kept, strict=True)]
