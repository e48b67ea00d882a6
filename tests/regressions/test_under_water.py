"""Found by fuzzing: a vault that owed more than it had sold itself for a dollar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MILLION = 1_000_000
CLOSED = "RiskParityVault__DepositsClosed"


def test_deposit__into_a_vault_under_water__is_refused(lives: Callable[[str], Any]) -> None:
    """EQ-58 EQ-60: somebody gives Aave collateral for a vault that a crash has left with less than it owes.

    Its health factor is well and its NAV is 0, so that a deposit would mint at a price of nearly nothing:
    whoever came first would own what a recovery brings back.
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
        assert s.contracts.dashboard().mode == 0
        for entrance in (("deposit", 10**6), ("mint", 10**18)):
            s.refuses(CLOSED, s.vault, *entrance, s.bob, sender=s.bob)
        assert s.vault.call("maxDeposit", s.bob) == s.vault.call("maxMint", s.bob) == 0
        s.world.set_prices(before)
        s.deposit(s.bob, 1)
        assert s.shares(s.bob) < s.shares(s.alice) // 1_000
