"""The same vault with and without a lending account, which owes nothing: the same people, the same days."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from equipoise.client.config import AuctionConfig
from equipoise.world import World
from tests.fixtures.levered import Levered, build_levered

SAVING = AuctionConfig(target_volatility=0.1, max_leverage=0.9)


def story(s: Levered) -> list[float]:
    """Deposits, investing, a move, every exit, a gift, a rebalance; what everybody has after each step."""
    s.auction.send("setParams", SAVING.params(), sender=s.owner)
    told: list[float] = []

    def tell() -> None:
        told.append(s.vault.call("totalAssets"))
        told.extend(s.vault.call("convertToAssets", s.shares(p)) for p in (s.alice, s.bob))
        told.extend(s.cash_of(p) for p in (s.alice, s.bob, s.keeper))

    s.deposit(s.alice, 1_000_000)
    tell()
    s.rebalance()
    tell()
    s.deposit(s.bob, 250_000)
    s.crash(-0.1)
    tell()
    s.vault.send("redeem", s.shares(s.bob) // 3, s.bob, s.bob, sender=s.bob)
    s.vault.send("redeemInKind", s.shares(s.alice) // 4, s.alice, s.alice, [], sender=s.alice)
    tell()
    s.cash.send("transfer", s.vault, 10**9, sender=s.mallory)
    s.rebalance()
    tell()
    told.extend(t.call("balanceOf", p) for t in s.tokens for p in (s.alice, s.keeper))
    return told


@pytest.fixture
def both(_lending_world: World) -> Iterator[tuple[Levered, Levered]]:
    snapshot = _lending_world.snapshot()
    yield build_levered(_lending_world, account=False), build_levered(_lending_world)
    _lending_world.revert(snapshot)


def test_vault__without_debt__does_not_care_where_its_tokens_lie(both: tuple[Levered, Levered]) -> None:
    """EQ-125: to within what Aave's suppliers earn in an hour and the rounding of its receipts."""
    stories = []
    for s in both:
        with s.scenario():
            stories.append(story(s))
            assert s.vault.call("debt") == 0
            assert s.vault.call("healthFactorWad") == 2**256 - 1
    held, lent = stories
    assert len(held) == len(lent) > 30
    assert lent == pytest.approx(held, rel=1e-5, abs=10)


def test_vault__without_an_account__has_no_debt_to_show(both: tuple[Levered, Levered]) -> None:
    """EQ-125: the views of leverage answer on every vault; without an account 1 is the most."""
    s, levered = both
    assert s.vault.call("lendingAccount") == "0x" + "00" * 20
    assert levered.vault.call("lendingAccount") == levered.account.address
    dashboard = s.contracts.dashboard()
    assert (dashboard.levered, dashboard.debt, dashboard.borrowRateWad) == (False, 0, 0)
    assert levered.contracts.dashboard().levered
    params = AuctionConfig(max_leverage=1.5).params()
    s.refuses("ParameterOutOfRange", s.auction, "setParams", params, sender=s.owner)
