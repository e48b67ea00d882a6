"""A world ends with its owner, whichever way the owner ends, and leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from equipoise.errors import InputError, ToolchainError, WorldError
from equipoise.world import AssetSpec, World
from equipoise.world import anvil as anvil_module
from equipoise.world.anvil import Anvil

OWNER = """
import sys, time
from equipoise.world.anvil import Anvil
anvil = Anvil(1_600_000_000)
print(anvil.ipc_path, *[process.pid for process in anvil._processes], flush=True)
{end}
"""


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return not Path("/proc").is_dir()
    return state != "Z"


def ended(pids: list[int], folder: Path) -> bool:
    """Within ten seconds: the watchdog works beside the owner's death."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not any(map(alive, pids)) and not folder.exists():
            return True
        time.sleep(0.02)
    return False


def start(end: str) -> tuple[subprocess.Popen[str], list[int], Path]:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER.format(end=end)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert owner.stdout is not None
    ipc, *pids = owner.stdout.readline().split()
    return owner, [int(pid) for pid in pids], Path(ipc).parent


@pytest.mark.parametrize("end", ["", "sys.exit(3)", "raise RuntimeError", "anvil.close()"])
def test_owner__ends_by_itself__leaves_nothing(end: str) -> None:
    owner, pids, folder = start(end)
    owner.wait(timeout=20)
    assert len(pids) == 2
    assert ended(pids, folder)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_owner__is_signalled__leaves_nothing(name: str) -> None:
    owner, pids, folder = start("time.sleep(60)")
    owner.send_signal(getattr(signal, name))
    owner.wait(timeout=20)
    assert ended(pids, folder)


def test_interrupt__of_the_whole_group__lets_the_owner_close_in_order() -> None:
    """Ctrl-C in a terminal reaches every process of the foreground group, but not the chain."""
    end = (
        "\ntry:\n    print('ready', flush=True)\n    time.sleep(60)"
        "\nexcept KeyboardInterrupt: sys.exit(0 if anvil.running else 1)"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER.format(end=end)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert owner.stdout is not None
    ipc, *pids = owner.stdout.readline().split()
    assert owner.stdout.readline() == "ready\n"
    os.killpg(owner.pid, signal.SIGINT)
    assert owner.wait(timeout=20) == 0
    assert ended([int(pid) for pid in pids], Path(ipc).parent)


def test_close__called_twice_and_after_an_error__is_harmless() -> None:
    def fail(world: World) -> None:
        with world:
            raise RuntimeError

    world = World.build([AssetSpec.of("BTC", 1.0)])
    with pytest.raises(RuntimeError):
        fail(world)
    assert not alive(world.pid)
    world.close()


def test_close__in_a_forked_child__leaves_the_chain_to_its_owner() -> None:
    anvil = Anvil(1_600_000_000)
    try:
        child = os.fork()
        if child == 0:
            anvil.close()
            os._exit(0)
        os.waitpid(child, 0)
        assert anvil.running
        assert anvil.chain.timestamp() == 1_600_000_000
    finally:
        anvil.close()


def test_anvil__missing__says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(anvil_module, "ROOT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match="make setup"):
        anvil_module.find_anvil()


def test_anvil__that_ends_at_once__is_a_world_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "anvil"
    broken.write_text("#!/bin/sh\necho no luck >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(anvil_module, "find_anvil", lambda: str(broken))
    with pytest.raises(WorldError, match="no luck"):
        Anvil(1_600_000_000)


@pytest.mark.parametrize(("timestamp", "accounts"), [(0, 1), (-5, 1), (2**40, 1), (1_600_000_000, 0)])
def test_anvil__impossible_arguments__are_refused(timestamp: int, accounts: int) -> None:
    with pytest.raises(InputError):
        Anvil(timestamp, accounts)
