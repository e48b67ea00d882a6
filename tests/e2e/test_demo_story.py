"""The demo's story on real prices: invested at parity, nobody gains by latency, accounts that add up."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise.report import summarise, to_json
from equipoise.simulation import compare
from equipoise.simulation.crash_result import AS_IT_STOOD, KEEPERS_ACT, KEEPERS_OUT, SIGNERS_SILENT
from equipoise.simulation.result import MODES
from equipoise.units import WAD
from tests.e2e.conftest import DAYS, Watched, summary_of

PROMISED = {
    "days": int,
    "assets": list,
    "vault": dict,
    "benchmarks": dict,
    "parity_gap": dict,
    "realised_risk_shares": dict,
    "rebalances": int,
    "mode_days": dict,
    "wall_s": float,
}
PROMISED_OF_A_PORTFOLIO = (
    "return",
    "volatility",
    "max_drawdown",
    "sharpe",
    "turnover",
    "gas",
    "trading_cost",
)

VARIANTS = AS_IT_STOOD, KEEPERS_ACT, KEEPERS_OUT, SIGNERS_SILENT


@pytest.fixture(scope="module")
def written(equipoise: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """The same replay by the command, in a process of its own."""
    out = tmp_path_factory.mktemp("demo") / "out"
    return equipoise("demo", "--days", DAYS, "--out", out), out


def test_demo__command__ends_with_the_table_and_the_report(written: tuple[Any, Path]) -> None:
    done, out = written
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for word in ("Vault", "Buy and hold", "Equal dollars", "Min. variance", "100 % BTC", "Share of variance"):
        assert word in done.stdout
    files = {path.name for path in out.iterdir()}
    assert {"report.html", "summary.json", "nav.png", "risk_contributions.png"} <= files
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_summary__command__holds_the_promised_keys(written: tuple[Any, Path]) -> None:
    summary = summary_of(written[1])
    for key, kind in PROMISED.items():
        assert isinstance(summary[key], kind), key
    assert summary["days"] == DAYS
    assert summary["assets"] == ["BTC", "ETH", "BNB", "LINK", "SPX", "USMV"]
    assert {"buy_and_hold", "equal_dollars", "minimum_variance", "single_asset"} <= set(summary["benchmarks"])
    for portfolio in (summary["vault"], *summary["benchmarks"].values()):
        for key in PROMISED_OF_A_PORTFOLIO:
            assert isinstance(portfolio[key], int | float | None), key
    assert {"mean", "p95", "max", "band"} <= set(summary["parity_gap"])
    assert sum(summary["realised_risk_shares"].values()) == pytest.approx(1)
    assert sum(summary["mode_days"].values()) == DAYS
    assert 0 < summary["wall_s"] < 120


def test_replay__same_seed_in_two_processes__same_summary_to_the_last_digit(
    watched: Watched, written: tuple[Any, Path]
) -> None:
    ours = json.loads(to_json(summarise(watched.result, compare(watched.result))))
    theirs = summary_of(written[1])
    for summary in (ours, theirs):
        summary.pop("wall_s")
    assert ours == theirs


def test_replay__average_share_of_variance__within_two_and_a_half_points_of_its_budget(
    watched: Watched,
) -> None:
    result = watched.result
    average = result.risk_shares[result.invested].mean()
    assert np.abs(average - result.budgets).max() < 0.025


def test_replay__every_invested_evening__parity_gap_within_its_band(watched: Watched) -> None:
    """EQ-86: what is opened is filled on the same day, also in March 2020; only the first investment takes
    two, because the loss budget of one day does not pay for it."""
    result = watched.result
    gap = result.days["parity_gap"][result.invested].iloc[1:]
    assert len(gap) > 25
    assert gap.max() <= result.band


def test_replay__leverage__stays_safe_and_is_told(watched: Watched) -> None:
    """EQ-88 EQ-132: no hour near a liquidation, and the crash chapter in every variant."""
    result = watched.result
    days = result.days
    assert (days["debt_usd"] > 0).any()
    assert result.min_health_factor > result.health_trigger
    assert days["liquidations"].sum() == days["ripcords"].sum() == 0
    assert (days["interest_usd"][days["debt_usd"].shift() > 0] > 0).any()
    assert [run.variant for run in result.crashes] == list(VARIANTS)
    for run in result.crashes[1:]:
        assert run.path["leverage"].iloc[0] > 1.3
        assert run.liquidations == 0
    acting, out = result.crashes[1], result.crashes[2]
    assert acting.min_health_factor > acting.trigger > out.min_health_factor > 1
    assert out.ripcords >= 1
    assert [peer.name for peer in result.peers] == ["By hand, same target", "By hand, same limit"]


def test_replay__round_trips_on_an_old_price__all_lose(watched: Watched) -> None:
    """EQ-56: both directions, every feed lagging by its whole deviation threshold."""
    attempts = watched.result.latency
    assert set(np.sign(attempts["move"])) == {-1, 1}
    assert (attempts["profit_usd"] < 0).all()


def test_replay__every_evening__books_never_exceed_the_balances(watched: Watched) -> None:
    """EQ-61"""
    for evening in watched.evenings:
        assert all(b <= held for b, held in zip(evening.books, evening.balances, strict=True))


def test_replay__every_evening__share_price_times_supply_is_the_nav(watched: Watched) -> None:
    """One virtual share of dust apart."""
    invested = [evening for evening in watched.evenings if evening.supply]
    assert invested
    for evening in invested:
        assert evening.share_price_wad * evening.supply / WAD == pytest.approx(evening.nav_wad, rel=1e-9)
        assert evening.total_assets / 1e6 == pytest.approx(evening.nav_wad / WAD, abs=1e-5)


def test_replay__records__are_what_the_chain_says(watched: Watched) -> None:
    days = watched.result.days
    assert [MODES[evening.mode] for evening in watched.evenings] == list(days["mode"])
    nav = [evening.nav_wad / WAD for evening in watched.evenings]
    np.testing.assert_allclose(days["nav_usd"], nav, rtol=1e-12)


def test_replay__modes__no_increase_until_the_signers_report_then_normal(watched: Watched) -> None:
    """EQ-100: nothing is forced; the first report makes the mode."""
    days = watched.result.days
    reported = days["volatility"].notna()
    assert set(days["mode"][~reported]) == {"NoIncrease"}
    assert set(days["mode"][reported]) == {"Normal"}
    assert reported.idxmax() == watched.result.invested_from


def test_replay__users__come_and_go_in_every_way(watched: Watched) -> None:
    actions = watched.result.actions
    assert set(actions["action"]) == {"deposit", "redeem", "exit_in_kind", "zap"}
    assert len(set(actions["user"])) == 4
    assert (actions[["usd", "gas"]] > 0).all().all()


def test_replay__requests_and_blocks__as_many_in_late_days_as_in_early_ones(watched: Watched) -> None:
    """The cost is linear in days: a day that trades as much asks the node as often."""
    result = watched.result
    requests = np.diff([e.requests for e in watched.evenings])
    blocks = np.diff([e.block for e in watched.evenings])
    quiet = ~result.days["rebalanced"].to_numpy()[1:] & result.days["volatility"].notna().to_numpy()[1:]
    acted = result.days.index[1:].isin(result.actions["date"]) | result.days.index[1:].isin(
        result.latency["date"]
    )
    # a crash chapter is a story of its own, told on the evening before
    told = {run.path.index[0].normalize() - pd.Timedelta(days=1) for run in result.crashes}
    chapter = result.days.index[1:].isin(list(told))
    plain = quiet & ~acted & ~chapter
    # correlations (weekly) and liquidity that follows a price come on top of the daily round
    assert requests[plain].max() <= requests[plain].min() + 20
    assert blocks[plain].max() <= blocks[plain].min() + 5
    fills = result.rebalances["fills"].sum()
    assert requests[~chapter].sum() < 60 * DAYS + 60 * fills


def test_run_demo__stages__said_in_order(watched: Watched) -> None:
    assert [text.split()[0] for text in watched.stages] == ["anvil", str(DAYS)]
