"""EIP-4626, MUST by MUST, on a vault with a basket, spreads, every fee and a year behind it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.client.config import FeesConfig
from equipoise.errors import ContractRevert
from tests.fixtures.system import FUZZ, MAX, System

SHARE = 10**18
AMOUNTS = st.one_of(st.integers(1, 10**6), st.integers(10**6, 4 * 10**10))


@pytest.fixture(params=["without a lending account", "owing debt to Aave"])
def vault(request: pytest.FixtureRequest) -> System:
    """Fees of every kind are due: entry, exit, management since a month, performance on a gain."""
    s: System = request.getfixturevalue("levered" if "Aave" in request.param else "invested")
    s.vault.send("setFees", FeesConfig(0.003, 0.002, 0.02, 0.2).params(), s.treasury, sender=s.owner)
    s.vault.send("approve", s.bob, MAX, sender=s.alice)
    s.warp(30 * 86_400)
    s.post_reports()
    s.refresh_prices()
    s.move([0.1, 0.05, 0.2])
    return s


def test_asset__is_the_cash_token(vault: System) -> None:
    """EQ-55: asset() MUST be an ERC-20 and MUST NOT revert."""
    assert vault.vault.call("asset") == vault.cash.address


def test_total_assets__includes_everything_managed(vault: System) -> None:
    """EQ-55: totalAssets MUST be inclusive of the whole book; here at mid, in the asset's unit."""
    values = [
        b / 10**d * vault.price(i)
        for i, (b, d) in enumerate(zip(vault.balances(), vault.decimals, strict=False))
    ]
    expected = sum(values) + vault.balances()[-1] / 1e6 - vault.vault.call("debt") / 1e6
    assert vault.vault.call("totalAssets") / 1e6 == pytest.approx(expected, abs=1e-5)


@FUZZ
@given(amount=AMOUNTS)
def test_convert__any_amount__rounds_down_and_ignores_the_caller(vault: System, amount: int) -> None:
    """EQ-55: convertTo* MUST NOT show variations between callers nor include fees; MUST round down."""
    v = vault.vault
    shares = v.call("convertToShares", amount)
    assert shares == v.call("convertToShares", amount, sender=vault.mallory)
    assert v.call("convertToAssets", shares) <= amount
    assert v.call("convertToShares", v.call("convertToAssets", amount * 10**12)) <= amount * 10**12
    assert v.call("previewDeposit", amount) < shares
    assert v.call("previewRedeem", shares) < amount or amount == 1


ACTIONS = {
    "deposit": ("previewDeposit", 1, ("bob",)),
    "mint": ("previewMint", 10**12, ("bob",)),
    "withdraw": ("previewWithdraw", 1, ("bob", "alice")),
    "redeem": ("previewRedeem", 10**12, ("bob", "alice")),
}


@pytest.mark.parametrize("action", ACTIONS)
@FUZZ
@given(amount=AMOUNTS, dust=st.integers(0, 10**6), wait=st.integers(1, 10**6))
def test_preview__any_amount__equals_the_action_in_the_same_block(
    vault: System, action: str, amount: int, dust: int, wait: int
) -> None:
    """EQ-55: previews MUST be as close as possible: here they are exact, all accrued fees included."""
    s = vault
    preview, scale, people = ACTIONS[action]
    amount = amount * scale + (dust if scale > 1 else 0)
    with s.scenario():
        s.warp(wait)
        s.refresh_prices()
        expected = s.vault.call(preview, amount)
        args = (amount, *(getattr(s, p) for p in people))
        try:
            assert s.vault.call(action, *args, sender=s.bob) == expected
        except ContractRevert as revert:
            refused = {"ZeroShares", "ZeroAssets", "InsufficientCash", "DepositsClosed"}
            if revert.name.removeprefix("RiskParityVault__") not in refused | {"ERC20InsufficientBalance"}:
                raise


@pytest.mark.parametrize("action", ACTIONS)
def test_event__of_the_action__tells_both_amounts(vault: System, action: str) -> None:
    """EQ-55: MUST emit Deposit(sender, owner, ...) or Withdraw(sender, receiver, owner, ...)."""
    s = vault
    _, scale, people = ACTIONS[action]
    amount = 10**9 * scale
    args = (amount, *(getattr(s, p) for p in people))
    name = "Deposit" if action in ("deposit", "mint") else "Withdraw"
    event = s.vault.events(s.vault.send(action, *args, sender=s.bob), name)[0]
    assert amount == (event.assets if action in ("deposit", "withdraw") else event.shares)
    assert event.sender.lower() == s.bob.lower()
    assert event.owner.lower() == (s.bob if name == "Deposit" else s.alice).lower()


@pytest.mark.parametrize("limit", ["the cap", "the cash", "the balance", "none left", "dust"])
@FUZZ
@given(amount=st.integers(1, 9 * 10**10))
def test_max__in_any_state__is_accepted_and_one_more_is_not(vault: System, limit: str, amount: int) -> None:
    """EQ-55 and EQ-59: max* MUST return what the action accepts, MUST NOT overestimate, MUST NOT revert."""
    s = vault
    with s.scenario(), s.one_block():
        prepare(s, limit, amount)
        check_max(s)


def prepare(s: System, limit: str, amount: int) -> None:
    v, owner, me = s.vault, s.owner, s.alice
    if limit == "the cap":
        v.send("setDepositCap", v.call("totalAssets") + amount % 10**4, sender=owner)
    elif limit == "the cash":
        v.send("withdraw", min(amount, v.call("maxWithdraw", me)), me, me, sender=me)
    elif limit == "the balance":
        v.send("transfer", s.keeper, s.shares(me) - amount * 10**10, sender=me)
    elif limit == "none left":
        v.send("transfer", s.keeper, s.shares(me), sender=me)
    else:
        v.send("transfer", s.keeper, s.shares(me) - amount % (3 * 10**12), sender=me)


def check_max(s: System) -> None:
    v, me = s.vault, s.alice
    for name, args in (("Deposit", (me,)), ("Mint", (me,)), ("Withdraw", (me, me)), ("Redeem", (me, me))):
        most = v.call(f"max{name}", me)
        function = name.lower()
        if most:
            v.call(function, most, *args, sender=me)
        step = 10**12 if name in ("Mint", "Redeem") else 1
        with pytest.raises(ContractRevert):
            v.call(
                function, most + step + (most // 10**9 if name in ("Mint", "Redeem") else 0), *args, sender=me
            )


@pytest.mark.parametrize("dead", [False, True])
def test_max__whatever_happens__does_not_revert(vault: System, dead: bool) -> None:
    """EQ-55: max* MUST NOT revert, and MUST be 0 where the action is off."""
    s = vault
    s.guard.send("pauseDeposits", sender=s.guardian)
    if dead:
        s.kill_feeds()
    for name in ("Deposit", "Mint"):
        assert s.vault.call(f"max{name}", s.alice) == 0
    for name in ("Withdraw", "Redeem"):
        assert (s.vault.call(f"max{name}", s.alice) == 0) == dead


def test_zero_supply__conversions_and_previews__start_at_one_to_one(system: System) -> None:
    """EQ-55: an empty vault converts at birth's rate, with twelve more decimals."""
    v = system.vault
    assert v.call("convertToShares", 10**6) == SHARE
    assert v.call("convertToAssets", SHARE) == 10**6
    assert v.call("previewMint", SHARE * 9_995 // 10_000) == 10**6
    assert v.call("previewDeposit", 10**6) == SHARE * 9_995 // 10_000
    assert v.call("maxRedeem", system.alice) == v.call("maxWithdraw", system.alice) == 0
    assert (v.call("previewDeposit", 0), v.call("previewRedeem", 0)) == (0, 0)


def test_previews__ignore_limits(vault: System) -> None:
    """EQ-55: previews MUST NOT account for limits: beyond cap and cash, while paused, they still answer."""
    s = vault
    s.guard.send("pauseDeposits", sender=s.guardian)
    s.vault.send("setDepositCap", 0, sender=s.owner)
    assert s.vault.call("previewDeposit", 10**15) > 0
    assert s.vault.call("previewRedeem", 10**30) > s.balances()[-1]


def test_share__is_an_erc20_with_metadata(vault: System) -> None:
    """EQ-55: shares MUST be ERC-20 with name, symbol, decimals."""
    v = vault.vault
    assert v.call("name").startswith("Equipoise")
    assert v.call("symbol") in ("EQT", "eqRP")
    assert v.call("decimals") == 18
    v.send("transfer", vault.bob, SHARE, sender=vault.alice)
    assert vault.shares(vault.bob) == SHARE
