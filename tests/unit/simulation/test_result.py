from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise.errors import InputError
from tests.unit.simulation.synthetic import make_result

GOOD = make_result(days=60, assets=3)


def changed(name: str, change: Any) -> dict[str, Any]:
    return {name: change(getattr(GOOD, name))}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (changed("days", lambda d: d.iloc[:0]), "no days"),
        (changed("days", lambda d: d.iloc[:1]), "1 day"),
        (changed("days", lambda d: d.drop(columns="gas_usd")), "gas_usd"),
        (changed("days", lambda d: d.iloc[::-1]), "rising"),
        (changed("days", lambda d: d.assign(mode="Sleepy")), "Sleepy"),
        (changed("days", lambda d: d.assign(share_price=np.nan)), "share_price"),
        (changed("days", lambda d: d.assign(nav_usd=0.0)), "nav_usd"),
        (changed("weights", lambda w: w.iloc[1:]), "dates of days"),
        (changed("weights", lambda w: w.rename(columns={"BTC": "XBT"})), "columns"),
        (changed("risk_shares", lambda s: s * np.nan), "finite"),
        (changed("risk_shares", lambda s: s * 0), "no basket"),
        (changed("prices", lambda p: p * 0), "> 0"),
        (changed("covariances", lambda c: c[:, :2, :2]), "shape"),
        (changed("covariances", lambda c: c * np.nan), "invested_from"),
        (changed("rebalances", lambda r: r.drop(columns="gas")), "gas"),
        (changed("actions", lambda a: a.drop(columns="user")), "user"),
        (changed("latency", lambda a: a.drop(columns="move")), "move"),
        (changed("budgets", lambda b: b * 2), "sum"),
        (changed("budgets", lambda b: b.iloc[:2]), "budgets"),
        (changed("eth_price", lambda e: e.iloc[1:]), "eth_price"),
        ({"band": 0.0}, "band"),
        ({"target_vol": float("nan")}, "target_vol"),
        ({"gas_price_gwei": -1.0}, "gas_price_gwei"),
        ({"invested_from": pd.Timestamp("1999-01-01")}, "invested_from"),
    ],
)
def test_replay_result__bad_record__input_error(overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(GOOD, **overrides)


def test_replay_result__good_record__performance_starts_the_day_before_investing() -> None:
    assert GOOD.days.index[GOOD.start] == GOOD.invested_from
    assert GOOD.base == GOOD.start - 1
    assert not GOOD.invested.iloc[GOOD.base]
    assert GOOD.invested.iloc[GOOD.start]


def test_replay_result__no_deposit_before_investing__empty_days_are_allowed() -> None:
    days = GOOD.days.copy()
    days.iloc[: GOOD.base, days.columns.get_loc("nav_usd")] = 0.0
    replace(GOOD, days=days)


def test_replay_result__invested_on_the_first_day__base_is_that_day() -> None:
    trimmed: dict[str, Any] = {
        name: getattr(GOOD, name).iloc[GOOD.start :]
        for name in ("days", "weights", "risk_shares", "prices", "eth_price")
    }
    result = replace(GOOD, covariances=GOOD.covariances[GOOD.start :], **trimmed)
    assert result.base == result.start == 0
