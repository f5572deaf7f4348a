"""What a sweep consisted of, in words for a methods section. Plain text; what is not known is said or left out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fitlab.diagnosis.gather import kind_of_loss
from fitlab.diagnosis.naming import counted, distinct, interval, listed, name_of, pairs, short, shown
from fitlab.records import Config
from fitlab.seeds import canonical
from fitlab.spec import domain_of
from fitlab.spec.models import Estimator, Lbfgs, Mlp
from fitlab.spec.options import GroupSplit, TimeSplit
from fitlab.spec.recorded import RecordedData, RecordedSpec
from fitlab.spec.sweeps import Hyperband, Median, Qmc, Random, Tpe, Values
from fitlab.spec.tables import OpenML, TableFile
from fitlab.spec.teachers import Teacher
from fitlab.sweep import Sweep, data_key

PARTS = {"n_train": "training", "n_val": "validation", "n_test": "test"}
LISTED = 8  # values of a swept key that are named
VARIES = {"split": "the split", "init": "the initialisation", "order": "the order of rows"}
TOLD_APART = frozenset({  # keys of the data section that have sentences of their own
    "kind", "path", "name", "version", "data_id", "target", "split_seed", "split", "train_size", "validation", "test",
    "label_noise", "scaling", "target_scaling", "missing",
})  # fmt: skip
SCALINGS = {
    "standard": "scaled to mean 0 and variance 1",
    "minmax": "scaled to [0, 1]",
}


def recorded(sweep: Sweep) -> bool:
    """Whether its curves come from elsewhere."""
    return isinstance(sweep.spec, RecordedSpec)


# ── numbers ─────────────────────────────────────────────────────────────────────────────────────────────────


def seeds_words(sweep: Sweep) -> str:
    """Write ``S = 5 seeds``."""
    return f"S = {counted(len(sweep.spec.seeds.values), 'seed')}"


def loss_name(sweep: Sweep) -> str:
    """Return what the loss is called at the beginning of a sentence: ``Log-loss``."""
    name = {"log_loss": "log-loss", "zero_one_loss": "zero-one loss"}.get(kind_of_loss(sweep))
    name = name or kind_of_loss(sweep).replace("_", " ") or "loss"
    return f"{name[0].upper()}{name[1:]}"


def has_epochs(sweep: Sweep) -> bool:
    """Whether some curve has more than one point."""
    return any(len(fit.curves) > 1 for fit in sweep.fits)


def counted_configurations(count: int) -> str:
    """Write ``1 configuration``; Config is our own word."""
    return counted(count, "configuration")


def called(sweep: Sweep, config: Config) -> str:
    """Return what a Config is called in a sentence, its numbers with as many digits as tell it from the others."""
    if recorded(sweep) or not config.swept:
        return name_of(config)
    written = {key: distinct([one.swept[key] for one in sweep.configs if key in one.swept]) for key in config.swept}
    return ", ".join(f"{short(key)} {written[key][canonical(value)]}" for key, value in config.swept.items())


def has_intervals(sweep: Sweep) -> bool:
    """Whether some number has bounds: there are several seeds, and they change something."""
    return any(math.isfinite(one.low) for config in sweep.configs for one in sweep.intervals(config).values())


def rows_words(sweep: Sweep) -> str:
    """Write ``n = 200 training, 100 validation and 99 test rows.``; nothing where they are not known."""
    found = {part: _span(fit.sizes[key] for fit in sweep.fits if key in fit.sizes) for key, part in PARTS.items()}
    known = [f"{span} {part}" for part, span in found.items() if span]
    return f"n = {listed(known)} rows." if known else ""


def _span(numbers: Iterable[int]) -> str:
    found = sorted({*numbers})
    return "" if not found else str(found[0]) if len(found) == 1 else f"{found[0]} to {found[-1]}"


def versions_words(sweep: Sweep) -> str:
    """Say which versions trained, mixed ones too, and that they are not known where no Fit says so."""
    made = [fit.provenance for fit in sweep.fits if fit.provenance]
    names = dict.fromkeys(name for one in made for name in one.versions)
    if not names:
        return "The versions of libraries are not known."
    versions = {name: sorted({one.versions[name] for one in made if name in one.versions}) for name in names}
    proper = {"python": "Python"}
    said = listed(f"{proper.get(name, name)} {' and '.join(found)}" for name, found in versions.items())
    mixed = " (mixed: not all was trained with the same)" if any(len(found) > 1 for found in versions.values()) else ""
    return f"Versions: {said}{mixed}."


# ── data ────────────────────────────────────────────────────────────────────────────────────────────────────


def data_words(sweep: Sweep) -> Iterator[str]:
    """Yield sentences on the data: which, how many rows, noise, scaling, how they were split."""
    if recorded(sweep):
        yield "The curves were recorded elsewhere: data, models and training are not described here."
        return
    swept = {key.removeprefix("data.") for key in domain_of(sweep.spec) if key.startswith("data.")}
    found: dict[str, Config] = {}
    for config in sweep.configs:
        fixed = {key: value for key, value in config.plain["data"].items() if key not in swept}
        found.setdefault(canonical(fixed), config)
    for config in found.values():
        yield f"{'The data are' if len(found) == 1 else 'One set of data is'} {_data(config, swept)}."
        yield from _prepared(config, swept)
    yield rows_words(sweep).replace("n = ", "There are n = ")


def _data(config: Config, swept: frozenset[str] | set[str]) -> str:
    section = config.sections.data
    own = {key: value for key, value in config.identity["data"].items() if key not in TOLD_APART and key not in swept}
    more = f" ({pairs(own)})" if own else ""
    match section:
        case TableFile():
            return f"a table, {section.path.rsplit('/', 1)[-1]}, with {section.target} as the target{more}"
        case OpenML():
            name = f"{section.name}, version {section.version}" if section.name else f"number {section.data_id}"
            return f"the OpenML data set {name}{more}"
        case Teacher():
            drawn = "drawn anew by every seed" if section.fresh else "drawn once"
            return f"rows of a known law, {section.kind.replace('_', ' ')}{more}, {drawn}"
        case _ if section.kind == "arrays":
            return f"arrays of our own{more}"
        case _ if section.kind.startswith("make_"):
            return f"drawn by scikit-learn's {section.kind}{more}"
        case _:
            return f"the {section.kind.replace('_', ' ')} data that scikit-learn brings along{more}"


def _prepared(config: Config, swept: frozenset[str] | set[str]) -> Iterator[str]:
    """Yield what was done to the data of a Config; what is swept is told with the sweep."""
    plain = config.plain["data"]
    noise = plain.get("label_noise", {})
    if noise.get("rate") and not {"label_noise", "label_noise.rate"} & swept:
        parts = [PARTS[f"n_{part}"] for part in noise["parts"]]
        where = "" if len(parts) == len(PARTS) else f" of the {listed(parts)} part{'s' if len(parts) > 1 else ''}"
        yield f"A share of {shown(noise['rate'])} of the labels{where} was replaced by uniform draws from all classes."
    if plain.get("missing", "refuse") != "refuse" and "missing" not in swept:
        yield f"Missing numbers were replaced by the {plain['missing'].replace('_', ' ')} value of the training part."
    if plain.get("scaling") in SCALINGS and "scaling" not in swept:
        yield f"Features were {SCALINGS[plain['scaling']]} by what the training part says."
    if plain.get("target_scaling") == "standard" and "target_scaling" not in swept:
        yield "The target was scaled to mean 0 and variance 1 by what the training part says."
    yield _split(config)


def _split(config: Config) -> str:
    data = config.sections.data
    if isinstance(data, RecordedData):
        return ""
    fixed = "the same for all seeds and configurations"
    match data.split:
        case TimeSplit():
            return "The latest rows are the test part, those before validation, the most recent before that training."
        case GroupSplit():
            return f"Whole groups lie in one part; the test part is {fixed}, the seed deals the others."
        case _:
            own = f"(split seed {data.split_seed})"
            fresh = isinstance(data, Teacher) and data.fresh
            return f"The test part {own} is {fixed}; the seed {'draws' if fresh else 'deals'} the other rows."


# ── models ──────────────────────────────────────────────────────────────────────────────────────────────────


def model_words(sweep: Sweep) -> Iterator[str]:
    """Yield sentences on the models, one for each alternative, and on how networks were trained."""
    if recorded(sweep):
        return
    swept = {*domain_of(sweep.spec)}
    found = [*dict.fromkeys(_model(config, swept) for config in sweep.configs)]
    yield f"Models are {'; '.join(found)}."
    yield from dict.fromkeys(words for config in sweep.configs if (words := _training(config, swept)))


def _model(config: Config, swept: set[str]) -> str:
    model = config.sections.model
    match model:
        case Mlp():
            sizes = (
                "" if "model.hidden_layer_sizes" in swept else f", hidden layers {shown([*model.hidden_layer_sizes])}"
            )
            activation = "" if "model.activation" in swept else f", {model.activation} units"
            biases = ", without biases" if not model.biases and "model.biases" not in swept else ""
            begun = ", begun from given parameters" if model.initial is not None else ""
            return f"multi-layer perceptrons{sizes}{activation}{biases}{begun}"
        case Estimator():
            steps = (model.estimator,) if isinstance(model.estimator, str) else model.estimator
            fixed = {key: value for key, value in model.parameters.items() if f"model.parameters.{key}" not in swept}
            given = f" with {_pairs(fixed)}" if fixed else ""
            return f"{' followed by '.join(steps)}{given}"
    return ""


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {shown(value)}" for key, value in values.items())


def _training(config: Config, swept: set[str]) -> str:
    """Say how a network was trained: the solver and its main settings, and others that are set."""
    training, model = config.sections.training, config.sections.model
    if training is None or not isinstance(model, Mlp):
        return ""
    main = ("alpha", "max_iter", "tol") if isinstance(training, Lbfgs) else MAIN
    set_to = config.identity.get("training") or {}
    plain: Mapping[str, Any] = config.plain["training"]
    keys = [*main, *(key for key in set_to if key not in (*main, *UNTOLD))]
    said = {key: plain[key] for key in keys if f"training.{key}" not in swept}
    solver = "" if "training.solver" in swept else f" by {training.solver}"
    return f"Networks were trained{solver} ({_pairs(said)}; names and their meaning are scikit-learn's)."


MAIN = ("learning_rate_init", "alpha", "batch_size", "epochs")
UNTOLD = frozenset({"solver", "snapshots"})


# ── the sweep ───────────────────────────────────────────────────────────────────────────────────────────────


def method_name(sweep: Sweep) -> str:
    """Say in two words how the Configs came about."""
    return "recorded elsewhere" if recorded(sweep) else f"tried ({sweep.spec.sweep.method})"


def search_words(sweep: Sweep) -> Iterator[str]:
    """Yield sentences on which Configs were tried, and how they were found."""
    count, spec = counted_configurations(len(sweep.configs)), sweep.spec
    domains = domain_of(spec)
    if recorded(sweep):
        yield f"{count} {'are' if len(sweep.configs) > 1 else 'is'} compared."
        return
    over = f" over {listed(_domain(key, domain) for key, domain in domains.items())}" if domains else ""
    match spec.sweep:
        case Qmc(seed=seed):
            yield f"{count} were taken from a scrambled Sobol sequence (Sobol 1967; seed {seed}){over}."
        case Random(seed=seed):
            yield f"{count} were drawn at random (Bergstra and Bengio 2012; seed {seed}){over}."
        case Tpe(seed=seed, wave=wave):
            best = listed(f"{'highest' if one.maximize else 'lowest'} {one.metric}" for one in spec.sweep.objective)
            yield (
                f"{count} were proposed by Optuna's tree-structured Parzen estimator (Bergstra et al. 2011; seed "
                f"{seed}, in waves of {wave}) in search of the {best}{over}."
            )
            yield _given_up(spec.sweep)
        case _:
            yield f"{count} were tried, every combination{over}." if domains else "One configuration was tried."
    for constraint in spec.sweep.constraints:
        bounds = constraint.n_parameters.model_dump(exclude_none=True)
        limits = listed(f"{end} {shown(n)}" for end, n in bounds.items())
        yield f"Only configurations with {limits} weights and biases were trained."


def _given_up(search: Tpe) -> str:
    match search.early_terminate:
        case Median(min_epochs=first):
            return f"Those that fell behind the median of the completed ones were given up, from epoch {first} on."
        case Hyperband(min_epochs=first):
            return f"Those that fell behind were given up by Hyperband (Li et al. 2018), from epoch {first} on."
        case _:
            return ""


def _domain(key: str, domain: Any) -> str:
    """Write a swept key and what it could be."""
    where = f" (where {_when(domain.when)})" if domain.when else ""
    if isinstance(domain, Values):
        return f"{short(key)} {_values(domain.values)}{where}"
    how = [*(["logarithmic"] if domain.log else []), *([f"{domain.points} points"] if domain.points else [])]
    said = f" ({', '.join(how)})" if how else ""
    return f"{short(key)} from {shown(domain.low)} to {shown(domain.high)}{said}{where}"


def _when(when: Mapping[str, Any]) -> str:
    return " and ".join(f"{short(key)} is {shown(value)}" for key, value in when.items())


def _values(values: Sequence[Any]) -> str:
    some = [shown(value) for value in values[:LISTED]]
    return f"in {{{', '.join(some)}{', …' if len(values) > LISTED else ''}}}"


# ── what was chosen ─────────────────────────────────────────────────────────────────────────────────────────


def selection_words(sweep: Sweep) -> str:
    """Say which Config validation selected, and what that cost; nothing where the sweep is not diagnosed."""
    found = sweep.verdicts.selection
    if found is None:
        return f"No configuration was selected: {_why_none(sweep)}." if sweep.verdicts.by_config else ""
    name = next(called(sweep, config) for config in sweep.configs if config.digest == found.config)
    epoch = "" if found.epoch is None else f" at epoch {found.epoch}"
    among = counted_configurations(found.among)
    text = (
        f"Selected was the lowest mean validation loss{epoch} of the {among} that completed under every seed and "
        f"diverged under none: {name}, with {interval(found.val)}"
    )
    if found.test is None:
        return f"{text}; its loss on test rows is not known."
    text += f"; on the test part, which chose nothing, it loses {interval(found.test)}"
    cost = "" if found.optimism is None else f" (optimism, test minus validation: {interval(found.optimism)})"
    return f"{text}{cost}."


def _why_none(sweep: Sweep) -> str:
    if len({data_key(config) for config in sweep.configs}) > 1:
        return "losses on different data do not compare"
    return "none completed under every seed without diverging"
