"""Loaded by `make coverage`: the tests' chains run the instrumented contracts and write down what they reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.client import artifacts, rpc
from equipoise.world import anvil
from tests.coverage.build import FOLDER

HITS = FOLDER / "hits"
"""One file a node; a line a marker that it reached."""

# Markers cost gas and code. Without --quiet anvil prints what contracts log; awk ends with the node, however
# that ends, and each number reaches the disk as soon as it is new.
_ANVIL = """\
#!/bin/sh
[ "$1" = --quiet ] && shift
mkfifo "{hits}/$$.fifo"
awk '/^[0-9]+$/ && !seen[$0]++ {{ print; fflush() }}' <"{hits}/$$.fifo" >"{hits}/$$.txt" &
exec "{anvil}" "$@" --disable-code-size-limit >"{hits}/$$.fifo"
"""
_GAS = 400_000_000


def pytest_configure(config: pytest.Config) -> None:
    HITS.mkdir(parents=True, exist_ok=True)
    wrapped = FOLDER / "anvil"
    wrapped.write_text(_ANVIL.format(hits=HITS, anvil=anvil.find_anvil()))
    wrapped.chmod(0o755)
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    patch.setattr(anvil, "find_anvil", lambda: str(wrapped))
    patch.setattr(artifacts, "_build_file", lambda: Path(FOLDER / "__local__.json"))
    patch.setattr(rpc, "DEFAULT_GAS", _GAS)
    patch.setattr(rpc, "DEFAULT_CREATION_GAS", _GAS)
