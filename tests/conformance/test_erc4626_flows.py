"""EIP-4626's MUSTs about who pays whom, allowances, rounding at every size, and what limits may depend on."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

from equipoise.client.config import FeesConfig
from equipoise.errors import ContractRevert
from tests.fixtures.levered import Levered
from tests.fixtures.system import MAX, System, artifact_contract

WAD = 10**18
VIRTUAL_SHARES, VIRTUAL_ASSETS = 10**12, 1
SIZES = [1, 2, 3, 7, 999, 10**6, 10**9 + 7, 123_456_789_012_345, 10**18 + 1, 10**24, 2**96 - 1, 2**128]
NOBODY = "0x" + "99" * 20


@pytest.fixture(params=[6, 18], ids=["6 decimals", "18 decimals"])
def vault(request: pytest.FixtureRequest, make_system: Callable[..., System]) -> System:
    """Invested at a spread, with every fee, the price no round number; bob has cash and no approval."""
    s = make_system(cash_decimals=request.param, fees=FeesConfig(0.003, 0.002, 0.02, 0.2))
    s.deposit(s.alice, 100_000)
    s.rebalance()
    s.move([0.0713, -0.0131, 0.2011])
    s.cash.send("approve", s.vault, 0, sender=s.bob)
    return s


def test_shares_and_assets__any_size__rounded_for_the_vault_within_two_units(vault: System) -> None:
    """EQ-55 and EQ-56: MUST round down what is given and up what is taken; exact but for two roundings."""
    s = vault
    with s.one_block():
        s.vault.send("accrueFees", sender=s.keeper)  # so that nothing more is due in this second
        got = {
            name: [s.vault.call(name, size) for size in SIZES]
            for name in (
                "convertToShares",
                "convertToAssets",
                "previewDeposit",
                "previewMint",
                "previewWithdraw",
                "previewRedeem",
            )
        }
        nav, supply = s.vault.call("nav"), s.vault.call("totalSupply") + VIRTUAL_SHARES
    entry, exit_ = (1 - Fraction(s.vault.call("fees")[i], WAD) for i in (0, 1))
    bid, mid, ask = (each + VIRTUAL_ASSETS for each in (nav.bid, nav.mid, nav.ask))
    for k, size in enumerate(SIZES):
        for name, exact, unit in [
            ("convertToShares", Fraction(size * supply, mid), 0),
            ("convertToAssets", Fraction(size * mid, supply), 0),
            # the fee is rounded first, in units of the asset
            ("previewDeposit", size * entry * supply / ask, Fraction(supply, ask)),
            ("previewRedeem", size * Fraction(bid, supply) * exit_, 1),
        ]:
            assert exact - unit - 1 < got[name][k] <= exact, (name, size)
        for name, exact, unit in [
            ("previewMint", size * Fraction(ask, supply) / entry, 1 / entry),
            ("previewWithdraw", size / exit_ * Fraction(supply, bid), Fraction(supply, bid)),
        ]:
            assert exact <= got[name][k] < exact + unit + 1, (name, size)


def test_convert__fees_and_spread__play_no_part(vault: System) -> None:
    """EQ-55: convertTo* MUST NOT be inclusive of fees, nor reflect the spread: they take NAV at mid."""
    s = vault
    v = s.vault
    with s.one_block():
        v.send("accrueFees", sender=s.keeper)
        before = v.call("convertToShares", 10**9), v.call("convertToAssets", 10**24)
        dear = v.call("previewDeposit", 10**9)
        v.send("setFees", FeesConfig(0.01, 0.01, 0.02, 0.2).params(), s.treasury, sender=s.owner)
        assert (v.call("convertToShares", 10**9), v.call("convertToAssets", 10**24)) == before
        assert v.call("previewDeposit", 10**9) < dear


@pytest.mark.parametrize("action", ["deposit", "mint"])
def test_entry__moves_exactly_what_it_says(vault: System, action: str) -> None:
    """EQ-55: MUST mint to the receiver, take the assets from the caller, and support approve/transferFrom."""
    s = vault
    amount = s.units(1_000) if action == "deposit" else 10**21
    with pytest.raises(ContractRevert):
        s.vault.send(action, amount, s.keeper, sender=s.bob)
    assert s.shares(s.keeper) == 0  # no approval, nothing happened
    s.cash.send("approve", s.vault, MAX, sender=s.bob)
    before = s.cash_of(s.bob), s.cash_of(s.vault.address), s.balances()[-1]
    event = s.vault.events(s.vault.send(action, amount, s.keeper, sender=s.bob), "Deposit")[0]
    assert (event.assets if action == "deposit" else event.shares) == amount
    assert s.shares(s.keeper) == event.shares > 0 == s.shares(s.bob)
    after = s.cash_of(s.bob), s.cash_of(s.vault.address), s.balances()[-1]
    moved = [b - a for a, b in zip(before, after, strict=True)]
    assert moved == [-event.assets, event.assets, event.assets]


@pytest.mark.parametrize("action", ["deposit", "mint"])
def test_entry__more_than_the_caller_has__reverts_whole(vault: System, action: str) -> None:
    """EQ-55: MUST revert if all of the assets cannot be deposited: never a part of them."""
    s = vault
    s.cash.send("approve", s.vault, s.units(500), sender=s.bob)
    amount = s.units(500) + 1 if action == "deposit" else s.vault.call("convertToShares", s.units(520))
    before = s.fingerprint()
    with pytest.raises(ContractRevert):
        s.vault.send(action, amount, s.bob, sender=s.bob)
    assert s.fingerprint() == before


@pytest.mark.parametrize("action", ["withdraw", "redeem"])
def test_exit__by_a_third_party__spends_exactly_the_shares(vault: System, action: str) -> None:
    """EQ-55: MUST burn the owner's shares and pay the receiver; another caller uses up an allowance."""
    s = vault
    v = s.vault
    amount = s.units(100) if action == "withdraw" else 10**20

    def leave() -> tuple[int, int]:
        event = v.events(v.send(action, amount, s.keeper, s.alice, sender=s.mallory), "Withdraw")[0]
        assert (event.sender.lower(), event.receiver.lower()) == (s.mallory.lower(), s.keeper.lower())
        return event.assets, event.shares

    needed = v.call("previewWithdraw", amount) if action == "withdraw" else amount
    v.send("approve", s.mallory, needed * 99 // 100, sender=s.alice)
    s.refuses("ERC20InsufficientAllowance", v, action, amount, s.keeper, s.alice, sender=s.mallory)
    v.send("approve", s.mallory, 2 * needed, sender=s.alice)
    before = s.shares(s.alice), s.cash_of(s.keeper), s.cash_of(s.mallory)
    assets, shares = leave()
    assert (assets if action == "withdraw" else shares) == amount
    assert s.shares(s.alice) == before[0] - shares
    assert (s.cash_of(s.keeper), s.cash_of(s.mallory)) == (before[1] + assets, before[2])
    assert v.call("allowance", s.alice, s.mallory) == 2 * needed - shares
    v.send("approve", s.mallory, MAX, sender=s.alice)
    leave()
    assert v.call("allowance", s.alice, s.mallory) == MAX
    s.refuses("ERC20InsufficientAllowance", v, action, amount, s.bob, s.alice, sender=s.bob)


@pytest.mark.parametrize("action", ["withdraw", "redeem"])
def test_exit__more_than_the_owner_has__reverts_whole(vault: System, action: str) -> None:
    """EQ-55: MUST revert if all of the assets cannot be withdrawn."""
    s = vault
    s.cash.send("approve", s.vault, MAX, sender=s.bob)
    s.vault.send("deposit", s.units(100), s.bob, sender=s.bob)
    amount = s.vault.call("maxWithdraw", s.bob) if action == "withdraw" else s.shares(s.bob)
    more = amount + s.units(0.01) if action == "withdraw" else amount + 1
    s.refuses("ERC20InsufficientBalance", s.vault, action, more, s.bob, s.bob, sender=s.bob)


def test_max_deposit__of_anybody__asks_for_no_balance(vault: System) -> None:
    """EQ-55: maxDeposit and maxMint MUST NOT rely on the caller's balance of the asset."""
    s = vault
    for name in ("maxDeposit", "maxMint"):
        assert s.vault.call(name, NOBODY) == s.vault.call(name, s.alice) > 0
    for name in ("maxWithdraw", "maxRedeem"):
        assert s.vault.call(name, NOBODY) == 0
    room = s.vault.call("depositCap") - s.vault.call("totalAssets")
    assert s.vault.call("maxDeposit", NOBODY) == room


VIEWS = ("totalAssets", "convertToShares", "convertToAssets", "previewDeposit", "previewRedeem")


def test_views__while_a_price_is_unusable__only_limits_answer(vault: System) -> None:
    """EQ-55: max* MUST NOT revert and do not. totalAssets and convertTo* MUST NOT either, and here they do.

    The one departure from the standard: there is no NAV to tell, and a wrong one would be believed.
    """
    s = vault
    s.feeds[1].send("setBehaviour", 1, b"", sender=s.keeper)
    for name in ("maxDeposit", "maxMint", "maxWithdraw", "maxRedeem"):
        assert s.vault.call(name, s.alice) == 0
    for name in VIEWS:
        with pytest.raises(ContractRevert) as revert:
            s.vault.call(name, *([] if name == "totalAssets" else [10**9]))
        assert revert.value.name == "PriceOracle__FeedFailed", revert.value


def test_max__with_a_dead_oracle_at_the_venue__does_not_revert(levered: Levered) -> None:
    """EQ-55: nor where Aave cannot tell the health factor: no deposits then, and cash still leaves."""
    s = levered
    dead = artifact_contract(s.chain, "OddFeed", 8, 0, sender=s.owner)
    s.aave.oracle.send("setAssetSources", [s.tokens[0].address], [dead], sender=s.aave.admin)
    assert s.vault.call("maxDeposit", s.alice) == s.vault.call("maxMint", s.alice) == 0
    most = s.vault.call("maxWithdraw", s.alice)
    assert most == min(s.balances()[-1], s.vault.call("previewRedeem", s.shares(s.alice))) > 0
    s.vault.send("withdraw", most, s.alice, s.alice, sender=s.alice)
