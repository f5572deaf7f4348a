"""As a program: atheris (libFuzzer) writes specs byte by byte, guided by which lines of the grammar they reach.

python tests/fuzz/guided.py FOLDER… [-runs=N …]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["fitlab", "ruamel"]):
    from fitlab.errors import SpecError
    from fitlab.space import configs
    from fitlab.spec import read_spec

PATH = Path(tempfile.mkdtemp()) / "spec.yaml"


def one(text: bytes) -> None:
    """Read a spec; whatever is raised but SpecError is a find, and so is what takes too long."""
    PATH.write_bytes(text)
    try:
        configs(read_spec(PATH))
    except SpecError as error:
        str(error)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
