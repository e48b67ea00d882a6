"""What an auction can be made to give away: sniped, starved, stuffed, timed, spammed; in dollars."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from equipoise.client.config import AuctionConfig
from equipoise.errors import ContractRevert
from equipoise.oracle.payload import CorrelationReport
from equipoise.solver.parity import solve_parity
from equipoise.units import WAD, pack_budgets, pack_word8, unpack_word8
from tests.fixtures.attacks import Heist, Ledger, gas_usd, measured
from tests.fixtures.system import MAX, System

REFUSALS = [f"RebalanceAuction__{e}" for e in ("LossBudgetExceeded", "ZeroAmount", "LotExceeded", "NotOpen")]
BLOCK_GAS, BLOCK_SECONDS = 30_000_000, 12
LAG = 0.005
"""How far a feed may be from its market: the deviation threshold of most."""


@pytest.fixture
def s(system: System) -> System:
    """100,000 of alice's in cash, the auction that invests them just opened: the largest lots there are."""
    system.deposit(system.alice, 100_000)
    system.open()
    return system


def drain(s: System, who: str) -> float:
    """Bid for whatever the loss budget leaves, in ever smaller parts; USD sold to the bidder."""
    pairs = [(t, s.cash) for t in s.tokens] + [(s.cash, t) for t in s.tokens]
    sold = 0.0
    with s.one_block():
        for sell, buy in pairs:
            book = s.balances()[[*s.tokens, s.cash].index(sell)]
            for part in (MAX, *(book // k for k in (2, 4, 8, 16, 32, 64))):
                args = (s.auction.call("current").id, sell, buy, part, MAX, who)
                receipt = s.attempt(s.auction, "bid", *args, sender=who, unless=REFUSALS)
                if receipt:
                    sold += s.auction.events(receipt, "Bid")[0].sellValueWad / WAD
    return sold


def to_end(s: System) -> None:
    s.warp(s.auction.call("current").endsAt - s.now())


def widen(s: System) -> None:
    """The largest discount that governance may set, so that the budget and not the curve is what binds."""
    s.auction.send("setParams", AuctionConfig(end_discount=0.02).params(), sender=s.owner)


def nav(s: System) -> float:
    return float(s.vault.call("portfolio").navWad / WAD)


def budget_usd(s: System) -> float:
    return nav(s) * float(s.auction.call("params").lossBudgetWad) / WAD


def test_sniping__at_the_end_without_a_rival__takes_the_loss_budget(s: System, heist: Heist) -> None:
    """EQ-84: the only bidder waits for the last second; then nobody bids below mid."""
    me = s.keeper
    widen(s)
    to_end(s)
    with heist("auction sniped at its end, no rival", s, me, bound=budget_usd(s)) as score:
        sold = drain(s, me)
        score.why = f"EQ-84: the loss budget; {sold:,.0f} USD sold at 2 % off"
        args = (s.auction.call("current").id, s.tokens[0], s.cash, MAX, MAX, s.bob)
        assert s.attempt(s.auction, "bid", *args, sender=s.bob, unless=REFUSALS) is None


def test_starvation__of_the_budget__does_not_stop_bids_at_mid(s: System, heist: Heist) -> None:
    """EQ-84 EQ-86: whoever uses up the budget to keep rivals out keeps out those below mid."""
    me = s.keeper
    widen(s)
    to_end(s)
    with heist("auction starved by using the budget up", s, me, bound=budget_usd(s)) as score:
        drain(s, me)
        s.warp(2)
        if s.attempt(s.auction, "open", sender=s.bob, unless=["RebalanceAuction__WithinBands"]):
            s.to_curve(1.0)
            s.fill_all(s.keeper)
        assert s.auction.call("riskState").reason == 0
        score.why = "EQ-84: the same budget; the rest goes at mid"


def test_sniping__with_a_rival_of_20_bp__finds_nothing_left(s: System, heist: Heist) -> None:
    """EQ-82: the price falls through everybody's; the one with the least costs is first."""
    me = s.keeper
    with heist("auction sniped at its end, a rival bids at -20 bp", s, me, why="nothing is left") as score:
        s.to_curve(0.998)
        for token in s.tokens:
            token.send("mint", s.bob, 10**24, sender=s.owner)
            token.send("approve", s.vault, MAX, sender=s.bob)
        s.fill_all(s.bob)
        to_end(s)
        score.gas = gas_usd(200_000)
        assert drain(s, me) < 100


@pytest.mark.parametrize("usd", [20_000, 500_000, 5_000_000])
def test_swelling__lots_by_a_deposit__costs_more_than_it_brings(s: System, heist: Heist, usd: float) -> None:
    """EQ-84 EQ-56: deposit, sell into the bigger deficits at 1 % off, leave in kind: all in one block."""
    me = s.keeper
    to_end(s)
    with heist(f"lots swollen by {usd:,.0f} USD", s, me, bound=budget_usd(s)) as score, s.one_block():
        s.deposit(me, usd)
        for token in s.tokens:
            for amount in (MAX, s.units(usd * 0.1), s.units(usd * 0.02)):
                args = (s.auction.call("current").id, s.cash, token, amount, MAX, me)
                s.attempt(s.auction, "bid", *args, sender=me, unless=REFUSALS)
        s.vault.send("redeemInKind", s.shares(me), me, me, [], sender=me)
        score.why = "EQ-84 on the others' part; fees and spread of the way in come off"


def test_stuffing__of_blocks_after_mid__costs_more_than_the_curve_falls(s: System, attack: Ledger) -> None:
    """EQ-82 EQ-84: full blocks keep rivals out from mid on; their base fee rises by an eighth each."""
    me, results = s.keeper, {}
    s.to_curve(1.0)
    start = nav(s)
    for blocks in (1, 5, 20, 70):
        with s.scenario(), measured(s, me) as score:
            s.warp(blocks * BLOCK_SECONDS - 1)
            drain(s, me)
            score.gas = sum(gas_usd(BLOCK_GAS, 1.125**i) for i in range(blocks))
        results[blocks] = score
    for size in (
        start,
        100e6,
    ):  # the vault at hand, and one at the default cap: gas is the same, the lots are not
        scale = size / start
        profits = [(score.profit + score.gas) * scale - score.gas for score in results.values()]
        at = int(np.argmax(profits))
        loss, blocks = [*results.values()][at].loss * scale, [*results][at]
        bound = 0.0 if scale == 1 else size * budget_usd(s) / nav(s)
        why = f"{blocks} full blocks from 1 gwei on" + ("; EQ-84 bounds it" if bound else "")
        attack(f"blocks stuffed from mid on, NAV {size:,.0f}", profits[at], loss, bound, why)


def test_stuffing__through_the_end__leaves_an_auction_for_anybody(s: System, heist: Heist) -> None:
    """EQ-80: an auction that ended unfilled is opened again at once."""
    with heist("blocks stuffed through an auction's end", s, s.keeper, why="150 full blocks") as score:
        score.gas = sum(gas_usd(BLOCK_GAS, 1.125**i) for i in range(150))
        s.warp(s.auction.call("current").endsAt - s.now() + 1)
        assert s.open() == 2
        s.to_curve(1.0)
        s.fill_all(s.keeper)
        assert s.auction.call("riskState").reason == 0


@pytest.mark.parametrize(("curve", "allowed"), [(None, 0.0), (1.0, LAG)])
def test_timing__of_the_next_price__pays_the_lag_less_the_premium(
    s: System, attack: Ledger, curve: float | None, allowed: float
) -> None:
    """EQ-82: in the first block the premium of 1 % exceeds the lag; at mid the lag is the first bidder's."""
    me, best = s.keeper, -1e9
    if curve:
        s.to_curve(curve)
    sizes = []
    for signs in product((-1, 1), repeat=3):
        for first in range(3):
            with s.scenario(), measured(s, me) as score, s.one_block():
                event = None
                for sell, buy in ((s.tokens[first], s.cash), (s.cash, s.tokens[first])):
                    args = (s.auction.call("current").id, sell, buy, MAX, MAX, me)
                    receipt = s.attempt(s.auction, "bid", *args, sender=me, unless=REFUSALS)
                    event = event or (receipt and s.auction.events(receipt, "Bid")[0])
                s.move([sign * LAG for sign in signs])
            sizes.append(event.sellValueWad / WAD if event else 0.0)
            best = max(best, score.profit)
    bound = allowed * max(sizes) * 1.01
    name = "bid before a known price, " + ("at mid, no rival" if curve else "in the first block")
    why = "known limit: 0.5 % of the lot, the first bidder's" if curve else "EQ-82: premium over lag"
    attack(name, best, max(best, 0.0), bound, why)


def test_coordinates__at_the_corner_of_the_tolerance__are_worth_nothing(
    invested: System, attack: Ledger
) -> None:
    """EQ-33 EQ-34: after new budgets mallory posts first, as far off as she may; then bids."""
    s, n = invested, 3
    budgets = pack_budgets(np.full(n, 1 / n))
    report = CorrelationReport.of(s.correlation, s.now())
    x = solve_parity(report.correlation(n), np.full(n, 1 / n)).coordinates
    honest = s.auction.call("targetExposures").targetsWad
    worst = 0.0
    for signs in product((-1, 1), repeat=n):
        with s.scenario(), measured(s, s.keeper) as score:
            s.volatility_oracle.send("setBudgets", budgets, sender=s.owner)
            low, high = 0.0, 1e-4
            while high - low > 1e-9:  # as far as it goes
                middle = (low + high) / 2
                word = pack_word8(x * (1 + middle * np.array(signs)))
                try:
                    s.volatility_oracle.call("postCoordinates", word, sender=s.mallory)
                    low = middle
                except ContractRevert:
                    high = middle
            word = pack_word8(x * (1 + low * np.array(signs)))
            s.volatility_oracle.send("postCoordinates", word, sender=s.mallory)
            shifted = s.auction.call("targetExposures").targetsWad
            change = sum(abs(a - b) for a, b in zip(shifted, honest, strict=True)) / WAD
            assert 0 < change < 1e-5
            s.attempt(s.auction, "open", sender=s.mallory, unless=["RebalanceAuction__WithinBands"])
            drain(s, s.keeper)
            s.volatility_oracle.send("postCoordinates", pack_word8(x), sender=s.bob)
        worst = max(worst, score.profit)
    assert unpack_word8(s.volatility_oracle.call("exposureData").coordinates, n) == pytest.approx(x, abs=1e-6)
    attack("coordinates at an epsilon-corner", worst, 0.0, 0.0, "targets move by less than 1e-5 of the NAV")


def test_spam__of_dust_bids_and_openings__delays_nothing(s: System, heist: Heist) -> None:
    """EQ-80 EQ-83: bids of a cent in every lot and openings by a stranger: the last bid fills the same."""
    me = s.mallory
    s.tokens[0].send("mint", me, 10**18, sender=s.owner)
    s.tokens[0].send("approve", s.vault, MAX, sender=me)
    with heist("dust bids and opening spam", s, me) as score:
        gas = 0
        for _ in range(30):
            args = (s.auction.call("current").id, s.cash, s.tokens[0], 10**4, MAX, me)
            gas += s.auction.send("bid", *args, sender=me).gas_used
        s.warp(s.auction.call("current").endsAt - s.now() + 1)
        gas += s.auction.send("open", sender=me).gas_used
        s.to_curve(1.0)
        s.fill_all()
        assert s.auction.call("riskState").reason == 0
        score.gas, score.why = gas_usd(gas), f"{gas / 31:,.0f} gas each"
