"""Ways in and out at constant prices: none may profit, nobody may pay for another's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.client.config import FeesConfig
from equipoise.units import WAD
from tests.fixtures.system import FUZZ, System

UNLESS = [
    "RiskParityVault__ZeroShares",
    "RiskParityVault__ZeroAssets",
    "RiskParityVault__InsufficientCash",
    "RiskParityVault__ZeroAmount",
    "ERC20InsufficientBalance",
]
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["deposit", "mint", "withdraw", "redeem", "redeemInKind"]),
        st.one_of(st.integers(1, 10**4), st.integers(1, 3 * 10**10)),
    ),
    min_size=2,
    max_size=7,
)
FEES = st.sampled_from([(0, 0), (0.0005, 0.0005), (0.01, 0.0), (0.0, 0.01)])


def act(s: System, who: str, action: str, amount: int) -> None:
    """`amount` in wei of cash, or the same number of shares' dust."""
    if action in ("mint", "redeem", "redeemInKind"):
        amount = amount * 10**12 + amount % 7
    args = {
        "deposit": (amount, who),
        "mint": (amount, who),
        "redeemInKind": (min(amount, s.shares(who)), who, who, []),
    }.get(action, (amount, who, who))
    s.attempt(s.vault, action, *args, sender=who, unless=UNLESS)


def worth(s: System, who: str) -> float:
    return s.wealth(who) + s.vault.call("nav").mid / 1e6 * s.shares(who) / s.vault.call("totalSupply")


@pytest.mark.parametrize("spread", [0, 50], ids=["no spread", "50 bp"])
@FUZZ
@given(actions=ACTIONS, fees=FEES)
def test_any_sequence__at_constant_prices__never_profits(
    invested: System, spread: int, actions: list[tuple[str, int]], fees: tuple[float, float]
) -> None:
    """EQ-57 and EQ-58: the actor gains nothing, and the share price at mid never falls."""
    s = invested
    with s.scenario():
        for token, feed in zip(s.tokens, s.feeds, strict=True):
            listing = (token, feed, 90_000, spread, 10**12, 10**27)
            s.price_oracle.send("setFeed", listing, sender=s.owner)
        s.vault.send("setFees", FeesConfig(*fees).params(), s.treasury, sender=s.owner)
        before, price = worth(s, s.mallory), s.share_price()
        for action, amount in actions:
            act(s, s.mallory, action, amount)
            new_price = s.share_price()
            assert new_price >= price
            price = new_price
        leave(s, s.mallory)
        assert worth(s, s.mallory) <= before + 2e-6
        assert_backed(s)


def leave(s: System, who: str) -> None:
    if s.shares(who):
        s.vault.send("redeemInKind", s.shares(who), who, who, [], sender=who)


def assert_backed(s: System) -> None:
    """EQ-61: the books never exceed the balances."""
    for token, book in zip([*s.tokens, s.cash], s.balances(), strict=True):
        assert book <= token.call("balanceOf", s.vault)


@FUZZ
@given(actions=ACTIONS, first=st.integers(1, 10**12))
def test_any_sequence__from_birth__never_profits(
    system: System, actions: list[tuple[str, int]], first: int
) -> None:
    """EQ-57: the same in a vault that holds a wei or a fortune, in cash alone, without fees."""
    s = system
    with s.scenario():
        s.vault.send("setFees", FeesConfig(0, 0).params(), s.treasury, sender=s.owner)
        s.vault.send("deposit", first, s.alice, sender=s.alice)
        before, price = s.cash_of(s.mallory), s.share_price()
        for action, amount in actions:
            act(s, s.mallory, action, amount)
            assert s.share_price() >= price
            price = s.share_price()
        leave(s, s.mallory)
        assert s.cash_of(s.mallory) <= before
        assert s.vault.call("convertToAssets", s.shares(s.alice)) >= first - 1
        assert_backed(s)


def test_deposit_and_redeem__in_one_block__loses_spread_and_fees(invested: System) -> None:
    """EQ-57: an atomic trip of 10,000 pays 10 bp of fees and the spread twice on the basket's part."""
    s = invested
    before = s.cash_of(s.mallory)
    with s.one_block():
        shares = s.deposit(s.mallory, 10_000)
        s.vault.send("redeem", shares, s.mallory, s.mallory, sender=s.mallory)
    lost = (before - s.cash_of(s.mallory)) / 1e6
    basket = s.auction.call("riskState").leverageWad / WAD
    assert lost == pytest.approx(10_000 * (0.001 + 0.01 * basket), rel=0.1)
