"""What ``fitlab weights`` prints: numbers of weights and biases, a row per Config or layer by layer, and relations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fitlab.cli.table import coloured
from fitlab.correlations import relations
from fitlab.diagnosis.naming import broken, cells, name_of, percent, plus_minus, short_names
from fitlab.errors import SpecError
from fitlab.parameters.measured import BIAS, BOTH, NETWORK, WEIGHT, WHY_NOT, Key
from fitlab.records import Config, Interval
from fitlab.seeds import same
from fitlab.spec import domain_of
from fitlab.spec.source import read_yaml
from fitlab.sweep import Sweep

Write = Callable[[Sweep, Sequence[Config], Path], list[Path]]
Found = dict[str, dict[Key, Interval]]  # digest of a Config -> its numbers
BEST = "best"
OF_CONFIGS = {  # heading -> which number of the whole network
    "norm": (NETWORK, BOTH, "norm"),
    "distance": (NETWORK, BOTH, "distance"),
    "path norm": (NETWORK, WEIGHT, "path_norm"),
    "spectral product": (NETWORK, WEIGHT, "spectral_product"),
    "silent units": (NETWORK, BOTH, "dead"),
    "margin": (NETWORK, BOTH, "margin"),
    "without biases": (NETWORK, BIAS, "bias_ablation"),
}
MEANING = (
    "norm: of all parameters; distance: from where training began; silent units: share that is 0 on every training "
    "row; margin: tenth percentile over training rows; without biases: rise of validation loss with all of them at "
    "zero. –: not applicable."
)
LAYERED = {  # metric -> how its row is headed
    "norm": "norm",
    "rms": "root mean square",
    "distance": "distance from its beginning",
    "update_ratio": "last epoch's change / norm",
    "gradient_norm": "norm of the gradient",
    "spectral_norm": "spectral norm",
    "stable_rank": "stable rank",
    "tail_exponent": "exponent of the spectrum's tail",
    "bias_share": "|b|² / (|b|² + |W|²)",
    "shift": "|b| / (|Wx| + |b|) in training",
    "dead": "silent units",
    "margin": "margin, tenth percentile",
    "path_norm": "path norm",
    "spectral_product": "product of spectral norms",
    "path_norm/margin": "path norm / margin",
    "spectral_product/margin": "product of spectral norms / margin",
    "bias_ablation": "validation loss without biases",
}
LAYERED_MEANING = (
    "Silent units: share that is 0 on every training row. Without biases: by how much validation loss rises with the "
    "biases of that layer, or of all, at zero."
)


def picked(sweep: Sweep, words: Sequence[str]) -> tuple[Config, ...]:
    """Return the Configs that ``words`` name: all for none of them. Raises SpecError where they name no one."""
    if not words:
        return sweep.configs
    wanted = dict(_pair(word) for word in words if "=" in word)
    found = [config for config in sweep.configs if _has(config, wanted)]
    selection = sweep.verdicts.selection  # none where Configs are on different data
    best = [one for one in sweep.configs if selection and one.digest == selection.config] or sweep.best()
    for word in (word for word in words if "=" not in word):
        found = [one for one in found if (one in best if word == BEST else one.digest.startswith(word))]
    if not found:
        there = "\n".join(f"  {config.digest[:12]}  {name_of(config)}" for config in sweep.configs)
        raise SpecError(f"{sweep.spec.name} has no Config {' '.join(words)}; there are:\n{there}")
    return tuple(found)


def _pair(word: str) -> tuple[str, Any]:
    key, _, text = word.partition("=")
    return key.strip(), read_yaml(text, word, place=word).data


def _has(config: Config, wanted: Mapping[str, Any]) -> bool:
    """Whether the swept keys that end as those wanted have their values."""

    def equal(key: str, given: Any) -> bool:
        ends = [value for swept, value in config.swept.items() if swept == key or swept.endswith(f".{key}")]
        return any(same(value, given) for value in ends)

    return all(equal(key, given) for key, given in wanted.items())


def measured(sweep: Sweep, configs: Sequence[Config], epoch: int | None) -> Found:
    """Return the numbers of Configs that have any. Raises SpecError where none has, saying why."""
    found = {config.digest: sweep.parameter_means(config, epoch) for config in configs}
    if not any(found.values()):
        kept = sorted({at for config in configs for fit in sweep.completed(config) for at in fit.kept})
        if epoch is not None and kept:
            raise SpecError(f"no weights were kept of epoch {epoch}; there are those of {', '.join(map(str, kept))}")
        outcomes = sorted({str(fit.outcome) for config in configs for fit in sweep.of(config)})
        if not any(sweep.completed(config) for config in configs):
            raise SpecError(f"no Fit of these Configs completed: {', '.join(outcomes) or 'none is there'}")
        raise SpecError(f"no completed Fit of these Configs of {sweep.spec.name} has weights or biases")
    return {digest: numbers for digest, numbers in found.items() if numbers}


def drawn(write: Write, sweep: Sweep, configs: Sequence[Config], out: Path) -> list[Path]:
    """Write figures below a folder. Raises SpecError where that cannot be written."""
    try:
        return write(sweep, configs, out)
    except (OSError, ValueError) as error:
        raise SpecError(f"{out}: figures cannot be written: {error}") from None


def document(sweep: Sweep, found: Found) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    configs = [
        {
            "config": config.digest,
            "swept": dict(config.swept),
            "parameters": [
                {"layer": layer, "role": role, "metric": metric, **_plain(interval)}
                for (layer, role, metric), interval in found[config.digest].items()
            ],
        }
        for config in sweep.configs
        if config.digest in found
    ]
    said = relations(sweep)
    return {
        "sweep": sweep.spec.name,
        "level": sweep.spec.diagnosis.level,
        "configs": configs,
        "relations": said.table().to_dict(orient="records"),
        "words": said.words(),
    }


def _plain(interval: Interval) -> dict[str, float]:
    return {"mean": interval.estimate, "low": interval.low, "high": interval.high, "n": interval.n}


def show(sweep: Sweep, found: Found, epoch: int | None, to: Console) -> None:
    """Print a row per Config, or for one Config a row per layer; then what parameters say about the fit."""
    level = percent(sweep.spec.diagnosis.level)
    when = "last epoch" if epoch is None else f"epoch {epoch}"
    configs = [config for config in sweep.configs if config.digest in found]
    if len(configs) == 1:
        to.print(Text(f"\n{name_of(configs[0])}", style="bold"))
        to.print(_layers(found[configs[0].digest]))
        meaning = LAYERED_MEANING
    else:
        to.print(_configs(sweep, configs, found))
        meaning = MEANING
    to.print(
        f"Mean over seeds ± half of its {level} Student-t interval, {when}. {meaning}", style="dim", highlight=False
    )
    for line in _absent(sweep) if len(configs) > 1 else _not_applicable(found[configs[0].digest]):
        to.print(Text(line, style="dim"))
    for line in relations(sweep).words():
        to.print(Text(line))


def _absent(sweep: Sweep) -> list[str]:
    """Say of how many Configs nothing can be shown."""
    without = [one for one in sweep.configs if not any(fit.kept for fit in sweep.completed(one))]
    if not without:
        return []
    counts = f"{len(without)} of {len(sweep.configs)} Configs have no completed Fit with weights or biases"
    return [f"{counts}, such as {name_of(without[0])}."]


def _not_applicable(numbers: Mapping[Key, Interval]) -> list[str]:
    """Say why metrics are missing, reasons that are the same in one line."""
    there = {metric for _, _, metric in numbers}
    missing: dict[str, list[str]] = {}
    for metric, why in WHY_NOT.items():
        if metric not in there:
            missing.setdefault(why, []).append(LAYERED[metric])
    return [f"Not applicable: {', '.join(heads)}: {why}." for why, heads in missing.items()]


def _configs(sweep: Sweep, configs: Sequence[Config], found: Found) -> Table:
    keys = short_names(list(domain_of(sweep.spec)))
    known = dict.fromkeys(key for one in configs for key in found[one.digest])
    heads = {head: key for head, key in OF_CONFIGS.items() if key in known}
    if not heads:  # no network: the arrays by themselves
        heads = {f"{key[0]} {key[1]} norm": key for key in known if key[2] == "norm"}
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
    for head in [*keys.values(), *heads, "verdict"]:
        table.add_column(broken(head.replace(" ", "_")).replace("_", " "), justify="right", no_wrap=True)
    for config in configs:
        numbers = [plus_minus(found[config.digest].get(key), 2) for key in heads.values()]
        verdict = coloured(sweep.verdicts.by_config.get(config.digest))
        table.add_row(*cells(config.swept, keys), *numbers, verdict)
    return table


def _layers(numbers: Mapping[Key, Interval]) -> Table:
    """Return, layer by layer and for the whole network, a row per metric: of weights, of biases, or of both."""
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
    for head in ("", "", "weights", "biases", "both"):
        table.add_column(head, justify="right" if head else "left", no_wrap=True)
    for layer in dict.fromkeys(layer for layer, _, _ in numbers):
        first = layer
        for metric, head in LAYERED.items():
            cells = [numbers.get((layer, role, metric)) for role in (WEIGHT, BIAS, BOTH)]
            if any(cells):
                table.add_row(first, head, *(plus_minus(one, 4) if one else "" for one in cells))
                first = ""
        table.add_row()
    return table
