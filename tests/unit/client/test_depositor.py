"""A depositor's quotes are what happens, and a refusal says why and what is possible instead."""

from __future__ import annotations

import pytest

from equipoise.client.depositor import Depositor
from equipoise.errors import ContractRevert, InputError
from tests.fixtures.levered import Levered
from tests.fixtures.market import Market
from tests.fixtures.system import System

DAY = 86_400


def alice(s: System) -> Depositor:
    return Depositor(s.contracts, s.alice)


def of(s: System, person: str) -> Depositor:
    """Somebody without any approval yet."""
    s.cash.send("approve", s.vault, 0, sender=person)
    return Depositor(s.contracts, person)


# ------------------------------------------------------------------------ deposit


def test_deposit__quoted__mints_what_was_quoted_and_approves_no_more(invested: System) -> None:
    """EQ-192."""
    me = of(invested, invested.bob)
    quote = me.quote_deposit(me.parse_cash("1,000.5", me.cash()))
    assert quote.assets == 1_000_500_000
    assert quote.fee == 500_250  # 0.05 %
    assert 0.001 < quote.round_trip < 0.02
    assert me.deposit(quote) == (quote.assets, quote.shares)
    assert me.shares() == quote.shares
    assert invested.cash.call("allowance", invested.bob, invested.vault) == 0


def test_deposit__round_trip__costs_what_was_quoted(invested: System) -> None:
    """Within the change that the deposit itself makes."""
    me, s = of(invested, invested.bob), invested
    before = me.cash()
    quote = me.quote_deposit(s.units(1_000))
    with s.one_block():
        me.deposit(quote)
        me.redeem(me.quote_redeem())
    assert 1 - (me.cash() - before + s.units(1_000)) / s.units(1_000) == pytest.approx(
        quote.round_trip, abs=1e-4
    )


def test_deposit__for_another__mints_to_the_receiver(system: System) -> None:
    me = of(system, system.bob)
    me.deposit(me.quote_deposit(system.units(10), system.mallory), system.mallory)
    assert me.shares() == 0
    assert system.shares(system.mallory) > 0


def test_quote_deposit__more_than_held__names_the_balance(system: System) -> None:
    with pytest.raises(InputError, match=r"more than the 10,000,000\.00 CASH held"):
        alice(system).quote_deposit(system.units(10_000_001))


def test_quote_deposit__above_the_cap__names_the_room(system: System) -> None:
    system.vault.send("setDepositCap", system.units(500), sender=system.guardian)
    with pytest.raises(InputError, match=r"leaves room for 500\.00 CASH"):
        alice(system).quote_deposit(system.units(501))
    me = alice(system)
    me.deposit(me.quote_deposit(system.units(499)))
    system.vault.send("setDepositCap", 0, sender=system.guardian)
    with pytest.raises(InputError, match="deposit cap of 0 CASH is reached"):
        me.quote_deposit(system.units(1))


def test_quote_deposit__paused_or_wrong_mode__says_which(invested: System) -> None:
    with invested.scenario():
        invested.guard.send("pauseDeposits", sender=invested.guardian)
        with pytest.raises(InputError, match="deposits are paused by the guardian"):
            alice(invested).quote_deposit(1_000_000)
    with invested.scenario():
        invested.warp(5 * DAY)
        with pytest.raises(InputError, match=r"volatilities are 5 d old, more than 4 d"):
            alice(invested).quote_deposit(1_000_000)
    invested.kill_feeds()
    with pytest.raises(InputError, match="price feed failed"):
        alice(invested).quote_deposit(1_000_000)


def test_deposit__price_moves_after_the_quote__is_not_sent(invested: System) -> None:
    me = of(invested, invested.bob)
    quote = me.quote_deposit(invested.units(1_000))
    invested.move([0.05] * 3)
    with pytest.raises(InputError, match=r"more than 0\.50%; look again"):
        me.deposit(quote)
    assert me.shares() == 0
    me.deposit(quote, max_slippage=0.1)


@pytest.mark.parametrize("text", ["", "x", "-1", "0", "nan", "1e400", "0.0000001"])
def test_parse_cash__no_amount__is_refused(system: System, text: str) -> None:
    with pytest.raises(InputError, match=r"is no amount of CASH|is nothing"):
        alice(system).parse_cash(text, 1)


def test_parse_shares__more_than_held_or_none__is_refused(invested: System) -> None:
    with pytest.raises(InputError, match="are more than the 99,950"):
        alice(invested).parse_shares("100000")
    with pytest.raises(InputError, match="holds no shares"):
        of(invested, invested.bob).parse_shares("all")
    assert alice(invested).parse_shares("all") == invested.shares(invested.alice)


@pytest.mark.parametrize("slippage", [-0.1, 1.0, float("nan")])
def test_deposit__slippage_out_of_range__is_refused(system: System, slippage: float) -> None:
    me = alice(system)
    with pytest.raises(InputError, match="max-slippage"):
        me.deposit(me.quote_deposit(10**6), max_slippage=slippage)


# ------------------------------------------------------------------------- redeem


def test_redeem__of_idle_cash__pays_what_was_quoted(invested: System) -> None:
    me, before = alice(invested), alice(invested).cash()
    quote = me.quote_redeem(invested.units(500))
    assert quote.assets == pytest.approx(invested.units(500), abs=1)
    assert quote.worth > quote.assets
    assert me.redeem(quote)[0] == quote.assets == me.cash() - before


def test_redeem__all_that_is_idle__is_possible_to_the_last_unit(invested: System) -> None:
    me, idle = alice(invested), invested.balances()[-1]
    assert me.redeem(me.quote_redeem(idle))[0] == pytest.approx(idle, abs=2)


def test_quote_redeem__more_than_idle__names_it_and_the_exit(invested: System) -> None:
    idle = invested.balances()[-1]
    with pytest.raises(InputError, match=rf"idle cash, {idle / 1e6:,.2f} CASH.*ape run exit"):
        alice(invested).quote_redeem()
    with pytest.raises(InputError, match="more than all shares pay"):
        alice(invested).quote_redeem(invested.units(200_000))


def test_quote_redeem__without_prices_or_shares__names_what_is_left(invested: System) -> None:
    with pytest.raises(InputError, match="holds no shares"):
        of(invested, invested.bob).quote_redeem()
    invested.kill_feeds()
    with pytest.raises(InputError, match=r"PriceOracle__FeedFailed.*--in-kind"):
        alice(invested).quote_redeem()


# --------------------------------------------------------------------------- exit


def test_exit__eight_assets__pays_the_quote_in_cash(market: Market) -> None:
    market.deposit(market.alice, 100_000)
    market.rebalance()
    me, before = alice(market), market.cash_of(market.bob)
    shares = me.parse_shares("all")
    me.approve_exit(shares)
    quote = me.quote_exit(shares, 0.003, receiver=market.bob)
    assert quote.worth is not None
    assert quote.worth * 0.98 < quote.min_assets < quote.assets < quote.worth
    paid = me.exit(quote, receiver=market.bob)
    assert paid == market.cash_of(market.bob) - before >= quote.min_assets
    assert me.shares() == market.vault.call("allowance", market.alice, market.zap) == 0


def test_exit__pool_moved_after_the_quote__changes_nothing(market: Market) -> None:
    """EQ-192: the caller's own minimum, by the zap itself."""
    market.deposit(market.alice, 100_000)
    market.rebalance()
    me, shares = alice(market), market.shares(market.alice)
    me.approve_exit(shares)
    quote = me.quote_exit(shares)
    bill = market.symbols.index("TBILL")
    market.world.fund("TBILL", market.mallory, 10**24)  # type: ignore[union-attr]
    market.tokens[bill].send("approve", market.world.router, 10**24, sender=market.mallory)  # type: ignore[union-attr]
    swap = (market.tokens[bill], market.cash, market.contracts.pool_fees[bill], market.mallory)
    market.world.router.send("exactInputSingle", (*swap, 2**40, 10**24, 0, 0), sender=market.mallory)  # type: ignore[union-attr]
    with pytest.raises(ContractRevert, match="ExitZap__InsufficientOutput"):
        me.exit(quote)
    assert me.shares() == shares


def test_exit__levered_with_dead_feeds__flash_loan_is_refused_by_aave_and_in_kind_is_named(
    levered: Levered,
) -> None:
    """Aave's own oracle is as dead: with debt only the venue's word counts."""
    me = alice(levered)
    shares = me.parse_shares("1000")
    me.approve_exit(shares)
    levered.kill_feeds()
    assert me.worth(shares) is None
    with pytest.raises(InputError, match=r"--skip|--in-kind"):
        me.quote_exit(shares)


def test_exit__levered__repays_by_flash_loan(levered: Levered) -> None:
    me, debt = alice(levered), levered.debt()
    shares = me.shares() // 2
    me.approve_exit(shares)
    quote = me.quote_exit(shares)
    assert quote.worth
    before = me.cash()
    assert me.exit(quote) == me.cash() - before > 0.99 * quote.worth
    assert levered.debt() == pytest.approx(debt / 2, rel=1e-3)


def test_exit__token_kept__comes_as_it_is(levered: Levered) -> None:
    me = alice(levered)
    shares = me.shares() // 10
    me.approve_exit(shares)
    held = levered.tokens[0].call("balanceOf", levered.alice)
    assert me.exit(me.quote_exit(shares, keep=["BTC"]), keep=["BTC"]) > 0
    assert levered.tokens[0].call("balanceOf", levered.alice) > held


def test_exit__aave_has_run_dry__names_the_receipts_and_in_kind_pays_them(levered: Levered) -> None:
    """Its own reason, and the exit that is left, which then works."""
    me = alice(levered)
    shares = me.shares() // 10
    me.approve_exit(shares)
    levered.aave.set_utilisation("BTC", 1.0)
    with pytest.raises(InputError, match=r"cannot pay BTC out now.*--in-kind"):
        me.quote_exit(shares)
    me.exit_in_kind(me.quote_in_kind(shares))
    assert levered.aave.a_tokens["BTC"].call("balanceOf", levered.alice) > 0


def test_exit__unknown_symbol_or_slippage__is_refused(levered: Levered) -> None:
    me = alice(levered)
    with pytest.raises(InputError, match="'DOGE' is not in the basket; it holds BTC, ETH, SPX"):
        me.quote_exit(10**18, skip=["DOGE"])
    with pytest.raises(InputError, match="max-slippage is 1"):
        me.quote_exit(10**18, 1)


# ------------------------------------------------------------------------ in kind


def test_exit_in_kind__levered__repays_its_part_and_pays_every_token(levered: Levered) -> None:
    me = of(levered, levered.alice)
    shares, debt = me.shares() // 4, levered.debt()
    quote = me.quote_in_kind(shares)
    assert quote.debt == pytest.approx(debt * 0.25 * 1.001, rel=1e-3)
    done = me.exit_in_kind(quote)
    assert set(done.amounts) == {"BTC", "ETH", "SPX", "USDC"}
    for symbol, amount in done.amounts.items():
        assert amount == pytest.approx(quote.amounts[symbol], rel=1e-4)
    assert done.debt <= quote.debt
    assert levered.debt() == pytest.approx(debt - done.debt, rel=1e-6)


def test_exit_in_kind__paused_reserve__is_named_and_can_be_skipped(levered: Levered) -> None:
    me = alice(levered)
    shares = me.shares() // 10
    levered.aave.pause("BTC")
    with pytest.raises(InputError, match=r"refuses to move BTC.*--skip BTC"):
        me.exit_in_kind(me.quote_in_kind(shares))
    done = me.exit_in_kind(me.quote_in_kind(shares, ["BTC"]), ["BTC"])
    assert set(done.amounts) == {"ETH", "SPX", "USDC"}


def test_quote_in_kind__debt_above_the_callers_cash__names_the_flash_loan(levered: Levered) -> None:
    me = alice(levered)
    levered.cash.send("transfer", levered.bob, me.cash(), sender=levered.alice)
    with pytest.raises(InputError, match=r"part of the debt is .* let a flash loan pay it"):
        me.quote_in_kind(me.shares())
