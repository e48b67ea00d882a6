"""Aave as a weapon: receipts given, reserves drained, rates pushed, liquidations, bad debt, the ripcord."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from equipoise.errors import ContractRevert
from equipoise.policy.leverage import ripcord_fraction
from equipoise.units import WAD
from tests.fixtures.attacks import Heist, Ledger, measured
from tests.fixtures.levered import Levered
from tests.fixtures.purse import VIRTUAL_SHARES
from tests.fixtures.system import MAX
from tests.fixtures.trading import fund_usd

VARIABLE, IN_KIND_ONLY = 2, 3
MUTE = "LendingAccount__NoHealthFactor"
BTC, ETH, SPX = range(3)


@pytest.fixture
def s(levered: Levered) -> Levered:
    """A million of alice's, levered; mallory has 20 million of every token and has approved Aave."""
    fund_usd(levered, levered.mallory, 20_000_000)
    for token in [*levered.tokens, levered.cash]:
        token.send("approve", levered.aave.pool, MAX, sender=levered.mallory)
    return levered


def supply(s: Levered, token: int, usd: float, for_whom: str = "") -> None:
    amount = round(usd / s.price(token) * 10 ** s.decimals[token])
    s.aave.pool.send("supply", s.tokens[token], amount, for_whom or s.mallory, 0, sender=s.mallory)


def leave(s: Levered, who: str) -> None:
    s.vault.send("redeemInKind", s.shares(who), who, who, [], sender=who)


# ---------------------------------------------------------------------- gifts


def test_receipts_given__at_birth__inflate_nothing(lending: Levered, heist: Heist) -> None:
    """EQ-54 EQ-63: receipts count in the NAV, and still a first depositor cannot take from the second."""
    s = lending
    fund_usd(s, s.mallory, 1_000_000)
    for token in s.tokens:
        token.send("approve", s.aave.pool, MAX, sender=s.mallory)
    with heist("inflation at birth by receipts", s, s.mallory) as score:
        s.vault.send("deposit", 100, s.mallory, sender=s.mallory)
        supply(s, ETH, 1_000_000, s.account.address)
        shares = s.deposit(s.bob, 1_000)
        leave(s, s.mallory)
        assert s.vault.call("convertToAssets", shares) >= 1_000 * 10**6 * 0.99
        score.why = "a gift; the second depositor has his 1,000 less fee and spread"


def test_collateral_given__whose_price_dies__is_dropped_by_anyone(s: Levered, heist: Heist) -> None:
    """EQ-126: a unit of a reserve not the vault's would tie its exits and its ripcord to one more feed."""
    pledge = s.aave.tokens["PLEDGE"]
    s.crash(-0.2)
    with heist("a unit of foreign collateral", s, s.mallory, why="anybody drops it"):
        s.aave.a_tokens["PLEDGE"].send("transfer", s.account, 1, sender=s.aave.borrower)
        s.aave.oracle.send("setAssetSources", [pledge], ["0x" + "00" * 19 + "01"], sender=s.aave.admin)
        assert s.contracts.dashboard().mode == IN_KIND_ONLY
        s.refuses(MUTE, s.auction, "ripcord", sender=s.keeper)
        s.refuses("LendingAccount__Refused", s.vault, "redeemInKind", *half(s, s.alice), sender=s.alice)
        s.account.send("dropCollateral", pledge, sender=s.bob)
        s.refuses("LendingAccount__NotHeld", s.account, "useAsCollateral", pledge, sender=s.mallory)
        s.vault.send("redeemInKind", *half(s, s.alice), sender=s.alice)
        s.pull()
        s.bid_basket()


def half(s: Levered, who: str) -> tuple[int, str, str, list[str]]:
    return s.shares(who) // 2, who, who, []


def test_collateral_given__is_not_counted_on__and_nothing_else_is_dropped(s: Levered) -> None:
    """EQ-126 EQ-122: also where the health factor without it is below 1.3; Aave holds it at 1."""
    s.crash(1.2 / s.health() - 1)
    alone = s.health()
    supply(s, SPX, 1.0)
    s.aave.pool.send("supply", s.cash, 10**11, s.account, 0, sender=s.mallory)
    assert s.health() > alone
    s.refuses("LendingAccount__NotZeroLtv", s.account, "dropCollateral", s.tokens[SPX], sender=s.mallory)
    s.account.send("dropCollateral", s.cash, sender=s.mallory)
    assert s.health() == pytest.approx(alone, rel=1e-6)
    s.aave.pool.send("supply", s.cash, 10**11, s.mallory, 0, sender=s.mallory)
    s.aave.a_tokens["USDC"].send("transfer", s.account, 1, sender=s.mallory)


def test_receipts_given__around_a_deposit__are_shared(s: Levered, heist: Heist) -> None:
    """EQ-54: before bob's deposit mallory, who holds half, lifts the price by a tenth."""
    s.deposit(s.mallory, 1_000_000)
    with heist("receipts given around a deposit", s, s.mallory) as score:
        supply(s, SPX, 200_000, s.account.address)
        before = s.share_price()
        shares = s.deposit(s.bob, 100_000)
        assert s.vault.call("convertToAssets", shares) >= s.units(100_000) * 0.985
        assert s.share_price() >= before
        leave(s, s.mallory)
        score.why = "half of the gift is alice's"


@pytest.mark.parametrize("kept", [1, 10])
def test_virtual_shares__made_dear_by_forfeits__make_nobody_overpay(
    lending: Levered, attack: Ledger, kept: int
) -> None:
    """EQ-63 EQ-124: mallory burns all but a few for nothing; who comes and leaves in kind owes for his own.

    If they owed nothing each exit would pay their part of the debt too, mostly for mallory.
    """
    s, lost = lending, 0.0
    with measured(s, s.mallory) as score:
        s.deposit(s.mallory, 11_000)
        forfeit = s.shares(s.mallory) - kept * VIRTUAL_SHARES
        s.vault.send("redeemInKind", forfeit, s.mallory, s.mallory, [s.cash], sender=s.mallory)
        for who in (s.alice, s.bob) * 2:
            s.deposit(who, 89_000)
            s.lever()
            claim = s.vault.call("convertToAssets", s.shares(who)) / 1e6
            with measured(s, who) as exit_:
                leave(s, who)
            assert -exit_.profit == pytest.approx(claim * 0.0005, rel=0.01)
            lost -= exit_.profit
    why = "what she forfeits is more than the fees of those who leave"
    attack(f"forfeit all but {kept}e12 units, four exits in kind", score.profit, lost, why=why)


# ------------------------------------------------------------------ liquidity


def test_reserve__drained_in_a_crash__earns_no_liquidation(s: Levered, heist: Heist) -> None:
    """EQ-121 EQ-133: all BTC is borrowed, so that the ripcord cannot sell it; the others save the vault."""
    s.crash(-0.25)
    accomplice, before = s.aave.borrower, s.aave.utilisation("BTC")
    with heist("BTC drained from Aave in a crash", s, s.mallory, accomplice) as score:
        s.aave.set_utilisation("BTC", 1.0)
        s.pull()
        s.warp(60)
        args = (s.auction.call("current").id, [MAX] * 3, MAX, s.keeper)
        s.refuses("LendingAccount__Refused", s.auction, "bidBasket", *args, sender=s.keeper)
        s.bid_basket([0, MAX, MAX])
        assert s.health() > 1.35
        assert not liquidate(s, s.mallory)
        s.vault.send("redeemInKind", s.shares(s.alice) // 2, s.alice, s.alice, [], sender=s.alice)
        assert s.aave.a_tokens["BTC"].call("balanceOf", s.alice) > 0
        s.aave.set_utilisation("BTC", before)
        score.why = "interest; exits are paid in receipts, the others are sold"


def test_rate__pushed_for_a_block__forces_no_sale(s: Levered, heist: Heist) -> None:
    """EQ-89: with all cash borrowed credit is dear: increases stop, nothing opens, nothing is sold."""
    supply(s, SPX, 20_000_000)
    supply(s, BTC, 20_000_000)
    with heist("borrow rate pushed for a block", s, s.mallory, why="no increase, and no sale") as score:
        with s.one_block():
            drained = min(s.aave.liquidity("USDC"), s.units(25_000_000))
            s.aave.pool.send("borrow", s.cash, drained, VARIABLE, 0, s.mallory, sender=s.mallory)
            rate = s.aave.borrow_rate()
            s.refuses("RebalanceAuction__WithinBands", s.auction, "open", sender=s.mallory)
            s.refuses("RebalanceAuction__RipcordNotDue", s.auction, "ripcord", sender=s.mallory)
            s.aave.pool.send("repay", s.cash, MAX, VARIABLE, s.mallory, sender=s.mallory)
        score.why = f"at {rate:.0%} a year for a block: no increase, and no sale"


# ----------------------------------------------------------------- liquidation


def liquidate(s: Levered, who: str) -> bool:
    """Of the largest collateral, as much as may be."""
    args = (s.tokens[SPX], s.cash, s.account, MAX, False)
    try:
        s.aave.pool.send("liquidationCall", *args, sender=who)
    except ContractRevert:
        return False
    return True


@pytest.mark.parametrize("gap", [-0.3, -0.42])
def test_liquidation__after_the_ripcord__finds_nothing(s: Levered, heist: Heist, gap: float) -> None:
    """EQ-133: a keeper's bid for the basket restores the target, from below a health factor of 1, too."""
    s.crash(gap)
    assert (s.health() < 1) == (gap < -0.4)
    with heist(f"liquidation after a ripcord, prices {gap:+.0%}", s, s.mallory, why="health restored"):
        s.pull()
        s.bid_basket()
        assert s.health() >= 1.6
        assert not liquidate(s, s.mallory)


def test_liquidation__before_the_ripcord_after_a_gap__earns_the_venues_bonus(
    s: Levered, heist: Heist
) -> None:
    """EQ-133 EQ-130: the one case in which the liquidator may be first: 38 % and more in a block.

    The ripcord's lot is for sale all the same, and restores the target.
    """
    s.crash(-0.42)
    name = "liquidation before a ripcord, prices -42%"
    with heist(name, s, s.mallory) as score:
        debt = s.debt()
        assert liquidate(s, s.mallory)
        repaid = (debt - s.debt()) / 1e6
        score.bound = repaid * 0.1
        score.why = (
            f"known limit: Aave's own bonus on {repaid:,.0f} USD; after a gap through the whole buffer"
        )
        s.pull()
        s.bid_basket()
        assert s.health() >= 1.6


def test_bad_debt__socialised__is_no_bargain(s: Levered, heist: Heist) -> None:
    """EQ-60 EQ-124: 75 % in a block: more is owed than owned. Nobody enters, or gains by paying."""
    s.crash(-0.75)
    assert s.vault.call("nav").mid == 0
    for deposit in (("deposit", 10**9), ("mint", 10**18)):
        s.refuses("RiskParityVault__DepositsClosed", s.vault, *deposit, s.mallory, sender=s.mallory)
    with heist("bad debt paid off to enter cheaply", s, s.mallory) as score:
        s.aave.pool.send("repay", s.cash, s.debt() * 2, VARIABLE, s.account, sender=s.mallory)
        assert s.debt() == 0
        s.deposit(s.mallory, 100_000)
        leave(s, s.mallory)
        score.why = "what she pays is the holders'"


def test_bad_debt__behind_given_collateral__sells_no_shares(s: Levered, heist: Heist) -> None:
    """EQ-60: a gift makes the health factor well, not the NAV: nobody buys the recovery for a dollar."""
    gift = 2 * s.debt()
    assert s.world
    s.world.fund("USDC", s.mallory, gift)
    with heist("recovery bought for a dollar behind a gift", s, s.mallory) as score:
        s.aave.pool.send("supply", s.cash, gift, s.account, 0, sender=s.mallory)
        s.crash(-0.75)
        assert s.vault.call("nav").mid == 0 < s.debt()
        assert s.health() > 1.7
        for deposit in (("deposit", 10**6), ("mint", 10**18)):
            s.refuses("RiskParityVault__DepositsClosed", s.vault, *deposit, s.mallory, sender=s.mallory)
        assert s.vault.call("maxDeposit", s.mallory) == 0
        s.crash(3.0)
        score.why = "her gift is lost to her"


def test_bid__below_mid_while_more_is_owed__is_refused(s: Levered, heist: Heist) -> None:
    """EQ-84 EQ-85: of a NAV of 0 any loss is too much, however well given collateral keeps the health."""
    s.move([0.5, 0.0, 0.0])
    s.open()
    assert s.world
    gift = 2 * s.debt()
    s.world.fund("USDC", s.mallory, gift)
    with heist("bid below mid behind a gift", s, s.mallory) as score:
        s.aave.pool.send("supply", s.cash, gift, s.account, 0, sender=s.mallory)
        s.crash(-0.75)
        assert s.vault.call("nav").mid == 0 < s.debt()
        s.to_curve(0.995)
        order = (s.auction.call("current").id, s.tokens[0], s.cash, MAX, MAX, s.mallory)
        s.refuses("RebalanceAuction__LossBudgetExceeded", s.auction, "bid", *order, sender=s.mallory)
        s.crash(3.0)
        score.why = "her gift is lost to her"


# --------------------------------------------------------------------- ripcord


def test_ripcord__filled_by_its_only_bidder__costs_the_discount(s: Levered, heist: Heist) -> None:
    """EQ-130: nobody else bids for a quarter of an hour: the cap of the discount, on what is needed, once."""
    s.crash(-0.22)
    with heist("ripcord without competition", s, s.mallory) as score:
        s.pull()
        s.warp(900)
        bids = s.auction.events(s.bid_basket(bidder=s.mallory), "Bid")
        sold = sum(bid.sellValueWad for bid in bids) / WAD
        score.bound = sold * 0.03
        score.why = f"EQ-130: at most 3 % of {sold:,.0f} USD, after 15 minutes without a rival"
        args = (s.auction.call("current").id, [MAX] * 3, MAX, s.mallory)
        s.refuses("RebalanceAuction__RipcordNotDue", s.auction, "bidBasket", *args, sender=s.mallory)


@pytest.mark.parametrize("cash", [50_000, 1_000_000])
def test_ripcord__filled_while_cash_lies_idle__sells_nothing_for_debt_that_it_repays(
    s: Levered, heist: Heist, cash: int
) -> None:
    """EQ-130 EQ-131: a filler without a rival lets it sell at full discount what cash makes needless."""
    s.deposit(s.bob, cash)
    s.crash(1.29 / s.health() - 1)
    with heist(f"ripcord without competition, {cash:,} USD of idle cash", s, s.mallory) as score:
        s.pull()
        s.warp(900)
        book = s.vault.call("portfolio")
        collateral, debt = sum(book.valuesWad[:-1]) / WAD, book.debtWad / WAD
        rest = max(debt - book.valuesWad[-1] / WAD, 1e-9)
        need = collateral * max(0.01, ripcord_fraction(s.health() * debt / rest, 1.6, collateral, rest, 0.03))
        bids = s.auction.events(s.bid_basket(bidder=s.mallory), "Bid")
        sold = sum(bid.sellValueWad for bid in bids) / WAD
        assert sold <= need * (1 + 1e-4)
        assert s.health() >= 1.6
        score.bound = sold * 0.03
        score.why = f"EQ-130 EQ-131: at most 3 % of {sold:,.0f} USD, after 15 minutes without a rival"


def test_ripcord__due_early_by_withheld_reports__sells_what_the_target_lacks(
    s: Levered, heist: Heist
) -> None:
    """EQ-130 EQ-132: N - M + 1 signers are silent for four days: it is due below the target already."""
    s.warp(4 * 86_400 + 1)
    s.refresh_prices()
    s.crash(1.55 / s.health() - 1)
    with heist("reports withheld, ripcord at 1.55, no rival", s, s.mallory) as score:
        s.pull()
        s.warp(900)
        bids = s.auction.events(s.bid_basket(bidder=s.mallory), "Bid")
        sold = sum(bid.sellValueWad for bid in bids) / WAD
        score.bound = sold * 0.03
        score.why = f"EQ-130: at most 3 % of {sold:,.0f} USD, after 15 minutes without a rival"


def test_ripcord__farmed_with_a_rival__earns_nothing(s: Levered, heist: Heist) -> None:
    """EQ-130: it starts at mid and rises by 0.2 % a minute; a keeper needs 10 bp and comes first."""
    s.crash(-0.22)
    with heist("ripcord with a keeper", s, s.mallory, why="the keeper's 10 bp come first"):
        s.pull()
        s.warp(30)
        s.bid_basket(bidder=s.keeper)
        s.warp(870)
        args = (s.auction.call("current").id, [MAX] * 3, MAX, s.mallory)
        s.refuses("RebalanceAuction__RipcordNotDue", s.auction, "bidBasket", *args, sender=s.mallory)


def exit_half(s: Levered) -> None:
    s.vault.send("redeemInKind", s.shares(s.mallory) // 2, s.mallory, s.mallory, [], sender=s.mallory)


def skip_all(s: Levered) -> None:
    skip = [t.address for t in s.tokens]
    s.vault.send("redeemInKind", s.shares(s.mallory) // 9, s.mallory, s.mallory, skip, sender=s.mallory)


def take_cash(s: Levered) -> None:
    most = s.vault.call("maxRedeem", s.mallory)
    s.vault.send("redeem", most, s.mallory, s.mallory, sender=s.mallory)


def borrow_for_it(s: Levered) -> None:
    args = (s.cash, 10**6, VARIABLE, 0, s.account)
    with pytest.raises(ContractRevert):
        s.aave.pool.send("borrow", *args, sender=s.mallory)


def drop_collateral(s: Levered) -> None:
    for token in s.tokens:
        with pytest.raises(ContractRevert):
            s.account.send("dropCollateral", token, sender=s.mallory)


@pytest.mark.parametrize("trick", [exit_half, skip_all, take_cash, borrow_for_it, drop_collateral])
def test_ripcord__made_due_by_hand__is_not(
    s: Levered, heist: Heist, trick: Callable[[Levered], None]
) -> None:
    """EQ-124 EQ-132: nothing that a holder or a stranger can do lowers the health factor; only prices do."""
    s.deposit(s.mallory, 1_000_000)
    s.crash(1.305 / s.health() - 1)
    name = f"ripcord made due: {trick.__name__.replace('_', ' ')}"
    with heist(name, s, s.mallory, why="health unmoved"), s.one_block():
        health = s.health()
        trick(s)
        assert s.health() >= health * (1 - 1e-9)
        s.refuses("RebalanceAuction__RipcordNotDue", s.auction, "ripcord", sender=s.mallory)


@pytest.mark.parametrize("minutes", [1, 15])
def test_ripcord__left_before_and_entered_after__takes_nothing_from_who_stays(
    s: Levered, attack: Ledger, minutes: int
) -> None:
    """EQ-56 EQ-130: a holder of half the vault steps out of the sale, against one who slept."""
    s.deposit(s.mallory, 1_000_000)
    s.lever()
    s.crash(-0.22)

    def rescue() -> float:
        s.pull()
        s.warp(60 * minutes)
        return sum(b.sellValueWad - b.buyValueWad for b in s.auction.events(s.bid_basket(), "Bid")) / WAD

    with s.scenario(), measured(s, s.mallory) as stayed:
        discount = rescue()
    with s.scenario(), measured(s, s.mallory) as left:
        tokens = s.wealth(s.mallory)
        leave(s, s.mallory)
        worth = s.wealth(s.mallory) - tokens
        rescue()
        s.deposit(s.mallory, worth)
    assert left.loss < stayed.loss
    bound = 0.0 if minutes == 1 else discount / 2
    why = "fees and spread cost more" if minutes == 1 else "EQ-130: spared her own half; others lose less too"
    name = f"leave before a ripcord filled after {minutes} min, return"
    attack(name, left.profit - stayed.profit, left.loss - stayed.loss, bound, why)
