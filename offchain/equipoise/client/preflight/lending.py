"""Aave's reserves of the basket: whether they can be collateral, cash be borrowed, and how much of each."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.client.artifacts import load_artifact
from equipoise.client.chain import Chain
from equipoise.client.config import DeploymentConfig
from equipoise.client.contract import Contract
from equipoise.client.preflight.findings import Findings
from equipoise.client.preflight.venues import UNREADABLE, Listing

__all__ = ["Reserve", "check_lending"]

_ACTIVE, _FROZEN, _BORROWING, _PAUSED = 56, 57, 58, 60
_BORROW_CAP, _SUPPLY_CAP, _CAP_BITS = 80, 116, 36


@dataclass(frozen=True)
class Reserve:
    """A reserve's configuration word and tokens, decoded (Aave V3, ReserveConfiguration)."""

    word: int
    a_token: str
    debt_token: str

    def flag(self, bit: int) -> bool:
        return bool(self.word >> bit & 1)

    @property
    def ltv_bps(self) -> int:
        return self.word & 0xFFFF

    def cap(self, bit: int) -> int:
        """In whole tokens, 0 for none."""
        return self.word >> bit & (1 << _CAP_BITS) - 1


def check_lending(
    chain: Chain, config: DeploymentConfig, cash: Listing, basket: list[Listing], findings: Findings
) -> None:
    """Whether Aave takes what the vault would bring, and lends what it would borrow."""
    if config.aave_pool is None or not chain.code(config.aave_pool):
        return
    pool = Contract(chain, config.aave_pool, load_artifact("IAavePool").abi, "aave_pool")
    most = config.deposit_cap * max(1.0, config.auction.max_leverage)
    for listing, budget in zip(basket, config.budgets, strict=True):
        reserve = _reserve(pool, listing, findings)
        if reserve and _usable(reserve, listing, findings):
            _check_collateral(chain, reserve, listing, most * budget, findings)
    reserve = _reserve(pool, cash, findings)
    if reserve and _usable(reserve, cash, findings):
        _check_borrowing(chain, config, reserve, cash, findings)


def _reserve(pool: Contract, listing: Listing, findings: Findings) -> Reserve | None:
    symbol = listing.asset.symbol
    try:
        data = pool.call("getReserveData", listing.asset.token)
    except UNREADABLE as error:
        if not any(finding.subject == "aave_pool" for finding in findings):
            findings.error("aave_pool", f"{pool.address} is no Aave V3 pool ({error})")
        return None
    if int(data.aTokenAddress, 16) == 0:
        findings.error(
            f"{symbol}.token", f"{listing.asset.token} is not listed by the Aave pool: its own token?"
        )
        return None
    return Reserve(data.configuration.data, data.aTokenAddress, data.variableDebtTokenAddress)


def _usable(reserve: Reserve, listing: Listing, findings: Findings) -> bool:
    states = {
        "not active": not reserve.flag(_ACTIVE),
        "frozen": reserve.flag(_FROZEN),
        "paused": reserve.flag(_PAUSED),
    }
    wrong = [state for state, holds in states.items() if holds]
    if wrong:
        findings.error(
            f"{listing.asset.symbol}.token", f"Aave's reserve is {' and '.join(wrong)}: wait, or leave it out"
        )
    return not wrong


def _check_collateral(
    chain: Chain, reserve: Reserve, listing: Listing, wanted_usd: float, findings: Findings
) -> None:
    """`wanted_usd`: the asset's share of the vault when it is full, by its budget."""
    subject = f"{listing.asset.symbol}.token"
    if reserve.ltv_bps == 0:
        findings.error(
            subject, "Aave lends nothing against it (LTV 0): leave it out, or do without `aave_pool`"
        )
    cap = reserve.cap(_SUPPLY_CAP)
    if cap and listing.decimals is not None and listing.price:
        room = cap - _supply(chain, reserve.a_token) / 10**listing.decimals
        _check_room(subject, "supply cap", room, wanted_usd / listing.price, findings)


def _check_borrowing(
    chain: Chain, config: DeploymentConfig, reserve: Reserve, cash: Listing, findings: Findings
) -> None:
    subject, borrowed = f"{cash.asset.symbol}.token", config.deposit_cap * (config.auction.max_leverage - 1)
    if config.auction.max_leverage <= 1:
        return
    if not reserve.flag(_BORROWING):
        findings.error(
            subject, "Aave does not lend it (borrowing is disabled): set max_leverage to at most 1"
        )
    if cash.decimals is None:
        return
    unit = 10**cash.decimals
    if cap := reserve.cap(_BORROW_CAP):
        room = cap - _supply(chain, reserve.debt_token) / unit
        _check_room(subject, "borrow cap", room, borrowed, findings)
    token = Contract(chain, cash.asset.token, load_artifact("RiskParityVault").abi, cash.asset.symbol)
    _check_room(subject, "liquidity", token.call("balanceOf", reserve.a_token) / unit, borrowed, findings)


def _supply(chain: Chain, token: str) -> int:
    return int(Contract(chain, token, load_artifact("RiskParityVault").abi, "reserve").call("totalSupply"))


def _check_room(subject: str, what: str, room: float, wanted: float, findings: Findings) -> None:
    if room <= 0:
        findings.error(subject, f"no room under Aave's {what}: wait until there is some, or leave it out")
    elif room < wanted:
        findings.warning(
            subject,
            f"Aave's {what} leaves room for {room:,.6g}; a full vault wants up to {wanted:,.6g}: "
            "lower the cap",
        )
