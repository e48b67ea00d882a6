"""One vault's account at the real Aave: whom it obeys, what it does when the venue refuses."""

from __future__ import annotations

from typing import Any

import pytest

from equipoise.client.artifacts import load_artifact
from equipoise.client.contract import create
from equipoise.errors import ContractRevert
from equipoise.units import WAD
from tests.fixtures.levered import Levered
from tests.fixtures.system import MAX, artifact_contract

NOBODY = "0x" + "00" * 20
LTV_VALIDATION_FAILED, RESERVE_PAUSED = b"57", b"29"


def new_account(s: Levered, *args: Any) -> Any:
    return create(s.chain, load_artifact("AaveV3Account"), *args, sender=s.mallory)


def as_vault(s: Levered, function: str, *args: Any) -> Any:
    """The account called by its vault, whose address is unlocked on the local chain."""
    s.chain.request("anvil_setBalance", s.vault.address, hex(10**18))
    return s.account.send(function, *args, sender=s.vault.address)


def supplied(s: Levered, index: int) -> int:
    return int(s.account.call("position", [s.tokens[index], s.cash]).balances[0])


@pytest.mark.parametrize("who", ["owner", "guardian", "keeper", "alice", "mallory"])
def test_account__anyone_but_the_vault__moves_nothing(levered: Levered, who: str) -> None:
    """EQ-120: LendingAccount__OnlyVault for every function that moves."""
    s, sender = levered, getattr(levered, who)
    token = s.tokens[0]
    for function, args in (
        ("supply", (token, 1)),
        ("withdraw", (token, 1, sender)),
        ("release", (token, 1, sender)),
        ("borrow", (1,)),
        ("repay", (1,)),
    ):
        s.refuses("LendingAccount__OnlyVault", s.account, function, *args, sender=sender)


def test_bind__a_second_time__is_refused(levered: Levered) -> None:
    """EQ-120: one vault, once and for ever."""
    s = levered
    assert s.account.call("vault") == s.vault.address
    s.refuses("LendingAccount__AlreadyBound", s.account, "bind", sender=s.mallory)


def test_account__bad_parts__is_not_built(lending: Levered) -> None:
    """EQ-120: LendingAccount__ZeroAddress and LendingAccount__NotListed, before any money is at stake."""
    s, pool = lending, lending.aave.pool
    basket = [t.address for t in s.tokens]
    for args in ((NOBODY, s.cash, basket), (pool, NOBODY, basket)):
        with pytest.raises(ContractRevert, match="LendingAccount__ZeroAddress"):
            new_account(s, *args)
    stranger = artifact_contract(s.chain, "OddToken", "ODD", 18, sender=s.mallory)
    with pytest.raises(ContractRevert, match="LendingAccount__NotListed"):
        new_account(s, pool, s.cash, [stranger.address])


def test_vault__with_an_account_of_other_tokens__is_not_built(lending: Levered) -> None:
    """EQ-120: cash and basket must be the account's; an account that is taken stays taken."""
    s = lending
    half = new_account(s, s.aave.pool, s.cash, [s.tokens[0].address])
    other_cash = new_account(s, s.aave.pool, s.tokens[2], [t.address for t in s.tokens])
    basket = [t.address for t in s.tokens]
    parts = ("n", "s", s.owner, s.cash, basket, s.price_oracle, s.guard)
    for account, error in (
        (half, "RiskParityVault__BadToken"),
        (other_cash, "RiskParityVault__BadToken"),
        (s.account, "LendingAccount__AlreadyBound"),
    ):
        with pytest.raises(ContractRevert, match=error):
            create(s.chain, load_artifact("RiskParityVault"), *parts, account, sender=s.owner)


# ------------------------------------------------------------------ refusals


def test_withdraw__paused_reserve__says_why(levered: Levered) -> None:
    """EQ-121: LendingAccount__Refused carries the venue's own reason; the other reserves go on."""
    s = levered
    s.aave.pause("BTC")
    with pytest.raises(ContractRevert) as caught:
        as_vault(s, "withdraw", s.tokens[0], 10**6, s.alice)
    assert caught.value.name == "LendingAccount__Refused"
    assert RESERVE_PAUSED in bytes(caught.value.arguments[3])
    receipt = as_vault(s, "withdraw", s.tokens[1], 10**15, s.alice)
    assert s.tokens[1].call("balanceOf", s.alice) == 10**15
    # some tokens refuse a transfer of nothing: where nothing is idle the account makes none
    assert all(
        int(log["data"], 16) for log in receipt.logs if log["address"].lower() == s.tokens[1].address.lower()
    )


def test_release__dry_reserve__pays_in_receipts(levered: Levered) -> None:
    """EQ-121: no liquidity at the venue: the exit gets aTokens, which are worth the same."""
    s = levered
    s.aave.set_utilisation("BTC", 1.0)
    with pytest.raises(ContractRevert, match="LendingAccount__Refused"):
        as_vault(s, "withdraw", s.tokens[0], 10**6, s.alice)
    as_vault(s, "release", s.tokens[0], 10**6, s.alice)
    assert s.aave.a_tokens["BTC"].call("balanceOf", s.alice) == pytest.approx(10**6, abs=1)
    s.aave.pause("BTC")
    with pytest.raises(ContractRevert, match="LendingAccount__Refused"):
        as_vault(s, "release", s.tokens[0], 10**6, s.alice)


def test_supply__of_a_single_unit_that_was_idle__is_counted_once(levered: Levered) -> None:
    """EQ-123"""
    s = levered
    s.aave.freeze("BTC")
    for _ in range(2):
        s.tokens[0].send("transfer", s.account, 1, sender=s.keeper)
        as_vault(s, "supply", s.tokens[0], 1)
        s.aave.freeze("BTC", on=False)
    assert s.tokens[0].call("balanceOf", s.account) == 0
    assert supplied(s, 0) == s.aave.a_tokens["BTC"].call("balanceOf", s.account)


def test_position__of_no_tokens__is_the_debt(levered: Levered) -> None:
    s = levered
    assert s.account.call("position", []) == ([], s.debt())


@pytest.mark.parametrize("fault", ["frozen", "capped", "paused"])
def test_supply__refused_by_the_venue__stays_in_the_books(levered: Levered, fault: str) -> None:
    """EQ-123: the vault still owns it, pays from it first, and offers it again with the next supply."""
    s, amount = levered, 10**7
    before, lent = supplied(s, 0), s.aave.a_tokens["BTC"].call("balanceOf", s.account)
    if fault == "frozen":
        s.aave.freeze("BTC")
    elif fault == "capped":
        s.aave.set_caps("BTC", supply=1)
    else:
        s.aave.pause("BTC")
    s.tokens[0].send("transfer", s.account, amount, sender=s.keeper)
    as_vault(s, "supply", s.tokens[0], amount)
    assert supplied(s, 0) == pytest.approx(before + amount, abs=10)
    assert s.aave.a_tokens["BTC"].call("balanceOf", s.account) == pytest.approx(lent, abs=10)
    as_vault(s, "withdraw", s.tokens[0], amount // 4, s.alice)
    assert s.tokens[0].call("balanceOf", s.alice) == amount // 4
    s.aave.freeze("BTC", on=False)
    s.aave.set_caps("BTC")
    if fault == "paused":
        s.aave.pause("BTC", on=False)
    s.tokens[0].send("transfer", s.account, 1, sender=s.keeper)
    as_vault(s, "supply", s.tokens[0], 1)
    assert s.tokens[0].call("balanceOf", s.account) == 0
    assert supplied(s, 0) == pytest.approx(before + amount * 3 // 4, abs=10)
    as_vault(s, "withdraw", s.tokens[0], 1, s.bob)  # from the venue: nothing is idle any more
    assert s.tokens[0].call("balanceOf", s.bob) == 1


@pytest.mark.parametrize("function", ["withdraw", "release"])
def test_withdraw__around_what_is_idle__takes_the_idle_first(levered: Levered, function: str) -> None:
    """EQ-123: up to the idle amount the venue is not asked at all, above it only for the rest."""
    s, idle = levered, 10**7
    s.aave.freeze("BTC")
    s.tokens[0].send("transfer", s.account, idle, sender=s.keeper)
    as_vault(s, "supply", s.tokens[0], idle)
    with s.scenario():
        s.aave.pause("BTC")
        as_vault(s, function, s.tokens[0], idle, s.alice)
        assert s.tokens[0].call("balanceOf", s.alice) == idle
        with pytest.raises(ContractRevert, match="LendingAccount__Refused"):
            as_vault(s, function, s.tokens[0], 1, s.alice)
    lent = s.aave.a_tokens["BTC"].call("balanceOf", s.account)
    as_vault(s, function, s.tokens[0], idle + 10**6, s.alice)
    assert s.tokens[0].call("balanceOf", s.alice) == idle + 10**6
    assert s.tokens[0].call("balanceOf", s.account) == 0
    assert s.aave.a_tokens["BTC"].call("balanceOf", s.account) == pytest.approx(lent - 10**6, abs=10)


def test_liquidity__of_a_reserve__is_what_the_venue_can_pay_out(levered: Levered) -> None:
    """EQ-121: `liquidity` names the most that leaves as tokens."""
    s = levered
    s.aave.set_utilisation("BTC", 1.0)
    assert s.account.call("liquidity", s.tokens[0]) == 0
    there = s.account.call("liquidity", s.tokens[1])
    assert there == s.tokens[1].call("balanceOf", s.aave.a_tokens["ETH"]) > 0


def test_supply__of_more_than_came__is_refused(levered: Levered) -> None:
    """EQ-61: LendingAccount__NotBacked: a token that delivered less than it said."""
    s = levered
    with pytest.raises(ContractRevert, match="LendingAccount__NotBacked"):
        as_vault(s, "supply", s.tokens[0], 1)


# ------------------------------------------------------------------ LTV zero


def test_zero_ltv__locks_the_other_collaterals__until_anyone_drops_it(levered: Levered) -> None:
    """EQ-122: Aave's error 57, and the way out of it."""
    s = levered
    s.aave.set_terms("ETH", 0.0, 0.83, 0.05)
    with pytest.raises(ContractRevert) as caught:
        as_vault(s, "withdraw", s.tokens[0], 10**6, s.alice)
    assert LTV_VALIDATION_FAILED in bytes(caught.value.arguments[3])
    s.refuses("LendingAccount__NotZeroLtv", s.account, "dropCollateral", s.tokens[0], sender=s.alice)
    s.account.send("dropCollateral", s.tokens[1], sender=s.mallory)
    as_vault(s, "withdraw", s.tokens[0], 10**6, s.alice)
    assert s.health() >= 1.3


def test_zero_ltv__returned__anyone_uses_the_collateral_again(levered: Levered) -> None:
    """EQ-122: Aave does not by itself; a token that is none of the vault's cannot be brought in this way."""
    s = levered
    s.aave.set_terms("ETH", 0.0, 0.83, 0.05)
    s.account.send("dropCollateral", s.tokens[1], sender=s.mallory)
    weakened = s.health()
    why = s.refuses("LendingAccount__Refused", s.account, "useAsCollateral", s.tokens[1], sender=s.mallory)
    what, token, amount, _ = why.arguments
    assert (what.rstrip(b"\0"), token.lower(), amount) == (b"useCollateral", s.tokens[1].address.lower(), 0)
    s.aave.set_terms("ETH", 0.805, 0.83, 0.05)
    s.account.send("useAsCollateral", s.tokens[1], sender=s.mallory)
    assert s.health() == pytest.approx(1.6, rel=1e-3)
    assert weakened < 1.4
    pledge = s.aave.tokens["PLEDGE"]
    s.refuses("LendingAccount__NotHeld", s.account, "useAsCollateral", pledge, sender=s.mallory)


def test_zero_ltv__collateral_that_is_needed__is_not_dropped(levered: Levered) -> None:
    """EQ-122: LendingAccount__HealthTooLow: nobody drives the vault towards a liquidation with it."""
    s = levered
    s.aave.set_terms("SPX", 0.0, 0.75, 0.06)
    names = ("LendingAccount__HealthTooLow", "LendingAccount__Refused")
    with pytest.raises(ContractRevert) as caught:
        s.account.call("dropCollateral", s.tokens[2], sender=s.mallory)
    assert caught.value.name in names
    s.aave.set_terms("SPX", 0.70, 0.75, 0.06)
    s.crash(-0.1)
    s.aave.set_terms("BTC", 0.0, 0.78, 0.05)
    revert = s.refuses(
        "LendingAccount__HealthTooLow", s.account, "dropCollateral", s.tokens[0], sender=s.mallory
    )
    assert revert.arguments[0] < revert.arguments[1] == 1.3 * WAD


@pytest.mark.parametrize("over", [-3e-4, 3e-4])
@pytest.mark.parametrize(
    ("health", "limit"), [(1.25, 1 / 20), (1.12, 1 / 20), (1.08, 1 - 1.05 / 1.08), (1.02, 1 / 1000)]
)
def test_zero_ltv__collateral_that_carries_little__is_dropped_at_any_health(
    levered: Levered, health: float, limit: float, over: float
) -> None:
    """EQ-122: or the others were locked for what hardly counts; above it LendingAccount__HealthTooLow.

    Aave counts the mean threshold in whole basis points, 1.3e-4 of the health factor here.
    """
    s, eth, carried = levered, levered.tokens[1], limit + over
    backing = [v * t for v, t in zip(s.vault.call("portfolio").valuesWad, (0.78, 0.83, 0.75), strict=False)]
    s.move([0.0, carried / (1 - carried) * (backing[0] + backing[2]) / backing[1] - 1, 0.0])
    s.to_health(health)
    s.aave.set_terms("ETH", 0.0, 0.83, 0.05)
    with s.one_block():
        before = s.vault.call("healthFactorWad")
        assert before / WAD == pytest.approx(health, rel=1e-6)
        if over < 0:
            s.account.send("dropCollateral", eth, sender=s.mallory)
            after = s.vault.call("healthFactorWad")
        else:
            error = "LendingAccount__HealthTooLow"
            after, least = s.refuses(error, s.account, "dropCollateral", eth, sender=s.mallory).arguments
            assert after < least == pytest.approx(before * (1 - limit), rel=1e-6)
        assert after == pytest.approx(before * (1 - carried), rel=1.4e-4)


def test_zero_ltv__with_a_dead_feed_of_its_own__is_dropped_where_it_is_not_needed(levered: Levered) -> None:
    """EQ-122: nobody knows what it carries, so that the others have to suffice for 1.3."""
    s, eth = levered, levered.tokens[1]
    s.aave.set_terms("ETH", 0.0, 0.83, 0.05)
    s.aave.oracle.send("setAssetSources", [eth], ["0x" + "00" * 19 + "01"], sender=s.aave.admin)
    with pytest.raises(ContractRevert, match="LendingAccount__NoHealthFactor"):
        s.account.call("healthFactorWad")
    s.account.send("dropCollateral", eth, sender=s.mallory)
    assert s.health() >= 1.3


def test_thresholds__of_a_token_that_backs_nothing__are_zero(levered: Levered) -> None:
    """EQ-18: LTV 0, frozen, paused: none of them may carry new debt."""
    s = levered

    def thresholds() -> list[float]:
        return [t / WAD for t in s.account.call("thresholdsWad", s.tokens)]

    assert thresholds() == [0.78, 0.83, 0.75]
    s.aave.set_terms("BTC", 0.0, 0.78, 0.05)
    s.aave.freeze("ETH")
    s.aave.pause("SPX")
    assert thresholds() == [0, 0, 0]


# ----------------------------------------------------------------- donations


def test_donation__of_tokens__changes_nothing(levered: Levered) -> None:
    """EQ-54: tokens sent to the account are nobody's: neither NAV nor share price moves."""
    s = levered
    with s.one_block():
        price, nav = s.share_price(), s.vault.call("totalAssets")
        s.tokens[0].send("transfer", s.account, 10**8, sender=s.keeper)
        s.cash.send("transfer", s.account, 10**9, sender=s.keeper)
        assert (s.share_price(), s.vault.call("totalAssets")) == (price, nav)


def test_donation__of_receipts__is_worth_what_it_is_worth(levered: Levered) -> None:
    """EQ-54: aTokens given away add their value for all holders, and no more."""
    s = levered
    s.tokens[1].send("approve", s.aave.pool, MAX, sender=s.keeper)
    gift = 5 * 10**18
    s.aave.pool.send("supply", s.tokens[1], gift, s.keeper, 0, sender=s.keeper)
    with s.one_block():
        before = s.vault.call("totalAssets")
        s.aave.a_tokens["ETH"].send("transfer", s.account, gift, sender=s.keeper)
        added = s.vault.call("totalAssets") - before
    assert added == pytest.approx(5 * 2_000 * 10**6, rel=1e-6)


def test_donation__of_receipts_that_back_nothing__does_not_keep_a_purchase_from_backing(
    lending: Levered,
) -> None:
    """EQ-126: ten units before the first supply, which Aave then takes for no first one: since v3.6 after any
    transfer, here after one at an LTV of 0."""
    s = lending
    for token in s.tokens:
        token.send("approve", s.aave.pool, MAX, sender=s.keeper)
    terms = {"BTC": (0.73, 0.78, 0.05), "ETH": (0.805, 0.83, 0.05), "SPX": (0.70, 0.75, 0.06)}
    for token, name in zip(s.tokens, s.symbols, strict=True):
        s.aave.pool.send("supply", token, 10**6, s.keeper, 0, sender=s.keeper)
        s.aave.set_terms(name, 0.0, *terms[name][1:])
        s.aave.a_tokens[name].send("transfer", s.account, 10, sender=s.keeper)
        s.aave.set_terms(name, *terms[name])
    s.deposit(s.alice, 1_000_000)
    s.lever()
    assert s.leverage() == pytest.approx(s.targets_met(), rel=0.01)
    assert s.health() == pytest.approx(1.6, rel=1e-3)


def test_donation__of_another_reserve__neither_counts_nor_blocks(levered: Levered) -> None:
    """EQ-54: a stranger's collateral may raise the health factor; nothing is stuck by it."""
    s = levered
    s.cash.send("approve", s.aave.pool, MAX, sender=s.mallory)
    before = s.vault.call("totalAssets")
    s.aave.pool.send("supply", s.cash, 10**10, s.account, 0, sender=s.mallory)
    assert s.vault.call("totalAssets") == pytest.approx(before, rel=1e-7)
    s.aave.set_terms("USDC", 0.0, 0.8, 0.045)
    s.account.send("dropCollateral", s.cash, sender=s.alice)
    as_vault(s, "withdraw", s.tokens[1], 10**15, s.alice)
