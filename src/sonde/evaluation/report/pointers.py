"""Finds what deserves a look next: a few concrete pointers, the gravest first."""

from collections.abc import Callable, Iterator

from sonde.answers import answer_of
from sonde.answers.facts import Facts, Pointer
from sonde.drawing.numbers_in_words import count
from sonde.drawing.safe_text import one_line
from sonde.metrics.words import SHARES, amount

FEWEST, MOST = 2, 4
"""Pointers that are shown: fewer say too little, more are not read."""

WIDE_INTERVAL = 0.08
"""Width of the interval of a share from which on the test split is called small."""

GAP = 0.05
"""Train score above validation score from which on over-fitting is named."""

STILL_FALLING = 0.02
"""Share of the validation loss lost in the last quarter of the epochs from which on more of them are advised."""

ANNEALED = 0.1
"""Share of its peak below which a learning rate has been brought down on purpose."""


def pointers(facts: Facts) -> list[Pointer]:
    """Return two to four things to look at next, the gravest first."""
    own = answer_of(str(facts.scores["task"])).pointers
    looks = (*OF_THE_SCORE, *own, *OF_THE_DATA)
    found = [pointer for look in looks for pointer in look(facts)][:MOST]
    return found + list(_always(facts))[: max(0, FEWEST - len(found))]


def _baseline(facts: Facts) -> Iterator[Pointer]:
    wins = facts.verdict.get("wins")
    if wins in ("baseline", "neither"):
        best = one_line(str(facts.verdict.get("best_baseline", "a baseline")))
        what = "A simpler method is better" if wins == "baseline" else "A simpler method does as well"
        text = f"Use {best}, or give the model a reason: more epochs, more data, another --model."
        yield Pointer(what, (text,), "scores")


def _leaks(facts: Facts) -> Iterator[Pointer]:
    leaks = facts.findings.get("leak_count") or 0
    if leaks:
        text = f"{count(leaks, 'test or validation example')} {'has' if leaks == 1 else 'have'} an exact copy in "
        yield Pointer("The score may be flattered", (text, "another split. Remove the copies and train again."), "data")


def _small_test(facts: Facts) -> Iterator[Pointer]:
    low, high, n = (facts.score.get(key) for key in ("low", "high", "n"))
    if facts.headline in SHARES and low is not None and high is not None and n and high - low > WIDE_INTERVAL:
        # The width of an interval falls with the square root of n.
        needed = round(n * ((high - low) / (WIDE_INTERVAL / 2)) ** 2, -2)
        text = (
            f"{count(n, 'example')} leave an interval {100 * (high - low):.0f} points wide; "
            f"about {needed:,.0f} would bring it to {100 * WIDE_INTERVAL / 2:.0f}."
        )
        yield Pointer("The test split is small", (text,), "scores")


def _short_training(facts: Facts) -> Iterator[Pointer]:
    history, best = facts.history, facts.best
    if not best or len(history) < 2 or best["epoch"] != history[-1]["epoch"]:
        return
    rates = [float(record.get("learning_rate") or 0) for record in history]
    if rates[-1] <= ANNEALED * max(rates):
        return  # The last epochs of such a schedule are the best ones however long it was.
    before, last = ((history[at].get("validation") or {}).get("loss") for at in (-1 - max(1, len(history) // 4), -1))
    if before and last is not None and last < (1 - STILL_FALLING) * before:
        text = (
            f"In the last epoch ({best['epoch']}), the best one, the validation loss was still falling: try twice as "
            "many epochs."
        )
        yield Pointer("Train longer", (text,), "training")


def _over_fitting(facts: Facts) -> Iterator[Pointer]:
    record = facts.best or (facts.history[-1] if facts.history else {})
    metric = facts.headline
    train, validation = ((record.get(split) or {}).get(metric) for split in ("train", "validation"))
    if metric not in SHARES or train is None or validation is None:
        return
    if train - validation > GAP:
        text = (
            f"In epoch {record['epoch']} the model scores {amount(metric, train)} on what it has seen and "
            f"{amount(metric, validation)} on what it has not: more data, augmentation, dropout or weight decay."
        )
        yield Pointer("Over-fitting", (text,), "training")


def _bad_files(facts: Facts) -> Iterator[Pointer]:
    bad = facts.findings.get("bad_files") or []
    if bad:
        text = f"{count(len(bad), 'file')} could not be read and {'was' if len(bad) == 1 else 'were'} left out."
        yield Pointer("Unreadable files", (text,), "data")


def _duplicates(facts: Facts) -> Iterator[Pointer]:
    copies = facts.findings.get("duplicates") or 0
    if copies:
        text = f"{count(copies, 'example')} {'is an exact copy' if copies == 1 else 'are exact copies'} of another one."
        yield Pointer("Duplicates", (text,), "data")


def _always(facts: Facts) -> Iterator[Pointer]:
    where = "worst" if facts.worst else "data"
    yield Pointer(
        "Harder examples",
        ("Score it on data from elsewhere: new people, places, devices.",),
        "again",
    )
    yield Pointer("Chance in training", ("Train again with another --seed and compare: one run is one draw.",), "again")
    yield Pointer("The data itself", ("See that labels are right where the model is surest of another one.",), where)


Look = Callable[[Facts], Iterator[Pointer]]

OF_THE_SCORE: tuple[Look, ...] = (_baseline, _leaks, _small_test, _over_fitting, _short_training)
OF_THE_DATA: tuple[Look, ...] = (_bad_files, _duplicates)
"""Where is looked, the gravest first: what spoils the score, then what spoils the model (the answer's own pointers
stand between the two), then what improves it."""
