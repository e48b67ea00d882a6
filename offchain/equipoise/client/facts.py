"""Everything that an operator asks about a vault, read from the chain in people's units.

Names carry units: `_usd`, `_cash` (whole units of the deposit token), `_s` seconds, `_at` unix time, `_ann` a
year. Plain ratios (weights, shares, leverage, health factors, the parity gap) are fractions: 0.15 is 15 %.
What cannot be known, for want of a report or a price, is None and never 0.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from equipoise.client.artifacts import load_artifact
from equipoise.client.chain import RpcError
from equipoise.client.contract import Contract
from equipoise.client.deployment import Deployment
from equipoise.client.findings import FAULTS, MODES, findings_of, span
from equipoise.client.health import ask_health
from equipoise.client.logs import read_events
from equipoise.client.pending import governance_proposals, signer_proposals, timelock_operations
from equipoise.client.venue import foreign_collateral
from equipoise.errors import ContractRevert
from equipoise.units import from_token, from_wad

__all__ = ["read_status"]

REASONS = ("none", "parity gap", "volatility too low", "volatility too high", "retiring asset")
"""`IRebalanceAuction.Reason`, in its order."""
_NEVER = 2**255
_NOBODY = "0x" + "0" * 40


def read_status(
    deployment: Deployment,
    services: Mapping[str, str] | None = None,
    since: int = 0,
    clock: Callable[[], float] = time.time,
) -> dict[str, Any]:
    """The state of a vault, of what waits around it, and what follows from both.

    Parameters
    ----------
    services
        Base URL of a service by its kind ("keeper", "relay", "signer"), asked for its health.
    since
        Block from which events are looked for: that of the deployment, where it is known.
    clock
        Unix time here, to tell how old the node's last block is.

    Returns
    -------
    dict
        JSON's types only. `findings` are `Finding`s as mappings, the gravest first.

    Raises
    ------
    RpcError
        The node does not answer. What it merely refuses, such as old logs, becomes a finding.
    """
    state = deployment.dashboard()
    if [token.address for token in deployment.tokens] != list(state.tokens[:-1]):
        deployment = deployment.refreshed()
    facts: dict[str, Any] = {
        "vault": deployment.vault.address,
        "chain_id": deployment.chain.chain_id,
        "name": deployment.vault.call("name"),
        "symbol": deployment.vault.call("symbol"),
        "cash_symbol": deployment.cash.call("symbol"),
        "timestamp": state.timestamp,
        "head_age_s": max(0, int(clock()) - state.timestamp),
        "mode": MODES[state.mode],
    }
    facts |= _money(deployment, state) | _risk(deployment, state) | _lending(deployment, state)
    facts |= _reports(deployment, state) | _auction(deployment, state)
    facts["assets"] = _assets(deployment, state)
    facts |= _pending(deployment, state.timestamp, since)
    facts["services"] = [ask_health(kind, url) for kind, url in (services or {}).items()]
    facts["findings"] = [finding.to_json() for finding in findings_of(facts)]
    return facts


def _priced(state: Any) -> bool:
    return MODES[state.mode] != "InKindOnly"


def _money(deployment: Deployment, state: Any) -> dict[str, Any]:
    vault, guard, priced = deployment.vault, deployment.guard, _priced(state)
    decimals = deployment.cash.call("decimals")

    def cash(units: int) -> float:
        return from_token(units, decimals)

    fees = vault.call("fees")
    return {
        "nav_usd": from_wad(state.navWad) if priced else None,
        "total_assets_cash": cash(state.totalAssets) if priced else None,
        "share_price": from_wad(state.sharePriceWad) if priced else None,
        "high_water_mark": from_wad(state.highWaterMarkWad),
        "shares": from_wad(state.totalSupply),
        "idle_cash": cash(state.balances[-1]),
        "deposit_cap_cash": cash(vault.call("depositCap")),
        "deposit_room_cash": cash(vault.call("maxDeposit", _NOBODY)),
        "deposits_paused": guard.call("depositsPaused"),
        "increases_paused": guard.call("increasesPaused"),
        "guardian": guard.call("guardian"),
        "owner": vault.call("owner"),
        "governed": deployment.governor is not None,
        "fees": {
            "entry": from_wad(fees.entryFeeWad),
            "exit": from_wad(fees.exitFeeWad),
            "management_ann": from_wad(fees.managementFeeWad),
            "performance": from_wad(fees.performanceFeeWad),
        },
    }


def _risk(deployment: Deployment, state: Any) -> dict[str, Any]:
    risk, params = state.risk if state.hasRisk else None, deployment.auction.call("params")
    return {
        "volatility_ann": from_wad(risk.volatilityWad) if risk else None,
        "target_volatility_ann": from_wad(risk.targetVolatilityWad) if risk else None,
        "wanted_volatility_ann": from_wad(params.targetVolatilityWad),
        "volatility_band": from_wad(params.volatilityBandWad),
        "leverage": from_wad(risk.leverageWad) if risk else None,
        "target_leverage": from_wad(risk.targetLeverageWad) if risk else None,
        "max_leverage": from_wad(params.maxLeverageWad),
        "parity_gap": from_wad(risk.parityGapWad) if risk else None,
        "parity_band": from_wad(params.parityBandWad),
        # an empty vault is off its target too, and nobody may open
        "may_open": REASONS[risk.reason] if risk and state.navWad else "none",
        "loss_budget_used": from_wad(state.lossUsedWad) if _priced(state) else None,
        "loss_budget": from_wad(params.lossBudgetWad),
        "max_borrow_rate_ann": from_wad(params.maxBorrowRateWad),
    }


def _lending(deployment: Deployment, state: Any) -> dict[str, Any]:
    """Also without prices, as far as the venue itself tells: the dashboard is silent about it then."""
    params = deployment.guard.call("params")
    facts: dict[str, Any] = {
        "levered": deployment.account is not None,
        "debt_cash": 0.0,
        "debt_usd": from_wad(state.debtWad) if _priced(state) else None,
        "health_factor": None,
        "venue_answers": True,
        "trigger_health": from_wad(params.triggerHealthWad),
        "increase_health": from_wad(params.increaseHealthWad),
        "target_health": from_wad(params.targetHealthWad),
        "borrow_rate_ann": None,
        "foreign_collateral": [],
    }
    if deployment.account is None:
        return facts
    account = deployment.account
    debt, rate = _maybe(lambda: account.call("debt")), _maybe(lambda: account.call("borrowRateWad"))
    health = _maybe(lambda: account.call("healthFactorWad"))
    return facts | {
        "debt_cash": None if debt is None else from_token(debt, deployment.cash.call("decimals")),
        "health_factor": from_wad(health) if health is not None and health < _NEVER else None,
        "venue_answers": health is not None,
        "borrow_rate_ann": None if rate is None else from_wad(rate),
        "foreign_collateral": _maybe(lambda: foreign_collateral(deployment)),
    }


def _reports(deployment: Deployment, state: Any) -> dict[str, Any]:
    oracle, params = deployment.volatility_oracle, deployment.guard.call("params")
    settles_at = oracle.call("lastPost").settlesAt
    return {
        "volatilities_age_s": _age(state.volatilitiesAge),
        "correlations_age_s": _age(state.correlationsAge),
        "volatilities_fresh_for_s": params.volatilitiesFreshFor,
        "volatilities_delever_after_s": params.deleverAfter,
        "correlations_fresh_for_s": params.correlationsFreshFor,
        "correlations_delever_after_s": params.correlationsDeleverAfter,
        "settles_in_s": max(0, settles_at - state.timestamp),
        "has_coordinates": oracle.call("reportTimes").hasCoordinates,
        "parity_ratio": from_wad(state.parityRatioWad) or None,
        "parity_fraction": from_wad(oracle.call("params").parityFractionWad),
        "signers": list(oracle.call("signers")),
        "threshold": oracle.call("threshold"),
    }


def _auction(deployment: Deployment, state: Any) -> dict[str, Any]:
    current = state.auction
    curve = None
    if state.auctionOpen:
        # of a ripcord the curve is the time's part alone
        curve = from_wad(deployment.auction.call("curveWad", state.timestamp))
    return {
        "auction": {
            "id": current.id,
            "open": state.auctionOpen,
            "ripcord": current.ripcord,
            "curve": curve,
            "started_at": current.startedAt,
            "ends_at": current.endsAt,
            "ends_in_s": max(0, current.endsAt - state.timestamp) if state.auctionOpen else 0,
        }
    }


def _assets(deployment: Deployment, state: Any) -> dict[str, Any]:
    risk, priced = state.risk if state.hasRisk else None, _priced(state)
    fraction = from_wad(deployment.volatility_oracle.call("params").floorFractionWad)
    symbols = dict(zip(_addresses(deployment), (*deployment.symbols, "cash"), strict=True))
    rows = {}
    for i, token in enumerate(state.tokens):
        # tokens being retired come after the oracle's assets: they have a target and no report
        has_risk, has_target = i < len(state.assets), i < len(state.tokens) - 1
        fault = FAULTS[state.faults[i]]
        rows[symbols.get(token, token)] = {
            "token": token,
            "balance": state.balances[i],
            "price_usd": from_wad(state.pricesWad[i]) if priced else None,
            "weight": from_wad(state.weightsWad[i]) if priced else None,
            "target": from_wad(risk.targetsWad[i]) if risk and has_target else None,
            "risk_share": from_wad(risk.sharesWad[i]) if risk and has_risk else None,
            "budget": from_wad(state.budgetsWad[i]) if has_risk else None,
            "volatility_ann": from_wad(state.volatilitiesWad[i]) if has_risk else None,
            "reported_ann": from_wad(state.reportedWad[i]) if has_risk else None,
            "realised_ann": (from_wad(state.realizedWad[i]) or None) if has_risk else None,
            "floor_ann": (fraction * from_wad(state.realizedWad[i]) or None) if has_risk else None,
            "price_fault": fault,
            "fault_detail": _fault_detail(deployment, token, fault, state.timestamp) if fault else "",
            **_venue(deployment, token, state, i),
        }
    return rows


def _addresses(deployment: Deployment) -> list[str]:
    return [token.address for token in (*deployment.tokens, deployment.cash)]


def _venue(deployment: Deployment, token: str, state: Any, i: int) -> dict[str, Any]:
    """Whether the venue lends against a token, and pays it out now."""
    account = deployment.account
    if account is None or token == deployment.cash.address:
        return {"backs_debt": None, "payable": None}
    threshold = _maybe(lambda: account.call("thresholdsWad", [token])[0])
    liquidity = _maybe(lambda: account.call("liquidity", token))
    balance = state.balances[i]
    return {
        "backs_debt": None if threshold is None else threshold > 0,
        "payable": None if liquidity is None else 1.0 if balance == 0 else min(1.0, liquidity / balance),
    }


def _fault_detail(deployment: Deployment, token: str, fault: str, now: int) -> str:
    """What the feed said, against what is asked of it; empty where that says no more than the fault."""
    listing = deployment.price_oracle.call("feedOf", token)
    feed = Contract(deployment.chain, listing.feed, load_artifact("IAggregatorV3").abi, "feed")
    answer = _maybe(lambda: feed.call("latestRoundData"))
    if answer is None:
        return f"feed {listing.feed} does not answer"
    if fault == "stale":
        return f"answered {span(now - answer.updatedAt)} ago, heartbeat {span(listing.heartbeat)}"
    if fault == "out of bounds":
        low, high = from_wad(listing.minPriceWad), from_wad(listing.maxPriceWad)
        return f"{answer.answer / 10**listing.feedDecimals:g} USD, bounds {low:g} to {high:g}"
    return ""


def _pending(deployment: Deployment, now: int, since: int) -> dict[str, Any]:
    """Lists, each None where the node does not give the events behind it."""

    def told(read: Callable[[], Any]) -> Any:
        try:
            return read()
        except RpcError:
            return None

    return {
        "paused_by": told(lambda: _paused_by(deployment, since)),
        "signer_proposals": told(lambda: signer_proposals(deployment, now, since)),
        "timelock_operations": told(lambda: timelock_operations(deployment, now, since)),
        "governance_proposals": told(lambda: governance_proposals(deployment, now, since)),
    }


def _paused_by(deployment: Deployment, since: int) -> dict[str, str]:
    """Who paused what is paused now."""
    paused: dict[str, str] = {}
    names = {"IncreasesPaused": "increases", "DepositsPaused": "deposits"}
    for name, event in read_events(deployment.guard, *names, since=since):
        paused.pop(names[name], None)
        if event.paused:
            paused[names[name]] = event.by
    return paused


def _maybe(read: Callable[[], Any]) -> Any:
    """None where a contract refuses to answer."""
    try:
        return read()
    except ContractRevert:
        return None


def _age(seconds: int) -> int | None:
    return None if seconds >= _NEVER else int(seconds)
