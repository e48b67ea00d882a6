"""The real lending market: it lends, rates and health factors follow, it liquidates below 1 only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import ContractRevert, InputError
from equipoise.world import AssetSpec, World
from equipoise.world.aave import Aave
from equipoise.world.assets import check_terms
from tests.fixtures.system import FUZZ

MAX = 2**256 - 1
BTC = 10**8
USD = 10**6


@pytest.fixture(scope="module")
def _world() -> Iterator[World]:
    with World.build((AssetSpec.of("BTC", 40_000.0), AssetSpec.of("ETH", 2_500.0)), lending=True) as world:
        yield world


@pytest.fixture
def world(_world: World) -> Iterator[World]:
    snapshot = _world.snapshot()
    yield _world
    _world.revert(snapshot)


@contextmanager
def undone(world: World) -> Iterator[None]:
    snapshot = world.snapshot()
    yield
    world.revert(snapshot)


@pytest.fixture
def aave(world: World) -> Aave:
    assert world.aave
    return world.aave


@pytest.fixture
def user(world: World, aave: Aave) -> str:
    """Ten bitcoins supplied, 200,000 USDC borrowed: a health factor of 1.56."""
    account = world.accounts[3]
    world.fund("BTC", account, 20 * BTC)
    for token in (world.tokens["BTC"], world.usdc):
        token.send("approve", aave.pool, MAX, sender=account)
    aave.pool.send("supply", world.tokens["BTC"], 10 * BTC, account, 0, sender=account)
    aave.pool.send("borrow", world.usdc, 200_000 * USD, 2, 0, account, sender=account)
    return account


def test_account__supplies_borrows_repays_withdraws(world: World, aave: Aave, user: str) -> None:
    data = aave.account_data(user)
    assert (data.collateral_usd, data.threshold, data.ltv) == (pytest.approx(400_000), 0.78, 0.73)
    assert data.health_factor == pytest.approx(1.56, rel=1e-6)
    world.warp(365 * 86_400)
    owed = aave.debt_tokens["USDC"].call("balanceOf", user)
    assert owed == pytest.approx(200_000 * USD * (1 + aave.borrow_rate()), rel=5e-3)
    world.fund("USDC", user, 20_000 * USD)
    aave.pool.send("repay", world.usdc, MAX, 2, user, sender=user)
    aave.pool.send("withdraw", world.tokens["BTC"], MAX, user, sender=user)
    assert aave.account_data(user).health_factor == float("inf")
    assert world.tokens["BTC"].call("balanceOf", user) >= 20 * BTC


def test_rates__follow_utilisation_through_the_kink(world: World, aave: Aave) -> None:
    rates = []
    for fraction in (0.2, 0.75, 0.9, 0.95, 1.0):
        aave.set_utilisation("USDC", fraction)
        assert aave.utilisation("USDC") == pytest.approx(fraction, abs=1e-6)
        rates.append(aave.borrow_rate())
    assert rates == sorted(rates)
    assert rates[1] == pytest.approx(0.04 * 0.75 / 0.9, rel=1e-3)
    assert rates[-1] == pytest.approx(0.64, rel=1e-3)
    assert aave.liquidity("USDC") == 0


def test_liquidate__only_below_one__earns_the_bonus(world: World, aave: Aave, user: str) -> None:
    world.set_prices({"BTC": 40_000 * 1.001 / 1.56})
    assert aave.account_data(user).health_factor > 1
    assert aave.liquidate(user) == []
    world.set_prices({"BTC": 40_000 * 0.99 / 1.56})
    assert aave.account_data(user).health_factor < 1
    (done, *_) = aave.liquidate(user)
    assert done.symbol == "BTC"
    assert done.repaid == pytest.approx(100_000 * USD, rel=1e-3)  # the close factor is a half
    assert done.bonus_usd == pytest.approx(5_000, rel=0.15)  # 5 %, less what the protocol keeps
    assert aave.account_data(user).health_factor >= 1


@pytest.mark.parametrize("gap", [0.94, 0.9, 0.75, 0.4])
def test_liquidate__after_a_gap__takes_the_whole_debt(
    world: World, aave: Aave, user: str, gap: float
) -> None:
    """Below 0.95 Aave lets all of the debt be repaid: the sound lose it, the insolvent their bitcoins."""
    world.set_prices({"BTC": 40_000 / 1.56 * gap})
    aave.set_utilisation("BTC", 1.0)  # a dry reserve does not stop it
    (done,) = aave.liquidate(user)
    data = aave.account_data(user)
    if gap > 0.78 * 1.05:
        assert data.debt_usd == pytest.approx(0, abs=0.01)
        assert done.repaid == pytest.approx(200_000 * USD, rel=1e-3)
    else:
        assert data.collateral_usd == pytest.approx(0, abs=0.01)
        assert data.debt_usd > 0
    receipts = aave.a_tokens["BTC"].call("balanceOf", aave.liquidator)
    assert receipts == pytest.approx(done.seized, rel=2e-2)


def test_liquidate__of_several_collaterals__takes_the_largest_that_is_let_go(
    world: World, aave: Aave, user: str
) -> None:
    world.fund("ETH", user, 20 * 10**18)
    eth = world.tokens["ETH"]
    eth.send("approve", aave.pool, MAX, sender=user)
    aave.pool.send("supply", eth, 20 * 10**18, user, 0, sender=user)
    world.set_prices({"BTC": 22_000.0, "ETH": 1_250.0})
    assert aave.account_data(user).health_factor < 1
    with undone(world):
        assert aave.liquidate(user)[0].symbol == "BTC"
    with undone(world):
        aave.pause("BTC")
        assert {done.symbol for done in aave.liquidate(user)} == {"ETH"}
    aave.pause("USDC")
    assert aave.liquidate(user) == []


def test_flash_loan__costs_its_premium(world: World, aave: Aave) -> None:
    """A receiver of hand-made code: it has approved the pool, and answers true to whoever calls it."""
    assert aave.pool.call("FLASHLOAN_PREMIUM_TOTAL") == 5
    receiver = "0x" + "fe" * 20
    world.chain.request("anvil_setCode", receiver, "0x60015f5260205ff3")
    world.chain.request("anvil_setBalance", receiver, hex(10**18))
    world.usdc.send("approve", aave.pool, MAX, sender=receiver)
    world.fund("USDC", receiver, 1_000 * USD)
    args = receiver, world.usdc, 10**6 * USD, b"", 0
    aave.pool.send("flashLoanSimple", *args, sender=world.accounts[0])
    assert world.usdc.call("balanceOf", receiver) == 500 * USD
    aave.pool.send("flashLoanSimple", *args, sender=world.accounts[0])
    with pytest.raises(ContractRevert):
        aave.pool.send("flashLoanSimple", *args, sender=world.accounts[0])


def test_price__moves_health_factor_in_proportion(world: World, aave: Aave, user: str) -> None:
    world.set_prices({"BTC": 80_000.0})
    assert aave.account_data(user).health_factor == pytest.approx(3.12, rel=1e-6)
    world.set_prices({"USDC": 0.87})
    assert aave.account_data(user).health_factor == pytest.approx(3.12 / 0.87, rel=1e-6)


def test_utilisation__after_years_of_interest__still_goes_anywhere(
    world: World, aave: Aave, user: str
) -> None:
    world.warp(3 * 365 * 86_400)
    for fraction in (1.0, 0.0, 0.5):
        aave.set_utilisation("ETH", fraction)
        assert aave.utilisation("ETH") == pytest.approx(fraction, abs=1e-6)
    with pytest.raises(InputError, match="others"):
        aave.set_utilisation("USDC", 0.0)


def test_revert__to_a_snapshot__restores_the_market(world: World, aave: Aave, user: str) -> None:
    before = aave.account_data(user), aave.utilisation("USDC"), aave.liquidity("BTC")
    with undone(world):
        world.set_prices({"BTC": 20_000.0})
        aave.liquidate(user)
        aave.set_utilisation("USDC", 0.9)
        aave.pause_all()
        world.warp(1_000_000)
    assert (aave.account_data(user), aave.utilisation("USDC"), aave.liquidity("BTC")) == before


def test_levers__do_what_they_say(world: World, aave: Aave, user: str) -> None:
    btc = world.tokens["BTC"]

    def refused(code: str, function: str, *args: object) -> None:
        with pytest.raises(ContractRevert, match=code):
            aave.pool.send(function, *args, sender=user)

    aave.freeze("BTC")
    refused("28", "supply", btc, BTC, user, 0)
    aave.freeze("BTC", on=False)
    aave.pause("BTC")
    refused("29", "withdraw", btc, 1, user)
    aave.pause("BTC", on=False)
    aave.pause_all()
    refused("29", "repay", world.usdc, 1, 2, user)
    aave.pause_all(on=False)
    aave.set_caps("BTC", supply=1)
    refused("51", "supply", btc, BTC, user, 0)
    aave.set_caps("BTC")
    aave.set_terms("BTC", 0.0, 0.78, 0.05)
    assert aave.account_data(user).ltv == 0
    refused("57", "borrow", world.usdc, USD, 2, 0, user)
    aave.set_terms("BTC", 0.73, 0.78, 0.05)
    aave.set_utilisation("BTC", 1.0)
    refused("Panic", "withdraw", btc, BTC, user)
    aave.set_utilisation("BTC", 0.1)
    aave.set_caps("USDC", borrow=1)
    refused("50", "borrow", world.usdc, USD, 2, 0, user)
    aave.pool.send("withdraw", btc, BTC, user, sender=user)


def test_emode__of_a_reserve__helps_who_chooses_it_and_can_be_left(aave: Aave, user: str) -> None:
    aave.set_emode("BTC")
    assert aave.account_data(user).threshold == 0.78
    aave.set_emode("USDC")
    aave.pool.send("setUserEMode", 1, sender=user)
    assert aave.account_data(user).threshold == 0.93
    aave.set_emode("BTC", 0)
    assert aave.account_data(user).threshold == 0.78


def test_levers__bad_input__is_refused(aave: Aave) -> None:
    for call in (
        lambda: aave.set_utilisation("USDC", 1.1),
        lambda: aave.set_utilisation("USDC", -0.1),
        lambda: aave.pause("GOLD"),
        lambda: aave.liquidity("GOLD"),
        lambda: aave.utilisation("GOLD"),
        lambda: aave.borrow_rate("GOLD"),
        lambda: aave.set_utilisation("USDC", float("nan")),
        lambda: aave.set_caps("BTC", borrow=2**36),
        lambda: aave.set_caps("BTC", supply=-1),
        lambda: aave.set_terms("BTC", 0.9, 0.8, 0.05),
        lambda: aave.set_emode("BTC", 256),
    ):
        with pytest.raises(InputError):
            call()


def test_world__saved_and_loaded__keeps_its_market(world: World, user: str, tmp_path: Path) -> None:
    with World.load(world.dump(tmp_path / "world.json")) as again:
        assert again.aave
        assert again.aave.account_data(user).health_factor == pytest.approx(1.56, rel=1e-6)
        again.set_prices({"BTC": 20_000.0})
        assert again.aave.liquidate(user)


def test_world__built_twice__has_the_same_addresses(world: World, aave: Aave) -> None:
    specs = (AssetSpec.of("BTC", 40_000.0), AssetSpec.of("ETH", 2_500.0))
    with World.build(specs, lending=True) as again:
        assert again.aave
        assert again.aave.pool.address == aave.pool.address
    with World.build(specs) as plain:
        assert plain.aave is None
        assert plain.factory.address == world.factory.address


@given(st.floats(0, 1), st.floats(1e-3, 0.99), st.floats(1e-3, 1))
@settings(FUZZ, max_examples=25)
def test_terms__that_are_taken__are_what_aave_takes(
    world: World, aave: Aave, ltv: float, threshold: float, bonus: float
) -> None:
    """No terms pass our check and fail at Aave."""
    ltv, bonus = ltv * threshold, bonus * (1 / threshold - 1)
    try:
        check_terms("BTC", ltv, threshold, bonus)
    except InputError:
        return
    aave.set_terms("BTC", ltv, threshold, bonus)
    found = aave.data_provider.call("getReserveConfigurationData", world.tokens["BTC"])
    assert found.ltv / 1e4 == pytest.approx(ltv, abs=6e-5)
    assert found.liquidationThreshold / 1e4 == pytest.approx(threshold, abs=6e-5)
    assert found.liquidationBonus / 1e4 == pytest.approx(1 + bonus, abs=6e-5)


@pytest.mark.parametrize(
    "terms",
    [
        {"ltv": 0.8, "liquidation_threshold": 0.7},
        {"ltv": -0.1},
        {"liquidation_threshold": 1.2},
        {"liquidation_bonus": 0.5},
        {"liquidation_bonus": -0.1},
        {"liquidation_bonus": 0.0},
        {"ltv": 0.0, "liquidation_threshold": 0.0},
        {"ltv": float("nan")},
        {"symbol": "PLEDGE"},
    ],
)
def test_spec__impossible_lending_terms__are_refused(terms: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        AssetSpec(**{"symbol": "ODD", "price": 1.0, **terms})
