"""Moving the real Uniswap V3 pool that checks a feed: in a block, over the window, in the band."""

from __future__ import annotations

import pytest

from equipoise.units import WAD
from tests.fixtures.attacks import Ledger
from tests.fixtures.levered import Levered
from tests.fixtures.system import MAX

WINDOW, BAND_BPS = 900, 2_000
ETH = 1
IN_KIND_ONLY, TWAP_DEVIATES = 3, 9
STAKE = 1_000_000


@pytest.fixture
def s(lending: Levered) -> Levered:
    """A million in the vault at its targets, ETH's feed checked by its pool, mallory with a fortune."""
    made = lending
    assert made.world
    made.deposit(made.alice, STAKE)
    made.lever()
    made.world.align_pools()
    made.warp(2 * WINDOW)
    made.refresh_prices()
    pool = made.world.pools["ETH"]
    made.price_oracle.send("setTwap", made.tokens[ETH], (pool, WINDOW, BAND_BPS), sender=made.owner)
    for token in (made.cash, made.tokens[ETH]):
        token.send("approve", made.world.router, MAX, sender=made.mallory)
    return made


def swap(s: Levered, sell: str, amount: int) -> int:
    """What mallory gets from the pool for an amount of USDC or ETH."""
    assert s.world
    tokens = {"USDC": s.cash, "ETH": s.tokens[ETH]}
    buy = tokens["ETH" if sell == "USDC" else "USDC"]
    before = buy.call("balanceOf", s.mallory)
    fee, now = s.world.assets[ETH].pool_fee, s.now() + 10_000
    order = (tokens[sell], buy, fee, s.mallory, now, amount, 0, 0)
    s.world.router.send("exactInputSingle", order, sender=s.mallory)
    return int(buy.call("balanceOf", s.mallory) - before)


def push(s: Levered, factor: float) -> tuple[float, int]:
    """Buy ETH until its pool stands at `factor` times the feed: USDC paid, ETH got (smallest unit)."""
    assert s.world
    paid, got, step = 0.0, 0, 200_000
    while s.world.pool_price("ETH") < factor * s.price(ETH):
        got += swap(s, "USDC", step * 10**6)
        paid += step
    return paid, got


def wealth(s: Levered) -> float:
    """mallory's USDC and ETH at the feed, and her shares at mid."""
    eth = s.tokens[ETH].call("balanceOf", s.mallory) / 1e18 * s.price(ETH)
    return eth + s.cash_of(s.mallory) / 1e6 + s.shares(s.mallory) / WAD * s.share_price() / WAD


def nav(s: Levered) -> float:
    return float(s.vault.call("totalAssets")) / 1e6


def test_twap__moved_within_a_block__does_not_move(s: Levered, attack: Ledger) -> None:
    """EQ-47: a mean over time has no weight for an instant; the swap there and back costs two fees."""
    before, start = wealth(s), nav(s)
    with s.one_block():
        quote = s.price_oracle.call("quote", s.tokens[ETH])
        paid, got = push(s, 1.5)
        assert s.price_oracle.call("quote", s.tokens[ETH]) == quote
        shares = s.deposit(s.mallory, 100_000)
        swap(s, "ETH", got)
        s.vault.send(
            "redeem",
            min(shares, s.vault.call("maxRedeem", s.mallory)),
            s.mallory,
            s.mallory,
            sender=s.mallory,
        )
    cost = before - wealth(s)
    attack(
        "TWAP pushed 50 % within one block", -cost, max(0.0, start - nav(s)), why=f"{paid:,.0f} USD swapped"
    )


def test_twap__moved_over_its_window__only_closes_prices(s: Levered, attack: Ledger) -> None:
    """EQ-47: held beyond the band the price is a fault: no trade, no loss, exits in kind."""
    assert s.world
    before, start = wealth(s), nav(s)
    paid, _ = push(s, 1.35)
    s.warp(WINDOW)
    s.refresh_prices()
    assert s.price_oracle.call("faults", [s.tokens[ETH]]) == [TWAP_DEVIATES]
    assert s.vault.call("mode") == IN_KIND_ONLY
    s.cash.send("approve", s.vault, MAX, sender=s.alice)
    s.vault.send("redeemInKind", s.shares(s.alice) // 10, s.alice, s.alice, [], sender=s.alice)
    # nobody leaves such a pool alone: the arbitrageurs take what was paid too much
    s.world.align_pools()
    s.warp(WINDOW)
    s.refresh_prices()
    assert s.vault.call("mode") != IN_KIND_ONLY
    cost = before - wealth(s)
    assert cost > 10_000
    why = f"moving it 35 % and holding 15 minutes costs {cost:,.0f} of {paid:,.0f} USD at this depth"
    attack("TWAP pushed beyond the band", -cost, max(0.0, start * 0.9 - nav(s)), why=why)


@pytest.mark.parametrize("direction", ["up, then a redemption", "up, then a deposit"])
def test_twap__moved_inside_the_band__costs_more_than_it_takes(
    s: Levered, attack: Ledger, direction: str
) -> None:
    """EQ-47: mallory holds as much as alice and widens the spread on bob's 10,000 to share it."""
    assert s.world
    s.deposit(s.mallory, STAKE)
    s.lever()
    if "redemption" in direction:
        s.deposit(s.bob, 10_000)
    before = wealth(s)
    paid, _ = push(s, 1.18)
    s.warp(WINDOW)
    s.refresh_prices()
    start = nav(s)
    if "redemption" in direction:
        most = s.vault.call("maxRedeem", s.bob)
        s.vault.send("redeem", min(s.shares(s.bob), most), s.bob, s.bob, sender=s.bob)
    else:
        s.deposit(s.bob, 10_000)
    assert nav(s) != start
    s.world.align_pools()
    s.warp(WINDOW)
    s.refresh_prices()
    profit = wealth(s) - before
    why = f"{paid:,.0f} USD swapped; the spread on bob is what she shares"
    attack(f"TWAP inside the band, {direction}", profit, 0.0, why=why)
    assert profit < 0


def test_feed__ten_times_too_low__no_longer_opens_the_vault(s: Levered, attack: Ledger) -> None:
    """EQ-47 EQ-132: with the pool's opinion a feed that is wrong within its bounds is a fault, no sale."""
    before, start = wealth(s), nav(s)
    true_price = s.price(ETH)
    s.set_price(ETH, true_price / 10)
    assert s.vault.call("mode") == IN_KIND_ONLY
    for function, args in (("open", ()), ("bidBasket", (1, [0, 10**18, 0], MAX, s.mallory))):
        s.attempt(
            s.auction,
            function,
            *args,
            sender=s.mallory,
            unless=["PriceOracle__TwapDeviates", "RebalanceAuction__NotOpen"],
        )
    s.set_price(ETH, true_price)
    attack("feed ten times too low", wealth(s) - before, start - nav(s))
