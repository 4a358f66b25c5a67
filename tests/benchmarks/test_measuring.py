"""What is said to be a median, a ratio or a failure is one; workers are spoken to in turns."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import measuring  # noqa: E402  (the scripts' folder has to be on the path first)
from measuring import Contender, Plan, Result, Results, Spread  # noqa: E402

WORKER = """
import os, sys
sys.path.insert(0, sys.argv[1])
from measuring import serve
name, pace = sys.argv[2], float(sys.argv[3])

def prepare():
    print("a library greets")
    if name == "broken":
        raise ValueError("there is no such net\\nsecond line")
    def burst(steps):
        if name == "leaving":
            os.write(2, b"out of memory")
            os._exit(3)
        return steps * pace
    return burst, {"threads": os.environ["OMP_NUM_THREADS"]}

serve(prepare, threads=1)
"""


def contender(name: str, pace: float) -> Contender:
    """Return a worker whose steps are said to take that many seconds, whatever they take."""
    return Contender(name, (sys.executable, "-c", WORKER, str(ROOT / "benchmarks"), name, str(pace)))


def measured(contenders: Sequence[Contender], **options: float) -> Results:
    return measuring.measure(contenders, Plan(rounds=3, seconds=0.8, threads=1), tell=lambda line: None)


def test_a_spread_is_the_median_and_the_quartiles() -> None:
    assert Spread.of([5.0, 1.0, 2.0, 4.0, 3.0]) == Spread(3.0, 2.0, 4.0, (5.0, 1.0, 2.0, 4.0, 3.0))
    assert Spread.of([2.0]) == Spread(2.0, 2.0, 2.0, (2.0,))
    assert Spread.of([1.0, 2.0, 3.0]).text(".1f", "×") == "2.0× (1.5 to 2.5)"


def test_a_ratio_is_taken_within_each_round() -> None:
    # In the third round the machine was ten times as slow for both: the ratio does not see it.
    results = Results(
        ours=Result("ours", steps=20, seconds=[1.0, 2.0, 10.0]),
        theirs=Result("theirs", steps=10, seconds=[1.5, 2.0, 15.0]),
    )
    ratio = results.ratio("ours", "theirs")
    assert ratio is not None and ratio.values == (3.0, 2.0, 3.0) and ratio.median == 3.0


def test_workers_take_as_many_steps_as_fit_and_their_speeds_compare() -> None:
    results = measured([contender("quick", 0.01), contender("slow", 0.02)])
    assert [results[name].steps for name in ("quick", "slow")] == [80, 40]
    assert results["quick"].seconds == pytest.approx([0.8] * 3)
    assert results["quick"].rates() == pytest.approx([100.0] * 3)
    ratio = results.ratio("quick", "slow")
    assert ratio is not None and ratio.median == pytest.approx(2.0)
    assert results["slow"].facts == {"threads": "1"}
    assert 1.0 < results["slow"].ready_mb <= results["slow"].peak_mb


def test_who_fails_says_why_and_the_others_go_on() -> None:
    results = measured([contender("broken", 1.0), contender("leaving", 1.0), contender("whole", 0.1)])
    assert results["broken"].failed == "ValueError: there is no such net"
    assert results["leaving"].failed.startswith("exit code 3") and results["leaving"].failed.endswith("out of memory")
    assert len(results["whole"].seconds) == 3 and not results["whole"].failed
    assert results.ratio("whole", "broken") is None
    assert results.ratio("whole", "absent") is None


def test_a_program_is_run_from_start_to_end_and_measured() -> None:
    run = measuring.run_once(
        [sys.executable, "-c", "import os; print(os.environ['WORD']); raise SystemExit(4)"],
        environment={"WORD": "seen"},
    )
    assert (run.code, run.output) == (4, "seen\n")
    assert run.seconds > 0 and run.cpu_seconds > 0 and run.peak_mb > 1


def test_the_machine_is_described_without_its_name() -> None:
    text = measuring.machine(["numpy", "no-such-package"], threads=2)
    assert "2 threads" in text and "numpy " in text and "no-such-package" not in text
    assert os.uname().nodename not in text and "/" not in text


def test_a_table_is_markdown_with_columns_of_equal_width() -> None:
    assert measuring.table(("who", "x"), [("ours", "1"), ("b", "22")]) == (
        "| who  | x  |\n| ---- | -- |\n| ours | 1  |\n| b    | 22 |\n"
    )
