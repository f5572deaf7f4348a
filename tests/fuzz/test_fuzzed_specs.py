"""Specs and overrides from anybody: taken or refused, in words, in time, and nothing is run or written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import PROVE
from fuzz.mutation import FILES, options, specs
from fuzz.watched import fitlab, watched, well_ended
from hypothesis import HealthCheck, Phase, given, seed, settings

from fitlab.errors import SpecError
from fitlab.space import configs
from fitlab.spec import read_spec

CASES = 10_000 if PROVE else 1_000
GUIDED = 20_000 if PROVE else 1_000
SEED = 0
SHARE = 5  # one in so many goes through the command line, with its data
CORPUS = Path(__file__).with_name("corpus")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in: no relative path leads to anything."""
    for path in FILES:
        fitlab("check", path)  # what is imported and compiled once is no deed of the input
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(path: Path, overrides: list[str]) -> str:
    """Read a spec and enumerate its Configs; return what became of it."""
    with warnings.catch_warnings(), watched() as deeds:
        warnings.simplefilter("error")
        try:
            configs(read_spec(path, overrides))
            outcome = "taken"
        except SpecError as error:
            outcome = "refused" if str(error).strip() else "refused without a word"
    assert not deeds.never, deeds.never
    assert not deeds.paths, deeds.paths
    return outcome


def checked(path: Path, overrides: list[str], *more: str) -> str:
    """Have a spec checked by the command line; return what became of it."""
    said = fitlab("check", path, *more, *(word for one in overrides for word in ("-o", one)))
    well_ended(said, (0, 2))
    return "checked" if said.code == 0 else "found wrong"


@seed(SEED)
@settings(
    max_examples=CASES, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck), database=None
)
@given(specs, options())
def fuzz(path: Path, seen: Counter, text: bytes, overrides: list[str]) -> None:
    path.write_bytes(text)
    seen[read(path, overrides)] += 1
    if zlib.crc32(text) % SHARE == 0:
        seen[checked(path, overrides)] += 1


def test_a_spec_from_anybody_is_taken_or_refused(here: Path, count: Callable[[str], None]) -> None:
    seen: Counter[str] = Counter()
    fuzz(here / "spec.yaml", seen)
    assert seen["refused without a word"] == 0
    count(f"{CASES} fuzzed specs, seed {SEED}: {dict(seen)}")
    assert seen["taken"] + seen["refused"] >= CASES
    assert min(seen["taken"], seen["refused"], seen["checked"], seen["found wrong"]) > 0, "all of one kind"
    assert [path.name for path in here.iterdir()] == ["spec.yaml"]


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.yaml")), ids=lambda path: path.stem)
def test_specs_that_once_failed(here: Path, path: Path) -> None:
    options = json.loads(path.with_suffix(".json").read_text()) if path.with_suffix(".json").exists() else []
    read(path, options)
    checked(path, options)
    checked(path, options, "--no-data")
    assert list(here.iterdir()) == []


@pytest.mark.slow
def test_specs_that_atheris_writes_are_taken_or_refused(tmp_path: Path, count: Callable[[str], None]) -> None:
    """Guided by which lines of the grammar they reach, from the shipped specs and from what once failed."""
    pytest.importorskip("atheris", reason="atheris is not installed: it has wheels for Linux on x86-64 alone")
    for path in (*FILES, *CORPUS.glob("*.yaml")):
        (tmp_path / f"{path.parent.name}_{path.name}").write_bytes(path.read_bytes())
    limits = [f"-runs={GUIDED}", "-seed=1", "-max_len=4000", "-timeout=60", "-rss_limit_mb=4096"]
    command = [sys.executable, str(Path(__file__).with_name("guided.py")), str(tmp_path), *limits]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert f"Done {GUIDED} runs" in done.stderr, done.stderr[-4000:]
    assert done.returncode == 0
    count(f"{GUIDED} specs by atheris, seed 1")
