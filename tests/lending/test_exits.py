"""Leaving a vault that owes: in kind against the debt, or as cash through a flash loan."""

from __future__ import annotations

import pytest
from eth_abi import encode
from hypothesis import given
from hypothesis import strategies as st

from equipoise.errors import ContractRevert
from equipoise.units import WAD
from tests.fixtures.attacks import measured
from tests.fixtures.levered import STAKE_USD, Levered
from tests.fixtures.purse import VIRTUAL_SHARES
from tests.fixtures.system import FUZZ, MAX

FAR = 2**40


def exit_in_kind(s: Levered, shares: int, skip: list[str] | None = None) -> None:
    s.vault.send("redeemInKind", shares, s.alice, s.alice, skip or [], sender=s.alice)


@FUZZ
@given(part=st.floats(0.0001, 0.9999), change=st.floats(-0.3, 0.3))
def test_redeem_in_kind__any_part__leaves_the_others_as_safe(
    levered: Levered, part: float, change: float
) -> None:
    """EQ-51 EQ-124: pro-rata tokens rounded down for pro-rata debt rounded up; the preview tells both."""
    with levered.scenario() as s:
        s.crash(change)
        shares = int(s.shares(s.alice) * part)
        if not shares:
            return
        with s.one_block():
            books, debt, health = s.balances(), s.debt(), s.health()
            whole = s.vault.call("totalSupply") + VIRTUAL_SHARES
            net = shares - -(-shares * s.vault.call("fees").exitFeeWad // WAD)
            price, cash = s.share_price(), s.cash_of(s.alice)
            amounts, repaid = s.vault.call("previewRedeemInKind", shares)
            assert repaid == -(-debt * net // whole)
            held = [t.call("balanceOf", s.alice) for t in s.tokens]
            exit_in_kind(s, shares)
            got = [t.call("balanceOf", s.alice) - h for t, h in zip(s.tokens, held, strict=True)]
            assert got == amounts[:-1]
            assert cash - s.cash_of(s.alice) == repaid - amounts[-1]
            assert debt - s.debt() == pytest.approx(repaid, abs=2)
            for book, amount in zip(books, amounts, strict=True):
                assert amount * WAD <= book * int(part * WAD) + book * 10**3
            # aToken balances are rounded by a unit: 3e-4 USD of BTC, which counts when little is left
            assert s.health() >= health * (1 - 1e-9 - 1e-3 / (STAKE_USD * (1 - part) + 1))
            assert s.share_price() >= price * (1 - 1e-9)


def test_redeem_in_kind__of_all_shares__leaves_no_debt(levered: Levered) -> None:
    """EQ-124: also what would be the virtual shares' part; the preview answers before and after."""
    s = levered
    s.vault.send("setFees", (0, 0, 0, 0), s.treasury, sender=s.owner)
    shares = s.shares(s.alice)
    if rest := s.shares(s.treasury):
        s.vault.send("transfer", s.alice, rest, sender=s.treasury)
        shares += rest
    assert shares == s.vault.call("totalSupply")
    s.crash(2.0)
    assert s.vault.call("previewRedeemInKind", shares).debtRepaid == s.debt() > 0
    exit_in_kind(s, shares)
    assert s.debt() == s.vault.call("totalSupply") == 0
    after = s.vault.call("previewRedeemInKind", 0)
    assert (after.debtRepaid, sum(after.amounts)) == (0, 0)


@pytest.fixture
def left_behind(levered: Levered) -> Levered:
    """The last holder has gone in kind: nobody's are a fee's worth of tokens, and as much of the debt."""
    s = levered
    exit_in_kind(s, s.shares(s.alice))
    assert s.vault.call("totalSupply") == 0 < s.debt()
    return s


def test_preview_redeem_in_kind__of_nothing_where_debt_is_left__is_nothing(left_behind: Levered) -> None:
    """EQ-124: no shares owe nothing, though they are all there are."""
    amounts, debt = left_behind.vault.call("previewRedeemInKind", 0)
    assert (sum(amounts), debt) == (0, 0)


@pytest.mark.parametrize("usd", [500, 5_000])
def test_redeem_in_kind__after_the_last_one_left_a_fee__is_worth_the_claim(
    left_behind: Levered, usd: int
) -> None:
    """EQ-63 EQ-124: virtual shares, which the fee has made dear, own half or a tenth, and owe as much."""
    s = left_behind
    shares = s.deposit(s.bob, usd)
    s.lever()
    claim = s.vault.call("convertToAssets", shares) / 1e6
    assert claim > usd * 0.99
    with measured(s, s.bob) as score:
        s.vault.send("redeemInKind", shares, s.bob, s.bob, [], sender=s.bob)
    assert -score.profit == pytest.approx(claim * s.vault.call("fees").exitFeeWad / WAD, rel=0.01)


def test_redeem_in_kind__a_unit_kept_of_all_shares__leaves_the_virtual_shares_their_part(
    left_behind: Levered,
) -> None:
    """EQ-124: without an exit fee all shares owe all, and all but a unit about the half that they own."""
    s = left_behind
    s.deposit(s.bob, 500)
    s.lever()
    s.vault.send("setFees", (0, 0, 0, 0), s.treasury, sender=s.owner)
    shares, debt = s.shares(s.bob), s.debt()
    assert shares == s.vault.call("totalSupply")
    assert s.vault.call("previewRedeemInKind", shares).debtRepaid == debt
    part = s.vault.call("previewRedeemInKind", shares - 1).debtRepaid
    assert part == -(-debt * (shares - 1) // (shares + VIRTUAL_SHARES))
    assert 0.4 * debt < part < 0.6 * debt
    with measured(s, s.bob) as score:
        s.vault.send("redeemInKind", shares - 1, s.bob, s.bob, [], sender=s.bob)
    assert score.profit == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("state", ["paused", "stale", "ancient", "health", "dead prices"])
def test_redeem_in_kind__in_every_mode__goes_through(levered: Levered, state: str) -> None:
    """EQ-50: with debt too; only Aave itself must answer."""
    s = levered
    if state == "paused":
        s.guard.send("pauseIncreases", sender=s.guardian)
        s.guard.send("pauseDeposits", sender=s.guardian)
    elif state == "health":
        s.crash(-0.25)
        assert s.vault.call("mode") == 2
    elif state == "dead prices":
        s.warp(30 * 3_600)  # beyond the heartbeat of every feed
        assert s.vault.call("mode") == 3
    else:
        s.warp((40 if state == "stale" else 100) * 3_600)
    exit_in_kind(s, s.shares(s.alice) // 3)
    assert s.tokens[2].call("balanceOf", s.alice) > 0


def test_redeem_in_kind__dry_reserve__is_paid_in_receipts(levered: Levered) -> None:
    """EQ-121: a bank run at the venue does not lock anybody in."""
    s = levered
    s.aave.set_utilisation("SPX", 1.0)
    amounts, _ = s.vault.call("previewRedeemInKind", s.shares(s.alice) // 2)
    exit_in_kind(s, s.shares(s.alice) // 2)
    assert s.tokens[2].call("balanceOf", s.alice) == 0
    assert s.aave.a_tokens["SPX"].call("balanceOf", s.alice) == pytest.approx(amounts[2], rel=1e-6)


def test_redeem_in_kind__paused_reserve__is_skipped(levered: Levered) -> None:
    """EQ-121: one paused reserve keeps its part, the others pay."""
    s = levered
    s.aave.pause("BTC")
    shares = s.shares(s.alice) // 2
    s.refuses(
        "LendingAccount__Refused", s.vault, "redeemInKind", shares, s.alice, s.alice, [], sender=s.alice
    )
    exit_in_kind(s, shares, [s.tokens[0].address])
    assert s.tokens[0].call("balanceOf", s.alice) == 0
    assert s.tokens[1].call("balanceOf", s.alice) > 0


def test_redeem_in_kind__without_the_cash_for_the_debt__changes_nothing(levered: Levered) -> None:
    """EQ-124: no tokens without the debt."""
    s = levered
    s.cash.send("approve", s.vault, 0, sender=s.alice)
    shares = s.shares(s.alice) // 2
    s.refuses(
        "ERC20InsufficientAllowance", s.vault, "redeemInKind", shares, s.alice, s.alice, [], sender=s.alice
    )


# ----------------------------------------------------------------------- zap


def zap(s: Levered, shares: int, least: int = 0, skip: list[str] | None = None) -> int:
    s.vault.send("approve", s.zap, shares, sender=s.alice)
    before = s.cash_of(s.alice)
    fees = list(s.contracts.pool_fees)
    s.zap.send("exit", shares, least, fees, skip or [], s.alice, FAR, sender=s.alice)
    return s.cash_of(s.alice) - before


def test_exit__with_debt__is_one_transaction_without_capital(levered: Levered) -> None:
    """EQ-111: a flash loan pays the debt, the sales pay the loan; nothing stays behind."""
    s = levered
    s.cash.send("transfer", s.bob, s.cash_of(s.alice), sender=s.alice)
    shares = s.shares(s.alice) // 4
    worth, health = s.vault.call("convertToAssets", shares), s.health()
    paid = zap(s, shares, int(worth * 0.97))
    assert worth * 0.97 <= paid <= worth
    assert s.health() >= health * (1 - 1e-6)
    assert all(t.call("balanceOf", s.zap) == 0 for t in [*s.tokens, s.cash])


def test_exit__under_the_minimum__changes_nothing(levered: Levered) -> None:
    """EQ-111: ExitZap__InsufficientOutput, by the caller's own measure."""
    s = levered
    shares = s.shares(s.alice) // 4
    s.vault.send("approve", s.zap, shares, sender=s.alice)
    least = s.vault.call("convertToAssets", shares)
    args = (shares, least, list(s.contracts.pool_fees), [], s.alice, FAR)
    s.refuses("ExitZap__InsufficientOutput", s.zap, "exit", *args, sender=s.alice)


def test_exit__sales_that_do_not_pay_the_loan__changes_nothing(levered: Levered) -> None:
    """EQ-111: ExitZap__InsufficientOutput inside the loan: tokens kept as they are (fee 0) repay nobody."""
    s = levered
    shares = s.shares(s.alice) // 4
    s.vault.send("approve", s.zap, shares, sender=s.alice)
    debt = s.vault.call("previewRedeemInKind", shares).debtRepaid
    args = (shares, 0, [0] * 3, [], s.alice, FAR)
    revert = s.refuses("ExitZap__InsufficientOutput", s.zap, "exit", *args, sender=s.alice)
    assert revert.arguments[0] < debt <= revert.arguments[1]


def test_exit__dry_reserve__is_refused_by_name(levered: Levered) -> None:
    """EQ-121: ExitZap__PaidInReceipts: receipts cannot be sold; the exit in kind remains."""
    s = levered
    s.aave.set_utilisation("SPX", 1.0)
    shares = s.shares(s.alice) // 4
    s.vault.send("approve", s.zap, shares, sender=s.alice)
    args = (shares, 0, list(s.contracts.pool_fees), [], s.alice, FAR)
    s.refuses("ExitZap__PaidInReceipts", s.zap, "exit", *args, sender=s.alice)


def test_exit__no_cash_to_lend__leaves_the_exit_in_kind(levered: Levered) -> None:
    """EQ-121: at a utilisation of 100 % there is no flash loan; repaying by hand works."""
    s = levered
    s.aave.set_utilisation("USDC", 1.0)
    shares = s.shares(s.alice) // 4
    s.vault.send("approve", s.zap, shares, sender=s.alice)
    with pytest.raises(ContractRevert):
        s.zap.send("exit", shares, 0, list(s.contracts.pool_fees), [], s.alice, FAR, sender=s.alice)
    exit_in_kind(s, shares)
    assert s.tokens[0].call("balanceOf", s.alice) > 0


def test_flash_loan__that_a_stranger_takes_for_the_zap__is_refused(levered: Levered) -> None:
    """EQ-111: ExitZap__OnlyLender: with alice's allowance in place, mallory names her as the owner."""
    s = levered
    s.vault.send("approve", s.zap, MAX, sender=s.alice)
    order = (s.alice, s.shares(s.alice), list(s.contracts.pool_fees), [], s.mallory)
    data = encode(["(address,uint256,uint24[],address[],address)"], [order])
    shares = s.shares(s.alice)
    loan = s.vault.call("previewRedeemInKind", shares).debtRepaid
    # a second's interest more, so that nothing but the check stands in the way
    with pytest.raises(ContractRevert, match="ExitZap__OnlyLender"):
        s.aave.pool.send("flashLoanSimple", s.zap, s.cash, loan + 10**6, data, 0, sender=s.mallory)
    s.refuses("ExitZap__OnlyLender", s.zap, "executeOperation", s.cash, 1, 0, s.zap, data, sender=s.mallory)
    assert s.shares(s.alice) == shares
