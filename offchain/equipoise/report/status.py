"""One screen about a live vault, or the same as JSON."""

from __future__ import annotations

import json
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from equipoise.client.deployment import Deployment
from equipoise.report import format as fmt
from equipoise.simulation.result import MODES
from equipoise.units import from_token, from_wad

__all__ = ["print_status", "status"]

_REASONS = ("none", "parity gap", "volatility too low", "volatility too high", "retiring asset")
_NEVER = 2**255
FAULTS = (
    "",
    "unlisted",
    "feed failed",
    "not positive",
    "from the future",
    "stale",
    "out of bounds",
    "sequencer down",
    "pool failed",
    "pool disagrees",
)
"""Names of `IPriceOracle.Fault`, in its order."""


def status(deployment: Deployment) -> dict[str, Any]:
    """What a dashboard shows, in people's units: USD, fractions, seconds; None where there is no report."""
    state = deployment.dashboard()
    if [token.address for token in deployment.tokens] != list(state.tokens[:-1]):
        deployment = deployment.refreshed()
    symbols = [*deployment.symbols, "cash"]
    risk = state.risk if state.hasRisk else None
    assets = {}
    priced = MODES[state.mode] != "InKindOnly"
    for i, symbol in enumerate(symbols):
        # tokens being retired come after the oracle's assets: there is no report of them
        is_token, is_asset = i < deployment.n, i < len(state.assets)
        assets[symbol] = {
            "balance": state.balances[i],
            "price_usd": from_wad(state.pricesWad[i]) if priced else None,
            "weight": from_wad(state.weightsWad[i]) if priced else None,
            "target": from_wad(risk.targetsWad[i]) if risk and is_token else None,
            "risk_share": from_wad(risk.sharesWad[i]) if risk and is_asset else None,
            "budget": from_wad(state.budgetsWad[i]) if is_asset else None,
            "volatility": from_wad(state.volatilitiesWad[i]) if is_asset else None,
            "reported": from_wad(state.reportedWad[i]) if is_asset else None,
            "realised": (from_wad(state.realizedWad[i]) or None) if is_asset else None,
            "price_fault": FAULTS[state.faults[i]],
        }
    return {
        "vault": deployment.vault.address,
        "chain_id": deployment.chain.chain_id,
        "timestamp": state.timestamp,
        "mode": MODES[state.mode],
        "nav_usd": from_wad(state.navWad),
        "total_assets": from_token(state.totalAssets, deployment.cash.call("decimals")),
        "share_price": from_wad(state.sharePriceWad),
        "volatility": from_wad(risk.volatilityWad) if risk else None,
        "target_volatility": from_wad(risk.targetVolatilityWad) if risk else None,
        "leverage": from_wad(risk.leverageWad) if risk else None,
        "target_leverage": from_wad(risk.targetLeverageWad) if risk else None,
        "debt_usd": from_wad(state.debtWad),
        "health_factor": from_wad(state.healthFactorWad) if state.debt else None,
        "borrow_rate": from_wad(state.borrowRateWad) if state.levered else None,
        "parity_gap": from_wad(risk.parityGapWad) if risk else None,
        "parity_ratio": from_wad(state.parityRatioWad) or None,
        "may_open": _REASONS[risk.reason] if risk else "none",
        "volatilities_age_s": _age(state.volatilitiesAge),
        "correlations_age_s": _age(state.correlationsAge),
        "auction": {
            "id": state.auction.id,
            "open": state.auctionOpen,
            "ripcord": state.auction.ripcord,
            "ends_at": state.auction.endsAt,
        },
        "loss_budget_used": from_wad(state.lossUsedWad),
        "assets": assets,
    }


def print_status(deployment: Deployment, as_json: bool = False, console: Console | None = None) -> None:
    """Print `status` as two tables, or as JSON."""
    facts = status(deployment)
    console = console or Console()
    if as_json:
        console.print_json(json.dumps(facts))
        return
    head = Table(box=box.SIMPLE, show_header=False)
    for label, value in (
        ("Vault", f"{facts['vault']} on chain {facts['chain_id']}"),
        ("Mode", facts["mode"]),
        ("NAV", f"{facts['nav_usd']:,.2f} USD"),
        ("Share price", f"{facts['share_price']:.6f}"),
        ("Volatility", f"{_percent(facts['volatility'])} (target {_percent(facts['target_volatility'])})"),
        ("Leverage", f"{_percent(facts['leverage'])} (target {_percent(facts['target_leverage'])})"),
        ("Debt", _debt(facts)),
        ("Parity gap", f"{_percent(facts['parity_gap'])}; an auction may open for: {facts['may_open']}"),
        (
            "Reports",
            f"volatilities {_ago(facts['volatilities_age_s'])}, correlations "
            f"{_ago(facts['correlations_age_s'])}",
        ),
        ("Realised", _realised(facts["parity_ratio"])),
        ("Auction", f"no. {facts['auction']['id']}, {'open' if facts['auction']['open'] else 'closed'}"),
    ):
        head.add_row(label, value)
    console.print(head)
    table = Table(box=box.SIMPLE)
    table.add_column("Asset")
    for name in ("Price USD", "Weight", "Target", "Share of variance", "Budget", "Volatility", "Realised"):
        table.add_column(name, justify="right")
    for symbol, row in facts["assets"].items():
        price = row["price_fault"] or ("-" if row["price_usd"] is None else f"{row['price_usd']:,.4f}")
        keys = ("weight", "target", "risk_share", "budget", "volatility", "realised")
        table.add_row(symbol, price, *(_percent(row[key]) for key in keys))
    console.print(table)


def _debt(facts: dict[str, Any]) -> str:
    if facts["borrow_rate"] is None:
        return "none: this vault does not borrow"
    health = "-" if facts["health_factor"] is None else f"{facts['health_factor']:.2f}"
    return f"{facts['debt_usd']:,.2f} USD, health factor {health}, at {_percent(facts['borrow_rate'])} a year"


def _realised(ratio: float | None) -> str:
    if ratio is None:
        return "not known yet: `poke` has not gathered enough"
    return f"the parity portfolio moves {ratio:.2f} times as much as reported"


def _percent(value: float | None) -> str:
    return "-" if value is None else fmt.percent(value)


def _age(seconds: int) -> int | None:
    return None if seconds >= _NEVER else int(seconds)


def _ago(seconds: int | None) -> str:
    return "never" if seconds is None else f"{seconds / 3600:.1f} h ago"
