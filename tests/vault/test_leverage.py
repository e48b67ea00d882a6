"""Borrowing within its rules: targets, modes by health factor."""

from __future__ import annotations

import pytest

from equipoise.client.config import AuctionConfig
from equipoise.errors import ContractRevert
from equipoise.policy.leverage import age_cap, health_cap
from equipoise.units import WAD
from tests.fixtures.levered import Levered
from tests.fixtures.system import MAX

NORMAL, NO_INCREASE, DELEVER_ONLY, IN_KIND_ONLY = range(4)
HOUR = 3_600
AUCTION = {"target_volatility": 0.3, "max_leverage": 3.0}


def set_params(s: Levered, **changes: float) -> None:
    params = AuctionConfig(**{**AUCTION, **changes}).params()  # type: ignore[arg-type]
    s.auction.send("setParams", params, sender=s.owner)


def exposures(s: Levered) -> list[float]:
    return [e / WAD for e in s.auction.call("riskState").exposuresWad]


def test_leverage__after_the_auctions__stands_at_its_health_factor(levered: Levered) -> None:
    """EQ-18 EQ-88: the cap binds; the buffer is idle; Aave's own health factor is the target."""
    s = levered
    assert s.health() == pytest.approx(1.6, rel=1e-3)
    cap = health_cap(exposures(s), [0.78, 0.83, 0.75], 1.6, 0.02)
    assert s.leverage() == pytest.approx(cap, rel=1e-3)
    book = s.vault.call("portfolio")
    assert book.valuesWad[-1] / book.navWad == pytest.approx(0.02, rel=1e-3)
    state = s.auction.call("riskState")
    assert state.parityGapWad < 0.005 * WAD
    assert state.volatilityWad == pytest.approx(state.targetVolatilityWad, rel=1e-3)


@pytest.mark.parametrize("cap", [0.9, 1.0, 1.3, 3.0])
def test_leverage__maximum__holds(lending: Levered, cap: float) -> None:
    """EQ-88: lambda is the least of its caps."""
    s = lending
    set_params(s, max_leverage=cap)
    s.deposit(s.alice, 1_000_000)
    s.lever()
    assert s.leverage() == pytest.approx(min(cap, 1.8868), rel=2e-3)
    assert (s.debt() > 0) == (cap > 0.98)


@pytest.mark.parametrize("age", [36 * HOUR, 48 * HOUR, 90 * HOUR, 96 * HOUR, 200 * HOUR])
def test_leverage__as_the_report_ages__shrinks_to_one(levered: Levered, age: int) -> None:
    """EQ-19: from fresh to silent in a straight line."""
    s = levered
    at = s.volatility_oracle.call("exposureData").volatilitiesAt
    s.warp(at + age - s.now())
    s.refresh_prices()
    age_now = s.now() - at
    cap = health_cap(exposures(s), [0.78, 0.83, 0.75], 1.6, 0.02)
    wanted = min(cap, age_cap(age_now, 36 * HOUR, 96 * HOUR, 3.0))
    assert s.targets_met() == pytest.approx(wanted, rel=1e-3)


def test_leverage__of_tokens_that_back_nothing__falls(levered: Levered) -> None:
    """EQ-18: with every LTV at zero the targets need no debt but the buffer."""
    s = levered
    for name, threshold in (("BTC", 0.78), ("ETH", 0.83), ("SPX", 0.75)):
        s.aave.set_terms(name, 0.0, threshold, 0.05)
    assert s.targets_met() == pytest.approx(0.98, rel=1e-6)


def test_borrowing__too_dear__is_refused_and_forces_no_sale(levered: Levered) -> None:
    """EQ-89: RebalanceAuction__BorrowTooDear: a pushed rate stops increases, no more."""
    s = levered
    s.deposit(s.bob, 500_000)
    s.open()
    s.to_curve(1.0)
    s.aave.set_utilisation("USDC", 0.97)
    assert s.aave.borrow_rate() > 0.2
    for token in s.tokens[:2]:
        s.attempt(
            *(s.auction, "bid", s.auction.call("current").id, s.cash, token, MAX, MAX, s.keeper),
            sender=s.keeper,
            unless=["RebalanceAuction__BorrowTooDear"],
        )
    args = (s.auction.call("current").id, s.cash, s.tokens[2], MAX, MAX, s.keeper)
    s.refuses("RebalanceAuction__BorrowTooDear", s.auction, "bid", *args, sender=s.keeper)
    assert s.targets_met() == pytest.approx(max(s.leverage(), 0.98), rel=1e-3)


def test_borrowing__too_dear__leaves_a_vault_that_owes_nothing_its_own_money(lending: Levered) -> None:
    """EQ-89: all but the buffer is invested, and nothing is borrowed."""
    s = lending
    s.deposit(s.alice, 100_000)
    s.aave.set_utilisation("USDC", 0.97)
    assert s.targets_met() == pytest.approx(0.98, rel=1e-6)


def test_purchase__that_would_weaken_the_health_factor__is_refused(levered: Levered) -> None:
    """EQ-89: RebalanceAuction__HealthTooLow, by Aave's own number after the trade."""
    s = levered
    s.crash(0.05)
    s.deposit(s.bob, 500_000)
    s.open()
    s.to_curve(1.0)
    s.guard.send("setParams", (*s.guard.call("params")[:5], int(1.65 * WAD), int(5 * WAD)), sender=s.owner)
    refused = []
    for token in s.tokens:
        args = (s.auction.call("current").id, s.cash, token, MAX, MAX, s.keeper)
        try:
            s.auction.send("bid", *args, sender=s.keeper)
        except ContractRevert as revert:
            refused.append(revert.name)
    assert set(refused) == {"RebalanceAuction__HealthTooLow"}
    assert s.health() >= 1.65


@pytest.mark.parametrize(
    ("health", "mode"),
    [(1.46, NORMAL), (1.44, NO_INCREASE), (1.31, NO_INCREASE), (1.29, DELEVER_ONLY), (0.9, DELEVER_ONLY)],
)
def test_mode__by_health_factor__is_a_view_of_it(levered: Levered, health: float, mode: int) -> None:
    """EQ-100: it comes with the facts and goes with them."""
    s = levered
    before = s.world.prices()  # type: ignore[union-attr]
    s.to_health(health)
    assert s.vault.call("mode") == mode
    assert s.guard.call("depositsAllowed", s.vault.call("healthFactorWad")) == (mode <= NO_INCREASE)
    if mode == DELEVER_ONLY:
        s.refuses("RiskParityVault__DepositsClosed", s.vault, "deposit", 10**6, s.bob, sender=s.bob)
        assert s.vault.call("maxDeposit", s.bob) == 0
    s.world.set_prices(before)  # type: ignore[union-attr]
    assert s.vault.call("mode") == NORMAL


def test_mode__when_the_venue_cannot_tell__is_in_kind_only(levered: Levered) -> None:
    """EQ-100: Aave's oracle is not ours: when it dies, nothing but the exit in kind is promised."""
    s = levered
    dead = "0x" + "00" * 19 + "01"
    s.aave.oracle.send("setAssetSources", [s.tokens[0].address], [dead], sender=s.aave.admin)
    assert s.vault.call("mode") == IN_KIND_ONLY
    assert s.vault.call("maxDeposit", s.bob) == 0
    mute = "LendingAccount__NoHealthFactor"
    s.refuses(mute, s.vault, "deposit", 10**6, s.bob, sender=s.bob)
    s.refuses(mute, s.vault, "mint", 10**18, s.bob, sender=s.bob)
    s.refuses(mute, s.auction, "ripcord", sender=s.keeper)


def test_open__with_a_ripcord_and_a_mute_venue__is_refused_by_name(levered: Levered) -> None:
    """EQ-132: whether the ripcord has done its work only the venue can tell."""
    s = levered
    s.crash(-0.22)
    s.pull()
    dead = "0x" + "00" * 19 + "01"
    s.aave.oracle.send("setAssetSources", [s.tokens[0].address], [dead], sender=s.aave.admin)
    s.refuses("LendingAccount__NoHealthFactor", s.auction, "open", sender=s.keeper)


def test_bid__while_increases_are_paused__spends_the_buffer_on_the_debt(levered: Levered) -> None:
    """EQ-88: in quiet times 2 % of NAV stays in cash for redemptions, in others all of it repays."""
    s = levered
    s.post_volatilities([v * 1.5 for v in s.vols])
    s.open()
    s.to_curve(1.0)
    for paused in (False, True):
        with s.scenario():
            if paused:
                s.guard.send("pauseIncreases", sender=s.guardian)
            s.bid(s.tokens[0], s.cash)
            book = s.vault.call("portfolio")
            left = 0 if paused else 0.02
            assert book.valuesWad[-1] / book.navWad == pytest.approx(left, rel=2e-3, abs=1e-9)
            assert book.debt > 0


def test_bid__of_a_single_unit__hands_it_over(levered: Levered) -> None:
    """EQ-83: with debt each token of a sale is fetched from the venue, the smallest amount too."""
    s = levered
    s.post_volatilities([v * 2 for v in s.vols])
    s.open()
    s.to_curve(1.0)
    bid = s.bid(s.tokens[0], s.cash, 1, s.bob)
    assert (bid.sellAmount, s.tokens[0].call("balanceOf", s.bob)) == (1, 1)
