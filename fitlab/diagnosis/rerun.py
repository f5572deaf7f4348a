"""How a sweep is run again with more seeds, in the words of its own spec."""

from __future__ import annotations

from fitlab.spec.recorded import RecordedSpec
from fitlab.spec.sweeps import VARY, CountedSeeds, Tpe
from fitlab.sweep import Sweep


def with_seeds(sweep: Sweep, count: int) -> str:
    """Say how to get ``count`` seeds, and what that costs.

    An override keeps what the seeds vary. Of a survey only the new seeds are trained; a search judges its points by
    the mean over seeds, so that it proposes others.
    """
    if isinstance(sweep.spec, RecordedSpec):
        return f"Record {count} seeds."
    if isinstance(sweep.spec.sweep, Tpe):
        return (
            f"Take the Configs that matter to a grid with {count} seeds: with more of them a search proposes other "
            "points, and trains these anew."
        )
    return f"{_seeds(sweep, count)}: only the new seeds are trained."


def _seeds(sweep: Sweep, count: int) -> str:
    seeds = sweep.spec.seeds
    if not isinstance(seeds, CountedSeeds):
        return f"Add {count - len(seeds.values)} to the list under seeds"
    key = "seeds" if seeds.vary == VARY else "seeds.count"
    return f"Run again with `-o {key}={count}`"
