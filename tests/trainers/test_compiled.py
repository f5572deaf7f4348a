"""What numba keeps on disk is forgotten when any of the sources that it was compiled from changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from fitlab.trainers import compiled


@pytest.mark.parametrize("changed", [False, True])
def test_code_from_other_sources_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: bool) -> None:
    compiled._forget_others(tmp_path, "kernel")
    for name in ("kernel.train-1.nbi", "kernel.train-1.1.nbc", "other.train-1.nbi"):
        (tmp_path / name).touch()
    if changed:
        monkeypatch.setattr(compiled, "PARTS", compiled.PARTS[:-1])  # as if one of the sources were another
    compiled._forget_others(tmp_path, "kernel")
    left = {path.name for path in tmp_path.glob("*.nb[ic]")}
    assert left == (
        {"other.train-1.nbi"} if changed else {"kernel.train-1.nbi", "kernel.train-1.1.nbc", "other.train-1.nbi"}
    )


def test_sources_are_those_that_the_kernel_imports() -> None:
    imported = {f"fitlab.trainers.{name}" for name in compiled.PARTS}
    text = Path(compiled.__file__).with_name("kernel.py").read_text(encoding="utf-8")
    assert {line.split()[1] for line in text.splitlines() if line.startswith("from fitlab.trainers.")} == imported
