"""Prints how far the three backends are from one another, over every model.

    python benchmarks/parity.py            twenty seconds on two cores
    python benchmarks/parity.py --write    and writes docs/parity.md

The contract test holds the same figures to their bounds: tests/contracts/test_backends.py.
"""

import json
import os
import platform
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "parity.md"
sys.path.insert(0, str(ROOT / "tests"))

from contracts import parity, parity_worker  # noqa: E402  (the tests' folder has to be on the path first)

TEXT = """# Three backends, one answer

*Written by `python benchmarks/parity.py --write`; the contract test holds the same comparison to its bounds.*

Every model is built once on torch; TensorFlow and JAX load its weights. Each backend then answers {examples} examples,
and takes {steps} steps of Nesterov momentum on batches of {batch}, without dropout, in fp32 on a processor, one thread.
A figure is the largest difference from torch, relative to the largest value; of gradients and statistics, the worst
over all weights. Rounding alone makes about 1e-7 for each operation.

{table}

The bounds are 1e-4 for outputs and losses, 1e-3 for gradients and 1e-5 for running statistics.

{versions}
"""


def table(differences: list[parity.Difference]) -> str:
    """Return the comparison as a table in Markdown.

    Args:
        differences: what `parity.differences` returned.
    """
    head = ("model", "torch and", "outputs", "gradients of a step", "running statistics", "loss over ten steps")
    rows = [
        (
            _title(each.case),
            each.other,
            f"{each.outputs:.1e}",
            f"{each.gradients:.1e}",
            f"{each.statistics:.1e}" if each.has_statistics else "none",
            f"{each.losses:.1e}",
        )
        for each in differences
    ]
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    lines = [head, tuple("-" * width for width in widths), *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def _title(case: str) -> str:
    return "rnn, lstm" if case == "rnn" else case


def versions(folder: Path) -> str:
    """Return a sentence with the versions that were compared.

    Args:
        folder: where `parity.run` has written.
    """
    found: dict[str, str] = {}
    for name in (parity.REFERENCE, *parity.OTHERS):
        found |= json.loads((folder / name / "versions.json").read_text())
    packages = ", ".join(f"{package} {number}" for package, number in found.items())
    return f"Measured with {packages}; Python {platform.python_version()} on {platform.system()} {platform.machine()}."


def main() -> None:
    """Measure, print, and write the page where `--write` asks for it."""
    unknown = [word for word in sys.argv[1:] if word != "--write"]
    if unknown:
        sys.exit(f"{unknown[0]} is not an option; there is --write, which writes {PAGE.relative_to(ROOT)}.")
    with tempfile.TemporaryDirectory() as place:
        parity.run(Path(place), ("parity",))
        figures, sentence = table(parity.differences(Path(place))), versions(Path(place))
    print(f"{figures}\n\n{sentence}")
    if "--write" in sys.argv:
        numbers = {"examples": parity_worker.EXAMPLES, "steps": parity_worker.STEPS, "batch": parity_worker.BATCH}
        PAGE.write_text(TEXT.format(**numbers, table=figures, versions=sentence), encoding="utf-8")
        print(f"Wrote {os.path.relpath(PAGE)}")


if __name__ == "__main__":
    main()
