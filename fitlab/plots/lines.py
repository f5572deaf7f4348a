"""Which line of a Sweep is meant: Configs that differ in one key, all else held to one setting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fitlab.diagnosis.naming import counted, listed, pairs, shown
from fitlab.plots.shared import nothing
from fitlab.plots.sources import one_config
from fitlab.records import Config
from fitlab.seeds import canonical, same
from fitlab.spec import domain_of
from fitlab.spec.recorded import CAPACITY, NAME
from fitlab.spec.sweeps import Tpe
from fitlab.sweep import Sweep

BY_NAME = (NAME, CAPACITY)  # Configs from elsewhere have names; these hold nothing fixed


def key_named(word: str, keys: Iterable[str]) -> str:
    """Return the key that is called so, or ends so. Raises ValueError where it is none, or several."""
    there = [*keys]
    found = [key for key in there if key == word] or [key for key in there if key.endswith(f".{word}")]
    if len(found) == 1:
        return found[0]
    many = "no key" if not found else f"{len(found)} keys"
    raise nothing(f"{many} among those that vary called {word!r}", there)


def held_by(sweep: Sweep, config: Config | str | None, fixed: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what else is swept with the values that it is held to: of a Config, by default the selected one.

    fixed: other values. Raises ValueError for a key or a value that there is not.
    """
    selected = sweep.verdicts.selection is not None or len(sweep.configs) == 1
    chosen = one_config(sweep, config) if config is not None or selected else None
    held = {} if chosen is None else {key: value for key, value in chosen.swept.items() if key not in BY_NAME}
    return held | given(fixed, domain_of(sweep.spec), [one.swept for one in sweep.configs])


def given(fixed: Mapping[str, Any] | None, keys: Iterable[str], there: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what is fixed under its full names. there: of each Config or curve its values."""
    known, found = [*keys], {}
    for word, value in (fixed or {}).items():
        key = key_named(word, known)
        values = {canonical(one[key]): one[key] for one in there if key in one}
        if not any(same(value, one) for one in values.values()):
            raise nothing(f"nothing has {key} {shown(value)}", map(shown, values.values()))
        found[key] = value
    return found


def fits_in(swept: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    """Whether values are those that are held, as far as there are such keys."""
    return all(same(swept[key], value) for key, value in held.items() if key in swept)


def line_of(
    sweep: Sweep, along: str, config: Config | str | None, fixed: Mapping[str, Any] | None
) -> tuple[str, list[Config], dict[str, Any]]:
    """Return the full key, the Configs that differ in it alone, and what all else is held to.

    Raises ValueError where several Configs have one value of it, or one Config alone is there of many.
    """
    key = key_named(along, domain_of(sweep.spec))
    held = {name: value for name, value in held_by(sweep, config, fixed).items() if name != key}
    having = [one for one in sweep.configs if key in one.swept]
    found = [one for one in having if fits_in(one.swept, held)]
    refuse_several(key, [one.swept for one in found])
    if not found:
        raise nothing(f"no Config has {pairs(held)}")
    different = len({canonical(one.swept[key]) for one in having})
    if len(found) == 1 < different:
        why = " of a search, which varies all keys at once," if not every_combination(sweep) else ""
        raise nothing(
            f"one Config alone{why} has {pairs(held)}, of {counted(different, 'value')} of {key}; "
            "parallel_coordinates shows all of them"
        )
    used = dict.fromkeys(name for one in found for name in one.swept)
    return key, found, {name: value for name, value in held.items() if name in used}


def every_combination(sweep: Sweep) -> bool:
    """Whether every combination was trained."""
    return sweep.spec.sweep.method == "grid"


def searched(sweep: Sweep) -> bool:
    """Whether Configs were proposed by what was found before: then places that look bad were hardly looked at."""
    return isinstance(sweep.spec.sweep, Tpe)


def varies_beside(key: str, swept: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the keys that differ where one value of a key stands several times, with their values as they are said.

    swept: of each Config its values.
    """
    by_value: dict[str, list[Mapping[str, Any]]] = {}
    for one in swept:
        by_value.setdefault(canonical(one[key]), []).append(one)
    several = [group for group in by_value.values() if len(group) > 1]
    names = dict.fromkeys(name for group in several for one in group for name in one if name not in (key, *BY_NAME))
    found = {name: {shown(one[name]): one[name] for group in several for one in group if name in one} for name in names}
    varied = {name: values for name, values in found.items() if len(values) > 1}
    return varied if varied or not several else {NAME: {}}


def refuse_several(key: str, swept: Sequence[Mapping[str, Any]]) -> None:
    """Raise ValueError where several Configs have one value of a key, saying what else to fix."""
    found = varies_beside(key, swept)
    if found:
        there = [f"{name}: {value}" for name, values in found.items() for value in values]
        raise nothing(
            f"{listed(found)} {'vary' if len(found) > 1 else 'varies'}, too: give fixed={{key: value}}, or config=",
            there,
        )
