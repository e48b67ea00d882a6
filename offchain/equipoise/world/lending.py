"""Deploys a whole Aave V3 market from its npm package, and lets its public in.

Its oracle reads the world's feeds, so that one price moves pools, vault and lending market alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from equipoise.client.artifacts import load_npm_artifact
from equipoise.client.contract import Contract, create
from equipoise.client.rpc import RpcChain
from equipoise.units import FEED_DECIMALS
from equipoise.world.aave import ARTIFACTS, BPS, MAX, RAY, ZERO, Aave
from equipoise.world.assets import PLEDGE

__all__ = ["deploy_market", "open_market"]

FLASH_LOAN_PREMIUM_BPS = 5
RESERVE_FACTOR_BPS = 1_000

# optimal use, base, slope below and above it: Aave's for stablecoins and for volatile assets
_CASH_RATES = 0.90, 0.0, 0.04, 0.60
_ASSET_RATES = 0.45, 0.0, 0.07, 3.00
# each is linked with those before it that it needs
_LIBRARIES = (
    "BorrowLogic",
    "BridgeLogic",
    "SupplyLogic",
    "EModeLogic",
    "PoolLogic",
    "LiquidationLogic",
    "ConfiguratorLogic",
    "FlashLoanLogic",
)
_LISTING_GAS = 60_000_000


def deploy_market(
    chain: RpcChain,
    tokens: Mapping[str, Contract],
    feeds: Mapping[str, Contract],
    decimals: Mapping[str, int],
    terms: Mapping[str, tuple[float, float, float]],
    actors: Mapping[str, str],
    cash: str,
) -> dict[str, Any]:
    """Deploy a market of all tokens, empty, and list them; returns the manifest that `Aave` is made from.

    Parameters
    ----------
    tokens, feeds, decimals, terms
        By symbol; terms are LTV, liquidation threshold and bonus as fractions.
    actors
        Addresses of admin, lender, borrower, liquidator.
    cash
        Symbol of the token that is mostly borrowed.
    """
    admin = actors["admin"]

    def new(folder: str, name: str, *args: Any, libraries: Mapping[str, str] | None = None) -> Contract:
        artifact = load_npm_artifact(f"{ARTIFACTS}/{folder}/{name}.sol/{name}", libraries)
        return create(chain, artifact, *args, sender=admin)

    libraries: dict[str, str] = {}
    for name in _LIBRARIES:
        libraries[name] = new("protocol/libraries/logic", name, libraries=libraries).address

    provider = new("protocol/configuration", "PoolAddressesProvider", "Equipoise", admin)
    provider.send("setACLAdmin", admin, sender=admin)
    acl = new("protocol/configuration", "ACLManager", provider)
    provider.send("setACLManager", acl, sender=admin)
    for role in ("addPoolAdmin", "addEmergencyAdmin"):
        acl.send(role, admin, sender=admin)
    names = list(tokens)
    oracle = new(
        "misc",
        "AaveOracle",
        provider,
        [tokens[s] for s in names],
        [feeds[s] for s in names],
        ZERO,
        ZERO,
        10**FEED_DECIMALS,
    )
    provider.send("setPriceOracle", oracle, sender=admin)
    data_provider = new("misc", "AaveProtocolDataProvider", provider)
    provider.send("setPoolDataProvider", data_provider, sender=admin)
    pool_implementation = new("protocol/pool", "Pool", provider, libraries=libraries)
    provider.send("setPoolImpl", pool_implementation, sender=admin)
    configurator_implementation = new("protocol/pool", "PoolConfigurator", libraries=libraries)
    provider.send("setPoolConfiguratorImpl", configurator_implementation, sender=admin)
    pool = Contract(chain, provider.call("getPool"), pool_implementation.abi, "Pool")
    configurator = Contract(
        chain, provider.call("getPoolConfigurator"), configurator_implementation.abi, "PoolConfigurator"
    )

    kinds = [
        new("protocol/tokenization", kind, pool).address
        for kind in ("AToken", "StableDebtToken", "VariableDebtToken")
    ]
    rates = {
        kind: new("protocol/pool", "DefaultReserveInterestRateStrategy", provider, *_rates(values)).address
        for kind, values in (("cash", _CASH_RATES), ("asset", _ASSET_RATES))
    }
    configurator.send(
        "initReserves",
        [
            (
                *kinds,
                decimals[s],
                rates["cash" if s == cash else "asset"],
                tokens[s],
                admin,
                ZERO,
                *_names(s),
            )
            for s in names
        ],
        sender=admin,
        gas=_LISTING_GAS,
    )
    configurator.send("updateFlashloanPremiumTotal", FLASH_LOAN_PREMIUM_BPS, sender=admin)
    manifest: dict[str, Any] = {
        **actors,
        "cash": cash,
        "pool": pool.address,
        "configurator": configurator.address,
        "provider": provider.address,
        "oracle": oracle.address,
        "data_provider": data_provider.address,
        "a_tokens": {},
        "debt_tokens": {},
    }
    for symbol in names:
        token = tokens[symbol]
        ltv, threshold, bonus = (round(value * BPS) for value in terms[symbol])
        configurator.send("configureReserveAsCollateral", token, ltv, threshold, BPS + bonus, sender=admin)
        configurator.send("setReserveBorrowing", token, True, sender=admin)
        configurator.send("setReserveFlashLoaning", token, True, sender=admin)
        configurator.send("setReserveFactor", token, RESERVE_FACTOR_BPS, sender=admin)
        found = pool.call("getReserveData", token)
        manifest["a_tokens"][symbol] = found.aTokenAddress
        manifest["debt_tokens"][symbol] = found.variableDebtTokenAddress
    return manifest


def _names(symbol: str) -> tuple[str | bytes, ...]:
    """Names and symbols of aToken, variable and stable debt token, and no parameters."""
    kinds = (("Aave", "a"), ("Variable debt", "d"), ("Stable debt", "s"))
    return *(text for long, short in kinds for text in (f"{long} {symbol}", f"{short}{symbol}")), b""


def _rates(values: Sequence[float]) -> tuple[int, ...]:
    """Constructor arguments of Aave's rate strategy in RAY; stable borrowing, which is off, gets the same."""
    optimal, base, slope, steep = (round(value * 10**9) * 10**18 for value in values)
    return optimal, base, slope, steep, slope, steep, 0, 0, RAY // 5


def open_market(aave: Aave, supplies: Mapping[str, int], utilisation: Mapping[str, float]) -> None:
    """The lender supplies what it holds; the borrower, against its pledge, borrows part of it.

    Parameters
    ----------
    supplies
        Raw amount of each token that the lender, of the pledge the borrower, supplies; they hold them.
    utilisation
        Fraction of each to lend out.
    """
    for symbol, token in aave.tokens.items():
        for actor in (aave.lender, aave.borrower, aave.liquidator):
            token.send("approve", aave.pool, MAX, sender=actor)
        owner = aave.borrower if symbol == PLEDGE else aave.lender
        aave.pool.send("supply", token, supplies[symbol], owner, 0, sender=owner)
    for symbol, fraction in utilisation.items():
        aave.set_utilisation(symbol, fraction)
