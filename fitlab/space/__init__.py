"""The space of a sweep: its points, as validated Configs, the same under every sampler."""

from fitlab.space.domains import snapped
from fitlab.space.points import Point, Space, as_enqueued, config_of, space_of, suggest
from fitlab.space.surveys import BARREN, REPEATS, Found, configs, finite, identity, probes, rest, survey, tried

__all__ = [
    "BARREN",
    "REPEATS",
    "Found",
    "Point",
    "Space",
    "as_enqueued",
    "config_of",
    "configs",
    "finite",
    "identity",
    "probes",
    "rest",
    "snapped",
    "space_of",
    "suggest",
    "survey",
    "tried",
]  # fmt: skip
