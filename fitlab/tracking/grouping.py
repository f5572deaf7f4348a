"""Which runs are seeds of one Config: their params say what was tried, one of them the seed."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fitlab.diagnosis.naming import counted, listed, short
from fitlab.errors import SpecError
from fitlab.spec.sweeps import EXACT
from fitlab.tracking.guesses import alike, near, numbered, seed_among
from fitlab.tracking.reading import Logged

FINISHED = "FINISHED"
EXAMPLES = 3  # runs that a message names
Params = Mapping[str, str]


@dataclass(frozen=True)
class Member:
    """A run under the name of its Config and its seed."""

    run: Logged
    config: str
    seed: int


@dataclass(frozen=True)
class Grouped:
    """The runs that count, how they were told apart, and what was taken for granted."""

    members: tuple[Member, ...]
    keys: tuple[str, ...]  # params that make a Config
    said: tuple[str, ...]
    assumed: tuple[str, ...]  # nobody said so


def some(runs: Sequence[Logged]) -> str:
    """Name runs, the first of many."""
    more = [f"{len(runs) - EXAMPLES} more"] if len(runs) > EXAMPLES else []
    return listed([*map(str, runs[:EXAMPLES]), *more])


def grouped(
    runs: Sequence[Logged], seed: str | None, config: Sequence[str], by_start: bool = False, newest: bool = False
) -> Grouped:
    """Return the runs as Configs × seeds.

    seed: the param or tag that holds it; None: looked for by its name. config: params that make a Config; empty: all
    that vary. by_start: number the runs of a Config by their start, whatever their seed. newest: of several runs of one
    Config and seed the last started counts, however they differ.
    Raises SpecError for names that no run has, seeds that are none, and runs that say the same and are not.
    """
    assumed: list[str] = []
    params = {run.id: normal(run.params) for run in runs}
    key = _seed_key(runs, seed)
    values = {} if by_start or key is None else _seeds(runs, key)
    if values and len(values) < len(runs):
        without = [run for run in runs if run.id not in values]
        assumed.append(f"{counted(len(without), 'run')} without {key}: left out: {some(without)}.")
        runs = [run for run in runs if run.id in values]
    keys = _given(config, params) if config else _varying([params[run.id] for run in runs], key)
    follows = [] if config or not values else _following(runs, params, values, keys)
    keys = tuple(name for name in keys if name not in follows)
    names = _names([params[run.id] for run in runs], keys)
    labelled = [(run, names[_chosen(params[run.id], keys)]) for run in runs]
    if values:
        members, more = _once(labelled, params, values, [*keys, str(key), *follows], newest)
        assumed += more
    else:
        members = _by_start(labelled)
        assumed.append(_start_words(key))
    said = [f"Configs by {listed(keys)}." if keys else "One Config: no param varies but the seed.", _size(members)]
    said += [f"Seed: {key}."] if values else []
    assumed += _short_of_seeds(members)
    assumed += [_follow_words(follows)] if follows else []
    order = {name: place for place, name in enumerate(names.values())}
    members = sorted(members, key=lambda one: (order[one.config], one.seed))
    return Grouped(tuple(members), keys, tuple(said), tuple(assumed))


def normal(params: Params) -> dict[str, str]:
    """Return params with numbers written in one way: 1e-3 and 0.001 are one value, as are 1.0 and 1."""
    found = {key: numbered(value) for key, value in params.items()}
    return {key: value if found[key] is None else repr(found[key]).removesuffix(".0") for key, value in params.items()}


# ── seeds ───────────────────────────────────────────────────────────────────────────────────────────────────


def _seed_key(runs: Sequence[Logged], seed: str | None) -> str | None:
    """Return the param or tag that holds the seed; None where nobody says so and no name does."""
    params = {key for run in runs for key in run.params}
    tags = {key for run in runs for key in run.tags}
    if seed is None:
        return seed_among(params) or seed_among({key for key in tags if not key.startswith("mlflow.")})
    if seed not in params | tags:
        own = params | {key for key in tags if not key.startswith("mlflow.")}
        raise SpecError(f"no run has a param or tag {seed} that would be its seed. {near(seed, own)}")
    return seed


def _seeds(runs: Sequence[Logged], key: str) -> dict[str, int]:
    """Return the seed of every run that has one. Raises SpecError for one that is no whole number."""
    found = {run.id: (run, run.params.get(key, run.tags.get(key))) for run in runs}
    seeds, wrong = dict[str, int](), list[str]()
    for id_, (run, text) in found.items():
        value = None if text is None else numbered(text)
        if value is not None and 0 <= value <= EXACT and value % 1 == 0:
            seeds[id_] = int(value)
        elif text is not None:
            wrong.append(f"{run}: {text}")
    if wrong:
        raise SpecError(
            f"{key} holds what is no whole number from 0 on, and so no seed: {listed(wrong[:EXAMPLES])}. Name another "
            "param or tag (seed, --seed), or number the runs of each Config by their start (by_start, --by-start)"
        )
    if not seeds:
        raise SpecError(f"no run with both losses has {key}")
    return seeds


def _by_start(labelled: Sequence[tuple[Logged, str]]) -> list[Member]:
    counts: Counter[str] = Counter()
    members = []
    for run, name in labelled:  # the first started first
        members.append(Member(run, name, counts[name]))
        counts[name] += 1
    return members


def _start_words(key: str | None) -> str:
    why = f"{key} is not heeded" if key else "No param or tag holds a seed"
    return (
        f"{why}: each run of the same params is one more seed, numbered by its start. Nothing pairs seed 0 of one "
        f"Config with seed 0 of another, so intervals of differences are no narrower than for independent runs."
    )


def _following(
    runs: Sequence[Logged], params: Mapping[str, Params], seeds: Mapping[str, int], keys: Sequence[str]
) -> list[str]:
    """Return the params that say the seed once more (split_seed, a folder): one value a seed, whatever else varies."""
    by_seed: dict[int, list[Params]] = {}
    for run in runs:
        by_seed.setdefault(seeds[run.id], []).append(params[run.id])
    if len(by_seed) < 2 or any(len(found) < 2 for found in by_seed.values()):
        return []
    return [key for key in keys if all(alike(found, key) for found in by_seed.values())]


def _follow_words(follows: Sequence[str]) -> str:
    one = len(follows) == 1
    return f"{listed(follows)} follow{'s' * one} the seed and make{'s' * one} no Config."


# ── Configs ─────────────────────────────────────────────────────────────────────────────────────────────────


def _given(config: Sequence[str], params: Mapping[str, Params]) -> tuple[str, ...]:
    names = {key for one in params.values() for key in one}
    for key in config:
        if key not in names:
            raise SpecError(f"no run has the param {key}. {near(key, names)}")
    return tuple(dict.fromkeys(config))


def _varying(params: Sequence[Params], seed: str | None) -> tuple[str, ...]:
    keys = dict.fromkeys(key for one in params for key in sorted(one))
    return tuple(key for key in keys if key != seed and not alike(params, key))


def _chosen(params: Params, keys: Sequence[str]) -> tuple[str | None, ...]:
    return tuple(params.get(key) for key in keys)


def _names(params: Sequence[Params], keys: Sequence[str]) -> dict[tuple[str | None, ...], str]:
    """Return what each Config is called, such as ``lr 0.01, hidden 32``, from small to large values."""
    ends = Counter(map(short, keys))
    heads = [short(key) if ends[short(key)] == 1 else key for key in keys]
    found = sorted({_chosen(one, keys) for one in params}, key=lambda values: [_rank(value) for value in values])
    without = f"no {listed(heads)}" if heads else "the one Config"
    return {
        values: ", ".join(f"{head} {value}" for head, value in zip(heads, values, strict=True) if value is not None)
        or without
        for values in found
    }


def _rank(value: str | None) -> tuple[list[tuple[float, str]], str]:
    """Numbers in their order, also those within text, such as [8] and [32]; what is not there first."""
    if value is None:
        return [], ""
    found = numbered(value)
    words = [] if found is not None else re.findall("[0-9]+|[A-Za-z]+", value)
    parts = [(float(word), "") if word.isdecimal() else (math.inf, word) for word in words]
    return ([(found, "")] if found is not None else parts), value


def _size(members: Sequence[Member]) -> str:
    """Say how many Configs and seeds there are."""
    configs, seeds = {one.config for one in members}, {one.seed for one in members}
    return f"{counted(len(configs), 'Config')}, {counted(len(seeds), 'seed')}, {counted(len(members), 'run')}."


def _short_of_seeds(members: Sequence[Member]) -> list[str]:
    """Say which Configs are not assessed, for they do not have all seeds."""
    configs, seeds = Counter(one.config for one in members), {one.seed for one in members}
    short_of = [name for name, count in configs.items() if count < len(seeds)]
    if not short_of:
        return []
    if len(short_of) < len(configs):
        return [f"{counted(len(short_of), 'Config')} without all seeds: not assessed."]
    if max(configs.values()) == 1:
        return ["Every run is a Config of its own. Which params make one (config, --config)?"]
    return [
        "No Config has all seeds, so none is assessed. If seeds mean nothing across Configs, number the runs of each "
        "by their start (by_start, --by-start)."
    ]


# ── several runs of one Config and seed ─────────────────────────────────────────────────────────────────────


def _once(
    labelled: Sequence[tuple[Logged, str]],
    params: Mapping[str, Params],
    seeds: Mapping[str, int],
    known: Sequence[str],
    newest: bool,
) -> tuple[list[Member], list[str]]:
    """Return one run for each Config and seed: a finished one before others, of equals the last started.

    Raises SpecError where several finished ones differ in a param that makes no Config.
    """
    found: dict[tuple[str, int], list[Logged]] = {}
    for run, name in labelled:
        found.setdefault((name, seeds[run.id]), []).append(run)
    members, again = [], list[list[Logged]]()
    for (name, seed), runs in found.items():
        best = [run for run in runs if run.status == FINISHED] or runs
        if len(best) > 1 and not newest:
            _refuse_unlike(name, seed, best, params, known)
        again += [runs] if len(runs) > 1 else []
        members.append(Member(best[-1], name, seed))
    said = f"{counted(len(again), 'Config and seed')} with several runs: the last finished one counts, as of"
    return members, [f"{said} {some(again[0])}."] if again else []


def _refuse_unlike(
    config: str, seed: int, runs: Sequence[Logged], params: Mapping[str, Params], known: Sequence[str]
) -> None:
    found = [params[run.id] for run in runs]
    differ = [
        key for key in dict.fromkeys(k for one in found for k in one) if key not in known and not alike(found, key)
    ]
    if differ:
        raise SpecError(
            f"{counted(len(runs), 'run')} of config {config!r}, seed {seed}, are one by what makes a Config, and "
            f"differ in {listed(differ)}: {some(runs)}. Name what belongs to a Config (config, --config), or take the "
            "last of such runs (newest, --newest)"
        )
