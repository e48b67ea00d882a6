"""What the chain says at one moment, read before and after every transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from equipoise.errors import ContractRevert
from tests.fixtures.levered import Levered
from tests.stateful.model.prices import Nav

NO_DEBT = 2**256 - 1
MUTE = "LendingAccount__NoHealthFactor"


@dataclass(frozen=True)
class View:
    """Balances with the cash last, all in smallest units; `nav` None while a price is unusable.

    `health` {WAD} None when the venue cannot tell.
    """

    at: int
    balances: tuple[int, ...]
    debt: int
    supply: int
    mode: int
    health: int | None
    nav: Nav | None

    @property
    def live(self) -> bool:
        return self.nav is not None


def look(s: Levered, live: bool) -> View:
    """Read it; `live` tells whether there must be a NAV, and if not there must be none."""
    return View(
        at=s.chain.timestamp(),
        balances=tuple(s.balances()),
        debt=s.debt(),
        supply=s.vault.call("totalSupply"),
        mode=s.vault.call("mode"),
        health=health(s),
        nav=nav(s, live),
    )


def health(s: Levered) -> int | None:
    if s.contracts.account is None:
        return NO_DEBT
    try:
        return int(s.aave.pool.call("getUserAccountData", s.account).healthFactor) if s.debt() else NO_DEBT
    except ContractRevert:
        return None


def nav(s: Levered, live: bool) -> Nav | None:
    try:
        value: Any = s.vault.call("nav")
    except ContractRevert as revert:
        if live or not revert.name.startswith("PriceOracle__"):
            raise
        return None
    assert live, "there is a NAV although a price is unusable"
    return Nav(value.bid, value.mid, value.ask)
