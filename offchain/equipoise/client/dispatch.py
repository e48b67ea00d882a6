"""Sends the transactions of one key: each once, in order of nonce, wherever the process is killed.

What is sent is written down first. `settle` then sees what became of it: a reorganisation's victim is sent
again as it was, what is stuck is replaced at a higher fee or cancelled, a gap before it is filled. What is
stuck before something that protects, and is not paid for any more, is cancelled at the cost of that.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace

from eth_account.typed_transactions import TypedTransaction
from hexbytes import HexBytes

from equipoise.client.chain import Receipt, RevertedCall, RpcError
from equipoise.client.outbox import CONFIRMATIONS, Outbox, Posting
from equipoise.client.reverts import decode_revert
from equipoise.client.rpc import TIMEOUT_SECONDS
from equipoise.client.signing import Fees, SigningChain
from equipoise.errors import BudgetError, ContractRevert, EquipoiseError, InputError

__all__ = ["CANCEL", "CLEARING", "DispatchConfig", "Dispatcher"]

CANCEL = "cancel"
"""Kind of the transfers to oneself that fill a gap; the key is the nonce."""
CLEARING = "clearing"
"""Kind of those that make way for what protects, in a gap or in the place of what is stuck; key as above."""

_LOG = logging.getLogger(__name__)
_TRANSFER_GAS = 21_000
# nodes refuse a replacement that does not offer a tenth more (geth), or an eighth (others)
_BUMP = 1.13

Allow = Callable[[str, int, Fees], None]


@dataclass(frozen=True)
class DispatchConfig:
    """`wait` {s} for a new transaction to be mined; after `stuck_after` {s} it is replaced.

    `confirmations` {blocks} after which a transaction is not looked at any more. Up to `jitter` {s} are let
    pass between the first simulation and the second, with which it is signed: rivals rarely meet then.
    """

    wait: float = TIMEOUT_SECONDS
    stuck_after: float = 180.0
    confirmations: int = CONFIRMATIONS
    jitter: float = 0.0

    def __post_init__(self) -> None:
        for name, value in self.__dict__.items():
            if not 0 <= value < 10**6:
                raise InputError(f"dispatch: {name} is {value}; give 0 to 1e6")


class Dispatcher:
    """One key's way to the chain.

    Parameters
    ----------
    chain
        Where the key signs.
    outbox
        What it has sent.
    allow
        Asked with (kind, gas limit, fees) before anything is signed; it raises what forbids it.
    protecting
        Kinds that nothing may hold up: where `allow` forbids to replace one of these, or what is stuck before
        it, or to fill a gap there, it is asked for a `CLEARING`.
    """

    def __init__(
        self,
        chain: SigningChain,
        outbox: Outbox,
        config: DispatchConfig | None = None,
        allow: Allow = lambda kind, gas, fees: None,
        protecting: Collection[str] = (),
    ) -> None:
        self.chain, self.outbox = chain, outbox
        self.config = config or DispatchConfig()
        self.allow, self.protecting = allow, protecting
        self.problems: dict[str, str] = {}
        """What is stuck and why it stays so, by kind and key."""
        self.failed: list[Posting] = []
        """What the last look found mined and failed."""

    # ------------------------------------------------------------------- send

    def send(
        self,
        kind: str,
        key: int | str,
        to: str,
        data: bytes,
        name: str = "",
        urgent: bool = False,
        weigh: Callable[[int], None] = lambda gas: None,
    ) -> Receipt:
        """Simulate, ask `allow`, let the jitter pass unless `urgent`, simulate again, write down, send, wait.

        `weigh` gets the gas limit beforehand and raises when that is too much. Raises ContractRevert (`name`
        is the contract's) when the chain refuses it or it fails, OracleError when the same is on its way
        already, NotMined when it is still on its way after the time to wait.
        """
        try:
            gas, fees = self.chain.estimate(to, data), self.chain.fees()
            weigh(gas)
            self.allow(kind, gas, fees)
            if self.config.jitter and not urgent:
                time.sleep(random.uniform(0, self.config.jitter))
            nonce = self._next_nonce()
            raw, transaction_hash = self.chain.prepare(to, data, nonce, gas=gas, fees=fees)
        except RevertedCall as reverted:
            raise decode_revert(reverted.data, name, message=reverted.message) from None
        posting = self._posting(kind, key, nonce, transaction_hash, raw, gas, fees)
        self.outbox.intend(posting)
        self.chain.broadcast(raw)
        succeeded, receipt = self.chain.wait(transaction_hash, self.config.wait)
        if not succeeded:
            self.outbox.forget(posting, receipt.hash, receipt.fee, receipt.timestamp)
            raise ContractRevert("transaction reverted", (transaction_hash,), name)
        self.outbox.landed(posting, receipt.block_number, receipt.hash, receipt.fee, receipt.timestamp)
        _LOG.info("%s of %s in block %d", kind, key, receipt.block_number)
        return receipt

    def _next_nonce(self) -> int:
        own = [posting.nonce + 1 for posting in self.outbox.in_flight()]
        return max(self.chain.nonce("pending"), *own, 0)

    @staticmethod
    def _posting(
        kind: str, key: int | str, nonce: int, transaction_hash: str, raw: bytes, gas: int, fees: Fees
    ) -> Posting:
        return Posting(kind, key, nonce, transaction_hash, raw, None, gas * fees.limit, int(time.time()))

    # ----------------------------------------------------------------- settle

    def settle(self, stands: Callable[[Posting], bool] = lambda posting: False) -> list[Posting]:
        """See what became of what was sent: what has landed since the last look.

        `stands` says of a transaction whose receipt the node has forgotten that its effect is there.
        """
        landed = []
        head = int(self.chain.request("eth_blockNumber"), 16)
        self.problems, self.failed = {}, []
        for posting in self.outbox.unsettled(since=head - self.config.confirmations):
            found = self._mined(posting)
            if found is None:
                used = self.chain.nonce()  # before the receipt: what it counts has one by then
                found = self._mined(posting)
            if found is not None:
                landed += [posting] if self._count(posting, *found) else []
            elif posting.block is not None and stands(posting):
                continue
            elif used > posting.nonce:
                # mined all the same if another node counted than was asked for the receipt, or if it lies:
                # hence what it may cost, by our own clock
                _LOG.warning("%s of %s was displaced: %s", posting.kind, posting.key, posting.hash)
                self.outbox.forget(posting, posting.hash, posting.ceiling, int(time.time()))
            else:
                if posting.block is not None:
                    _LOG.warning("%s of %s was taken back", posting.kind, posting.key)
                    self.outbox.landed(posting, None)
                self._press(posting, used)
        return landed

    def _mined(self, posting: Posting) -> tuple[bool, Receipt, bytes] | None:
        for transaction_hash, raw in self.outbox.versions(posting):
            found = self.chain.receipt(transaction_hash)
            if found is not None:
                return *found, raw
        return None

    def _count(self, posting: Posting, succeeded: bool, receipt: Receipt, raw: bytes) -> bool:
        """Write down what was mined; whether that is news, and what was wanted."""
        cost = receipt.hash, receipt.fee, receipt.timestamp
        if not succeeded or (posting.kind not in (CANCEL, CLEARING) and self._is_cancel(raw)):
            words = "was cancelled" if succeeded else "failed"
            _LOG.warning("%s of %s %s: %s", posting.kind, posting.key, words, receipt.hash)
            self.outbox.forget(posting, *cost)
            self.failed += [] if succeeded else [posting]
            return False
        if posting.block == receipt.block_number:
            return False
        self.outbox.landed(posting, receipt.block_number, *cost)
        return True

    # ------------------------------------------------------------------ press

    def _press(self, posting: Posting, used: int) -> None:
        """Not mined: sent again as it was; when it is stuck, at a higher fee, after what is missing."""
        try:
            if time.time() - posting.at < self.config.stuck_after:
                self.chain.broadcast(posting.raw)
                return
            held = {other.nonce for other in self.outbox.in_flight()}
            gap = [nonce for nonce in range(used, posting.nonce) if nonce not in held]
            for nonce in gap:
                self._fill(nonce)
            if gap:
                self.chain.broadcast(posting.raw)
            else:
                self._replace(posting)
        except EquipoiseError as error:
            _LOG.warning("%s of %s is stuck: %s", posting.kind, posting.key, error)
            self.problems[f"{posting.kind} {posting.key}"] = str(error)
            if isinstance(error, BudgetError):
                # what is signed is paid for, and a node may have forgotten it
                with suppress(EquipoiseError):
                    self.chain.broadcast(posting.raw)

    def _fill(self, nonce: int) -> None:
        """A transfer of nothing to oneself: somebody with the same key sent something that is never mined."""
        fees = self._raised(self.chain.fees(), self.chain.fees().limit, self.chain.fees().tip)
        kind = self._payer(CANCEL, nonce, _TRANSFER_GAS, fees)
        raw, transaction_hash = self.chain.prepare(
            self.chain.sender, b"", nonce, gas=_TRANSFER_GAS, fees=fees
        )
        self.outbox.intend(self._posting(kind, nonce, nonce, transaction_hash, raw, _TRANSFER_GAS, fees))
        _LOG.warning("nonce %d was missing: filled by %s", nonce, transaction_hash)
        self.chain.broadcast(raw)

    def _replace(self, posting: Posting) -> None:
        """The same at a higher fee while it would still succeed, else nothing in its place."""
        old = TypedTransaction.from_bytes(HexBytes(posting.raw)).as_dict()
        fees = self._raised(self.chain.fees(), int(old["maxFeePerGas"]), int(old["maxPriorityFeePerGas"]))
        to, data, gas = "0x" + bytes(old["to"]).hex(), bytes(old["data"]), int(old["gas"])
        try:
            self.chain.call(to, data, self.chain.sender)
        except RevertedCall:
            to, data, gas = self.chain.sender, b"", _TRANSFER_GAS
        kind, key = self._payer(posting.kind, posting.nonce, gas, fees), posting.key
        if kind != posting.kind:
            key, to, data, gas = posting.nonce, self.chain.sender, b"", _TRANSFER_GAS
        raw, transaction_hash = self.chain.prepare(to, data, posting.nonce, gas=gas, fees=fees)
        new = self._posting(kind, key, posting.nonce, transaction_hash, raw, gas, fees)
        # either may be mined, and a cancellation may cost less
        self.outbox.replace(posting, replace(new, ceiling=max(posting.ceiling, new.ceiling)))
        _LOG.warning("%s of %s is stuck: %s", posting.kind, posting.key, "replaced" if data else "cancelled")
        try:
            self.chain.broadcast(raw)
        except RpcError:
            # the node may want more yet, or be about to mine the old one: both are known by their hashes
            self.chain.broadcast(posting.raw)

    def _payer(self, kind: str, nonce: int, gas: int, fees: Fees) -> str:
        """`kind` where that may be paid, else `CLEARING` if what protects waits for that nonce, or has it."""
        try:
            self.allow(kind, gas, fees)
        except BudgetError:
            flying = self.outbox.in_flight()
            behind = any(other.nonce > nonce and other.kind in self.protecting for other in flying)
            # of what protects itself something smaller may be paid for, once the nonce is free
            if not behind and kind not in self.protecting:
                raise
            self.allow(CLEARING, _TRANSFER_GAS, fees)
            return CLEARING
        return kind

    @staticmethod
    def _raised(now: Fees, limit: int, tip: int) -> Fees:
        """At least `_BUMP` times the former limit and tip, and what is asked now."""
        tip = max(now.tip, int(tip * _BUMP) + 1)
        least = int(limit * _BUMP) + 1
        return Fees(max(now.base, -(-(least - tip) // 2)), tip)

    def _is_cancel(self, raw: bytes) -> bool:
        sent = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
        return not bytes(sent["data"]) and bytes(sent["to"]).hex() == self.chain.sender[2:].lower()
