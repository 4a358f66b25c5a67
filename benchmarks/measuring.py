"""Measures programs against one another: in turns, in processes that stay alive, one computing at a time.

Made for a machine that is never quite quiet. Contenders take turns in short bursts, so that a busy moment hits them
all; each comparison is a ratio within one round, and the median over the rounds counts. Measure the first contender
twice, in two processes: their ratio should be one, and how far it strays from it is the noise.

A worker is a script that calls `serve`; `measure` starts it and asks it for bursts:

    def prepare() -> tuple[Burst, Facts]:              # imports, building and compiling are not timed
        model = build()
        return lambda steps: train(model, steps), {"parameters": 1234}

    serve(prepare, threads=2)                                                            # in the worker
    results = measure([Contender("ours", (sys.executable, "ours.py")), ...], Plan(rounds=7))
    results.ratio("ours", "theirs")                    # Spread(median=1.8, low=1.7, high=1.9, values=...)

A program that is measured from start to end goes through `run_once` instead. Nothing heavy is imported here, on
purpose: Linux counts the memory of the process that starts another into the other's peak.
"""

import json
import os
import platform
import resource
import select
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

Burst = Callable[[int], float | None]
"""Takes that many steps; returns the seconds that count, or None where those of the whole call do."""
Facts = dict[str, Any]

REST = 0.1
"""Seconds between two bursts: threads that wait for work spin for some milliseconds before they sleep."""
PATIENCE = 600.0
"""Seconds that a worker may take for one answer."""
INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "asimd", "sve", "bf16")
"""Instruction sets that decide how fast a processor multiplies matrices."""
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
"""Where libraries read their number of threads. JAX reads none of them; see `pin`."""


COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
"""Python keeps what it compiles, as it does for people; a machine for tests may say otherwise, and each start is then
seconds longer."""


@dataclass(frozen=True)
class Contender:
    """One program that takes part."""

    name: str
    command: tuple[str, ...]
    """Starts a process that calls `serve`."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables beside those of this process."""


@dataclass(frozen=True)
class Plan:
    """How long and how often."""

    rounds: int = 7
    seconds: float = 1.5
    """Aim for one burst; the number of steps is chosen once and stays the same in every round."""
    threads: int = 2


@dataclass(frozen=True)
class Spread:
    """The middle of some measurements, and how far they lie apart."""

    median: float
    low: float
    """First quartile."""
    high: float
    """Third quartile."""
    values: tuple[float, ...]
    """All of them, in the order of the rounds."""

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the median and the quartiles of some values.

        Args:
            values: at least one.
        """
        assert values, "no measurement, no spread"
        several = len(values) > 1
        low, median, high = statistics.quantiles(values, n=4, method="inclusive") if several else [*values] * 3
        return cls(median, low, high, tuple(values))

    def text(self, form: str = ".2f", unit: str = "") -> str:
        """Return the median, and the quartiles in brackets.

        Args:
            form: of each number, as in a format string.
            unit: stands behind the median, such as × or " s".
        """
        return f"{self.median:{form}}{unit} ({self.low:{form}} to {self.high:{form}})"


@dataclass
class Result:
    """What one contender did."""

    name: str
    facts: Facts = field(default_factory=dict)
    """What the worker told of itself when it was ready."""
    steps: int = 0
    """Of one burst."""
    seconds: list[float] = field(default_factory=list)
    """Of each burst, in the order of the rounds."""
    busy: list[float] = field(default_factory=list)
    """Cores kept busy in each burst: processor time over wall time; far below the threads, others were at work too."""
    idle_cpu_seconds: float = 0.0
    """The most processor time used between two bursts; near zero, or the worker disturbed the others."""
    ready_mb: float = 0.0
    """Peak memory before the first burst."""
    peak_mb: float = 0.0
    """Peak memory after the last one: the largest resident set, code and libraries included."""
    failed: str = ""
    """Why there are no numbers; empty where there are."""

    def rates(self) -> list[float]:
        """Return the steps in a second, of each round."""
        return [self.steps / each for each in self.seconds]


class Results(dict[str, Result]):
    """Every contender's result by its name, in the order of the contenders."""

    def ratio(self, first: str, second: str) -> Spread | None:
        """Return how many times as fast the first is as the second, from the ratios within each round.

        Args:
            first: a contender's name.
            second: another's.

        Returns:
            None where one of them took no part or has no numbers.
        """
        if any(name not in self or self[name].failed for name in (first, second)):
            return None
        pairs = zip(self[first].rates(), self[second].rates(), strict=True)
        return Spread.of([ours / theirs for ours, theirs in pairs])


def measure(contenders: Sequence[Contender], plan: Plan, *, tell: Callable[[str], None] | None = None) -> Results:
    """Start every contender, let them take turns for some rounds, and end them.

    They start all at once, since nothing of that is timed; from then on one computes and the others sleep. Every
    other round goes backwards, so that nobody always comes first. Who fails is left out of the rest.

    Args:
        contenders: their names differ.
        plan: rounds, seconds, threads.
        tell: is given a line when something is done; standard error when left out.
    """
    assert len({each.name for each in contenders}) == len(contenders), "two contenders share a name"
    tell = tell or (lambda line: print(line, file=sys.stderr, flush=True))
    results = Results({each.name: Result(each.name) for each in contenders})
    workers = {each.name: Worker(each, plan.threads) for each in contenders}

    def attempt(names: Sequence[str], action: Callable[[Worker, Result], None]) -> None:
        for name in names:
            if not results[name].failed:
                try:
                    action(workers[name], results[name])
                except WorkerError as error:
                    results[name].failed = str(error)
                    tell(f"  {name}: failed: {error}")

    names = list(workers)
    try:
        attempt(names, _await_ready)
        attempt(names, lambda worker, result: _calibrate(worker, result, plan.seconds))
        tell("  steps of a burst: " + ", ".join(f"{name} {result.steps}" for name, result in results.items()))
        for turn in range(plan.rounds):
            attempt(names if turn % 2 == 0 else names[::-1], _take_turn)
            tell(f"  round {turn + 1} of {plan.rounds} done")
    finally:
        for worker in workers.values():
            worker.end()
    return results


def _await_ready(worker: "Worker", result: Result) -> None:
    answer = worker.hear()
    result.facts, result.ready_mb = answer["facts"], answer["peak_mb"]


def _calibrate(worker: "Worker", result: Result, seconds: float) -> None:
    # The first burst touches memory for the first time, and may compile still.
    worker.ask(1)
    steps = max(1, round(seconds / 4 / max(worker.ask(1)["seconds"], 1e-9)))
    result.steps = max(1, round(seconds * steps / max(worker.ask(steps)["seconds"], 1e-9)))


def _take_turn(worker: "Worker", result: Result) -> None:
    time.sleep(REST)
    answer = worker.ask(result.steps)
    result.seconds.append(answer["seconds"])
    result.busy.append(answer["busy"])
    result.idle_cpu_seconds = max(result.idle_cpu_seconds, answer["idle_cpu_seconds"])
    result.peak_mb = answer["peak_mb"]


class WorkerError(Exception):
    """A worker could not do what it was asked; the message is its reason."""


class Worker:
    """A contender's process, spoken to in lines of JSON."""

    def __init__(self, contender: Contender, threads: int):
        """Start the process; it gets ready while others do.

        Args:
            contender: what to start.
            threads: processor threads it may compute with.
        """
        # A file and not a pipe, which would fill up and block a worker that complains a lot.
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `end`)
        self._process = subprocess.Popen(
            contender.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env={**os.environ, **COMPILED, **thread_environment(threads), **contender.environment},
            text=True,
        )

    def ask(self, steps: int) -> dict[str, Any]:
        """Have it take some steps and return what it measured.

        Args:
            steps: at least one.

        Raises:
            WorkerError: it failed, or is gone.
        """
        assert self._process.stdin is not None
        # Where it has ended, `hear` tells why.
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps({"steps": steps}) + "\n")
            self._process.stdin.flush()
        return self.hear()

    def hear(self) -> dict[str, Any]:
        """Return the worker's next answer.

        Raises:
            WorkerError: it failed, is gone, or says nothing for too long.
        """
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], PATIENCE)[0]:
            self._process.kill()
            raise WorkerError(f"no answer in {PATIENCE:.0f} s")
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"failed": self._last_words()}
        if "failed" in answer:
            raise WorkerError(answer["failed"])
        return answer

    def end(self) -> None:
        """Close the worker's input, upon which it ends; kill it where it does not."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._complaints.close()

    def _last_words(self) -> str:
        code = self._process.wait()
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        return f"exit code {code}{f', {lines[-1]}' if lines else ''}"


def serve(prepare: Callable[[], tuple[Burst, Facts]], *, threads: int) -> None:
    """Be a worker: get ready, then take the bursts that are asked for on standard input, until it is closed.

    Args:
        prepare: imports, builds, compiles; returns the burst and what is to be told of it.
        threads: cores that this process keeps to.
    """
    # Libraries print where they like; the answers have a channel of their own.
    with os.fdopen(os.dup(sys.stdout.fileno()), "w") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

        def tell(answer: dict[str, Any]) -> None:
            answers.write(json.dumps(answer) + "\n")
            answers.flush()

        try:
            pin(threads)
            burst, facts = prepare()
            tell({"facts": facts, "peak_mb": peak_mb()})
            slept = time.process_time()
            for line in sys.stdin:
                idle = time.process_time() - slept
                told = _timed(burst, json.loads(line)["steps"])
                tell({**told, "idle_cpu_seconds": idle, "peak_mb": peak_mb()})
                slept = time.process_time()
        except BrokenPipeError:
            pass  # Nobody listens any more.
        except Exception as error:
            traceback.print_exc()
            reason = str(error).strip().splitlines() or [""]
            tell({"failed": f"{type(error).__name__}: {reason[0]}"[:200]})


def _timed(burst: Burst, steps: int) -> dict[str, float]:
    begin, cpu = time.perf_counter(), time.process_time()
    own = burst(steps)
    taken = time.perf_counter() - begin
    return {"seconds": taken if own is None else own, "busy": (time.process_time() - cpu) / max(taken, 1e-9)}


@dataclass(frozen=True)
class Run:
    """One program from its start to its end."""

    seconds: float
    cpu_seconds: float
    """User and system time, over all threads and the children it waited for."""
    peak_mb: float
    """Its largest resident set."""
    code: int
    """Exit code; negative where a signal ended it."""
    output: str
    """What it printed on standard output."""


def run_once(
    command: Sequence[str], *, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> Run:
    """Run a program and measure all of it.

    Args:
        command: the program and its words.
        environment: variables beside those of this process.
        folder: where it runs; here when left out.
    """
    with tempfile.TemporaryFile() as output:
        begin = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **COMPILED, **(environment or {})},
            cwd=folder,
        )
        run = finished(process)
        output.seek(0)
        return replace(run, seconds=time.perf_counter() - begin, output=output.read().decode(errors="replace"))


def finished(process: "subprocess.Popen[Any]") -> Run:
    """Wait for a process to end and return what it used; the caller knows its time and its output.

    Args:
        process: one that nobody has waited for yet.
    """
    _, status, usage = os.wait4(process.pid, 0)
    # So that Popen does not wait for it again.
    process.returncode = os.waitstatus_to_exitcode(status)
    return Run(0.0, usage.ru_utime + usage.ru_stime, _megabytes(usage.ru_maxrss), process.returncode, "")


def peak_mb() -> float:
    """Return the largest resident set that this process has had, in MB: code, libraries and data."""
    return _megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _megabytes(size: int) -> float:
    # Kilobytes on Linux, bytes on macOS.
    return size / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def thread_environment(threads: int) -> dict[str, str]:
    """Return the variables that limit the threads of OpenMP, BLAS and TensorFlow.

    Args:
        threads: of one operation.
    """
    return dict.fromkeys(THREAD_VARIABLES, str(threads))


def pin(threads: int) -> None:
    """Keep this process to so many cores, where the system can; JAX takes its number of threads from that alone.

    Args:
        threads: cores; no more than there are.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def machine(packages: Sequence[str], *, threads: int) -> str:
    """Return a sentence about processor, threads and versions, without a name or a path of this machine.

    Args:
        packages: what to tell the versions of; those that are not installed are left out.
        threads: what was computed with.
    """
    names, flags = _processor()
    sets = ", ".join(name for name in INSTRUCTIONS if name in flags) or "instruction sets unknown"
    found = []
    for name in packages:
        with suppress(metadata.PackageNotFoundError):
            found.append(f"{name} {metadata.version(name)}")
    cores = os.cpu_count() or 1
    return (
        f"{names}, {cores} {'core' if cores == 1 else 'cores'} ({sets}), {threads} "
        f"{'thread' if threads == 1 else 'threads'}; {platform.system()}, Python {platform.python_version()}, "
        f"{', '.join(found)}."
    )


def _processor() -> tuple[str, set[str]]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine(), set()
    told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return told.get("model name", platform.machine()), set(told.get("flags", told.get("Features", "")).split())


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown, its columns of equal width.

    Args:
        head: titles of the columns.
        rows: as many cells each.
    """
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    lines = [head, ["-" * width for width in widths], *rows]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in padded)
