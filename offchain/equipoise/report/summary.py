"""The figures of a replay as strict JSON: the machine's version of the report."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from equipoise.simulation import MODES, VAULT, Portfolio, ReplayResult
from equipoise.simulation.crash_result import CrashRun
from equipoise.simulation.peer import PeerResult

__all__ = ["summarise", "to_json"]

_UNITS = {
    "return, total_return, volatility, max_drawdown": "fractions; a year where it applies, of 365 days; "
    "max_drawdown 0.3 is a loss of 30 % from a peak",
    "sharpe": "mean daily return a year / volatility, risk-free rate 0",
    "turnover, trading_cost": "fraction of NAV a year; turnover is assets bought plus sold",
    "gas": "from the first investment on; a benchmark pays the vault's gas per fill for each of its fills",
    "parity_gap, risk shares, budgets": "fractions of variance",
    "health_factor": "Aave's: liquidation below 1; null where there never was debt",
    "lost_to_liquidators": "fraction of the NAV on the first day",
    "null": "not defined on so few days, or infinite",
}


def summarise(result: ReplayResult, portfolios: Sequence[Portfolio]) -> dict[str, Any]:
    """Everything that the report states, as plain values ready for `to_json`.

    Parameters
    ----------
    result
        The replay.
    portfolios
        `compare(result)`: the vault first, then the benchmarks.
    """
    days, invested = result.days, result.invested
    gap = days.loc[invested, "parity_gap"]
    realised = result.risk_shares[invested].mean()
    figures = {portfolio.key: _figures(portfolio) for portfolio in portfolios}
    modes = days["mode"].value_counts()
    latency = result.latency
    summary = {
        "days": len(days),
        "invested_days": int(invested.sum()),
        "first_day": days.index[0],
        "invested_from": result.invested_from,
        "last_day": days.index[-1],
        "assets": result.assets,
        "vault": figures.pop(VAULT),
        "benchmarks": figures,
        "parity_gap": {
            "mean": gap.mean(),
            "p95": gap.quantile(0.95),
            "max": gap.max(),
            "band": result.band,
            "days_inside_band": (gap <= result.band).mean(),
        },
        "realised_risk_shares": realised.to_dict(),
        "ex_post_risk_shares": portfolios[0].ex_post_shares.to_dict(),
        "budgets": result.budgets.to_dict(),
        "largest_budget_deviation": (realised - result.budgets).abs().max(),
        "volatility": {"target": result.target_vol, "mean_estimate": days.loc[invested, "volatility"].mean()},
        "leverage": {
            "mean": days.loc[invested, "leverage"].mean(),
            "max": days["leverage"].max(),
            "cap": result.max_leverage,
            "days_with_debt": int((days["debt_usd"] > 0).sum()),
        },
        "health_factor": {
            "min": result.min_health_factor,
            "trigger": result.health_trigger,
            "target": result.health_target,
        },
        "borrow_cost": {
            "interest_usd": days["interest_usd"].sum(),
            "mean_rate": days.loc[invested, "borrow_rate"].mean(),
        },
        "ripcords": int(days["ripcords"].sum()),
        "liquidations": int(days["liquidations"].sum()),
        "crashes": [_crash(run) for run in result.crashes],
        "peers": [_peer(peer) for peer in result.peers],
        "rebalances": len(result.rebalances),
        "fills": int(result.rebalances["fills"].sum()),
        "mode_days": {mode: int(modes.get(mode, 0)) for mode in MODES},
        "user_actions": result.actions["action"].value_counts().to_dict(),
        "latency_round_trips": {
            "attempts": len(latency),
            "max_profit_usd": latency["profit_usd"].max(),
            "max_profit_bps": latency["profit_bps"].max(),
        },
        "gas_price_gwei": result.gas_price_gwei,
        "wall_s": result.wall_s,
        "seed": result.seed,
        "config": dict(result.config),
        "units": _UNITS,
    }
    return {key: _plain(value) for key, value in summary.items()}


def to_json(summary: Mapping[str, Any]) -> str:
    """Strict JSON (RFC 8259: no NaN, no infinity), indented, ending in a newline."""
    return json.dumps(_plain(summary), indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def _crash(run: CrashRun) -> dict[str, Any]:
    return {
        "event": run.event,
        "variant": run.variant,
        "min_health_factor": run.min_health_factor,
        "trigger": run.trigger,
        "nav_change": run.nav_change,
        "max_drawdown": run.max_drawdown,
        "ripcords": run.ripcords,
        "fills": run.fills,
        "liquidations": run.liquidations,
        "liquidation_loss_usd": run.liquidation_loss_usd,
        "discount_paid_usd": run.discount_paid_usd,
        "verdict": run.verdict,
    }


def _peer(peer: PeerResult) -> dict[str, Any]:
    return {
        "name": peer.name,
        "total_return": peer.nav.iloc[-1] - 1,
        "max_drawdown": (1 - peer.nav / peer.nav.cummax()).max(),
        "mean_leverage": peer.leverage.mean(),
        "min_health_factor": peer.health_factor.min(),
        "liquidations": len(peer.liquidations),
        "lost_to_liquidators": peer.loss,
        "config": dict(peer.config),
    }


def _figures(portfolio: Portfolio) -> dict[str, Any]:
    statistics = portfolio.statistics
    return {
        "name": portfolio.name,
        "return": statistics.annual_return,
        "total_return": statistics.total_return,
        "volatility": statistics.volatility,
        "max_drawdown": statistics.max_drawdown,
        "sharpe": statistics.sharpe,
        "turnover": statistics.turnover,
        "gas": statistics.gas,
        "gas_usd": statistics.gas_usd,
        "trading_cost": statistics.trading_cost,
        "trading_cost_usd": statistics.trading_cost_usd,
        "average_risk_shares": portfolio.ex_ante_shares.to_dict(),
        "ex_post_risk_shares": portfolio.ex_post_shares.to_dict(),
    }


def _plain(value: Any) -> Any:
    """`value` in JSON's own types; a number that JSON cannot hold becomes null, an object its text."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset | np.ndarray | pd.Index):
        return [_plain(item) for item in value]
    if isinstance(value, pd.Series):
        return _plain(value.to_dict())
    if isinstance(value, date):
        day_only = not isinstance(value, pd.Timestamp) or value == value.normalize()
        return value.strftime("%Y-%m-%d") if day_only else value.isoformat()
    return str(value)
