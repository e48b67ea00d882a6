"""The share price as somebody else's oracle: pushed up to borrow against it, down to liquidate who did."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from equipoise.client.config import AuctionConfig
from equipoise.units import WAD
from tests.fixtures.attacks import Heist, Ledger, measured
from tests.fixtures.levered import Levered
from tests.fixtures.system import MAX, System
from tests.fixtures.trading import fund_usd

LTV = 0.8
"""Of a lender who lends against shares at `sharePriceWad`, and believes it in every block."""


def give(s: Levered) -> None:
    """Receipts for the account: the one gift that counts."""
    amount = round(200_000 / s.price(1) * 10**18)
    s.aave.pool.send("supply", s.tokens[1], amount, s.account, 0, sender=s.mallory)


def give_uncounted(s: Levered) -> None:
    s.cash.send("transfer", s.vault, s.units(200_000), sender=s.mallory)
    s.tokens[1].send("transfer", s.account, 10**20, sender=s.mallory)


def churn(s: Levered) -> None:
    """Deposits and exits whose fees and spreads stay with the holders."""
    for _ in range(3):
        minted = s.deposit(s.mallory, 2_000_000)
        s.vault.send("redeemInKind", minted, s.mallory, s.mallory, [], sender=s.mallory)


def forfeit(s: Levered) -> None:
    skip = [token.address for token in s.tokens]
    s.vault.send("redeemInKind", s.shares(s.mallory) // 4, s.mallory, s.mallory, skip, sender=s.mallory)


@pytest.mark.parametrize("pump", [give, give_uncounted, churn, forfeit])
def test_share_price__pumped_to_borrow_against__costs_more_than_the_loan_brings(
    levered: Levered, attack: Ledger, pump: Callable[[Levered], None]
) -> None:
    """EQ-54 EQ-58: what lifts the price stays in the vault and backs it.

    In one block mallory pumps, borrows 80 % on half of her shares, leaves with the others, never repays.
    """
    s = levered
    fund_usd(s, s.mallory, 2_000_000)
    s.tokens[1].send("approve", s.aave.pool, MAX, sender=s.mallory)
    s.deposit(s.mallory, 1_000_000)
    with measured(s, s.mallory) as score, s.one_block():
        pump(s)
        pledged = s.shares(s.mallory) // 2
        lent = LTV * pledged / WAD * s.share_price() / WAD
        left = s.shares(s.mallory) - pledged
        s.vault.send("redeemInKind", left, s.mallory, s.mallory, [], sender=s.mallory)
    # the purse still holds the pledge, which the lender keeps for what was lent
    worth = pledged / WAD * s.share_price() / WAD
    profit = score.profit + lent - worth
    assert worth > lent, "the lender is covered"
    name = f"share price as an oracle: {pump.__name__.replace('_', ' ')} and borrow"
    attack(name, profit, lent - worth, why=f"the pledge is worth {worth / lent:.2f} times the loan")


def test_share_price__pushed_down_by_an_auction__falls_by_the_loss_budget(
    system: System, heist: Heist
) -> None:
    """EQ-84: whoever liquidates others at the share price can push it by half a percent, twice in a day."""
    s, me = system, system.keeper
    unless = [f"RebalanceAuction__{e}" for e in ("LossBudgetExceeded", "LotExceeded", "ZeroAmount")]
    s.auction.send("setParams", AuctionConfig(end_discount=0.02).params(), sender=s.owner)
    s.deposit(s.alice, 100_000)
    s.open()
    s.warp(s.auction.call("current").endsAt - s.now())
    start = s.share_price()
    budget = s.auction.call("params").lossBudgetWad / WAD
    name = "share price as an oracle: pushed down by bids"
    with heist(name, s, me, bound=100_000 * budget) as score, s.one_block():
        for part in (2, 3, 4, 5, 6, 8, 10, 20, 40):
            for token in s.tokens:
                args = (s.auction.call("current").id, s.cash, token, s.balances()[-1] // part, MAX, me)
                unless = [
                    f"RebalanceAuction__{e}" for e in ("LossBudgetExceeded", "LotExceeded", "ZeroAmount")
                ]
                s.attempt(s.auction, "bid", *args, sender=me, unless=unless)
        fallen = 1 - s.share_price() / start
        assert 0 < fallen <= budget
        score.why = f"EQ-84: it fell by {fallen:.2%}; a lender's margin must be more"
