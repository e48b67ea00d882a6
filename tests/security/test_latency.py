"""A searcher who knows the next prices before the feed does, with moves up to the half spread."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.client.config import FeesConfig
from tests.fixtures.attacks import Ledger, measured
from tests.fixtures.system import FUZZ, System

HALF_SPREAD = 0.005
DUST_USD = 1e-5  # a few wei of a 6-decimal asset and of 8-decimal tokens
MOVES = st.lists(st.floats(-HALF_SPREAD, HALF_SPREAD), min_size=3, max_size=3)
CORNERS = st.lists(st.sampled_from([-HALF_SPREAD, 0.0, HALF_SPREAD]), min_size=3, max_size=3)


@pytest.fixture
def free(invested: System) -> System:
    """No entry or exit fee: the spread alone must hold. alice's vault is half cash, so that it can pay."""
    invested.vault.send("setFees", FeesConfig(0, 0).params(), invested.treasury, sender=invested.owner)
    return invested


def deposit_then_redeem(s: System, usd: float, update: Callable[[], None]) -> None:
    shares = s.deposit(s.mallory, usd)
    update()
    sell(s, shares)


def deposit_then_in_kind(s: System, usd: float, update: Callable[[], None]) -> None:
    shares = s.deposit(s.mallory, usd)
    update()
    s.vault.send("redeemInKind", shares, s.mallory, s.mallory, [], sender=s.mallory)


def redeem_then_deposit(s: System, usd: float, update: Callable[[], None]) -> None:
    """A holder leaves before a fall and comes back after it; the rest of its shares leaves at the end."""
    shares = s.shares(s.mallory)
    before = s.cash_of(s.mallory)
    sell(s, shares)
    got = s.cash_of(s.mallory) - before
    update()
    s.vault.send("deposit", got, s.mallory, sender=s.mallory)


def in_kind_then_deposit(s: System, usd: float, update: Callable[[], None]) -> None:
    """Out in kind at no price at all, sold at the true one, and back in."""
    before = s.wealth(s.mallory)
    s.vault.send("redeemInKind", s.shares(s.mallory), s.mallory, s.mallory, [], sender=s.mallory)
    update()
    worth = s.wealth(s.mallory) - before
    s.vault.send("deposit", max(1, s.units(worth)), s.mallory, sender=s.mallory)


def sell(s: System, shares: int) -> None:
    most = s.vault.call("maxRedeem", s.mallory)
    s.vault.send("redeem", min(shares, most), s.mallory, s.mallory, sender=s.mallory)


def true_worth(s: System, prices: list[float]) -> float:
    """mallory's tokens, cash, and shares at the vault's books valued at true prices."""
    books, supply = s.balances(), s.vault.call("totalSupply")
    values = [b / 10**d * p for b, d, p in zip(books, s.decimals, prices, strict=False)]
    nav = sum(values) + books[-1] / 10**s.cash_decimals
    return s.wealth(s.mallory, prices) + nav * s.shares(s.mallory) / supply


@FUZZ
@given(
    moves=st.one_of(MOVES, CORNERS),
    usd=st.floats(1, 40_000),
    trip=st.sampled_from([deposit_then_redeem, deposit_then_in_kind]),
)
def test_enter__before_a_known_price__never_profits(
    free: System, moves: list[float], usd: float, trip: Callable[..., None]
) -> None:
    """EQ-56: cash in at the old price, out at the new one, in cash or in kind."""
    s = free
    with s.scenario():
        true_prices = [s.price(i) * (1 + m) for i, m in enumerate(moves)]
        before = true_worth(s, true_prices)
        trip(s, usd, lambda: s.move(moves))
        assert true_worth(s, [s.price(i) for i in range(3)]) <= before + DUST_USD


@FUZZ
@given(
    moves=st.one_of(MOVES, CORNERS),
    usd=st.floats(1, 40_000),
    trip=st.sampled_from([redeem_then_deposit, in_kind_then_deposit]),
)
def test_leave__before_a_known_price__never_beats_staying(
    free: System, moves: list[float], usd: float, trip: Callable[..., None]
) -> None:
    """EQ-56: a holder that steps out around a known move does no better than one that slept."""
    s = free
    s.chain.request("evm_mine")
    with s.scenario():
        s.deposit(s.mallory, usd)
        with s.scenario():
            s.move(moves)
            asleep = true_worth(s, [s.price(i) for i in range(3)])
        trip(s, usd, lambda: s.move(moves))
        assert true_worth(s, [s.price(i) for i in range(3)]) <= asleep + DUST_USD


@FUZZ
@given(move=st.floats(-0.002, 0.002), usd=st.floats(10, 40_000), moves=MOVES, in_kind=st.booleans())
def test_enter__before_a_known_price_of_cash__never_profits(
    make_system: Callable[..., System], move: float, usd: float, moves: list[float], in_kind: bool
) -> None:
    """EQ-56: the cash token has a spread too; everything is measured in true dollars."""
    s = make_system(cash_spread_bps=20, fees=FeesConfig(0, 0))
    s.deposit(s.alice, 100_000)
    s.rebalance()
    before = s.cash_of(s.mallory) / 1e6 * (1 + move)
    shares = s.deposit(s.mallory, usd)
    s.move(moves)
    s.set_price(None, 1 + move)
    if in_kind:
        s.vault.send("redeemInKind", shares, s.mallory, s.mallory, [], sender=s.mallory)
    else:
        sell(s, shares)
    books, supply, prices = s.balances(), s.vault.call("totalSupply"), [s.price(i) for i in range(3)]
    nav = sum(b / 10**d * p for b, d, p in zip(books, s.decimals, prices, strict=False))
    nav += books[-1] / 1e6 * (1 + move)
    tokens = s.wealth(s.mallory, prices) - s.cash_of(s.mallory) / 1e6
    after = tokens + s.cash_of(s.mallory) / 1e6 * (1 + move) + nav * s.shares(s.mallory) / supply
    assert after <= before + DUST_USD


def test_enter__without_a_spread__would_profit(make_system: Callable[..., System]) -> None:
    """EQ-56: the control: with no spread and no fee the same trip does profit, so the tests above bite."""
    s = make_system(half_spread_bps=0, fees=FeesConfig(0, 0))
    s.deposit(s.alice, 100_000)
    s.rebalance()
    before = s.wealth(s.mallory)
    deposit_then_redeem(s, 10_000, lambda: s.move([HALF_SPREAD] * 3))
    assert s.wealth(s.mallory) > before + 1


TRIPS = {
    "deposit, price, redeem": deposit_then_redeem,
    "deposit, price, exit in kind": deposit_then_in_kind,
    "redeem, price, deposit": redeem_then_deposit,
    "exit in kind, price, deposit": in_kind_then_deposit,
}


@pytest.mark.parametrize("trip", TRIPS)
def test_latency__of_the_oracle_at_every_corner__pays_nobody(free: System, attack: Ledger, trip: str) -> None:
    """EQ-56: 20,000 USD, no fees, every asset half a spread up or down in the next round: the best of all."""
    s, best, loss = free, -1e9, 0.0
    leaves = TRIPS[trip] in (redeem_then_deposit, in_kind_then_deposit)
    if leaves:
        s.deposit(s.mallory, 20_000)
    for corner in product((-HALF_SPREAD, HALF_SPREAD), repeat=3):
        with s.scenario(), measured(s, s.mallory) as score:
            TRIPS[trip](s, 20_000, lambda c=corner: s.move(c))  # type: ignore[misc]
        best, loss = max(best, score.profit), max(loss, score.loss)
    attack(f"latency: {trip}", best, loss, why="against holding, at the new prices; no fees")


def test_order__of_price_and_report_in_one_block__pays_nobody(invested: System, attack: Ledger) -> None:
    """EQ-56 EQ-82: both are known before they land; mallory puts them and herself in any order."""
    s, best, loss, at = invested, -1e9, 0.0, ""
    steps: dict[str, Callable[[], object]] = {
        "enter": lambda: s.deposit(s.mallory, 20_000),
        "price": lambda: s.move([HALF_SPREAD] * 3),
        "report": lambda: s.post_volatilities([v * 0.8 for v in s.vols]),
        "auction": lambda: bid_now(s),
    }
    s.cash.send("approve", s.vault, 2**255, sender=s.mallory)
    for order in permutations(steps):
        with s.scenario(), measured(s, s.mallory, s.keeper) as score, s.one_block():
            for step in order:
                steps[step]()
            sell(s, s.shares(s.mallory))
            if s.shares(s.mallory):
                s.vault.send("redeemInKind", s.shares(s.mallory), s.mallory, s.mallory, [], sender=s.mallory)
        loss = max(loss, score.loss)
        if score.profit > best:
            best, at = score.profit, ", ".join(order)
    attack("order of price, report and oneself", best, loss, why=f"best of 24: {at}")


def bid_now(s: System) -> None:
    """Open, and take what is for sale at the start of the curve with the keeper's fortune."""
    if s.attempt(s.auction, "open", sender=s.keeper, unless=["RebalanceAuction__WithinBands"]):
        s.fill_all(s.keeper)
