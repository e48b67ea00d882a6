"""A realistic `ReplayResult` without a chain: fat-tailed prices and a vault that follows its rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from equipoise.simulation import ReplayResult
from equipoise.simulation.crash_result import AS_IT_STOOD, KEEPERS_ACT, KEEPERS_OUT, SIGNERS_SILENT, CrashRun
from equipoise.simulation.peer import PeerResult

SYMBOLS = ("BTC", "ETH", "BNB", "LINK", "SPX", "GOLD", "DOGE", "EUR")
VOLS = np.array([0.65, 0.85, 0.90, 1.15, 0.22, 0.16, 1.30, 0.08])
DRIFTS = np.array([0.45, 0.70, 0.75, 0.60, 0.10, 0.07, 0.50, 0.00])
STARTS = np.array([7_200.0, 130.0, 13.7, 1.8, 3_257.0, 1_520.0, 0.002, 1.12])
MARKET_SHARE = np.array([0.85, 0.88, 0.80, 0.78, 0.45, 0.10, 0.60, 0.10])
VARIANTS = (AS_IT_STOOD, KEEPERS_ACT, KEEPERS_OUT, SIGNERS_SILENT)
COST_RATE = 0.0028
GAS_A_FILL, GAS_A_DAY = 380_000, 145_000


def make_prices(days: int, assets: int, seed: int) -> pd.DataFrame:
    """Daily prices from one Student-t factor, with a shared crash on day 71 and slow volatility waves."""
    rng = np.random.default_rng(seed)
    common = rng.standard_t(4, size=days) / np.sqrt(2)
    own = rng.standard_t(4, size=(days, assets)) / np.sqrt(2)
    load = MARKET_SHARE[:assets]
    wave = np.exp(0.35 * np.sin(np.arange(days) / 60))[:, None]
    shocks = common[:, None] * load + own * np.sqrt(1 - load**2)
    returns = (VOLS[:assets] * wave * shocks + (DRIFTS[:assets] - VOLS[:assets] ** 2 / 2) / 20) / np.sqrt(365)
    if days > 71:
        returns[71] -= 0.55 * VOLS[:assets]
    returns[0] = 0
    dates = pd.date_range("2020-01-01", periods=days, name="date")
    return pd.DataFrame(STARTS[:assets] * np.exp(returns.cumsum(axis=0)), dates, list(SYMBOLS[:assets]))


def ewma_covariances(prices: pd.DataFrame, decay: float = 0.96, warm_up: int = 20) -> np.ndarray:
    """Annualised EWMA covariance of log returns by day, shape (days, n, n), NaN before `warm_up` days."""
    returns = np.log(prices).diff().fillna(0).to_numpy()
    n = prices.shape[1]
    estimate, out = np.zeros((n, n)), np.full((len(returns), n, n), np.nan)
    for day, row in enumerate(returns):
        estimate = decay * estimate + (1 - decay) * np.outer(row, row)
        if day >= min(warm_up, len(returns) // 3):
            scaled = 365 * estimate / (1 - decay ** max(day, 1))
            vol = np.sqrt(np.diag(scaled)) + 1e-3
            correlation = 0.9 * scaled / np.outer(vol, vol)
            np.fill_diagonal(correlation, 1)
            out[day] = correlation * np.outer(vol, vol)
    return out


def parity_exposures(covariance: np.ndarray, budgets: np.ndarray, target_vol: float) -> np.ndarray:
    """Exposures with x_i (C x)_i = b_i at `target_vol`, capped to a sum of 1; cyclical descent."""
    vol = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(vol, vol)
    x = np.sqrt(budgets)
    for _ in range(60):
        for i, budget in enumerate(budgets):
            rest = correlation[i] @ x - x[i]
            x[i] = (-rest + np.sqrt(rest**2 + 4 * budget)) / 2
    exposures = target_vol * x / vol
    return exposures / max(1.0, exposures.sum())


def shares_of(exposures: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    contributions = exposures * (covariance @ exposures)
    total = contributions.sum()
    return contributions / total if total > 0 else np.zeros_like(exposures)


def lending(leverage: float, nav: float, levered: bool) -> dict[str, Any]:
    """Columns of a day of a vault that borrows twice what it holds, or nothing."""
    debt = 0.9 * leverage * nav if levered else 0.0
    health = 1.4 + 0.2 * np.sin(nav) if debt else np.inf
    return {
        "target_leverage": leverage,
        "debt_usd": debt,
        "borrow_rate": 0.034 if levered else 0.0,
        "interest_usd": debt * 0.034 / 365,
        "health_factor": health,
        "min_health_factor": health * 0.97,
        "ripcords": int(debt > 0 and health < 1.22),
        "liquidations": 0,
    }


def make_crash(variant: str, liquidations: int = 0, lowest: float = 1.2) -> CrashRun:
    """Two days of a fall by 20 %."""
    times = pd.date_range("2020-03-12", periods=49, freq="h")
    fall = np.linspace(0, 1, 49)
    path = pd.DataFrame(
        {
            "share_price": 1 - 0.2 * fall,
            "nav_usd": 1e6 * (1 - 0.2 * fall),
            "health_factor": 1.6 - (1.6 - lowest) * fall,
            "leverage": 1.8 + 0.2 * fall,
            "mode": "Normal",
        },
        index=times,
    )
    return CrashRun("March 2020", variant, path, 1, 4, liquidations, 1_000.0 * liquidations, 250.0, 1.3)


def make_peer(prices: pd.DataFrame) -> PeerResult:
    """Somebody who is liquidated once."""
    index, ones = prices.index, pd.Series(1.0, prices.index)
    rows = [(index[1], str(prices.columns[0]), 0.1, 0.105, 0.005)]
    table = pd.DataFrame(rows, columns=["date", "symbol", "repaid", "seized", "loss"])
    nav = ones * np.linspace(1, 0.7, len(index))
    return PeerResult("By hand, same target", nav, ones * 0.99, ones * 1.5, table, 0.005)


def make_result(
    days: int = 1096,
    assets: int = 5,
    seed: int = 7,
    budgets: Any = None,
    prices: pd.DataFrame | None = None,
    levered: bool = False,
    **overrides: Any,
) -> ReplayResult:
    """Replay a vault that rebalances fully when its parity gap or volatility error exceeds the band."""
    prices = make_prices(days, assets, seed) if prices is None else prices
    index, names, n, days = prices.index, list(prices.columns), prices.shape[1], len(prices)
    b = np.full(n, 1 / n) if budgets is None else np.asarray(budgets, dtype=float)
    band, target = 0.03, 0.25
    covariances = ewma_covariances(prices)
    start = int(np.argmax(np.isfinite(covariances).all(axis=(1, 2))))
    rng = np.random.default_rng(seed)
    returns = prices.pct_change().fillna(0).to_numpy()
    held, share_price, shares = np.zeros(n), 1.0, 250_000.0
    rows, weights, risk, rebalances = [], np.zeros((days, n)), np.zeros((days, n)), []
    for day in range(days):
        growth = 1 + held @ returns[day]
        held, share_price = held * (1 + returns[day]) / growth, share_price * growth
        if day % 97 == 40:
            shares *= 1.15 if day < days / 2 else 0.92
        row = {"turnover_usd": 0.0, "trading_cost_usd": 0.0, "gas_used": 0, "report_age_s": 600.0}
        mode = "Normal"
        gap = vol = 0.0
        rebalanced = False
        if day >= start:
            cov = covariances[day]
            vol = float(np.sqrt(held @ cov @ held))
            gap = float(np.abs(shares_of(held, cov) - b).max()) if held.any() else 0.0
            stressed = vol > 1.6 * target
            mode = "DeleverOnly" if vol > 2.2 * target else "NoIncrease" if stressed else "Normal"
            off_target = held.sum() < 0.97 and abs(vol / target - 1) > 0.15
            if (not held.any() or gap > band or off_target) and rng.random() < 0.9:
                goal = parity_exposures(cov, b, target)
                trade = goal - held
                moved = max(trade[trade > 0].sum(), -trade[trade < 0].sum())
                before, nav = gap, share_price * shares
                share_price *= 1 - COST_RATE * moved
                held, rebalanced = goal, True
                gap = float(np.abs(shares_of(held, cov) - b).max())
                vol = float(np.sqrt(held @ cov @ held))
                row |= {"turnover_usd": moved * nav, "trading_cost_usd": COST_RATE * moved * nav}
                row["gas_used"] = GAS_A_FILL * n
                reason = "parity gap" if before > band else "volatility"
                rebalances.append(
                    (index[day], reason, n, moved * nav, COST_RATE * moved * nav, GAS_A_FILL * n, before, gap)
                )
            row["gas_used"] += GAS_A_DAY + 90_000 * (day % 7 == 0)
        weights[day] = held
        risk[day] = shares_of(held, covariances[day]) if day >= start and held.any() else 0.0
        gap = float(np.abs(risk[day] - b).max()) if held.any() else 0.0
        row |= {"nav_usd": share_price * shares, "share_price": share_price, "parity_gap": gap, "mode": mode}
        row |= {"leverage": float(held.sum()), "volatility": vol, "rebalanced": rebalanced}
        row |= lending(row["leverage"], share_price * shares, levered)
        rows.append(row)
    eth = prices["ETH"] if "ETH" in names else pd.Series(1_500.0, index)
    frame = pd.DataFrame(rows, index=index)
    frame["gas_usd"] = frame["gas_used"] * 15 * eth / 1e9
    columns = ["date", "reason", "fills", "turnover_usd", "cost_usd", "gas", "gap_before", "gap_after"]
    fields: dict[str, Any] = {
        "days": frame,
        "weights": pd.DataFrame(weights, index, names),
        "risk_shares": pd.DataFrame(risk, index, names),
        "prices": prices,
        "covariances": covariances,
        "rebalances": pd.DataFrame(rebalances, columns=columns),
        "actions": pd.DataFrame(
            [
                (index[0], "alice", "deposit", 250_000.0, 128_400),
                (index[-1], "bob", "exit_in_kind", 1e4, 210_000),
            ],
            columns=["date", "user", "action", "usd", "gas"],
        ),
        "latency": pd.DataFrame(
            [(index[-1], 0.02, -31.5, -30.0), (index[-1], -0.05, -12.0, -11.0)],
            columns=["date", "move", "profit_usd", "profit_bps"],
        ),
        "budgets": pd.Series(b, names),
        "band": band,
        "target_vol": target,
        "gas_price_gwei": 15.0,
        "eth_price": eth,
        "invested_from": index[start],
        "wall_s": 183.4,
        "seed": seed,
        "config": {"signers": 5, "threshold": 3, "source": "synthetic", "start": index[0]},
    }
    if levered:
        fields |= {
            "health_trigger": 1.3,
            "health_target": 1.6,
            "max_leverage": 3.0,
            "crashes": tuple(make_crash(variant) for variant in VARIANTS),
            "peers": (make_peer(prices.iloc[start:]),),
        }
    return ReplayResult(**(fields | overrides))
