"""A `Chain` in this process: pyrevm over the accounts of a dumped anvil.

What pyrevm does otherwise than a chain, and what is done about it here:

- Transient storage outlives a transaction: it is cleared before each.
- Slots and accounts stay warm: `gas_used` is too low and must never be quoted.
- A contract's nonce cannot be set, and begins at 1: it is raised by creations while the account is made.
- A call leaves its sender's nonce alone: nonces are counted here, and set before a creation.
- Logs and revert data come as objects and as text: they are turned into what JSON-RPC gives.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyrevm

from equipoise.client.abi import to_checksum_address
from equipoise.client.chain import Receipt, RevertedCall, RpcError

__all__ = ["RevmChain"]

NOBODY = "0x" + "00" * 20
GAS = 100_000_000
_SPEC = "CANCUN"
_MAKER = "0x" + "4d" * 20
_REVERT = re.compile(r"^Revert \{.*output: 0x([0-9a-f]*)", re.DOTALL)


@dataclass(frozen=True)
class _Point:
    """What `evm_revert` returns to."""

    checkpoint: Any
    timestamp: int
    number: int
    interval: int
    nonces: dict[str, int]


class RevmChain:
    """Answers what an `RpcChain` to anvil answers, as far as tests ask: `Chain`, `call_many`, `request`.

    Parameters
    ----------
    state
        Result of `anvil_dumpState`.
    accounts
        Answer to ``eth_accounts``; any address may send.
    chain_id
        As signatures bind it.
    code_limit
        Bytes of code that a contract may have; None for the EVM's own limit.

    As on anvil, a transaction is mined at once, `interval` seconds after the block before.
    """

    def __init__(
        self, state: str, accounts: Sequence[str], chain_id: int, code_limit: int | None = None
    ) -> None:
        dumped = json.loads(gzip.decompress(bytes.fromhex(state[2:])))
        self.chain_id = chain_id
        self._accounts = list(accounts)
        self._timestamp = int(dumped["block"]["timestamp"], 16)
        self._number = int(dumped["block"]["number"], 16)
        self._interval = 1
        self._next: int | None = None
        self._points: dict[int, _Point] = {}
        self._last_point = 0
        self._nonces: dict[str, int] = {}
        cfg = pyrevm.CfgEnv(chain_id=chain_id, limit_contract_code_size=code_limit)
        self._evm = pyrevm.EVM(pyrevm.Env(cfg=cfg), gas_limit=GAS, spec_id=_SPEC)
        for address, account in dumped["accounts"].items():
            self._insert(address, account)
        self.transactions = 0
        self._at(self._timestamp, self._number)

    def _insert(self, address: str, account: dict[str, Any]) -> None:
        code, balance = bytes.fromhex(account["code"][2:]), _int(account["balance"])
        self._nonces[address.lower()] = nonce = _int(account["nonce"])
        info = self._analysed(code, nonce) if code else pyrevm.AccountInfo(balance=balance, nonce=nonce)
        self._evm.insert_account_info(address, info)
        for slot, value in account["storage"].items():
            self._evm.insert_account_storage(address, _int(slot), _int(value))
        if code and balance:
            self._evm.set_balance(address, balance)

    def _analysed(self, code: bytes, nonce: int) -> Any:
        """An account of this code, taken from one that was created, so that its jumps are known: in code that
        is merely inserted the EVM looks for them in every call, which doubles the time of a transaction.

        Its nonce, on which the addresses of its own creations depend, begins at 1: it creates nothings first.
        """
        nothings = bytes.fromhex("5f5f5ff050") * (nonce - 1)
        # copy what follows to memory and return it
        size, start = len(code).to_bytes(2, "big"), (len(nothings) + 11).to_bytes(2, "big")
        creation = nothings + b"\x61" + size + b"\x80\x61" + start + bytes.fromhex("5f395ff3")
        account = self._evm.basic(self._evm.deploy(_MAKER, creation + code))
        assert account.nonce == max(1, nonce), f"a contract's nonce is {account.nonce}, not {nonce}"
        return account

    def _at(self, timestamp: int, number: int) -> None:
        self._timestamp, self._number = timestamp, number
        block = pyrevm.BlockEnv(number=number, timestamp=timestamp, basefee=0, coinbase=NOBODY)
        self._evm.set_block_env(block)

    def _mine(self) -> None:
        """A new block, which what is executed next is in."""
        following = self._timestamp + self._interval
        self._at(following if self._next is None else self._next, self._number + 1)
        self._next = None

    # ------------------------------------------------------------------ Chain

    def call(self, to: str, data: bytes, sender: str | None = None, block: int | str = "latest") -> bytes:
        if block != "latest":
            raise RpcError(f"block {block!r}: this chain keeps its latest block only")
        checkpoint = self._evm.snapshot()
        try:
            return self._execute(sender or NOBODY, to, data, 0)
        finally:
            self._evm.revert(checkpoint)

    def call_many(self, calls: Sequence[tuple[str, bytes]], block: int | str = "latest") -> list[bytes]:
        return [self.call(to, data, None, block) for to, data in calls]

    def send(
        self, sender: str, to: str | None, data: bytes, value: int = 0, gas: int | None = None
    ) -> Receipt:
        self._mine()
        self.transactions += 1
        who = sender.lower()
        created = None
        try:
            if to is None:
                created = self._create(sender, data, value)
            else:
                self._execute(sender, to, data, value, gas)
        finally:
            self._nonces[who] = self._nonces.get(who, 0) + 1
        result = self._evm.result
        logs = [_log(log) for log in result.logs]
        name = f"0x{self._number:064x}"
        return Receipt(name, self._number, result.gas_used, created, logs, self._timestamp)

    def timestamp(self) -> int:
        return self._timestamp

    def code(self, address: str) -> bytes:
        return bytes(self._evm.get_code(address) or b"")

    def balance(self, address: str) -> int:
        return int(self._evm.get_balance(address))

    def _execute(self, sender: str, to: str, data: bytes, value: int, gas: int | None = None) -> bytes:
        self._evm.reset_transient_storage()
        try:
            # gas limits of tests are for real gas: here, where it is counted too low, they would mean nothing
            return bytes(self._evm.message_call(sender, to, data, value, max(gas or 0, GAS)))
        except RuntimeError as error:
            raise _reverted(error) from None

    def _create(self, sender: str, code: bytes, value: int) -> str:
        self._evm.reset_transient_storage()
        nonce = self._nonces.get(sender.lower(), 0)
        info = pyrevm.AccountInfo(balance=self.balance(sender), nonce=nonce)
        self._evm.insert_account_info(sender, info)
        try:
            return str(to_checksum_address(self._evm.deploy(sender, code, value, GAS)))
        except RuntimeError as error:
            raise _reverted(error) from None

    # --------------------------------------------------------- a test's levers

    def request(self, method: str, *params: Any) -> Any:
        """The few JSON-RPC methods by which tests move a chain. Raises RpcError for any other."""
        lever: Callable[..., Any] | None = getattr(self, f"_do_{method}", None)
        if lever is None:
            raise RpcError(f"{method} is not among the levers of RevmChain")
        return lever(*params)

    def _do_eth_accounts(self) -> list[str]:
        return self._accounts

    def _do_eth_chainId(self) -> str:
        return hex(self.chain_id)

    def _do_evm_mine(self) -> str:
        self._mine()
        return "0x0"

    def _do_evm_setNextBlockTimestamp(self, timestamp: int) -> None:
        if timestamp < self._timestamp:
            raise RpcError(f"timestamp {timestamp} lies before the latest block's, {self._timestamp}")
        self._next = timestamp

    def _do_anvil_setBlockTimestampInterval(self, seconds: int) -> None:
        self._interval = seconds

    def _do_anvil_setBalance(self, address: str, value: str) -> None:
        self._evm.set_balance(address, int(value, 16))

    def _do_evm_snapshot(self) -> str:
        self._last_point += 1
        now = self._timestamp, self._number, self._interval, dict(self._nonces)
        self._points[self._last_point] = _Point(self._evm.snapshot(), *now)
        return hex(self._last_point)

    def _do_evm_revert(self, snapshot: str) -> bool:
        """As anvil's: this snapshot and every later one is used up."""
        wanted = int(snapshot, 16)
        if wanted not in self._points:
            return False
        # last in, first out: a checkpoint is a depth of the journal
        for number in sorted((n for n in self._points if n >= wanted), reverse=True):
            point = self._points.pop(number)
            self._evm.revert(point.checkpoint)
        self._interval, self._nonces, self._next = point.interval, point.nonces, None
        self._at(point.timestamp, point.number)
        return True


def _int(value: int | str) -> int:
    return value if isinstance(value, int) else int(value, 16)


def _reverted(error: RuntimeError) -> RevertedCall:
    words = str(error)
    found = _REVERT.match(words)
    return RevertedCall(bytes.fromhex(found.group(1))) if found else RevertedCall(b"", words)


def _log(log: Any) -> dict[str, Any]:
    topics, data = log.data
    return {
        "address": log.address,
        "topics": ["0x" + topic.hex() for topic in topics],
        "data": "0x" + data.hex(),
    }
