"""A report as one HTML page that stands alone: figures inline, no network, light and dark, for phones and printers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup, escape

from fitlab.reporting.contents import Contents
from fitlab.reporting.figures import WIDE, Picture, data_uri
from fitlab.verdicts import COLOURS

BROAD = 1.25  # times the usual width: from there on a figure has a line of its own


def page(contents: Contents, pictures: Sequence[Picture], absent: Sequence[tuple[str, str]]) -> str:
    """Return the page. absent: kinds of figures that are not drawn, each with why. Call it within ``page_style``."""
    return _template().render(
        **{name: getattr(contents, name) for name in Contents.__dataclass_fields__},
        pictures=[_shown(one) for one in pictures],
        absent=absent,
        colours={str(label): shade for label, shade in COLOURS.items()},
    )


@cache
def _template() -> jinja2.Template:
    text = files("fitlab.reporting").joinpath("report.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters["ticked"] = ticked
    return environment.from_string(text)


def ticked(text: str) -> Markup:
    """Return text as HTML, what stands between backticks as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 (escaped)


def _shown(one: Picture) -> dict[str, Any]:
    width, height = (96 * one.figure.get_size_inches()).round().astype(int)
    return {
        "stem": one.stem,
        "alt": one.alt,
        "caption": one.caption,
        "uri": data_uri(one),
        "width": width,
        "height": height,
        "wide": width > 96 * WIDE * BROAD,
    }
