"""The house template: the whole page, its sections, tables and figures."""

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources

from sonde.drawing.markup import Child, Markup, tag


def page(title: str, body: Sequence[Child]) -> str:
    """Return a whole HTML document that asks nothing of any other place."""
    style = resources.files("sonde.evaluation.report").joinpath("report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    # Nothing may be loaded, run, sent or framed; the one style sheet is allowed by its digest.
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    head = tag(
        "head",
        tag("meta", attributes={"charset": "utf-8"}),
        tag("meta", attributes={"http-equiv": "Content-Security-Policy", "content": policy}),
        tag("meta", attributes={"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        tag("meta", attributes={"name": "color-scheme", "content": "light dark"}),
        tag("meta", attributes={"name": "referrer", "content": "no-referrer"}),
        tag("title", title),
        tag("style", Markup(style)),
    )
    return "<!doctype html>\n" + tag("html", head, tag("body", *body), attributes={"lang": "en"}) + "\n"
