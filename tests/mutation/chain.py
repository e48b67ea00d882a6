"""The chains that tests ask for, in this process: no anvil, no socket, and whoever forks it forks them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

import pyrevm

from equipoise.client.deploy import deploy
from equipoise.client.deploy.create2 import FACTORY
from equipoise.world import World
from equipoise.world.anvil import Anvil
from equipoise.world.assets import DEFAULT_ASSETS, AssetSpec, check_assets
from equipoise.world.builder import build_world
from equipoise.world.world import DEFAULT_START
from tests.engine.revm import RevmChain
from tests.engine.tape import Tape
from tests.fixtures import levered, lives, market, node
from tests.stateful import systems

__all__ = ["Chains"]

CODE_LIMIT = 2**20  # mutants are compiled without the optimizer, which is quick and makes them large


class InProcess(RevmChain):
    """A `RevmChain` with the levers that the contracts' tests pull."""

    def __init__(self, state: str, accounts: Sequence[str], chain_id: int) -> None:
        super().__init__(state, accounts, chain_id, CODE_LIMIT)
        self._codes: list[tuple[int, str, bytes]] = []

    def call(self, to: str, data: bytes, sender: str | None = None, block: int | str = "latest") -> bytes:
        here = block in (self._number, hex(self._number))
        return super().call(to, data, sender, "latest" if here else block)

    def _execute(self, sender: str, to: str, data: bytes, value: int, gas: int | None = None) -> bytes:
        """Tests speak as a contract too, which a chain allows nobody: meanwhile it has no code."""
        code = self.code(sender)
        if not code:
            return super()._execute(sender, to, data, value, gas)
        self._replace(sender, b"")
        try:
            return super()._execute(sender, to, data, value, gas)
        finally:
            self._replace(sender, code)

    def _do_evm_increaseTime(self, seconds: int) -> None:
        self._next = self._timestamp + seconds

    def _do_eth_blockNumber(self) -> str:
        return hex(self._number)

    def _do_eth_getBlockByNumber(self, _block: str, _full: bool) -> dict[str, str]:
        return {"number": hex(self._number), "timestamp": hex(self._timestamp)}

    def _do_eth_call(self, transaction: dict[str, str], block: str) -> str:
        data = bytes.fromhex(transaction["data"][2:])
        return "0x" + self.call(transaction["to"], data, transaction.get("from"), block).hex()

    def _do_eth_getCode(self, address: str, _block: str) -> str:
        return "0x" + self.code(address).hex()

    def _do_anvil_impersonateAccount(self, _address: str) -> None:
        """Any address may send."""

    def _do_anvil_setCode(self, address: str, code: str) -> None:
        self._codes.append((self._last_point, address, self.code(address)))
        self._replace(address, bytes.fromhex(code[2:]))

    def _do_evm_revert(self, snapshot: str) -> bool:
        """The engine's journal does not know of replaced code."""
        while self._codes and self._codes[-1][0] >= int(snapshot, 16):
            _, address, code = self._codes.pop()
            self._replace(address, code)
        return super()._do_evm_revert(snapshot)

    def _replace(self, address: str, code: bytes) -> None:
        here = self._evm.basic(address) or pyrevm.AccountInfo()
        info = pyrevm.AccountInfo(balance=here.balance, nonce=here.nonce, code=code)
        self._evm.insert_account_info(address, info)


class _Node:
    """Stands in for `Anvil`; nothing runs."""

    pid = 0

    def __init__(self, chain: InProcess) -> None:
        self.chain = Tape(chain)

    def close(self) -> None:
        """There is nothing to end."""


class Chains:
    """Worlds built once; every forked child takes its own copy of them with it."""

    def __init__(self) -> None:
        anvil = Anvil(node.START)
        try:
            self._factory = anvil.chain.code(FACTORY)  # a fork dumps only what it has touched
            self._empty = str(anvil.chain.request("anvil_dumpState"))
            self._accounts = list(anvil.chain.request("eth_accounts"))
            self._id = anvil.chain.chain_id
        finally:
            anvil.close()
        self._ready: dict[Any, World] = {}

    def _chain(self, accounts: int) -> InProcess:
        chain = InProcess(self._empty, self._accounts[:accounts], self._id)
        chain._replace(FACTORY, self._factory)
        return chain

    def anvil(self, timestamp: int, accounts: int = 10, base_fee: int = 0, port: int = 0) -> Any:
        """In the place of `Anvil`."""
        chain = self._chain(accounts)
        chain.request("evm_setNextBlockTimestamp", max(timestamp, chain.timestamp()))
        chain.request("evm_mine")
        return _Node(chain)

    def build(
        self,
        assets: Sequence[AssetSpec] = DEFAULT_ASSETS,
        start_timestamp: int = DEFAULT_START,
        accounts: int = 10,
        block_base_fee: int = 0,
        port: int = 0,
        lending: bool = False,
    ) -> World:
        """In the place of `World.build`: a world made beforehand if there is one, each is given once."""
        specs = check_assets(assets)
        ready = self._ready.pop((specs, lending), None)
        if ready is not None:
            return ready
        chain = self._chain(accounts)
        chain._at(start_timestamp, chain._number)
        return World(_Node(chain), build_world(chain, specs, lending))  # type: ignore[arg-type]

    def install(self) -> None:
        """From here on tests get chains of this process."""
        for specs, lending in ((DEFAULT_ASSETS, False), (levered.ASSETS, True), (market.ASSETS, False)):
            self._ready[tuple(specs), lending] = self.build(specs, lending=lending)
        patch.object(World, "build", self.build).start()
        patch.object(node, "Anvil", self.anvil).start()
        # this chain shows at once what it mined: a step that is not done then never will be
        patch.dict(deploy.__kwdefaults__, patience=0.0).start()
        # what is in this process already need not be written to a file and read again
        patch.object(systems, "save", lambda system, _path: system).start()
        patch.object(lives, "on_revm", lambda system: system).start()
