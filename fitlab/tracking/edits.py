"""What a user wrote into a run in MLflow stays: how we know our own words from theirs.

A run says in one tag, ``fitlab.said``, what we last said in each of its tags, as digests: what differs is a user's,
and so is a tag that is gone. The run of a Fit says nothing that could change, so it does without: a tag is a row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from fitlab.seeds import canonical, digest

SAID = "fitlab.said"
LENGTH = 8  # of a digest: 32 bits tell two notes apart
PLUMBING = {  # what finds a run, says what it is and was made with, keeps the tree together: always as we say
    "fitlab.kind", "fitlab.digest", "fitlab.identity", "fitlab.record_version", "fitlab.current", "fitlab.superseded",
    "fitlab.incomplete", "fitlab.versions", "fitlab.cpu", "fitlab.blas", "mlflow.parentRunId", SAID,
}  # fmt: skip


@dataclass(frozen=True)
class Merged:
    """What is to be logged, and which tags are a user's."""

    tags: Mapping[str, str]
    edited: frozenset[str]


def remembered(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of a new run, with the one that remembers what they say."""
    said = {key: _short(value) for key, value in tags.items() if key not in PLUMBING}
    return {**tags, SAID: canonical(said)}


def merged(there: Mapping[str, str], wanted: Mapping[str, str]) -> Merged:
    """Return what to log over the tags that are ``there``: of ``wanted`` all but what a user wrote, or took away.

    Where nothing remembers what we said, as on the runs of an earlier version, all of it is ours.
    """
    ours = _ours(there, wanted)
    edited = frozenset(key for key, short in ours.items() if key not in there or _short(there[key]) != short)
    tags = {key: value for key, value in wanted.items() if key not in edited}
    said = {key: _short(value) for key, value in tags.items() if key not in PLUMBING}
    return Merged({**tags, SAID: canonical({**said, **{key: ours[key] for key in edited}})}, edited)


def merged_for_good(there: Mapping[str, str], wanted: Mapping[str, str]) -> Merged:
    """Return the same for a run of which nothing can change by itself: what differs from it is a user's."""
    edited = frozenset(k for k, v in wanted.items() if k not in PLUMBING and there.get(k, v) != v)
    return Merged({key: value for key, value in wanted.items() if key not in edited}, edited)


def carried(there: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of the run that takes another's place: what a user wrote there goes with it."""
    found = merged(there, wanted)
    return {**found.tags, **{key: there[key] for key in found.edited if key in there}}


def _ours(there: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Return the digests of what we last said; of a tag that we never said and somebody else did, none that fits."""
    try:
        found = json.loads(there[SAID])
    except (KeyError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    foreign = {key: "" for key in wanted if key in there and key not in PLUMBING}
    return {**foreign, **{str(key): str(short) for key, short in found.items()}}


def _short(value: str) -> str:
    return digest(value)[:LENGTH]
