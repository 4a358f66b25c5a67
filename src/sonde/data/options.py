"""How the examples are found and divided: the `[data]` table, the same for everything that is read."""

from typing import Annotated, Literal

from pydantic import Field

from sonde.config import Options as _Options


class Options(_Options):
    """How the examples are found, checked and split; each kind of data has a table of its own beside this one."""

    validation: Annotated[float, Field(ge=0.01, le=0.5)] = 0.1
    """Share of the training examples kept for validation where the data has no such split."""

    test: Annotated[float, Field(ge=0.01, le=0.9)] = 0.2
    """Share of all examples kept for the test where the data has no such split."""

    split_seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    """Chooses which examples go into splits that the data does not give; apart from run.seed, so that runs compare."""

    fold: Annotated[str, Field(pattern=r"^(|[0-9]{1,5}/([0-9]{1,5}|groups))$")] = ""
    """The fold that is the test, such as "2/5", or "2/groups" for the second group; empty for none (--folds: all)."""

    fold_of: Literal["training", "everything"] = "training"
    """What folds are made of: what the data does not keep for its own test, or all examples."""

    bad_share: Annotated[float, Field(ge=0.0, le=1.0)] = 0.05
    """Share of unreadable examples above which the run stops instead of leaving them out."""

    path_column: str = ""
    """Column of a table that holds the path of an image or a recording; empty guesses it."""

    text_column: str = ""
    """Column of a table that holds the text; empty guesses it."""

    label_column: str = ""
    """Column of a table that holds the label, or several of 0 and 1 as "a,b,c"; empty guesses it."""

    target_column: str = ""
    """Column of a table that holds the text to write for each text, such as its translation; empty guesses it."""

    label_separator: str = ""
    """What stands between the labels of a cell that holds several; empty guesses | or ;, "none" for one label each."""

    split_column: str = ""
    """Column of a table that holds train, validation or test; empty guesses it, "none" ignores it."""

    group_column: str = ""
    """Column of a table whose equal values stay on one side, such as a patient; empty guesses, "none" ignores it."""

    series_column: str = ""
    """Column of a long table that tells which series a row is a step of; empty guesses it."""

    time_column: str = ""
    """Column of a long table that tells when a row is, by which its steps are sorted; empty guesses it."""

    pattern: str = ""
    """How file names are made where labels stand in them, such as "{label}_{group}_{index}.wav"; empty for none."""

    test_where: str = ""
    """Which examples are the test split, by a field of the pattern or a column of the table, such as index<5 or
    speaker=theo|lucas; empty for the data's own."""

    encoding: str = ""
    """Encoding of text files, such as utf-16 or windows-1251; empty takes UTF-8, and says where a file is not."""
