"""A local chain on anvil that cannot outlive its owner, whichever way the owner ends.

The chain is a fork of another, empty anvil. A chain that forks nothing computes its whole state root anew in
every block: after a year of replayed days that costs 80 ms a block, against 1 ms in a fork (measured).
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from equipoise.client.artifacts import ROOT
from equipoise.client.chain import RpcError
from equipoise.client.rpc import RpcChain
from equipoise.errors import InputError, ToolchainError, WorldError
from equipoise.interrupts import interrupts_held_back

__all__ = ["Anvil", "find_anvil"]

START_TIMEOUT_SECONDS = 20.0
BLOCK_GAS_LIMIT = 1_000_000_000
BLOCK_INTERVAL_SECONDS = 1
KEPT_BLOCKS = 1_000

# Reads process ids, a line each, until "closed". When its input ends before that, the owner has died.
_WATCHDOG = """
while read -r word; do [ "$word" = closed ] && exit; pids="$pids $word"; done
kill -9 $pids; rm -rf "$1"
"""


def find_anvil() -> str:
    """The pinned anvil from npm, else one on the PATH. Raises ToolchainError."""
    pinned = sorted(ROOT.glob("node_modules/@foundry-rs/anvil-*/bin/anvil"))
    found = str(pinned[0]) if pinned else shutil.which("anvil")
    if not found:
        raise ToolchainError("anvil is not installed: run `make setup`, or install Foundry")
    return found


class Anvil:
    """A local chain with free gas, every account unlocked, and a clock that only its owner moves.

    Parameters
    ----------
    timestamp
        Seconds since 1970 of the genesis block; each block comes one second after the one before.
    accounts
        How many accounts of the well-known test mnemonic hold 10,000 ETH.
    base_fee
        Wei per gas.
    port
        TCP port of the HTTP endpoint on 127.0.0.1; 0 takes a free one. The IPC socket is always there.

    Raises
    ------
    ToolchainError
        There is no anvil.
    WorldError
        It does not start.
    """

    def __init__(self, timestamp: int, accounts: int = 10, base_fee: int = 0, port: int = 0) -> None:
        if not 0 < timestamp < 2**40:
            raise InputError(f"timestamp {timestamp} must lie in (0, 2^40) seconds since 1970")
        if accounts < 1:
            raise InputError(f"accounts is {accounts}; at least 1 is needed")
        self._open()
        common = ["--timestamp", str(timestamp), "--hardfork", "cancun", "--gas-limit", str(BLOCK_GAS_LIMIT)]
        common += ["--block-base-fee-per-gas", str(base_fee), "--gas-price", str(base_fee)]
        options = ["--port", str(port), "--accounts", str(accounts), "--auto-impersonate", "--prune-history"]
        options += ["--transaction-block-keeper", str(KEPT_BLOCKS), "--no-storage-caching"]
        try:
            self._start("genesis", [*common, "--port", "0"])
            self._connect("genesis", base_fee)
            self._start("anvil", [*common, *options, "--fork-url", self._ipc("genesis")])
            self.chain = self._connect("anvil", base_fee)
            self.chain.request("anvil_setBlockTimestampInterval", BLOCK_INTERVAL_SECONDS)
        except BaseException:
            self.close()
            raise
        self.ipc_path = self._ipc("anvil")
        self.pid = self._processes[-1].pid

    def _open(self) -> None:
        """A folder for sockets and logs, and the watchdog over whatever is started."""
        self._owner = os.getpid()
        self._folder = Path(tempfile.mkdtemp(prefix="equipoise-"))
        self._processes: list[subprocess.Popen[bytes]] = []
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHDOG, "equipoise-watchdog", str(self._folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        self._chains: list[RpcChain] = []
        atexit.register(self.close)

    def _ipc(self, name: str) -> str:
        return str(self._folder / f"{name}.ipc")

    def _start(self, name: str, options: list[str]) -> None:
        command = [find_anvil(), "--quiet", "--ipc", self._ipc(name), *options]
        # an interrupt between birth and registration would leave an orphan
        with interrupts_held_back(), (self._folder / name).open("wb") as log:
            # a session of its own: Ctrl-C reaches the owner, which closes in order
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
            self._processes.append(process)
            self._tell_watchdog(str(process.pid))

    def _tell_watchdog(self, word: str) -> None:
        assert self._watchdog.stdin is not None
        self._watchdog.stdin.write(f"{word}\n".encode())
        self._watchdog.stdin.flush()

    def _connect(self, name: str, base_fee: int | None) -> RpcChain:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while True:
            if not self.running:
                words = "; ".join(p.read_text()[-500:].strip() for p in self._folder.glob("*") if p.is_file())
                raise WorldError(f"anvil ended at start: {words}")
            try:
                self._chains.append(RpcChain(self._ipc(name), gas_price=base_fee))
                return self._chains[-1]
            except RpcError as error:
                if time.monotonic() > deadline:
                    raise WorldError(f"anvil did not start in {START_TIMEOUT_SECONDS:.0f} s") from error
            time.sleep(0.005)

    @property
    def running(self) -> bool:
        return all(process.poll() is None for process in self._processes)

    def close(self) -> None:
        """End the processes and remove their files. Harmless when called again, or in a forked child."""
        if os.getpid() != self._owner or not self._folder.exists():
            return
        atexit.unregister(self.close)
        for chain in self._chains:
            chain.close()
        for process in reversed(self._processes):
            process.kill()
            process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._tell_watchdog("closed")
        self._watchdog.communicate()
