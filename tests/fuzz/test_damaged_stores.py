"""A store whose files are not what was written: every command ends in words, and the same sweep mends it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from conftest import PROVE
from fuzz.damage import KINDS, Kind, bits, cut, exchanged, grown, junk, zeros
from fuzz.watched import LIMIT, Said, fitlab, well_ended
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from fitlab.store import Store

CASES = 2_000 if PROVE else 200
SURVEY = """\
name: tiny
data: {kind: iris, label_noise: 0.1}
model: {kind: mlp}
training: {epochs: 4, learning_rate_init: 0.01, batch_size: 32}
seeds: 2
sweep: {parameters: {training.alpha: {values: [1e-4, 1]}, model.hidden_layer_sizes: {values: [[2], [3]]}}}
"""
SEARCH = """\
name: hunt
data: {kind: iris}
model: {kind: mlp, hidden_layer_sizes: [3]}
training: {epochs: 4, batch_size: 32}
seeds: 2
sweep:
  method: tpe
  trials: 3
  early_terminate: {type: median, min_epochs: 2}
  parameters: {training.alpha: {low: 1e-4, high: 1, log: true}}
"""
COMMANDS = ["status", "status NAME", "diagnose NAME", "weights NAME", "publish NAME", "plan SPEC"]
COMMANDS += ["doctor", "doctor --fix", "gc", "gc --yes"]


@contextmanager
def closed() -> Iterator[None]:
    """Close the databases that MLflow keeps open: their files are exchanged behind it."""
    try:
        yield
    finally:
        for engine in SqlAlchemyStore._engine_map.values():
            engine.dispose()
        SqlAlchemyStore._engine_map.clear()


def swept(folder: Path, name: str, *more: str, limit: int = LIMIT) -> Said:
    return fitlab("sweep", folder / f"{name}.yaml", "--store", folder / "store", "--jobs", 1, *more, limit=limit)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """A folder with two specs and a store in which both are done and published."""
    folder = tmp_path_factory.mktemp("sound")
    (folder / "tiny.yaml").write_text(SURVEY)
    (folder / "hunt.yaml").write_text(SEARCH)
    (folder / "store").mkdir()
    shutil.copy(migrated, folder / "store" / "mlflow.db")
    with closed():
        for name in ("tiny", "hunt") * 2:
            assert swept(folder, name, limit=600).code == 0  # the kernel is compiled
    for words in COMMANDS:  # what is imported and compiled once is no deed of the damage
        fitlab(*command(words, folder, "tiny"))
    return folder


def command(words: str, folder: Path, name: str) -> list[object]:
    known = {"NAME": name, "SPEC": folder / f"{name}.yaml"}
    return [*(known.get(word, word) for word in words.split()), "--store", folder / "store"]


def content(folder: Path, name: str) -> list[str]:
    """What a sweep came to."""
    return [fit.content_digest for fit in Store.at(folder / "store").load(name).fits]


def lines(said: Said) -> str:
    return f"exit {said.code}\n{said.out}\n{said.err}"


def files(folder: Path) -> list[Path]:
    """The files of a store that can be damaged; of artifacts, which are many, some."""
    kept = [path for path in sorted((folder / "store").rglob("*")) if path.is_file() and "artifacts" not in path.parts]
    return [*kept, *sorted((folder / "store" / "artifacts").rglob("*.*"))[::9]]


def damaged(folder: Path, sound: Path, rng: np.random.Generator) -> str:
    """Copy the sound store and damage one file, at times two; return what became of them."""
    shutil.copytree(sound, folder)
    what = []
    for _ in range(rng.integers(1, 3)):
        there = files(folder)
        path, kind = there[rng.integers(len(there))], KINDS[rng.integers(len(KINDS))]
        if path.exists():
            kind(path, rng, folder / "outside" / "file")
            what.append(f"{path.relative_to(folder)}: {kind.__name__}")
    return ", ".join(what)


def one(case: int, folder: Path, sound: Path, whole: dict[str, list[str]], seen: Counter) -> None:
    rng = np.random.default_rng(case)
    what = damaged(folder, sound, rng)
    name = str(rng.choice(["tiny", "hunt"]))
    outside = {path: path.read_bytes() for path in (folder / "outside").iterdir()}
    for words in rng.choice(COMMANDS, size=2, replace=False):
        as_json = rng.random() < 0.3
        said = fitlab(*command(words, folder, name), *(["--json"] if as_json else []))
        well_ended(said, range(5), folder / "store", folder / "scratch")
        seen[f"{words.split()[0]} {said.code}"] += 1
        if as_json and said.code == 0:
            json.loads(said.out)
    said = swept(folder, name)
    well_ended(said, (0, 3, 4), folder / "store", folder / "scratch")
    seen[f"sweep {said.code}"] += 1
    if said.code != 3:
        assert content(folder, name) == whole[name], f"{what}\n{lines(said)}"
    assert {path: path.read_bytes() for path in (folder / "outside").iterdir()} == outside, what


def test_a_damaged_store_is_said_and_mended(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: Callable[[str], None]
) -> None:
    for name in ("outside", "scratch"):
        (sound / name).mkdir()
    whole = {name: content(sound, name) for name in ("tiny", "hunt")}
    seen: Counter[str] = Counter()
    for case in range(CASES):
        folder = tmp_path / str(case)
        monkeypatch.setattr(tempfile, "tempdir", str(folder / "scratch"))
        try:
            with closed():
                one(case, folder, sound, whole, seen)
        except BaseException as error:
            error.add_note(f"case {case}: {damaged(tmp_path / 'again', sound, np.random.default_rng(case))}")
            raise
        shutil.rmtree(folder)
    count(f"{CASES} damaged stores, seeds 0 to {CASES - 1}: {dict(sorted(seen.items()))}")
    assert seen["sweep 0"] > CASES / 2
    assert seen["sweep 4"] > 0


@pytest.mark.parametrize("kind", [bits, cut, zeros, junk, exchanged, grown], ids=lambda kind: kind.__name__)
def test_a_damaged_fit_is_said_and_trained_again_by_the_same_command(sound: Path, tmp_path: Path, kind: Kind) -> None:
    folder = Path(shutil.copytree(sound, tmp_path / "case"))
    fits = sorted((folder / "store" / "fits").iterdir())
    ours = [path for path in fits if path.stem in (folder / "store" / "sweeps" / "tiny.json").read_text()]
    for seed, path in enumerate(ours[:2]):
        kind(path, np.random.default_rng(seed), folder / "outside")
    with closed():
        said = swept(folder, "tiny", "--no-publish")
        again = swept(folder, "tiny", "--no-publish")
    for path in ours[:1] if kind is exchanged else ours[:2]:
        assert f"damaged, set aside and trained again: fits/{path.name}" in said.out.replace("\n", "")
        assert path.with_name(f"{path.name}.corrupt").exists()
    assert content(folder, "tiny") == content(sound, "tiny")
    assert "all were there, nothing was trained" in again.out


ONCE = [  # what made a command fail once: which file, and what was in it
    ("sweeps/tiny.json", b"[" * 100_000),
    ("published/tiny.json", b"[" * 100_000),
    ("optuna/tiny.journal", b"[" * 100_000),
]


@pytest.mark.parametrize(("name", "data"), ONCE, ids=lambda value: value if isinstance(value, str) else "")
def test_what_once_failed(sound: Path, tmp_path: Path, name: str, data: bytes) -> None:
    folder = Path(shutil.copytree(sound, tmp_path / "case"))
    (folder / "store" / name).write_bytes(data)
    with closed():
        for words in COMMANDS:
            well_ended(fitlab(*command(words, folder, "tiny")), range(5), folder / "store")
        well_ended(swept(folder, "tiny"), (0,), folder / "store")
