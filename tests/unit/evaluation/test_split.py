"""Weights chosen on one part of the days and judged on the other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.cli import main
from equipoise.errors import EstimationError
from equipoise.evaluation.losses import diebold_mariano, qlike
from equipoise.evaluation.split import choose_weights, simplex_grid, split_day
from tests.unit.estimation.test_models import garch_closes

DAYS = pd.date_range("2021-01-01", periods=400, name="date")
SPLIT = DAYS[200]
EQUAL = {"A": 0.5, "B": 0.5}


def forecasts(seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    """Two opinions, one of them noisier, of a variance that is seen through squared returns."""
    rng = np.random.default_rng(seed)
    true = 0.3 * np.exp(np.convolve(rng.normal(0, 0.2, 419), np.ones(20) / 3, "valid"))
    opinions = {
        name: true * np.exp(noise * rng.standard_normal(400)) for name, noise in (("A", 0.3), ("B", 0.9))
    }
    realised = true * rng.chisquare(7, 400) / 7
    return pd.DataFrame(opinions, DAYS), pd.Series(realised, DAYS)


def test_choose_weights__one_opinion_better__chosen_and_better_after_the_split() -> None:
    variances, realised = forecasts()
    choice = choose_weights(variances, realised, SPLIT, 1, {"A": 0.0, "B": 1.0})
    assert choice.weights["A"] >= 0.75
    assert choice.qlike["chosen"] < choice.qlike["default"]
    assert choice.p_default < 0.01
    assert sum(choice.weights.values()) == pytest.approx(1)
    # the reference is the first column
    assert choice.qlike["reference"] == pytest.approx(
        qlike(realised[SPLIT:].to_numpy(), variances["A"][SPLIT:].to_numpy()).mean()
    )


def test_choose_weights__by_hand__least_loss_of_the_grid_and_its_test() -> None:
    variances, realised = forecasts(3)
    choice = choose_weights(variances, realised, SPLIT, 7, EQUAL)
    first, second = slice(0, 194), slice(200, 400)  # the 194th day's week ends on the 201st day, the split
    f, h = variances.to_numpy(), realised.to_numpy()
    losses = {k: qlike(h[first], f[first] @ [k / 4, 1 - k / 4]).mean() for k in range(5)}
    best = min(losses, key=lambda k: losses[k])
    assert choice.weights == {"A": best / 4, "B": 1 - best / 4}
    assert (choice.first_days, choice.purged_days, choice.second_days) == (194, 6, 200)
    mine, usual = (qlike(h[second], f[second] @ w) for w in ([best / 4, 1 - best / 4], [0.5, 0.5]))
    assert choice.qlike["chosen"] == pytest.approx(mine.mean())
    assert choice.p_default == pytest.approx(diebold_mariano(mine, usual, 7).p_value)


@pytest.mark.parametrize("horizon", [1, 7, 30])
@pytest.mark.parametrize("seed", range(5))
def test_choose_weights__future_shuffled__the_choice_does_not_change(seed: int, horizon: int) -> None:
    """Forecasts after the split, and what was realised by days after it, may be anything."""
    variances, realised = forecasts(seed)
    unknown = np.flatnonzero(DAYS + pd.Timedelta(days=horizon) > SPLIT)
    order = np.random.default_rng(seed).permutation(unknown)
    other, lived = variances.copy(), realised.copy()
    lived.iloc[unknown] = 9 * realised.iloc[order].to_numpy()
    other.iloc[201:] = variances.iloc[np.random.default_rng(1).permutation(np.arange(201, 400))].to_numpy()
    before, after = (
        choose_weights(f, h, SPLIT, horizon, EQUAL) for f, h in ((variances, realised), (other, lived))
    )
    assert before.weights == after.weights
    assert before.qlike != after.qlike


def test_choose_weights__day_whose_horizon_ends_on_the_split__still_chooses() -> None:
    """Purged is no day more than must be: the last one that chooses does change the choice."""
    variances, realised = forecasts(1)
    last = 200 - 7
    lived = realised.copy()
    lived.iloc[last] = 1e12
    f = variances.copy()
    f.iloc[last] = [1e-3, 1e6]
    assert choose_weights(f, lived, SPLIT, 7, EQUAL).weights == {"A": 0.0, "B": 1.0}
    lived.iloc[last], f.iloc[last] = realised.iloc[last], variances.iloc[last]
    lived.iloc[last + 1], f.iloc[last + 1] = 1e12, [1e-3, 1e6]
    chosen = choose_weights(f, lived, SPLIT, 7, EQUAL).weights
    assert chosen == choose_weights(variances, realised, SPLIT, 7, EQUAL).weights != {"A": 0.0, "B": 1.0}


@settings(max_examples=30)
@given(models=st.integers(1, 4), parts=st.integers(1, 8))
def test_simplex_grid__any_size__every_point_once(models: int, parts: int) -> None:
    points = [tuple(point) for point in simplex_grid(models, parts)]
    wanted = {
        tuple(c / parts for c in counts)
        for counts in np.ndindex(*[parts + 1] * models)
        if sum(counts) == parts
    }
    assert set(points) == wanted
    assert len(points) == len(wanted)


def test_split_day__fraction_or_day__the_day() -> None:
    assert split_day(DAYS, "0.5") == DAYS[200]
    assert split_day(DAYS, "2021-06-01") == pd.Timestamp("2021-06-01")


Act = Callable[[], object]


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: split_day(DAYS, "1.5"), r"split 1.5 is outside \(0, 1\)"),
        (lambda: split_day(DAYS, "soon"), "split 'soon' is no day and no fraction"),
        (lambda: choose_weights(*forecasts(), DAYS[10], 1, EQUAL), "10 forecasts .* by the split 2021-01-11"),
        (lambda: choose_weights(*forecasts(), DAYS[390], 1, EQUAL), "10 forecasts .* begin from"),
        (lambda: choose_weights(*forecasts(), SPLIT, 90, EQUAL), "111 forecasts of 90 days .* at least 270"),
        (lambda: choose_weights(*forecasts(), SPLIT, 0, EQUAL), "horizon_days is 0"),
        (lambda: choose_weights(*forecasts(), SPLIT, 1, {"A": 0.5}), "must be >= 0 and sum to 1"),
        (lambda: choose_weights(*forecasts(), SPLIT, 1, {}), "must be >= 0 and sum to 1"),
        (lambda: choose_weights(*forecasts(), SPLIT, 1, {"C": 1.0}), "names C; the forecasts are A, B"),
        (lambda: choose_weights(*forecasts(), SPLIT, 1, EQUAL, parts=0), "1 to 20 parts"),
        (
            lambda: choose_weights(forecasts()[0], forecasts()[1].iloc[1:], SPLIT, 1, EQUAL),
            "of different days",
        ),
        (
            lambda: choose_weights(forecasts()[0].iloc[::-1], forecasts()[1].iloc[::-1], SPLIT, 1, EQUAL),
            "ascending, unique days",
        ),
        (lambda: choose_weights(-forecasts()[0], forecasts()[1], SPLIT, 1, EQUAL), "forecast 0 is -"),
    ],
)  # fmt: skip
def test_split__bad_input__named(act: Act, message: str) -> None:
    with pytest.raises(EstimationError, match=message):
        act()


def test_evaluate__choose_weights__table_and_json(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    garch_closes(days=700)[0].to_frame().to_csv(path)
    command = ["evaluate", "--prices", str(path), "--horizons", "7", "--choose-weights", "0.5"]
    shown = CliRunner().invoke(main, command)
    assert shown.exit_code == 0, shown.output
    for word in ("Weights chosen before 2", "A, 7", "GARCH", "EWMA", "Default"):
        assert word in shown.output
    (row,) = json.loads(CliRunner().invoke(main, [*command, "--json"]).output)
    assert set(row["weights"]) == {"EWMA 0.94", "GARCH"}
    assert row["purged_days"] == 6
    assert row["asset"] == "A"
    wrong = CliRunner().invoke(main, [*command[:-1], "2050-01-01"])
    assert wrong.exit_code == 2
    assert "begin from the split 2050-01-01" in wrong.output


def test_evaluate__ohlc__ranges_compete(tmp_path: Path) -> None:
    from tests.unit.estimation.test_models import bars_of

    prices, bars = tmp_path / "prices.csv", tmp_path / "bars.csv"
    closes = garch_closes(days=600)[0]
    closes.to_frame().to_csv(prices)
    bars_of(closes).to_csv(bars)
    command = ["evaluate", "--prices", str(prices), "--horizons", "7", "--ohlc", str(bars)]
    rows = json.loads(CliRunner().invoke(main, [*command, "--json"]).output)
    assert {"HAR, parkinson", "HAR, garman-klass", "HAR, rogers-satchell", "Yang-Zhang 30"} <= {
        row["model"] for row in rows
    }
    for extra, message in (
        (["--ohlc-columns", "B=b_"], "--ohlc-columns names B; the assets are A"),
        (["--ohlc-columns", "A=b_"], "unknown column 'b_open'"),
        (["--ohlc-columns", "A"], "--ohlc-columns 'A': give ASSET=NAME"),
    ):
        wrong = CliRunner().invoke(main, [*command, *extra])
        assert wrong.exit_code == 2
        assert message in wrong.output
    missing = CliRunner().invoke(main, [*command[:-2], "--ohlc-columns", "A=a_"])
    assert "give --ohlc too" in missing.output
