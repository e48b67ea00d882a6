"""`equipoise solve` and `equipoise estimate`: JSON in, JSON out, one line for every refusal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from equipoise.cli import main

CASE = {"covariance": [[0.04, 0.0], [0.0, 0.16]], "budgets": [0.5, 0.5], "name": "ignored"}


@pytest.fixture
def run():  # type: ignore[no-untyped-def]
    return lambda *args, stdin=None: CliRunner(mix_stderr=False).invoke(
        main, [str(a) for a in args], input=stdin
    )


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    index = pd.date_range("2024-01-01", periods=80, name="date")
    frame = pd.DataFrame(
        100 * np.exp(rng.normal(0, 0.02, (80, 3)).cumsum(axis=0)), index, ["BTC", "ETH", "LINK"]
    )
    path = tmp_path / "prices.csv"
    frame.to_csv(path)
    return path


def test_solve__case_file__prints_the_promised_keys(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "case.json"
    path.write_text(json.dumps(CASE))
    result = run("solve", "--input", path)
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    assert {"weights", "coordinates", "volatility", "contributions", "max_error", "iterations"} <= set(answer)
    np.testing.assert_allclose(answer["weights"], [2 / 3, 1 / 3])
    assert sum(answer["contributions"]) == pytest.approx(answer["volatility"])
    np.testing.assert_allclose(answer["shares"], CASE["budgets"])
    assert answer["max_error"] <= 1e-10


def test_solve__standard_input_without_budgets__equal(run) -> None:  # type: ignore[no-untyped-def]
    result = run("solve", "--input", "-", stdin=json.dumps({"covariance": CASE["covariance"]}))
    np.testing.assert_allclose(json.loads(result.stdout)["shares"], [0.5, 0.5])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "has no key `covariance`"),
        ('{"budgets": [1]}', "has no key `covariance`"),
        ('{"covariance": [[1, 2], [2, 1]]}', "not positive definite"),
        ('{"covariance": [[1, NaN], [NaN, 1]]}', "not finite"),
        ('{"covariance": [[1], [0, 1]]}', "not an array of numbers"),
        ('{"covariance": {"a": 1}}', "not an array of numbers"),
        ('{"covariance": [[1, 0], [0, 1]], "budgets": [0.9, 0.2]}', "sum to 1.1"),
    ],
)
def test_solve__bad_input__one_line_and_exit_code_2(run, content: str, message: str) -> None:  # type: ignore[no-untyped-def]
    result = run("solve", "--input", "-", stdin=content)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_solve__no_such_file__one_line(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    result = run("solve", "--input", tmp_path / "absent.json")
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr


def test_estimate__json__weights_carry_equal_risk(run, prices: Path) -> None:  # type: ignore[no-untyped-def]
    result = run("estimate", "--prices", prices, "--assets", "ETH, BTC", "--json")
    answer = json.loads(result.stdout)
    assert answer["assets"] == ["ETH", "BTC"]
    assert answer["observed_at"] == "2024-03-20"
    assert answer["observations"] == 79
    np.testing.assert_allclose(answer["shares"], [0.5, 0.5], atol=1e-9)
    ratio = answer["vol_ann"][1] / answer["vol_ann"][0]
    assert answer["weights"][0] / answer["weights"][1] == pytest.approx(ratio)


def test_estimate__table__a_row_an_asset(run, prices: Path) -> None:  # type: ignore[no-untyped-def]
    result = run("estimate", "--prices", prices)
    assert result.exit_code == 0
    assert all(f"│ {name}" in result.stdout for name in ("BTC", "ETH", "LINK"))
    assert "2024-03-20" in result.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [(["--assets", "BTC,SOL"], "unknown column 'SOL'"), (["--assets", ","], "no asset chosen")],
)
def test_estimate__bad_assets__one_line(run, prices: Path, args: list[str], message: str) -> None:  # type: ignore[no-untyped-def]
    result = run("estimate", "--prices", prices, *args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_help__fresh_interpreter__loads_no_heavy_module() -> None:
    code = (
        "import sys, equipoise.cli\n"
        "print([m for m in ('numpy', 'pandas', 'sklearn', 'plotly', 'ape') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
