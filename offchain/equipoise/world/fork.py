"""A private copy of another network: anvil fetches what is asked for, and sends nothing back."""

from __future__ import annotations

from pathlib import Path

from equipoise.client.rpc import RpcChain
from equipoise.errors import InputError
from equipoise.world.anvil import Anvil

__all__ = ["Fork"]

PURSE_WEI = 10**24


class Fork(Anvil):
    """An anvil on top of a network's latest block, every account unlocked; use it as a context manager.

    Parameters
    ----------
    url
        HTTP(S) endpoint of the network, or the IPC socket of a node on this machine.

    Raises
    ------
    InputError
        The endpoint is no URL.
    WorldError
        The node there does not answer, or anvil does not start.
    """

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://", "ws://", "wss://")) and not Path(url).is_socket():
            raise InputError(f"{url!r} is no endpoint that anvil can fork; give an http(s) URL")
        self._open()
        options = ["--fork-url", url, "--port", "0", "--auto-impersonate", "--no-storage-caching"]
        try:
            self._start("anvil", options)
            self.chain: RpcChain = self._connect("anvil", None)
        except BaseException:
            self.close()
            raise
        self.ipc_path = self._ipc("anvil")
        self.pid = self._processes[-1].pid

    def fund(self, account: str) -> None:
        """Give an account a million ETH."""
        self.chain.request("anvil_setBalance", account, hex(PURSE_WEI))

    def __enter__(self) -> Fork:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
