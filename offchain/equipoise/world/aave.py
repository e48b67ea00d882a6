"""Handles to a real Aave V3 market: its readings, its governance's levers, and a bot that liquidates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from equipoise.client.artifacts import load_npm_abi
from equipoise.client.chain import Receipt
from equipoise.client.contract import Contract
from equipoise.client.rpc import RpcChain
from equipoise.errors import ContractRevert, InputError
from equipoise.units import FEED_DECIMALS, WAD
from equipoise.world.assets import check_terms

__all__ = ["ARTIFACTS", "BPS", "MAX", "RAY", "ZERO", "Aave", "AccountData", "Liquidation"]

ARTIFACTS = "@aave/core-v3/artifacts/contracts"
RAY = 10**27
BPS = 10_000
ZERO = "0x" + "00" * 20
MAX = 2**256 - 1

_VARIABLE = 2
_TOKENS = "protocol/tokenization"


def _abi(folder: str, name: str) -> list[dict[str, Any]]:
    return load_npm_abi(f"{ARTIFACTS}/{folder}/{name}.sol/{name}")


@dataclass(frozen=True)
class AccountData:
    """What Aave knows of an account: USD, and fractions; the health factor is infinite without debt."""

    collateral_usd: float
    debt_usd: float
    threshold: float
    ltv: float
    health_factor: float


@dataclass(frozen=True)
class Liquidation:
    """One liquidation: the collateral's symbol, raw amounts, and what the liquidator earned in USD."""

    symbol: str
    repaid: int
    seized: int
    bonus_usd: float


class Aave:
    """One market of every token of a world. Unknown symbols are refused with `InputError`.

    Attributes
    ----------
    admin, lender, borrower, liquidator
        Addresses of who governs it, and of its public.
    pool, addresses_provider, configurator, oracle, data_provider
        Contracts.
    tokens, a_tokens, debt_tokens
        Contracts by symbol: the world's tokens and the outside borrower's pledge, what they are lent for, and
        the debt at the variable rate.
    """

    def __init__(
        self,
        chain: RpcChain,
        manifest: Mapping[str, Any],
        tokens: Mapping[str, Contract],
        decimals: Mapping[str, int],
    ) -> None:
        self.chain = chain
        self.tokens = dict(tokens)
        self._decimals = dict(decimals)
        self._cash = str(manifest["cash"])
        self.admin, self.lender = str(manifest["admin"]), str(manifest["lender"])
        self.borrower, self.liquidator = str(manifest["borrower"]), str(manifest["liquidator"])

        def handle(name: str, folder: str, key: str) -> Contract:
            return Contract(chain, manifest[key], _abi(folder, name), name)

        self.pool = handle("Pool", "protocol/pool", "pool")
        self.configurator = handle("PoolConfigurator", "protocol/pool", "configurator")
        self.addresses_provider = handle("PoolAddressesProvider", "protocol/configuration", "provider")
        self.oracle = handle("AaveOracle", "misc", "oracle")
        self.data_provider = handle("AaveProtocolDataProvider", "misc", "data_provider")
        token, debt = _abi(_TOKENS, "AToken"), _abi(_TOKENS, "VariableDebtToken")
        self.a_tokens = {s: Contract(chain, a, token, f"a{s}") for s, a in manifest["a_tokens"].items()}
        self.debt_tokens = {s: Contract(chain, a, debt, f"d{s}") for s, a in manifest["debt_tokens"].items()}

    # ---------------------------------------------------------------- reading

    def account_data(self, account: str) -> AccountData:
        """Collateral, debt and health of any account, at the oracle's prices."""
        data = self.pool.call("getUserAccountData", account)
        unit = 10**FEED_DECIMALS
        health = data.healthFactor
        return AccountData(
            data.totalCollateralBase / unit,
            data.totalDebtBase / unit,
            data.currentLiquidationThreshold / BPS,
            data.ltv / BPS,
            math.inf if health == MAX else health / WAD,
        )

    def borrow_rate(self, symbol: str | None = None) -> float:
        """Variable rate a year of a token, the cash by default."""
        reserve = self.pool.call("getReserveData", self._token(symbol or self._cash))
        return float(reserve.currentVariableBorrowRate / RAY)

    def liquidity(self, symbol: str) -> int:
        """What can be withdrawn or borrowed of a token now, in its smallest unit."""
        return int(self._token(symbol).call("balanceOf", self.a_tokens[symbol]))

    def utilisation(self, symbol: str) -> float:
        """Fraction of what is supplied that is lent out."""
        liquidity = self.liquidity(symbol)
        debt = self.debt_tokens[symbol].call("totalSupply")
        return float(debt / max(1, debt + liquidity))

    # ----------------------------------------------------------------- levers

    def set_utilisation(self, symbol: str, fraction: float) -> None:
        """An outside borrower borrows, or repays its own, until that fraction of a token is lent out.

        Raises InputError when others than it owe so much that it cannot repay down to the fraction.
        """
        if not 0 <= fraction <= 1:
            raise InputError(f"utilisation {fraction} must lie in [0, 1]")
        token, liquidity = self._token(symbol), self.liquidity(symbol)
        debt = self.debt_tokens[symbol].call("totalSupply")
        change = min(round((debt + liquidity) * fraction) - debt, liquidity)
        if change > 0:
            self.pool.send("borrow", token, change, _VARIABLE, 0, self.borrower, sender=self.borrower)
        elif change < 0:
            own = self.debt_tokens[symbol].call("balanceOf", self.borrower)
            if -change > own:
                raise InputError(f"{symbol}: utilisation {fraction} asks others than the borrower to repay")
            self.pool.send("repay", token, -change, _VARIABLE, self.borrower, sender=self.borrower)

    def pause(self, symbol: str, on: bool = True) -> None:
        """Nothing moves in the reserve: neither supply nor debt, liquidations and transfers included."""
        self.configurator.send("setReservePause", self._token(symbol), on, sender=self.admin)

    def pause_all(self, on: bool = True) -> None:
        """As `pause`, every reserve."""
        self.configurator.send("setPoolPause", on, sender=self.admin)

    def freeze(self, symbol: str, on: bool = True) -> None:
        """No new supply or borrowing in the reserve; exits go on."""
        self.configurator.send("setReserveFreeze", self._token(symbol), on, sender=self.admin)

    def set_terms(self, symbol: str, ltv: float, threshold: float, bonus: float) -> None:
        """LTV, liquidation threshold and bonus of a reserve, as fractions; see `check_terms`."""
        check_terms(symbol, ltv, threshold, bonus)
        terms = round(ltv * BPS), round(threshold * BPS), BPS + round(bonus * BPS)
        self.configurator.send("configureReserveAsCollateral", self._token(symbol), *terms, sender=self.admin)

    def set_caps(self, symbol: str, supply: int = 0, borrow: int = 0) -> None:
        """Both caps of a reserve in whole tokens, below 2^36; 0 is none."""
        for name, cap in (("supply", supply), ("borrow", borrow)):
            if not 0 <= cap < 2**36:
                raise InputError(f"{symbol}: {name} cap {cap} must lie in [0, 2^36) whole tokens; 0 is none")
        self.configurator.send("setSupplyCap", self._token(symbol), supply, sender=self.admin)
        self.configurator.send("setBorrowCap", self._token(symbol), borrow, sender=self.admin)

    def set_emode(self, symbol: str, category: int = 1) -> None:
        """Put a reserve into an e-mode category [1, 255] (LTV 0.9, threshold 0.93), or with 0 out of any."""
        if not 0 <= category <= 255:
            raise InputError(f"{symbol}: category {category} must lie in [0, 255]; 0 is none")
        token = self._token(symbol)
        if category:
            terms = 9_000, 9_300, 10_100, ZERO, "alike"
            self.configurator.send("setEModeCategory", category, *terms, sender=self.admin)
        self.configurator.send("setAssetEModeCategory", token, category, sender=self.admin)

    # ------------------------------------------------------------ liquidation

    def liquidate(self, account: str) -> list[Liquidation]:
        """A bot with endless cash liquidates while Aave lets it: the largest collateral first, as much as
        may be.

        Returns
        -------
        list of Liquidation
            In their order; empty at a health factor of 1 or more.
        """
        done: list[Liquidation] = []
        while self.account_data(account).health_factor < 1:
            liquidation = self._liquidate_once(account)
            if liquidation is None:
                break
            done.append(liquidation)
        return done

    def _liquidate_once(self, account: str) -> Liquidation | None:
        """Of the largest collateral that Aave lets go, taken as receipts, which a dry reserve also has."""
        worth = {s: self._usd(s, token.call("balanceOf", account)) for s, token in self.a_tokens.items()}
        for symbol in sorted((s for s in worth if worth[s] > 0), key=worth.__getitem__, reverse=True):
            pair = self._token(symbol), self._token(self._cash)
            try:
                receipt = self.pool.send("liquidationCall", *pair, account, MAX, True, sender=self.liquidator)
            except ContractRevert:
                continue  # paused, or not used as collateral
            return self._liquidation(symbol, receipt)
        return None

    def _liquidation(self, symbol: str, receipt: Receipt) -> Liquidation:
        # the event is emitted by the library that the pool delegates to, under the pool's address
        abi = _abi("protocol/libraries/logic", "LiquidationLogic")
        (event,) = Contract(self.chain, self.pool.address, abi).events(receipt, "LiquidationCall")
        repaid, seized = event.debtToCover, event.liquidatedCollateralAmount
        return Liquidation(symbol, repaid, seized, self._usd(symbol, seized) - self._usd(self._cash, repaid))

    def _usd(self, symbol: str, amount: int) -> float:
        price = self.oracle.call("getAssetPrice", self._token(symbol)) / 10**FEED_DECIMALS
        return float(amount / 10 ** self._decimals[symbol] * price)

    def _token(self, symbol: str) -> Contract:
        if symbol not in self.tokens:
            raise InputError(f"unknown symbol {symbol!r}; this market has {sorted(self.tokens)}")
        return self.tokens[symbol]
