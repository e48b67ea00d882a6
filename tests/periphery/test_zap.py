"""One transaction from shares to cash, and what a bad pool or a bad order does to it: nothing."""

from __future__ import annotations

import pytest

from tests.fixtures.market import ASSETS, Market
from tests.fixtures.system import MAX, System
from tests.periphery.test_filler import sandwich

FEES = [asset.pool_fee for asset in ASSETS]
SHARE = 10**18
LATER = 2**40
NOBODY = "0x" + "00" * 20


@pytest.fixture
def holder(market: Market) -> Market:
    """alice holds 100,000 at the targets, and has approved the zap."""
    market.deposit(market.alice, 100_000)
    market.rebalance()
    market.vault.send("approve", market.zap, MAX, sender=market.alice)
    return market


def test_exit__everything__pays_the_value_less_fees_and_pools(holder: Market) -> None:
    """EQ-111: at least the minimum, in cash, nothing left behind."""
    m = holder
    shares = m.shares(m.alice)
    worth, before = m.vault.call("convertToAssets", shares), m.cash_of(m.bob)
    args = (shares, worth * 99 // 100, FEES, [], m.bob, LATER)
    m.zap.send("exit", *args, sender=m.alice)
    assert worth * 0.99 <= m.cash_of(m.bob) - before < worth
    for token in [*m.tokens, m.cash]:
        assert token.call("balanceOf", m.zap) == 0
    assert m.shares(m.alice) == m.shares(m.zap.address) == 0


def test_exit__every_feed_dead__pays(holder: Market) -> None:
    """EQ-111: the zap asks the exchange, and none of the vault's oracles."""
    m = holder
    for symbol in [*m.symbols, "USDC"]:
        m.world.push_round(symbol, 0, m.now())
    assert m.vault.call("mode") == 3
    before = m.cash_of(m.alice)
    m.zap.send("exit", 1_000 * SHARE, 980 * 10**6, FEES, [], m.alice, LATER, sender=m.alice)
    assert m.cash_of(m.alice) - before >= 980 * 10**6


def test_exit__below_the_minimum__is_refused(holder: Market) -> None:
    """EQ-111: a sandwich of 20 million on one pool breaks the minimum and so the exit."""
    m = holder
    oil = m.symbols.index("TBILL")
    fair = m.zap.call("exit", 10_000 * SHARE, 0, FEES, [], m.alice, LATER, sender=m.alice)
    m.world.fund("TBILL", m.mallory, 10**24)
    m.tokens[oil].send("approve", m.world.router, MAX, sender=m.mallory)
    swap = (m.tokens[oil], m.cash, FEES[oil], m.mallory, LATER, 10**24, 0, 0)
    m.world.router.send("exactInputSingle", swap, sender=m.mallory)
    args = (10_000 * SHARE, fair * 995 // 1_000, FEES, [], m.alice, LATER)
    revert = m.refuses("ExitZap__InsufficientOutput", m.zap, "exit", *args, sender=m.alice)
    assert revert.arguments[0] < revert.arguments[1]


def test_exit__bad_orders__are_refused(holder: Market) -> None:
    """EQ-111: each by its name, and nothing changes."""
    m, me = holder, holder.alice
    for error, args in {
        "ExitZap__Expired": (SHARE, 0, FEES, [], me, m.now() - 1),
        "ExitZap__ZeroAmount": (0, 0, FEES, [], me, LATER),
        "ExitZap__ZeroAddress": (SHARE, 0, FEES, [], NOBODY, LATER),
        "ExitZap__FeesLengthMismatch": (SHARE, 0, FEES[:-1], [], me, LATER),
        "RiskParityVault__UnknownToken": (SHARE, 0, FEES, [me], me, LATER),
    }.items():
        m.refuses(error, m.zap, "exit", *args, sender=me)
    args = (SHARE, 0, FEES, [], m.mallory, LATER)
    m.refuses("ERC20InsufficientAllowance", m.zap, "exit", *args, sender=m.mallory)


def test_exit__of_anothers_shares__is_impossible(holder: Market) -> None:
    """EQ-111: an approval to the zap serves the approver alone."""
    m = holder
    m.deposit(m.mallory, 10)
    args = (m.shares(m.mallory), 0, FEES, [], m.mallory, LATER)
    before = m.shares(m.alice)
    m.refuses("ERC20InsufficientAllowance", m.zap, "exit", *args, sender=m.mallory)
    assert m.shares(m.alice) == before


def test_exit__fee_zero_or_skipped__hands_over_or_forfeits(holder: Market) -> None:
    """EQ-111: a token whose pool is bad can be taken as it is, or left."""
    m = holder
    fees = [0, *FEES[1:]]
    args = (10_000 * SHARE, 0, fees, [m.tokens[1]], m.bob, LATER)
    m.zap.send("exit", *args, sender=m.alice)
    assert m.tokens[0].call("balanceOf", m.bob) > 0
    assert m.tokens[1].call("balanceOf", m.bob) == 0


@pytest.mark.parametrize("fee", [0, FEES[1]])
def test_exit__skipped__leaves_what_was_given_to_the_zap(holder: Market, fee: int) -> None:
    """EQ-111: a token that is skipped is neither sold nor sent; a gift of another goes with the sale."""
    m = holder
    sold, skipped = m.tokens[:2]
    for token in (sold, skipped):
        token.send("transfer", m.zap, 10**6, sender=m.keeper)
    args = (10_000 * SHARE, 0, [FEES[0], fee, *FEES[2:]], [skipped], m.bob, LATER)
    m.zap.send("exit", *args, sender=m.alice)
    assert (sold.call("balanceOf", m.zap), skipped.call("balanceOf", m.zap)) == (0, 10**6)
    assert skipped.call("balanceOf", m.bob) == 0


def test_exit__a_pool_that_runs_dry__hands_back_the_rest(invested: System) -> None:
    """EQ-111: what a pool did not take is the receiver's, and not the zap's: a router takes half."""
    s = invested
    s.vault.send("approve", s.zap, MAX, sender=s.alice)
    args = (10_000 * SHARE, 0, [3_000] * 3, [], s.bob, LATER)
    s.zap.send("exit", *args, sender=s.alice)
    for token in s.tokens:
        assert token.call("balanceOf", s.zap) == 0
        assert token.call("balanceOf", s.bob) == pytest.approx(token.call("balanceOf", s.impostor), abs=1)


def test_exit__deep_pool_and_zero_minimum__is_the_callers_own_risk(holder: Market) -> None:
    """EQ-111: the control: without a minimum the sandwich does cost, so the minimum is what protects."""
    m = holder
    fair = m.zap.call("exit", 10_000 * SHARE, 0, FEES, [], m.alice, LATER, sender=m.alice)
    sandwich(m, m.cash, m.tokens[1], 10**6)
    gas = m.tokens[m.symbols.index("TBILL")]
    m.world.fund("TBILL", m.mallory, 10**24)
    gas.send("approve", m.world.router, MAX, sender=m.mallory)
    swap = (gas, m.cash, FEES[-1], m.mallory, LATER, 10**24, 0, 0)
    m.world.router.send("exactInputSingle", swap, sender=m.mallory)
    poor = m.zap.call("exit", 10_000 * SHARE, 0, FEES, [], m.alice, LATER, sender=m.alice)
    assert poor < fair * 0.99
