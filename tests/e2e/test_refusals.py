"""What the command refuses: one line, exit code 2, within the first seconds, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from equipoise.cli import main
from equipoise.simulation import demo
from tests.e2e.conftest import prices

Defect = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run `equipoise demo` with these options; the error it ends with. A chain must not even be started."""

    def no_chain(*_: object, **__: object) -> None:
        raise AssertionError("a chain was started")

    monkeypatch.setattr(demo.World, "build", no_chain)

    def run(*options: object, out: Path | None = None) -> str:
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        result: Result = CliRunner(mix_stderr=False).invoke(
            main, ["demo", *map(str, options), "--out", str(out or tmp_path / "out")]
        )
        assert result.exit_code == 2, result.output
        assert result.stderr.startswith("error: ")
        assert result.stderr.count("\n") == 1
        assert result.stdout == ""
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
        assert not (tmp_path / "out").exists()
        return result.stderr

    return run


def cell(value: object) -> Defect:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        changed = frame.astype(object)
        changed.loc[changed.index[10], "OIL"] = value
        return changed

    return change


@pytest.mark.parametrize(
    ("defect", "message"),
    [
        (lambda f: f.drop(f.index[30:33]), "gap of 3 days, 2024-01-31 to 2024-02-02"),
        (lambda f: pd.concat([f.iloc[:6], f.iloc[5:]]), "duplicate date 2024-01-06"),
        (lambda f: f.iloc[[*range(8), 9, 8, *range(10, len(f))]], "unsorted: 2024-01-09 follows 2024-01-10"),
        (cell(-1.0), "OIL is -1 on 2024-01-11; prices are > 0"),
        (cell(0.0), "OIL is 0 on 2024-01-11"),
        (cell("inf"), "OIL is inf on 2024-01-11"),
        (cell("n/k"), "OIL is 'n/k' on 2024-01-11; write a number"),
        (cell(np.nan), "OIL has no price on 1 days, 2024-01-11"),
        (lambda f: f.assign(OIL=np.nan), "OIL has no price"),
        (lambda f: f.iloc[:40], "40 days of prices; at least 60"),
        (lambda f: f.iloc[:10], "at least 31"),
        (lambda f: f[["OIL"]], "1 assets (OIL)"),
        (lambda f: f.rename_axis("day"), "date"),
        (lambda f: f.set_axis(["x", *f.index[1:].strftime("%F")]).rename_axis("date"), "'x' is not a date"),
        (lambda f: f.rename(columns={"OIL": "GOLD"}), "GOLD"),
        (lambda f: f * 1e9, "must lie in"),
    ],
)
def test_demo__defect_in_the_price_file__is_named(
    refused: Callable[..., str], tmp_path: Path, defect: Defect, message: str
) -> None:
    path = tmp_path / "prices.csv"
    defect(prices({"GOLD": 0.01, "OIL": 0.02, "TIN": 0.03})).to_csv(path)
    assert message in refused("--prices", path)


@pytest.mark.parametrize("content", ["", "date,A,B\n", "\x00\xff", "date;A;B\n2024-01-01;1;2\n"])
def test_demo__no_price_table__is_refused(refused: Callable[..., str], tmp_path: Path, content: str) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(content.encode("latin-1"))
    assert str(path) in refused("--prices", path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--days", 59], "--days is 59; give at least 60"),
        (["--days", -1], "--days is -1"),
        (["--days", 5000], "--days is 5000, the prices have"),
        (["--assets", "BTC,LINKK"], "unknown column 'LINKK'; there are BTC"),
        (["--assets", "BTC,LINKK"], "did you mean LINK?"),
        (["--assets", "BTC"], "1 assets (BTC): a vault holds 2 to 8"),
        (["--assets", "BTC,BTC"], "BTC chosen twice"),
        (["--assets", "BTC,ETH,BNB,LINK,SPX,XRP,ADA,DOGE,ALGO"], "9 assets"),
        (["--assets", ","], "no asset chosen"),
        (["--assets", "BTC,USDC"], "must be a name other than USDC"),
        (["--budgets", "0.5,0.5"], "2 budgets for 6 assets: give one each of BTC, ETH, BNB, LINK, SPX"),
        (["--budgets", "0.2,0.2,0.2,0.2,0.2,0.1"], "sum to 1.1"),
        (["--budgets", "0.4,-0.2,0.2,0.2,0.2,0.2"], "> 0"),
        (["--budgets", "0.2,0.2,0.2,0.2,0.2,nan"], "finite"),
        (["--budgets", "0.005,0.395,0.2,0.2,0.1,0.1"], "budget 0.005 is under the least, 0.01"),
        (["--max-leverage", "4.5"], "--max-leverage is 4.5; give 0.1 to 4"),
        (["--max-leverage", "nan"], "--max-leverage is nan"),
        (["--budgets", "half,half"], "--budgets 'half,half': give numbers"),
        (["--budgets", ""], "--budgets ''"),
        (["--target-vol", 0], "--target-vol is 0.0; give 0.01 to 1.0"),
        (["--target-vol", "nan"], "--target-vol is nan"),
        (["--target-vol", 15], "--target-vol is 15.0"),
        (["--seed", -1], "--seed is -1"),
        (["--prices", "no/such.csv"], "no/such.csv: cannot be read"),
    ],
)
def test_demo__wrong_option__is_named(
    refused: Callable[..., str], options: list[object], message: str
) -> None:
    assert message in refused(*options)


def test_demo__out_is_a_file__is_refused_before_the_replay(
    refused: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("mine")
    assert "is a file; name a directory" in refused(out=tmp_path / "taken")
    assert "cannot be written" in refused(out=tmp_path / "taken" / "deeper")
