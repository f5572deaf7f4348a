"""What ``import fitlab`` offers of the runner: run, load, publish and split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fitlab.data import Arrays
from fitlab.errors import StoppedError
from fitlab.joined import joined
from fitlab.records import Job, Split
from fitlab.runner import publishing
from fitlab.runner.alongside import Alongside
from fitlab.runner.cut_short import log_the_rest
from fitlab.runner.execute import Interrupted, execute
from fitlab.runner.plan import allowed, read_plan
from fitlab.runner.processors import default_jobs
from fitlab.runner.verdicts import checked, diagnosed
from fitlab.runner.workers import split_of, workers_for
from fitlab.spec import Spec
from fitlab.store import Store
from fitlab.sweep import Sweep
from fitlab.tracking.links import Published


def run(
    spec: str | Path | Mapping[str, Any] | Spec,
    *,
    data: Arrays | None = None,
    store: str | Path = "mlruns",
    jobs: int | None = None,
    overrides: Sequence[str] = (),
    publish: bool = True,
    retry_failed: bool = False,
    allow: Sequence[str] = (),
) -> Sweep:
    """Run a sweep and return it with its verdicts and claims; what the store has is not trained again.

    spec: a YAML file, a dict or a Spec. data: (X, y) for ``data.kind: arrays``; X: (N, D), y: (N,).
    store: folder for Fits, sweeps and MLflow. jobs: workers (default: one a processor; 1 trains in this
    thread). overrides: ``path=value``, as ``-o`` of the command line. publish: log to MLflow.
    retry_failed: train failed Fits again. allow: packages besides scikit-learn that estimators may be imported
    from; importing a package runs its code.
    Raises SpecError, StoreError, StoppedError (more Fits failed than the spec allows), PublishError (all is trained
    and stored then), and KeyboardInterrupt, after Ctrl-C or SIGTERM: what is there by then is logged before, as it is
    where the sweep is stopped; another Ctrl-C leaves that. A note on the exception says where it came to nothing.
    """
    made = read_plan(spec, overrides, data, allowed(allow))
    workers = workers_for(default_jobs() if jobs is None else jobs, data, made.without_lock, made.time_limit)
    place = Store.at(store, create=True)
    if not publish:
        return checked(execute(made, place, workers, retry_failed=retry_failed).sweep, data)
    name = made.document.spec.name
    with place.locked(name), Alongside(place, made.document.spec) as alongside:

        def finish(of: Sweep) -> Published:
            return alongside.finish(of) or publishing.Log(place, name).finish(of)

        try:
            result = execute(made, place, workers, retry_failed=retry_failed, on_settled=alongside.settled, locked=True)
        except (Interrupted, StoppedError) as stop:
            log_the_rest(stop, name, place, finish, data)
            raise
        sweep = checked(result.sweep, data)
        published = finish(sweep)
    return replace(sweep, runs=published.runs)


def load(name: str | Sequence[str], store: str | Path = "mlruns", *, data: Arrays | None = None) -> Sweep:
    """Return a sweep from the store with its verdicts, with the Fits that are there; several names: as one sweep.

    data: (X, y) if it was trained on arrays: without them the test loss of the selected Config is not known.
    Raises StoreError where there is none, SpecError where several cannot be compared (see ``fitlab.joined``).
    """
    place = Store.at(store)
    names = [name] if isinstance(name, str) else [*dict.fromkeys(name)]
    runs = {config: run for one in names for config, run in place.runs(one).items()}
    return replace(diagnosed(joined([place.load(one) for one in names]), data), runs=runs)


def publish(name: str, store: str | Path = "mlruns", *, data: Arrays | None = None) -> Published:
    """Log a stored sweep with its verdicts and claims to MLflow; what is there already is left as it is.

    data: as for ``load``. Raises StoreError, PublishError.
    """
    place = Store.at(store)
    return publishing.publish(checked(place.load(name), data), place)


def split(job: Job, data: Arrays | None = None) -> Split:
    """Return the very arrays that ``job`` was trained on. data: (X, y) if it was trained on arrays."""
    return split_of(job, data)
