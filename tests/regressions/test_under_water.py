"""Found by fuzzing, not yet mended: a vault that owes more than it has sells itself for a dollar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

MILLION = 1_000_000
CLOSED = "RiskParityVault__DepositsClosed"


@pytest.mark.xfail(strict=True, reason="deposits ask for the health factor, not for a NAV")
def test_deposit__into_a_vault_under_water__does_not_take_it_from_its_holders(
    lives: Callable[[str], Any],
) -> None:
    """EQ-58: somebody gives Aave collateral for a vault that a crash has left with less than it owes.

    Its health factor is well again and its NAV is 0, so that a deposit mints at a price of nearly nothing:
    whoever comes first owns what a recovery brings back.
    """
    with lives("levered").scenario() as s:
        s.deposit(s.alice, MILLION)
        s.lever()
        assert s.world
        gift = MILLION * 10**6
        s.world.fund("USDC", s.mallory, gift)
        s.aave.pool.send("supply", s.cash, gift, s.account, 0, sender=s.mallory)
        before = s.world.prices()
        s.crash(-0.6)
        assert s.vault.call("nav").mid == 0 < s.debt()
        s.attempt(s.vault, "deposit", 10**6, s.bob, sender=s.bob, unless=[CLOSED])
        s.world.set_prices(before)
        assert s.shares(s.bob) < s.shares(s.alice)
