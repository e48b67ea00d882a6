"""What a guardian may do, and it only tightens: each act checked, then sent, or shown for a multisig to send.

The owner may do the same. Loosening again is the owner's alone, by a proposal where there is governance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth_utils import is_address

from equipoise.client.abi import to_checksum_address
from equipoise.client.chain import Receipt
from equipoise.client.contract import Contract
from equipoise.client.deployment import Deployment
from equipoise.errors import ContractRevert, InputError
from equipoise.units import WAD, to_token, to_wad

__all__ = ["TIGHTENED", "Act", "Guardian"]

TIGHTENED = {
    "target_volatility": "targetVolatilityWad",
    "max_leverage": "maxLeverageWad",
    "max_borrow_rate": "maxBorrowRateWad",
    "loss_budget": "lossBudgetWad",
}
"""What `tighten` takes, all fractions, and the field of IRebalanceAuction.Params that each one lowers."""


@dataclass(frozen=True)
class Act:
    """One call, and what it changes in words."""

    contract: Contract
    function: str
    arguments: tuple[Any, ...]
    words: str

    @property
    def data(self) -> str:
        """Call data in hex, for a multisig's own form."""
        return "0x" + self.contract.encode(self.function, *self.arguments).hex()

    def check(self, sender: str) -> None:
        """Call it without sending. Raises InputError when the contracts would refuse it from that account."""
        try:
            self.contract.call(self.function, *self.arguments, sender=sender)
        except ContractRevert as revert:
            raise InputError(f"{self.words}: refused from {sender} ({revert}); nothing was sent") from revert

    def send(self, sender: str) -> Receipt:
        """Check, then send."""
        self.check(sender)
        return self.contract.send(self.function, *self.arguments, sender=sender)


class Guardian:
    """The acts, for one deployment. Each raises InputError for what makes no sense on it."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment

    def pause_increases(self) -> Act:
        """From now on a bid may only bring cash to the vault."""
        return Act(
            self.deployment.guard, "pauseIncreases", (), "no increase of risk until the owner unpauses"
        )

    def pause_deposits(self) -> Act:
        return Act(self.deployment.guard, "pauseDeposits", (), "no deposits until the owner unpauses")

    def remove_signer(self, signer: str) -> Act:
        """At once; the threshold stays, so the words say whether reports can still pass."""
        oracle, who = self.deployment.volatility_oracle, _address(signer)
        signers, threshold = oracle.call("signers"), oracle.call("threshold")
        if who not in signers:
            raise InputError(f"{who} is no signer; the signers are {', '.join(signers)}")
        left = len(signers) - 1
        words = f"{who} leaves: {left} signers for a threshold of {threshold}"
        if left < threshold:
            words += ", so NO report passes until the owner brings new ones"
        return Act(oracle, "removeSigner", (who,), words)

    def cancel_signer(self, signer: str) -> Act:
        """Withdraw a proposal of a signer before it is activated."""
        oracle, who = self.deployment.volatility_oracle, _address(signer)
        if not oracle.call("proposalOf", who).readyAt:
            raise InputError(f"{who} is not proposed as a signer; `ape run status` lists who is")
        return Act(oracle, "cancelProposal", (who,), f"{who} does not become a signer")

    def lower_cap(self, cash: float) -> Act:
        """The deposit cap in whole units of the deposit token."""
        deployment = self.deployment
        cap = to_token(cash, deployment.cash.call("decimals"))
        now = deployment.vault.call("depositCap")
        if cap >= now:
            unit = 10 ** deployment.cash.call("decimals")
            raise InputError(f"the deposit cap is {now / unit:,.0f}, not above {cash:,.0f}; give less")
        return Act(deployment.vault, "setDepositCap", (cap,), f"the deposit cap falls to {cash:,.0f}")

    def tighten(self, changes: Mapping[str, float]) -> Act:
        """Lower some of `TIGHTENED`; every other parameter of the auction stays."""
        auction = self.deployment.auction
        params = auction.call("params")
        if not changes:
            raise InputError(f"nothing to tighten: give one of {', '.join(TIGHTENED)}")
        words = []
        for name, value in changes.items():
            if name not in TIGHTENED:
                raise InputError(f"{name!r} cannot be tightened; one of {', '.join(TIGHTENED)} can")
            field, now = TIGHTENED[name], getattr(params, TIGHTENED[name])
            if not 0 <= to_wad(value) < now:
                raise InputError(
                    f"{name} is {now / WAD:g}; give less than that and at least 0, not {value:g}"
                )
            params = params._replace(**{field: to_wad(value)})
            words.append(f"{name} {now / WAD:g} -> {value:g}")
        return Act(auction, "setParams", (params,), ", ".join(words))

    def veto(self, operation: str) -> Act:
        """Cancel an operation that waits in the timelock: its id, as `ape run status --json` shows it."""
        timelock = self.deployment.timelock
        if timelock is None:
            raise InputError("this deployment has no timelock: its owner is a plain account, nothing waits")
        try:
            key = bytes.fromhex(operation.removeprefix("0x"))
        except ValueError:
            key = b""
        if len(key) != 32:
            raise InputError(f"{operation!r} is no id of an operation; give 0x and 64 hex digits")
        if not timelock.call("isOperationPending", key):
            raise InputError(f"operation {operation} does not wait in the timelock (ape run status)")
        return Act(timelock, "cancel", (key,), f"operation {operation[:10]} will never be executed")


def _address(text: str) -> str:
    if not is_address(text):
        raise InputError(f"{text!r} is no address; give 0x and 40 hex digits")
    return to_checksum_address(text)
