"""Uniswap as a weapon: flash-sized swaps around the vault, its filler and its zap."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from equipoise.units import WAD
from tests.fixtures.attacks import Heist, Ledger, gas_usd, measured
from tests.fixtures.levered import Levered
from tests.fixtures.system import MAX, System
from tests.fixtures.trading import FOREVER, fund_usd, swap

ETH = 1
FLASH_FEE = 0.0005
"""What Aave and most others ask of a flash loan."""


def enter_and_leave(s: Levered) -> None:
    s.deposit(s.mallory, 1_000_000)
    most = s.vault.call("maxRedeem", s.mallory)
    s.vault.send("redeem", most, s.mallory, s.mallory, sender=s.mallory)
    if s.shares(s.mallory):
        s.vault.send("redeemInKind", s.shares(s.mallory), s.mallory, s.mallory, [], sender=s.mallory)


def open_and_bid(s: Levered) -> None:
    s.attempt(s.auction, "open", sender=s.mallory, unless=["RebalanceAuction__WithinBands"])
    s.attempt(s.auction, "ripcord", sender=s.mallory, unless=["RebalanceAuction__RipcordNotDue"])
    args = (s.auction.call("current").id, s.tokens[ETH], s.cash, MAX, MAX, s.mallory)
    s.attempt(s.auction, "bid", *args, sender=s.mallory, unless=["RebalanceAuction__NotOpen"])


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("game", [enter_and_leave, open_and_bid])
def test_flash_loan__through_uniswap__does_not_move_the_nav(
    levered: Levered, heist: Heist, game: Callable[[Levered], None], direction: str
) -> None:
    """EQ-56 EQ-82: prices are feeds'; the swaps there and back cost two fees, the loan one."""
    s, loan = levered, 30_000_000
    fund_usd(s, s.mallory, loan)
    eth = s.tokens[ETH]
    there = (s.cash, eth) if direction == "up" else (eth, s.cash)
    amount = s.units(loan) if direction == "up" else eth.call("balanceOf", s.mallory)
    name = f"flash loan: Uniswap {direction}, {game.__name__.replace('_', ' ')}"
    with heist(name, s, s.mallory) as score, s.one_block():
        nav = s.vault.call("nav")
        got = swap(s, s.mallory, *there, amount)
        assert abs(s.world.pool_price("ETH") / s.price(ETH) - 1) > 0.15  # type: ignore[union-attr]
        assert s.vault.call("nav") == nav
        game(s)
        swap(s, s.mallory, *there[::-1], got)
        score.gas = loan * FLASH_FEE
        score.why = f"{loan / 1e6:.0f}m USD swapped; a loan costs {FLASH_FEE:.2%}"


def test_sandwich__of_the_zap__takes_no_more_than_its_owner_allowed(levered: Levered, attack: Ledger) -> None:
    """EQ-111: alice leaves with a quarter and accepts 1 % less than the pools say; any size around her."""
    s, slippage, best = levered, 0.01, None
    fund_usd(s, s.mallory, 20_000_000)
    shares = s.shares(s.alice) // 4
    s.vault.send("approve", s.zap, shares, sender=s.alice)
    order: tuple[list[int], list[str], str, int] = (list(s.contracts.pool_fees), [], s.alice, FOREVER)
    fair = s.zap.call("exit", shares, 0, *order, sender=s.alice)
    least = round(fair * (1 - slippage))
    stopped = 0
    for usd in (50_000, 500_000, 2_000_000, 8_000_000):
        with s.scenario(), measured(s, s.mallory) as score:
            amounts = [round(usd / s.price(i) * 10**d) for i, d in enumerate(s.decimals)]
            got = [swap(s, s.mallory, t, s.cash, a) for t, a in zip(s.tokens, amounts, strict=True)]
            unless = ["ExitZap__InsufficientOutput"]
            done = s.attempt(s.zap, "exit", shares, least, *order, sender=s.alice, unless=unless)
            stopped += done is None
            for token, usdc in zip(s.tokens, got, strict=True):
                swap(s, s.mallory, s.cash, token, usdc)
        best = max(best, score.profit) if best is not None else score.profit
        assert score.loss <= 0.01  # the other holders are not even touched
    assert stopped
    assert best is not None
    why = f"EQ-111: at most {(fair - least) / 1e6:,.0f} USD by her own minimum; the pools' fees cost more"
    attack("sandwich of a zap with 1 % slippage", best, 0.0, why=why)


def test_sandwich__of_the_filler__leaves_the_vault_its_price(levered: Levered, attack: Ledger) -> None:
    """EQ-110: the vault is paid mid times curve or there is no fill; a keeper loses its profit at most."""
    s = levered
    assert s.world
    s.deposit(s.bob, 500_000)
    s.world.align_pools()
    s.open()
    s.to_curve(0.995)
    fund_usd(s, s.mallory, 20_000_000)
    eth, current = s.tokens[ETH], s.auction.call("current").id
    lot = s.auction.call("quoteBid", s.cash, eth, MAX).sold * 9 // 10
    fee = s.contracts.pool_fees[ETH]
    honest = s.filler.call("fill", (current, s.cash, eth, fee, lot, 0, s.keeper), sender=s.keeper)
    order = (current, s.cash, eth, fee, lot, honest // 2, s.keeper)
    best, stopped = None, 0
    for usd in (50_000, 500_000, 2_000_000, 8_000_000):
        with s.scenario(), measured(s, s.mallory) as score:
            got = swap(s, s.mallory, s.cash, eth, s.units(usd))
            unless = ["UniswapV3Filler__ProfitTooLow", "RebalanceAuction__BidTooDear"]
            done = s.attempt(s.filler, "fill", order, sender=s.keeper, unless=unless)
            stopped += done is None
            if done:
                (bid,) = s.auction.events(done, "Bid")
                assert bid.buyValueWad >= bid.sellValueWad * 0.995 * (1 - 1e-3)
            swap(s, s.mallory, eth, s.cash, got)
        best = max(best, score.profit) if best is not None else score.profit
    assert stopped
    assert best is not None
    bound = (honest - honest // 2) / WAD * s.price(ETH)
    attack(
        "sandwich of a fill", best, 0.0, bound, "EQ-110: half of the keeper's own profit, which it gave up"
    )


def test_dust_bid__before_a_fill__spoils_only_an_order_for_the_whole_lot(
    levered: Levered, heist: Heist
) -> None:
    """EQ-83 EQ-131: lots are for what idle cash does not repay; that it repays with a dust bid shrinks none.

    An order for every unit that was quoted fails by the dust; one for a thousandth less goes through.
    """
    s = levered
    s.crash(-0.2)
    assert s.world
    s.world.align_pools()
    s.pull()
    s.warp(600)
    current, idle = s.auction.call("current").id, s.balances()[-1]
    assert idle > s.units(10_000)

    def order(part: float) -> tuple[object, ...]:
        lots = s.auction.call("quoteBasket", [MAX] * s.n).sold[: s.n]
        return current, [int(lot * part) for lot in lots], list(s.contracts.pool_fees), 0, s.keeper

    whole, most = order(1.0), order(0.999)
    with (
        heist(
            "dust bids before a ripcord's fills", s, s.mallory, why="gas; the loss is the keeper's discount"
        ) as score,
        s.one_block(),
    ):
        for _ in range(6):
            args = (current, [10**2, 10**10, 10**10], MAX, s.mallory)
            score.gas += gas_usd(s.auction.send("bidBasket", *args, sender=s.mallory).gas_used)
        assert s.balances()[-1] == 0
        s.refuses("RebalanceAuction__LotExceeded", s.filler, "fillBasket", whole, sender=s.keeper)
        s.filler.send("fillBasket", most, sender=s.keeper)
        assert s.health() > 1.55


@pytest.mark.parametrize("fee", [0, 3_000])
def test_unit_given_to_the_zap__of_a_token_that_is_blocked__stops_no_exit(
    invested: System, heist: Heist, fee: int
) -> None:
    """EQ-111: the token freezes, everybody skips it; a unit of it in the zap must not be touched then."""
    s, stuck = invested, invested.tokens[0]
    s.vault.send("approve", s.zap, MAX, sender=s.alice)
    stuck.send("mint", s.mallory, 1, sender=s.owner)
    with heist("a unit of a frozen token given to the zap", s, s.mallory, why="not touched"):
        stuck.send("transfer", s.zap, 1, sender=s.mallory)
        for who in (s.vault, s.zap, s.impostor, s.alice, s.bob):
            stuck.send("setBlocked", who, True, sender=s.owner)
        args = (10 * WAD, 1, [fee, 3_000, 3_000], [stuck], s.bob, FOREVER)
        before = s.cash_of(s.bob)
        s.zap.send("exit", *args, sender=s.alice)
        assert s.cash_of(s.bob) > before
    assert stuck.call("balanceOf", s.zap) == 1
