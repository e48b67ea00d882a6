"""Borrowing within its rules: targets, modes by health factor, the ripcord's start and end."""

from __future__ import annotations

import pytest

from equipoise.client.config import AuctionConfig
from equipoise.errors import ContractRevert
from equipoise.policy.leverage import age_cap, health_cap
from equipoise.units import WAD
from tests.fixtures.levered import Levered
from tests.fixtures.system import MAX, System

NORMAL, NO_INCREASE, DELEVER_ONLY, IN_KIND_ONLY = range(4)
HOUR = 3_600
AUCTION = {"target_volatility": 0.3, "max_leverage": 3.0}


def set_params(s: Levered, **changes: float) -> None:
    params = AuctionConfig(**{**AUCTION, **changes}).params()  # type: ignore[arg-type]
    s.auction.send("setParams", params, sender=s.owner)


def to_health(s: Levered, health: float) -> None:
    """Move every price so that Aave's health factor is this."""
    s.crash(health / s.health() - 1)


def exposures(s: Levered) -> list[float]:
    return [e / WAD for e in s.auction.call("riskState").exposuresWad]


# -------------------------------------------------------------------- targets


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


# ---------------------------------------------------------------------- modes


@pytest.mark.parametrize(
    ("health", "mode"),
    [(1.46, NORMAL), (1.44, NO_INCREASE), (1.31, NO_INCREASE), (1.29, DELEVER_ONLY), (0.9, DELEVER_ONLY)],
)
def test_mode__by_health_factor__is_a_view_of_it(levered: Levered, health: float, mode: int) -> None:
    """EQ-100: it comes with the facts and goes with them."""
    s = levered
    before = s.world.prices()  # type: ignore[union-attr]
    to_health(s, health)
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


# -------------------------------------------------------------------- ripcord


def test_ripcord__at_the_trigger__is_refused_until_below_it(levered: Levered) -> None:
    """EQ-132: RebalanceAuction__RipcordNotDue at 1.3, a start just below it."""
    s = levered
    to_health(s, 1.3005)
    s.refuses("RebalanceAuction__RipcordNotDue", s.auction, "ripcord", sender=s.mallory)
    to_health(s, 1.2995)
    s.auction.send("ripcord", sender=s.mallory)
    current = s.auction.call("current")
    assert current.ripcord
    assert current.endsAt - current.startedAt == 4 * 900
    args = (current.id, s.cash, s.tokens[0], 1, MAX, s.keeper)
    s.refuses("RebalanceAuction__OnlyCashBought", s.auction, "bid", *args, sender=s.keeper)


def test_ripcord__silent_signers__brings_the_target_back(levered: Levered) -> None:
    """EQ-132: with the volatility oracle dead and prices alive, already below the target."""
    s = levered
    s.warp(97 * HOUR)
    s.refresh_prices()
    to_health(s, 1.55)
    s.pull()
    s.bid_basket()
    assert s.health() >= 1.6


@pytest.mark.parametrize("health", [0.97, 1.1, 1.29])
@pytest.mark.parametrize("cash", [0, 50_000])
def test_ripcord__some_idle_cash__sells_for_the_rest_of_the_debt(
    levered: Levered, cash: int, health: float
) -> None:
    """EQ-131: with the cash the whole lot ends at the target, and a thousandth less below it."""
    s = levered
    if cash:
        s.deposit(s.bob, cash)
    to_health(s, health)
    s.pull()
    s.warp(900)
    with s.scenario():
        lots = s.auction.call("quoteBasket", [MAX] * 3).sold[:3]
        s.bid_basket([lot - lot // 1_000 for lot in lots])
        assert s.balances()[-1] == 0
        assert s.health() < 1.6
    s.bid_basket()
    assert 1.6 <= s.health() <= 1.6 * (1 + 1e-5)
    assert s.balances()[-1] == 0 < s.debt()


@pytest.mark.parametrize("health", [1.1, 1.29])
@pytest.mark.parametrize("cash", [300_000, 1_000_000])
def test_ripcord__enough_idle_cash__sells_next_to_nothing(levered: Levered, cash: int, health: float) -> None:
    """EQ-131: the cash restores the target alone, with any bid; a ten-thousandth of each is for sale."""
    s = levered
    s.deposit(s.bob, cash)
    to_health(s, health)
    s.pull()
    s.warp(900)
    price, owed, *held = s.share_price(), s.debt(), *s.balances()
    with s.scenario():
        s.bid_basket([1, 0, 0])
        assert s.health() >= 1.6
    s.bid_basket()
    assert s.health() >= 1.6
    assert s.debt() <= max(0, owed - held[-1])
    sold = [before - after for before, after in zip(held[:-1], s.balances()[:-1], strict=True)]
    assert sold == pytest.approx([amount / 10_000 for amount in held[:-1]], rel=1e-4, abs=2)
    assert s.share_price() >= price * (1 - 1e-5)


@pytest.mark.parametrize("usd", [20, 1_000])
def test_ripcord__of_a_small_vault__is_done_with_a_second_bid(lending: Levered, usd: int) -> None:
    """EQ-131: units are coarse there; what rounding leaves below the target is no loop of dust bids."""
    s = lending
    s.deposit(s.alice, usd)
    s.lever()
    to_health(s, 1.2)
    s.pull()
    s.bid_basket()
    if s.health() < 1.6:
        s.bid_basket()
    assert 1.6 <= s.health() <= 1.6 * (1 + 1e-3)


def test_ripcord__dead_price__is_refused_by_its_name(levered: Levered) -> None:
    """EQ-40: nothing is sold at a price that nobody knows."""
    s = levered
    to_health(s, 1.2)
    s.pull()
    s.warp(26 * HOUR)
    with pytest.raises(ContractRevert) as caught:
        s.auction.call("quoteBasket", [MAX] * 3)
    assert caught.value.name in ("PriceOracle__StalePrice", "RebalanceAuction__NotOpen")


def test_ripcord__in_course__cannot_be_restarted_to_reset_its_discount(levered: Levered) -> None:
    """EQ-130 EQ-132: RebalanceAuction__AlreadyOpen for its hour; the discount rises from mid."""
    s = levered
    to_health(s, 1.2)
    s.pull()
    started = s.auction.call("current").startedAt
    assert s.auction.call("curveWad", started) == WAD
    assert s.auction.call("curveWad", started + 450) == WAD - int(0.015 * WAD)
    assert s.auction.call("curveWad", started + 2_000) == WAD - int(0.03 * WAD)
    s.refuses("RebalanceAuction__AlreadyOpen", s.auction, "ripcord", sender=s.mallory)
    s.refuses("RebalanceAuction__AlreadyOpen", s.auction, "open", sender=s.mallory)


def test_ripcord__over__can_be_pulled_again(levered: Levered) -> None:
    """EQ-132: nobody bid within its hour; the next one begins at mid."""
    s = levered
    to_health(s, 1.2)
    first = s.pull()
    s.warp(4 * 900 + 1)
    s.refresh_prices()
    assert s.pull() == first + 1
    assert s.auction.call("curveWad", s.now()) == WAD
    s.bid_basket()
    assert s.health() >= 1.6


def test_ripcord__silent_signers_but_healthy__is_not_due(levered: Levered) -> None:
    """EQ-132: reports too old for anything but less debt; at the target health there is nothing to save."""
    s = levered
    s.warp(97 * HOUR)
    s.refresh_prices()
    assert s.guard.call("riskMode") == DELEVER_ONLY
    to_health(s, 1.601)
    s.refuses("RebalanceAuction__RipcordNotDue", s.auction, "ripcord", sender=s.mallory)
    to_health(s, 1.599)
    s.pull()


def test_ripcord__nothing_left_of_the_equity__sells_nothing(levered: Levered) -> None:
    """EQ-133: RebalanceAuction__EmptyVault: what is left is the lender's; no discount helps there."""
    s = levered
    to_health(s, 1.2)
    s.pull()
    book = s.vault.call("portfolio")
    owed = (book.debtWad - book.valuesWad[-1]) / sum(book.valuesWad[:-1])
    with s.scenario():
        s.crash(owed * 0.999 - 1)
        args = (s.auction.call("current").id, [MAX] * 3, MAX, s.keeper)
        s.refuses("RebalanceAuction__EmptyVault", s.auction, "bidBasket", *args, sender=s.keeper)
    s.crash(owed * 1.03 - 1)
    s.auction.call("quoteBasket", [MAX] * 3)


def test_ripcord__collateral_all_liquidated__sells_nothing(lending: Levered) -> None:
    """EQ-133: RebalanceAuction__EmptyVault with more cash than debt, too: there is nothing to sell."""
    s = lending
    set_params(s, max_leverage=1.0)
    s.deposit(s.alice, 1_000_000)
    s.lever()
    s.crash(-0.99)
    assert s.aave.liquidate(s.account.address)
    *tokens, cash = s.balances()
    assert tokens == [0, 0, 0]
    assert cash > s.debt() > 0
    s.pull()
    args = (s.auction.call("current").id, [MAX] * 3, MAX, s.keeper)
    s.refuses("RebalanceAuction__EmptyVault", s.auction, "bidBasket", *args, sender=s.keeper)


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


def test_ripcord__done__gives_way_to_an_auction(levered: Levered) -> None:
    """EQ-132: its bids end with the target, and a regular auction need not wait for its hour."""
    s = levered
    to_health(s, 1.2)
    s.pull()
    s.bid_basket()
    args = (s.auction.call("current").id, [MAX] * 3, MAX, s.keeper)
    s.refuses("RebalanceAuction__RipcordNotDue", s.auction, "bidBasket", *args, sender=s.keeper)
    s.post_volatilities([v * 3 for v in s.vols])
    s.open()
    assert not s.auction.call("current").ripcord


def test_ripcord__during_an_auction__takes_its_place(levered: Levered) -> None:
    """EQ-132: a crash does not wait for the end of a rebalance."""
    s = levered
    s.deposit(s.bob, 300_000)
    first = s.open()
    to_health(s, 1.1)
    assert s.pull() == first + 1
    args = (first, s.tokens[0], s.cash, MAX, MAX, s.keeper)
    s.refuses("RebalanceAuction__NotOpen", s.auction, "bid", *args, sender=s.keeper)


def test_ripcord__below_one__needs_enough_of_the_basket(levered: Levered) -> None:
    """EQ-133: Aave lets nothing out below 1; a small bid is refused by it, the basket passes."""
    s = levered
    to_health(s, 0.93)
    s.pull()
    args = (s.auction.call("current").id, s.tokens[1], s.cash, 10**15, MAX, s.keeper)
    s.refuses("LendingAccount__Refused", s.auction, "bid", *args, sender=s.keeper)
    s.bid_basket()
    assert s.health() >= 1.6


def test_bid_basket__bad_arguments__are_refused(levered: Levered, system: System) -> None:
    """EQ-87: RebalanceAuction__LengthMismatch and RebalanceAuction__NoLendingAccount."""
    s = levered
    to_health(s, 1.2)
    s.pull()
    current = s.auction.call("current").id
    for amounts, error in (
        ([MAX] * 2, "RebalanceAuction__LengthMismatch"),
        ([0] * 3, "RebalanceAuction__ZeroAmount"),
        ([10**30, 0, 0], "RebalanceAuction__LotExceeded"),
    ):
        s.refuses(error, s.auction, "bidBasket", current, amounts, MAX, s.keeper, sender=s.keeper)
    s.refuses(
        "RebalanceAuction__BidTooDear",
        s.auction,
        "bidBasket",
        current,
        [MAX] * 3,
        1,
        s.keeper,
        sender=s.keeper,
    )
    system.refuses("RebalanceAuction__NoLendingAccount", system.auction, "ripcord", sender=system.keeper)


def test_bid_basket__in_a_regular_auction__sells_every_surplus_at_once(levered: Levered) -> None:
    """EQ-83: volatility doubles, everything is too much; one bid brings all of it to the debt."""
    s = levered
    s.post_volatilities([v * 2 for v in s.vols])
    s.open()
    s.to_curve(1.0)
    debt = s.debt()
    s.bid_basket()
    assert s.debt() < 0.6 * debt
    assert s.leverage() == pytest.approx(s.targets_met(), rel=1e-2)


def test_bid__of_a_single_unit__hands_it_over(levered: Levered) -> None:
    """EQ-83: with debt each token of a sale is fetched from the venue, the smallest amount too."""
    s = levered
    s.post_volatilities([v * 2 for v in s.vols])
    s.open()
    s.to_curve(1.0)
    bid = s.bid(s.tokens[0], s.cash, 1, s.bob)
    assert (bid.sellAmount, s.tokens[0].call("balanceOf", s.bob)) == (1, 1)
