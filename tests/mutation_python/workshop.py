"""The copy of the sources in which mutmut works, and what it found there."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from difflib import ndiff
from pathlib import Path

from tests.mutation_python.core import MODULES, TESTS

ROOT = Path(__file__).resolve().parents[2]
SURVIVED, UNTESTED, TIMEOUT = 0, (5, 33), (-24, 24, 152, 255, 36)

# a second of garbage collection at the end of a run is more than most tests take
OPTIONS = ["no:unraisableexception", "no:threadexception", "no:cacheprovider", "tests.mutation_python.quick"]

SETTINGS = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = {modules}
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = {options}
# the words of messages are no behaviour
do_not_mutate_patterns = ['(raise|return) \\w*Error\\(']
timeout_multiplier = 5.0
timeout_constant = 2.0
use_git_change_detection = false
on_dependency_change = "ignore"
"""


@dataclass(frozen=True)
class Mutant:
    """One fault: its place, the lines it changes, and the exit code of the tests, None before they ran."""

    key: str
    file: str
    function: str
    was: str
    becomes: str
    code: int | None

    @property
    def state(self) -> str:
        if self.code is None:
            return "undecided"
        if self.code in TIMEOUT:
            return "timeout"
        return "survived" if self.code == SURVIVED or self.code in UNTESTED else "killed"


def prepare(folder: Path) -> Path:
    """Bring the copy up to date. Unchanged files keep their time: mutmut then keeps its results."""
    copy = folder / "copy"
    for source, target in (("offchain/equipoise", "src/equipoise"), ("tests", "tests")):
        wanted = {path.relative_to(ROOT / source) for path in (ROOT / source).rglob("*") if path.is_file()}
        wanted = {path for path in wanted if "__pycache__" not in path.parts}
        for place in (copy / target, copy / "mutants" / target):
            for path in sorted(place.rglob("*.py")):
                if path.relative_to(place) not in wanted:
                    path.unlink()
        for path in wanted:
            old, new = ROOT / source / path, copy / target / path
            if not new.exists() or not filecmp.cmp(old, new, shallow=False):
                if source == "tests":  # which test calls what may be another
                    (copy / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)
                new.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(old, new)
    settings = (
        (ROOT / "pyproject.toml").read_text().replace('pythonpath = ["offchain"', 'pythonpath = ["src"')
    )
    modules = [f"src/equipoise/{name}" for name in MODULES]
    options = [word for name in OPTIONS for word in ("-p", name)]
    settings += SETTINGS.format(modules=modules, tests=list(TESTS), options=options)
    (copy / "pyproject.toml").write_text(settings)
    return copy


def mutmut(folder: Path, *arguments: str) -> None:
    """Run mutmut in the copy. Raises CalledProcessError when it could not do its work."""
    fixed = {"PYTHONPATH": "", "OPENBLAS_NUM_THREADS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    tool = folder / "venv" / "bin"
    subprocess.run([tool / "python", *arguments], cwd=folder / "copy", env=os.environ | fixed, check=True)


def mutants(copy: Path) -> list[Mutant]:
    """Every mutant that mutmut has made."""
    found = []
    for module in MODULES:
        text = copy / "mutants" / "src" / "equipoise" / module
        results = json.loads(text.with_name(text.name + ".meta").read_text())["exit_code_by_key"]
        spans = json.loads(text.with_name(text.name + ".spans").read_text())["spans"]
        lines = text.read_text().splitlines()
        for key, code in results.items():
            name = key.rpartition(".")[2]
            original = name.rpartition("__mutmut_")[0] + "__mutmut_orig"
            was, becomes = (body(lines, spans[each], each) for each in (original, name))
            changes = list(ndiff(was, becomes))
            function = original.removesuffix("__mutmut_orig").removeprefix("x_").removeprefix("xǁ")
            before, after = (
                " ".join(line[2:].strip() for line in changes if line.startswith(sign)) for sign in "-+"
            )
            found.append(Mutant(key, module, function.replace("ǁ", "."), before, after, code))
    return found


def body(lines: list[str], span: list[int], name: str) -> list[str]:
    """The lines of one variant of a function, under the name that all of them had."""
    first, last = span
    return [line.replace(name, "f") for line in lines[first - 1 : last]]
