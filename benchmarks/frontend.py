"""Measures the front end of recordings against librosa: log-mel spectrograms and cepstra, on one core.

    python benchmarks/frontend.py              half a minute
    python benchmarks/frontend.py --write      and writes docs/frontend.md

Both compute the same numbers from the same samples in the same process, in turns of ten recordings, with all libraries
held to one thread; each ratio is of two neighbouring turns, and the median over the turns counts. Processor time is
measured and not that of the clock, since a machine is never quite quiet.
"""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from pathlib import Path  # noqa: E402

import cv2  # noqa: E402
import librosa  # noqa: E402
import numpy as np  # noqa: E402
from measuring import Spread, machine, table  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from sonde.data.audio.melspectrogram import FrontEnd, cepstrum, log_mel  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "frontend.md"
COEFFICIENTS = 20
BURST = 10
"""Recordings of a turn: a data set is thousands of them, one after the other."""
PACKAGES = ("numpy", "opencv-python-headless", "librosa")


@dataclass(frozen=True)
class Case:
    """One kind of recording and of spectrogram."""

    name: str
    seconds: float
    front: FrontEnd


CASES = (
    Case("a digit, 0.43 s at 8 kHz, 40 bands", 0.43, FrontEnd(8000, 320, 160, 40, 20.0, 4000.0)),
    Case("a word, 1 s at 16 kHz, 40 bands", 1.0, FrontEnd(16000, 400, 160, 40, 20.0, 8000.0)),
    Case("a sentence, 10 s at 16 kHz, 64 bands", 10.0, FrontEnd(16000, 400, 160, 64, 20.0, 8000.0)),
    Case("music, 30 s at 22 kHz, 128 bands", 30.0, FrontEnd(22050, 2048, 512, 128, 0.0, 11025.0)),
)


def by_librosa(samples: NDArray[np.float32], front: FrontEnd) -> NDArray[np.float32]:
    """Return librosa's log-mel spectrogram, bands x frames.

    Args:
        samples: the recording.
        front: rate, window, hop and bands.
    """
    power = librosa.feature.melspectrogram(
        y=samples,
        sr=front.rate,
        n_fft=front.points,
        win_length=front.window,
        hop_length=front.hop,
        n_mels=front.bands,
        fmin=front.low,
        fmax=front.high,
    )
    return librosa.power_to_db(power)


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print, and write the page where `--write` asks for it.

    Args:
        words: the words behind the command; those of this process when left out.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)} too")
    chosen = parser.parse_args(words)
    cv2.setNumThreads(1)
    rows = [row for case in CASES for row in _rows(case, chosen.rounds)]
    text = table(("what", "ours, ms", "librosa, ms", "times as fast", "largest difference, dB"), rows)
    print(text)
    if chosen.write:
        PAGE.write_text(_page(text, chosen.rounds), encoding="utf-8")
    return 0


def _rows(case: Case, rounds: int) -> list[tuple[str, ...]]:
    front = case.front
    rng = np.random.default_rng(0)
    samples = (0.1 * rng.normal(size=round(case.seconds * front.rate))).astype(np.float32)

    def ours() -> NDArray[np.float32]:
        return log_mel(samples, front)

    def theirs() -> NDArray[np.float32]:
        return by_librosa(samples, front)

    def our_cepstra() -> NDArray[np.float32]:
        return cepstrum(log_mel(samples, front), COEFFICIENTS)

    def their_cepstra() -> NDArray[np.float32]:
        return librosa.feature.mfcc(S=by_librosa(samples, front), n_mfcc=COEFFICIENTS)

    return [
        _row(f"log-mel of {case.name}", ours, theirs, rounds),
        _row(f"{COEFFICIENTS} cepstra of {case.name}", our_cepstra, their_cepstra, rounds),
    ]


def _row(name: str, ours: Callable[[], NDArray], theirs: Callable[[], NDArray], rounds: int) -> tuple[str, ...]:
    difference = float(np.abs(ours() - theirs().T).max())
    times = np.array([(_seconds(ours), _seconds(theirs)) for _ in range(rounds)])
    spreads = [Spread.of((1000 * times[:, column]).tolist()).text() for column in (0, 1)]
    ratio = Spread.of((times[:, 1] / times[:, 0]).tolist())
    return name, *spreads, ratio.text(), f"{difference:.1e}"


def _seconds(work: Callable[[], object]) -> float:
    began = time.thread_time()
    for _ in range(BURST):
        work()
    return (time.thread_time() - began) / BURST


def _page(text: str, rounds: int) -> str:
    return (
        "# The front end of recordings against librosa\n\n"
        "*Written by `python benchmarks/frontend.py --write`.*\n\n"
        f"{machine(PACKAGES, threads=1)}.\n\n"
        f"Medians of {rounds} turns of {BURST} recordings, in brackets the quartiles; both compute in turns in one "
        "process. Milliseconds of processor time for one recording. How librosa's numbers are kept, and what makes the "
        "difference, is in [audio.md](audio.md).\n\n"
        f"{text}\n"
    )


if __name__ == "__main__":
    raise SystemExit(main())
