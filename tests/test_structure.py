"""The house: imports point down, libraries are where the design has them, importing fitlab is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from conftest import ROOT

PACKAGE = ROOT / "fitlab"
FLOORS = [  # each may import what stands above it in this list; docs: DESIGN of the project
    {"errors", "seeds", "estimators", "escaping", "metrics"},
    {"spec", "arrays"},
    {"networks"},
    {"records"},
    {"verdicts", "claims", "laws"},
    {"space", "data", "stats", "recorded", "parameters"},
    {"sweep"},
    {"trainers", "diagnosis", "joined", "correlations", "theory"},
    {"pictures", "pages", "papers", "expectations", "plots"},
    {"reporting"},
    {"store", "tracking"},
    {"runner"},
    {"upkeep"},
    {"cli"},
]
FLOOR = {room: i for i, rooms in enumerate(FLOORS) for room in rooms}
LIBRARIES = {  # third-party library -> the rooms that may import it
    "pydantic": {"spec"},
    "pydantic_core": {"spec"},
    "ruamel": {"spec"},
    "numpy": {
        *(
            "arrays",
            "estimators",
            "laws",
            "networks",
            "records",
            "recorded",
            "correlations",
            "data",
            "diagnosis",
            "parameters",
            "space",
            "stats",
        ),
        *(
            "sweep",
            "trainers",
            "theory",
            "store",
            "tracking",
            "runner",
            "upkeep",
            "pictures",
            "pages",
            "expectations",
            "plots",
        ),
    },
    "pandas": {
        "expectations",
        "plots",
        "data",
        "recorded",
        "parameters",
        "correlations",
        "sweep",
        "diagnosis",
        "theory",
        "tracking",
    },
    "scipy": {"stats", "space"},
    "PIL": {"pictures"},
    "matplotlib": {"plots", "reporting"},
    "cycler": {"plots"},
    "tueplots": {"plots"},
    "jinja2": {"pages", "reporting"},
    "markupsafe": {"reporting"},
    "optuna": {"space", "runner"},
    "numba": {"trainers"},
    "llvmlite": {"trainers"},
    "sklearn": {"estimators", "networks", "data", "trainers"},
    "safetensors": {"store", "trainers"},
    "mlflow": {"tracking"},
    "sqlalchemy": {"tracking"},
    "requests": {"tracking"},  # MLflow's client sends files by it, and raises its errors
    "threadpoolctl": {"runner"},
    "typer": {"cli"},
    "rich": {"cli"},
    "packaging": {"cli"},
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(tree: ast.AST) -> list[tuple[ast.AST, str]]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"fitlab.{alias.name}" for alias in node.names] if node.module == "fitlab" else [node.module]
            found += [(node, name) for name in names]
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down_and_libraries_stay_in_their_rooms(path: Path) -> None:
    here = room(path)
    if here in {"__init__", "__main__"}:
        return
    for _, name in imports(ast.parse(path.read_text())):
        top, *rest = name.split(".")
        if top == "fitlab":
            assert rest, f"{path} imports the root"
            assert rest[0] == here or FLOOR[rest[0]] < FLOOR[here], f"{here} imports {name}: it is not below"
        elif top not in sys.stdlib_module_names:
            assert here in LIBRARIES[top], f"{here} imports {top}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_own_code_is_imported_at_the_top_and_functions_are_short(path: Path) -> None:
    functions = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef)]
    for function in functions:
        late = [name for _, name in imports(function) if name.startswith("fitlab")]
        assert not late or path.parent.name == "commands", f"{function.name} imports {late} late"
        assert function.end_lineno - function.lineno < 80, f"{function.name} is longer than 80 lines"


RUN = {"eval", "exec", "__import__"}  # what makes code of text
UNPACKED = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "jsonpickle", "marshal", "shelve", "yaml"}  # of data
PIPES = {"runner/alongside.py", "runner/publishing.py"}  # from a sweep to the process that it starts


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_data_are_run(path: Path) -> None:
    tree = ast.parse(path.read_text())
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    named |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not named & (RUN | {"read_pickle", "unsafe_load", "full_load"})
    keywords = {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword)}
    assert not keywords & {"allow_pickle", "shell"}
    imported = {name.split(".")[0] for _, name in imports(tree)} & UNPACKED
    assert imported == ({"pickle"} if str(path.relative_to(PACKAGE)) in PIPES else set())


def test_importing_fitlab_loads_no_heavy_library() -> None:
    heavy = ["mlflow", "optuna", "matplotlib", "sklearn", "torch", "numba", "numpy", "pandas", "scipy", "pydantic"]
    code = f"import sys, fitlab; dir(fitlab); print([m for m in {heavy} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"


def test_every_public_name_is_there() -> None:
    import fitlab

    for _ in range(2):  # a module of the same name would take the place of what is asked for first
        assert not [name for name in fitlab.__all__ if isinstance(getattr(fitlab, name), ModuleType)]
    assert set(fitlab.__all__) == set(fitlab._WHERE)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = fitlab.nothing


def test_checking_a_spec_without_data_loads_neither_sklearn_nor_mlflow() -> None:
    code = (
        "import sys, runpy; sys.argv = ['fitlab', 'check', '--no-data', 'experiments/digits_width.yaml']\n"
        "try: runpy.run_module('fitlab', run_name='__main__')\n"
        "except SystemExit as end: assert not end.code\n"
        "print([m for m in ('mlflow', 'sklearn', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip().endswith("[]"), done
