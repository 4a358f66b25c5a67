"""Puts numbers into words: the same number looks the same everywhere in a report."""

NOT_KNOWN = "–"
"""Stands for a number that cannot be computed."""


def percent(share: float) -> str:
    """Write a share in percent; a share that is not whole never looks it."""
    text = f"{100 * share:.1f}"
    if (text == "100.0" and share < 1) or (text == "0.0" and share > 0):
        text = f"{100 * share:.2f}"
        text = ("> 99.99" if share > 0.5 else "< 0.01") if text in ("100.00", "0.00") else text
    return f"{text.removesuffix('.0') if share in (0.0, 1.0) else text}%"


def count(number: float, one: str, many: str = "") -> str:
    """Write a number with its noun, such as "1 file" or "1,200 files"."""
    return f"{int(number):,} {one if int(number) == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """Write a time for people, such as "2 min 5 s"."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole % 60} s"


def listed(words: list[str]) -> str:
    """Join words as a sentence does: "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
