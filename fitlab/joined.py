"""Several sweeps as one: their Configs side by side, to be diagnosed, tabulated and drawn together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fitlab.errors import Problem, SpecError
from fitlab.records import Config, Fit, merged
from fitlab.seeds import canonical, leaves
from fitlab.spec import MODEL, Spec, domain_of
from fitlab.spec.recorded import RecordedSpec
from fitlab.spec.sweeps import Grid, Range, Tpe, Values
from fitlab.sweep import Sweep

ABSENT = object()  # of a key that a Config does not have; None is a value


def joined(sweeps: Sequence[Sweep]) -> Sweep:
    """Return one Sweep, not diagnosed yet, of all Configs of several, each once, and each Fit once.

    Its swept keys are those that some sweep sweeps, and those that were set to different values in different sweeps.
    Verdicts compare Configs within a seed and by one margin, so these must agree; Configs on different data are
    compared among themselves, as in any sweep.
    Raises SpecError where the sweeps cannot be compared, saying which differ in what.
    """
    if not sweeps:
        raise SpecError("no sweep to load")
    if len(sweeps) == 1:
        return sweeps[0]
    problems = [*_disagreements(sweeps), *_other_data(sweeps)]
    if problems:
        raise SpecError(problems, source=_name(sweeps))
    first = _first_of_each(sweeps)
    keys = [*dict.fromkeys(key for sweep in sweeps for key in domain_of(sweep.spec))]
    keys += _set_apart([config for config, _ in first.values()], keys)
    configs = {digest: _config(config, domain_of(sweep.spec), keys) for digest, (config, sweep) in first.items()}
    return Sweep(_spec(sweeps, keys, [*configs.values()]), tuple(configs.values()), tuple(_fits(sweeps, configs)))


def _name(sweeps: Iterable[Sweep]) -> str:
    return "+".join(dict.fromkeys(sweep.spec.name for sweep in sweeps))


# ── whether they can be compared ────────────────────────────────────────────────────────────────────────────


def _disagreements(sweeps: Sequence[Sweep]) -> Iterator[Problem]:
    """Yield what the specs say differently and verdicts need alike."""
    if any(isinstance(sweep.spec, RecordedSpec) for sweep in sweeps):
        hint = "join their frames: Sweep.from_frame(pd.concat([…]))"
        yield Problem((), "a sweep that was recorded elsewhere cannot be joined", hint=hint)
        return
    said = [(sweep.spec.name, _said(sweep)) for sweep in sweeps]
    for key in dict.fromkeys(key for _, one in said for key in one):
        found = {name: one[key] for name, one in said if key in one}
        if len({canonical(value) for value in found.values()}) > 1:
            given = ", ".join(f"{name}: {canonical(value)}" for name, value in found.items())
            yield Problem((key,), "differs between sweeps that are to be loaded as one", given, hint=_hint(key))


def _said(sweep: Sweep) -> dict[str, Any]:
    """Return what sweeps must have in common; a capacity axis and a loss only where there is one."""
    spec, diagnosis = sweep.spec, sweep.spec.diagnosis
    losses = sorted({fit.loss.partition(",")[0] for fit in sweep.fits if fit.loss})
    axis = diagnosis.capacity_axis
    return {
        "seeds": sorted(spec.seeds.values),
        "seeds.vary": sorted(spec.seeds.vary),
        "diagnosis.margin": diagnosis.margin,
        "diagnosis.level": diagnosis.level,
        "diagnosis.corrected_resampling": diagnosis.corrected_resampling,
        "sweep.objective": [one.model_dump(mode="json") for one in spec.sweep.objective],
        **({} if axis is None else {"diagnosis.capacity_axis": axis}),
        **({"loss": losses} if losses else {}),
    }


def _hint(key: str) -> str:
    match key.partition(".")[0]:
        case "seeds":
            return "Configs are compared seed by seed: run one again with the seeds of the other (`-o seeds=…`)"
        case "loss":
            return "losses of different kinds do not compare: load the sweeps apart"
        case _:
            return f"run one again with `-o {key}=…`: nothing is trained again"


def _other_data(sweeps: Sequence[Sweep]) -> Iterator[Problem]:
    """Yield data that are set up alike and were not the same rows, and trainers of different versions."""
    data, trainers = dict[str, dict[str, str]](), dict[str, dict[str, str]]()
    for sweep in sweeps:
        for fit in sweep.fits:
            job, (trainer, _, version) = fit.job, fit.job.trainer.partition("/")
            data.setdefault(canonical(job.config.plain["data"]), {})[job.fingerprint] = sweep.spec.name
            trainers.setdefault(trainer, {})[version] = sweep.spec.name
    again = "run the older one again: `fitlab sweep SPEC`"
    for found in data.values():
        if len(found) > 1:
            yield Problem(
                ("data",), "the same section was read as different rows", ", ".join(found.values()), hint=again
            )
    for trainer, found in trainers.items():
        if len(found) > 1:
            yield Problem((), f"trained by different versions of {trainer}", ", ".join(found.values()), hint=again)


# ── what it consists of ─────────────────────────────────────────────────────────────────────────────────────


def _first_of_each(sweeps: Sequence[Sweep]) -> dict[str, tuple[Config, Sweep]]:
    """Return each Config once, by digest, with the sweep in which it comes first."""
    found: dict[str, tuple[Config, Sweep]] = {}
    for sweep in sweeps:
        for config in sweep.configs:
            found.setdefault(config.digest, (config, sweep))
    return found


def _set_apart(configs: Sequence[Config], swept: Sequence[str]) -> list[str]:
    """Return the keys, not swept ones, that some Config sets and of which Configs have different values.

    What follows from a swept key is left out: what nobody set (a default that depends on the solver), and what the
    label of an alternative under ``model:`` stands for.
    """
    set_by_some = {key for config in configs for key, _ in leaves(config.identity)}
    apart = []
    for key in dict.fromkeys(k for config in configs for k, _ in leaves(config.plain) if k in set_by_some):
        inside = any(key == other or key.startswith(f"{other}.") for other in swept if other != MODEL)
        values = {canonical(value) for config in configs if (value := _at(config.plain, key)) is not ABSENT}
        follows = key.startswith(f"{MODEL}.") and _labelled(configs, key)
        absent = "." not in key  # a whole section: an estimator has no training
        if len(values) > 1 and not (inside or follows or absent):
            apart.append(key)
    return apart


def _labelled(configs: Sequence[Config], key: str) -> bool:
    """Whether Configs with the same label of an alternative have the same value of a key."""
    found: dict[Any, set[str]] = {}
    for config in configs:
        value = _at(config.plain, key)
        found.setdefault(config.swept.get(MODEL), set()).add("" if value is ABSENT else canonical(value))
    return None not in found and all(len(values) == 1 for values in found.values())


def _config(config: Config, own: Mapping[str, Any], keys: Sequence[str]) -> Config:
    """Return a Config that says its value of every key; of those that its own sweep sweeps what it says there."""
    said = {key: config.swept.get(key, ABSENT) for key in own}
    values = {key: said.get(key, ABSENT) if key in own or key == MODEL else _at(config.plain, key) for key in keys}
    return Config(config.sections, {key: value for key, value in values.items() if value is not ABSENT})


def _fits(sweeps: Sequence[Sweep], configs: Mapping[str, Config]) -> Iterator[Fit]:
    """Yield each Fit once, the one that reaches further, in the order of Configs, then seeds."""
    found: dict[str, Fit] = {}
    for sweep in sweeps:
        for fit in sweep.fits:
            there = found.get(fit.job.digest)
            found[fit.job.digest] = fit if there is None else merged(there, fit)
    order = {digest: place for place, digest in enumerate(configs)}
    for fit in sorted(found.values(), key=lambda fit: order[fit.job.config.digest]):
        yield replace(fit, job=replace(fit.job, config=configs[fit.job.config.digest]))


def _spec(sweeps: Sequence[Sweep], keys: Sequence[str], configs: Sequence[Config]) -> Spec:
    """Return a Spec that says what was swept: no file of it exists, and it is not to be run."""
    specs = [sweep.spec for sweep in sweeps]
    base = next((spec for spec in specs if isinstance(spec.sweep, Tpe)), specs[0])
    parameters = {key: _domain(key, specs, configs) for key in keys}
    method = base.sweep if isinstance(base.sweep, Tpe) else Grid()
    axis = next((one for spec in specs if (one := spec.diagnosis.capacity_axis)), None)
    changes: dict[str, Any] = {
        "name": _name(sweeps),
        "question": " ".join(dict.fromkeys(spec.question for spec in specs if spec.question)),
        "model": base.model[0] if isinstance(base.model, tuple) else base.model,  # the labels are a swept key here
        "sweep": method.model_copy(
            update={"parameters": parameters, "constraints": (), "objective": base.sweep.objective}
        ),
        "diagnosis": base.diagnosis.model_copy(update={"capacity_axis": axis}),
        "expect": (),  # what each sweep is to show it shows by itself
    }
    return base.model_copy(update=changes)


def _domain(key: str, specs: Sequence[Spec], configs: Sequence[Config]) -> Values | Range:
    """Return the domain that all have, or the values that occur: first as the specs list them, then others."""
    domains = [domain_of(spec).get(key) for spec in specs]
    if domains[0] is not None and all(domain == domains[0] for domain in domains):
        return domains[0]
    listed = [value for domain in domains if isinstance(domain, Values) for value in domain.values]
    occurring = {canonical(config.swept[key]): config.swept[key] for config in configs if key in config.swept}
    order = dict.fromkeys([*(one for value in listed if (one := canonical(value)) in occurring), *occurring])
    return Values(values=tuple(occurring[one] for one in order)) if occurring else Values(values=tuple(listed))


# ── nested plain data ───────────────────────────────────────────────────────────────────────────────────────


def _at(plain: Mapping[str, Any], key: str) -> Any:
    found: Any = plain
    for step in key.split("."):
        found = found.get(step, ABSENT) if isinstance(found, Mapping) else ABSENT
    return found
