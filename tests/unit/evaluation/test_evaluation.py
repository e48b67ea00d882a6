"""Losses, the test of Diebold and Mariano, and the table."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from equipoise.cli import main
from equipoise.errors import EstimationError
from equipoise.estimation.garch_model import GarchModel
from equipoise.estimation.models import EwmaModel
from equipoise.evaluation.losses import diebold_mariano, qlike, squared_error
from equipoise.evaluation.rolling import compare_models, realised_variance
from tests.unit.estimation.test_models import garch_closes

MARKET = Path(__file__).resolve().parents[4] / "shared" / "market"


def test_qlike__perfect_and_wrong__zero_and_worse_below_than_above() -> None:
    h = np.array([0.04, 0.09])
    np.testing.assert_allclose(qlike(h, h), 0.0, atol=1e-15)
    assert (qlike(h, h / 2) > qlike(h, h * 2)).all()
    np.testing.assert_allclose(qlike(h, h / 2), 2 - np.log(2) - 1)
    np.testing.assert_allclose(squared_error(h, h / 2), (h / 2) ** 2)


def test_losses__noisy_but_unbiased_proxy__rank_as_the_truth_does() -> None:
    """Patton (2011)."""
    rng = np.random.default_rng(0)
    true = 0.04 * np.exp(0.5 * rng.standard_normal(20_000))
    proxy = true * rng.standard_normal(20_000) ** 2
    good, bad = true * np.exp(0.1 * rng.standard_normal(20_000)), np.full(20_000, true.mean())
    for loss in (qlike, squared_error):
        assert loss(proxy, good).mean() < loss(proxy, bad).mean()


@pytest.mark.parametrize("horizon", [1, 7])
def test_diebold_mariano__equal_forecasts__rejects_about_as_often_as_it_says(horizon: int) -> None:
    rng = np.random.default_rng(1)
    rejections = 0
    for _ in range(400):
        noise = rng.standard_normal((2, 400 + horizon))
        # losses of overlapping horizons follow each other
        a, b = (np.convolve(row, np.ones(horizon), "valid")[:400] for row in noise)
        rejections += diebold_mariano(a, b, horizon).p_value < 0.05
    assert 0.02 <= rejections / 400 <= 0.13


def test_diebold_mariano__a_better_forecast__found_with_its_sign() -> None:
    rng = np.random.default_rng(2)
    a = rng.standard_normal(500)
    test = diebold_mariano(a - 0.5 + 0.1 * rng.standard_normal(500), a)
    assert test.difference == pytest.approx(-0.5, abs=0.05)
    assert test.p_value < 1e-6
    assert diebold_mariano(a, a).p_value == 1.0


def test_realised_variance__days_after__by_hand() -> None:
    days = pd.date_range("2021-01-01", periods=5)
    closes = pd.Series([100.0, 110.0, np.nan, 99.0, 99.0], days, name="A")
    found = realised_variance(closes, 2)
    up, down = np.log(1.1) ** 2, np.log(0.9) ** 2
    expected = np.array([up, down, down, np.nan, np.nan]) / 2 * 365
    np.testing.assert_allclose(found, expected)


def test_compare_models__garch_process__garch_wins_beyond_chance() -> None:
    closes = garch_closes(seed=9, days=2500)[0]
    table = compare_models(closes, [EwmaModel(), GarchModel()], 30)
    assert list(table.index) == ["GARCH", "EWMA 0.94"]
    assert table.loc["GARCH", "p_value"] < 0.05
    assert table["bias"].between(0.8, 1.25).all()
    assert table["days"].nunique() == 1


def test_compare_models__too_few_days__named() -> None:
    with pytest.raises(EstimationError, match=r"A has .* give more days"):
        compare_models(garch_closes(days=300)[0], [EwmaModel(), GarchModel()], 30)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: qlike(np.ones(2), np.array([1.0, 0.0])), "forecast 1 is 0"),
        (lambda: qlike(np.array([1.0, -1.0]), np.ones(2)), "realised variance 1 is -1"),
        (lambda: qlike(np.ones(2), np.ones(3)), r"shape \(2,\), forecast \(3,\)"),
        (lambda: qlike(np.zeros(2), np.ones(2)), "nothing moved"),
        (lambda: diebold_mariano(np.ones(10), np.ones(10)), "at least 30"),
        (lambda: diebold_mariano(np.full(40, np.nan), np.ones(40)), "must be finite"),
    ],
)
def test_losses__bad_input__named(act: object, message: str) -> None:
    with pytest.raises(EstimationError, match=message):
        act()  # type: ignore[operator]


def test_evaluate__command__table_and_json(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    garch_closes(days=600)[0].to_frame().to_csv(path)
    shown = CliRunner().invoke(main, ["evaluate", "--prices", str(path), "--horizons", "7"])
    assert shown.exit_code == 0, shown.output
    for word in ("A, 7 days ahead", "Default blend", "GJR", "HAR", "QLIKE"):
        assert word in shown.output
    made = CliRunner().invoke(main, ["evaluate", "--prices", str(path), "--horizons", "1", "--json"])
    rows = json.loads(made.output)
    assert {row["model"] for row in rows} == {
        "EWMA 0.94",
        "EWMA 0.97",
        "GARCH",
        "GJR",
        "HAR",
        "Default blend",
    }
    wrong = CliRunner().invoke(main, ["evaluate", "--prices", str(path), "--horizons", "0,x"])
    assert wrong.exit_code == 2
    assert "give whole days" in wrong.output


@pytest.mark.skipif(not MARKET.exists(), reason="../shared/market is not here")
@pytest.mark.parametrize("asset", ["BTC", "ETH"])
def test_default_blend__real_prices_and_dvol__better_than_its_ewma(asset: str) -> None:
    """Why the weights are what they are: at every horizon, and by more than chance at a week and a month."""
    command = ["evaluate", "--prices", str(MARKET / "prices_daily_permissive_MIT.csv"), "--assets", asset]
    command += [
        "--implied",
        str(MARKET / "dvol_daily.csv"),
        "--implied-columns",
        f"{asset}={asset.lower()}_close",
    ]
    made = CliRunner().invoke(main, [*command, "--horizons", "7,30", "--json"])
    assert made.exit_code == 0, made.output
    for row in json.loads(made.output):
        if row["model"] == "Default blend":
            assert row["p_value"] < 0.05
            assert row["days"] > 1700
            mine = row["qlike"]
            same = [r for r in json.loads(made.output) if r["horizon_days"] == row["horizon_days"]]
            assert mine < 0.9 * next(r["qlike"] for r in same if r["model"] == "EWMA 0.94")
