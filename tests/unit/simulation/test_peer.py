"""Levered by hand: what Aave's rule does to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise.errors import InputError
from equipoise.simulation.peer import PeerConfig, run_peer

NAMES = ["BTC", "SPX"]
TERMS: dict[str, Any] = {
    "thresholds": {"BTC": 0.78, "SPX": 0.75},
    "bonuses": {"BTC": 0.05, "SPX": 0.06},
}
VOL = np.array([0.6, 0.15])
COVARIANCE = np.diag(VOL**2)


def run(levels: list[float], **changes: Any) -> Any:
    """Both prices move alike, a day at a time, each hour of a day at its close."""
    index = pd.date_range("2021-01-01", periods=len(levels))
    closes = pd.DataFrame(np.outer(levels, [100.0, 10.0]), index, NAMES)
    hours = {day: np.tile(closes.loc[day].to_numpy(), (24, 1)) for day in index[1:]}
    settings = {"target_vol": 9.0, "start_health": 1.3, "cost": 0.0, "borrow_rate": 0.0}
    config = PeerConfig(**(settings | changes))
    return run_peer("hand", closes, hours, VOL, COVARIANCE, config=config, **TERMS)


def test_peer__still_prices__keeps_its_leverage() -> None:
    found = run([1, 1, 1])
    weights = (1 / VOL) / (1 / VOL).sum()
    lt = float(weights @ [0.78, 0.75])
    assert found.config["target_leverage"] == pytest.approx(1.3 / (1.3 - lt))
    assert found.health_factor.iloc[-1] == pytest.approx(1.3)
    assert found.nav.tolist() == pytest.approx([1, 1, 1])
    assert found.liquidations.empty


def test_peer__target_volatility__sets_the_leverage_at_the_start() -> None:
    found = run([1, 1], target_vol=0.1)
    weights = (1 / VOL) / (1 / VOL).sum()
    assert found.leverage.iloc[0] == pytest.approx(0.1 / np.sqrt(weights @ COVARIANCE @ weights))


def test_peer__fall_past_its_health_factor__is_liquidated_at_the_bonus() -> None:
    """30 % down at a health factor of 1.3 is 0.91: everything may be repaid, the largest collateral first."""
    found = run([1, 0.7, 0.7])
    first = found.liquidations.iloc[0]
    assert first.symbol == "SPX"
    assert first.seized == pytest.approx(first.repaid * 1.06)
    assert found.loss == pytest.approx(found.liquidations.loss.sum())
    assert found.health_factor.iloc[1] == pytest.approx(1.3 * 0.7)
    unscathed = 1 - 0.3 * found.config["target_leverage"]
    assert found.nav.iloc[-1] == pytest.approx(unscathed - found.loss)


def test_peer__half_close_factor__repays_half_between_95_and_100_percent() -> None:
    found = run([1, 0.76, 0.76])
    debt = found.config["target_leverage"] - 1
    assert found.liquidations.iloc[0].repaid == pytest.approx(debt / 2)


def test_peer__on_its_schedule__trades_back_and_pays_for_it() -> None:
    found = run([1, 1.2, 1.2, 1.2], rebalance_days=2, cost=0.01, borrow_rate=0.05)
    target = found.config["target_leverage"]
    assert found.leverage.iloc[1] < target
    assert found.leverage.iloc[2] == pytest.approx(target, rel=0.02)
    assert found.nav.iloc[0] == 1


@pytest.mark.parametrize(
    "changes",
    [{"target_vol": 0}, {"start_health": 1.0}, {"rebalance_days": 0}, {"cost": 1.0}, {"borrow_rate": -1}],
)
def test_peer__bad_settings__are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        run([1, 1], **changes)


def test_peer__missing_terms_or_hours__are_named() -> None:
    index = pd.date_range("2021-01-01", periods=2)
    closes = pd.DataFrame(1.0, index, [*NAMES, "XRP"])
    vol, cov = np.ones(3), np.eye(3)
    with pytest.raises(InputError, match="XRP"):
        run_peer("hand", closes, {}, vol, cov, **TERMS)
    with pytest.raises(InputError, match="2021-01-02"):
        run_peer("hand", closes[NAMES], {}, VOL, COVARIANCE, **TERMS)
