"""The tables that end a replay, for the terminal and (as plain cells) for the page."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from rich import box
from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from equipoise.report import format as fmt
from equipoise.simulation import VAULT, Portfolio, ReplayResult, spans_year
from equipoise.simulation.crash_result import KEEPERS_OUT
from equipoise.simulation.metrics import annual_volatility

__all__ = [
    "CRASH_HEADERS",
    "HAND_HEADERS",
    "NOTE",
    "crash_rows",
    "hand_rows",
    "leverage_rows",
    "render",
    "result_headers",
    "result_rows",
    "share_headers",
    "share_rows",
]

CRASH_HEADERS = ("Crash", "Variant", "Health", "Share", "Drawdown", "Ripcords", "Liquidated", "Discount")
HAND_HEADERS = (
    "Levered",
    "Return",
    "Volatility",
    "Drawdown",
    "Leverage",
    "Lowest health",
    "Liquidations",
    "Lost",
)

# a terminal of 80 columns shows every figure
_SHORT = {
    "Return a year": "Return/y",
    "Volatility": "Vol.",
    "Lowest health": "Health",
    "Liquidations": "Liq.",
}
_SHORT |= {"Ripcords": "Pulled", "Liquidated": "Liq."}
_NARROW = {"Drawdown": "Fall", "Leverage": "Lev."}
_FIGURES = ("Volatility", "Drawdown", "Sharpe", "Turnover", "Gas", "Cost")
NOTE = (
    "Same days, prices and cost per dollar traded; gas per fill as the vault's. Benchmarks are fully "
    "invested, not scaled to the vault's volatility, and pay no fees. Year of 365 days, risk-free rate 0, "
    "drawdown at its deepest, turnover (bought plus sold) and trading cost as fractions of NAV a year. The "
    "vault's gas counts oracle reports, openings and fills; keepers pay it, not the vault."
)


def result_headers(portfolios: Sequence[Portfolio]) -> tuple[str, ...]:
    """Columns of `result_rows`."""
    return ("Portfolio", "Return a year" if spans_year(portfolios) else "Return", *_FIGURES)


def result_rows(portfolios: Sequence[Portfolio]) -> list[tuple[str, ...]]:
    """One row a portfolio; the return is a year's where there is one: a week says nothing about a year."""
    rows: list[tuple[str, ...]] = []
    annual = spans_year(portfolios)
    for portfolio in portfolios:
        figures = portfolio.statistics
        rows.append(
            (
                portfolio.name,
                fmt.change(figures.annual_return if annual else figures.total_return),
                fmt.percent(figures.volatility),
                fmt.percent(-figures.max_drawdown),
                fmt.ratio(figures.sharpe),
                fmt.percent(figures.turnover, 0),
                fmt.gas(figures.gas),
                fmt.percent(figures.trading_cost, 2),
            )
        )
    return rows


def share_headers(portfolios: Sequence[Portfolio]) -> tuple[str, ...]:
    """Columns of `share_rows`."""
    return ("Asset", "Budget", *(portfolio.name for portfolio in portfolios))


def share_rows(
    result: ReplayResult, portfolios: Sequence[Portfolio], *, ex_post: bool = False
) -> list[tuple[str, ...]]:
    """Share of variance of each asset in each portfolio.

    Parameters
    ----------
    ex_post
        From realised returns over the whole period. Otherwise the average over invested days of the share
        by estimate: the vault's own for the vault, the signers' for the benchmarks.
    """
    columns: list[pd.Series] = []
    for portfolio in portfolios:
        if ex_post:
            columns.append(portfolio.ex_post_shares)
        elif portfolio.key == VAULT:
            columns.append(result.risk_shares[result.invested].mean())
        else:
            columns.append(portfolio.ex_ante_shares)
    return [
        (asset, fmt.percent(result.budgets[asset]), *(fmt.percent(shares[asset]) for shares in columns))
        for asset in result.assets
    ]


def leverage_rows(result: ReplayResult) -> list[tuple[str, str]]:
    """What the vault borrowed and how safe that was: a label and a figure a row."""
    days = result.days[result.invested]
    lowest = result.min_health_factor
    return [
        (
            "Leverage, average and highest",
            f"{fmt.ratio(days['leverage'].mean())}, {fmt.ratio(days['leverage'].max())}",
        ),
        ("Days with debt", f"{int((days['debt_usd'] > 0).sum()):,} of {len(days):,}"),
        ("Lowest health factor, any hour", _health(lowest)),
        ("Ripcord below, target", f"{fmt.ratio(result.health_trigger)}, {fmt.ratio(result.health_target)}"),
        ("Ripcords pulled", f"{int(result.days['ripcords'].sum())}"),
        ("Liquidations", f"{int(result.days['liquidations'].sum())}"),
        (
            "Interest paid, average rate",
            f"{fmt.usd(result.days['interest_usd'].sum())}, {fmt.percent(days['borrow_rate'].mean())} a year",
        ),
    ]


def crash_rows(result: ReplayResult) -> list[tuple[str, ...]]:
    """One row a crash and variant, columns `CRASH_HEADERS`."""
    return [
        (
            run.event,
            run.variant,
            _health(run.min_health_factor),
            fmt.change(run.nav_change),
            fmt.percent(-run.max_drawdown),
            str(run.ripcords),
            str(run.liquidations),
            fmt.usd(run.discount_paid_usd),
        )
        for run in result.crashes
    ]


def hand_rows(result: ReplayResult, vault: Portfolio) -> list[tuple[str, ...]]:
    """The vault and its peers levered by hand, over the whole period, columns `HAND_HEADERS`."""
    days = result.days
    rows: list[tuple[str, ...]] = [
        (
            vault.name,
            fmt.change(vault.statistics.total_return),
            fmt.percent(vault.statistics.volatility),
            fmt.percent(-vault.statistics.max_drawdown),
            fmt.ratio(days["leverage"][result.invested].mean()),
            _health(result.min_health_factor),
            str(int(days["liquidations"].sum())),
            fmt.percent(0.0),
        )
    ]
    for peer in result.peers:
        path = peer.nav[peer.nav > 0]
        rows.append(
            (
                peer.name,
                fmt.change(float(peer.nav.iloc[-1] - 1)),
                fmt.percent(annual_volatility(path) if len(path) > 2 else float("nan")),
                fmt.percent(-float((1 - peer.nav / peer.nav.cummax()).max())),
                fmt.ratio(peer.leverage.mean()),
                _health(float(peer.health_factor.min())),
                str(len(peer.liquidations)),
                fmt.percent(peer.loss),
            )
        )
    return rows


def _health(value: float) -> str:
    return "no debt" if value == float("inf") else fmt.ratio(value)


def render(result: ReplayResult, portfolios: Sequence[Portfolio]) -> Group:
    """Results and shares of variance for a rich console."""
    days = result.days.index
    title = f"{result.invested_from:%Y-%m-%d} to {days[-1]:%Y-%m-%d}, {len(result.rebalances)} rebalances"
    shares = share_headers(portfolios)
    headers = _short(result_headers(portfolios))
    levered = [
        _table("Leverage", ("", "Vault"), leverage_rows(result)),
        _table(
            "The same basket levered by hand",
            [_NARROW.get(header, header) for header in _short(HAND_HEADERS)],
            hand_rows(result, portfolios[0]),
            highlight_row=0,
        ),
    ]
    crashes: list[Table | Text] = [
        _table(
            "Crashes, by the hour",
            [_NARROW.get(header, header) for header in _short(CRASH_HEADERS)],
            crash_rows(result),
            keep=2,
        )
    ]
    crashes += [
        Text(f"{run.event}, {run.variant}: {run.verdict}", style="dim")
        for run in result.crashes
        if run.variant == KEEPERS_OUT
    ]
    return Group(
        _table(f"Results, {title}", headers, result_rows(portfolios), highlight_row=0),
        Text(NOTE, style="dim"),
        Text(),
        _table(
            "Share of variance by asset, average by estimate",
            shares,
            share_rows(result, portfolios),
            column=2,
        ),
        _table(
            "Share of variance by asset, as realised",
            shares,
            share_rows(result, portfolios, ex_post=True),
            column=2,
        ),
        *(levered if result.levered else ()),
        *(crashes if result.crashes else ()),
    )


def _short(headers: Sequence[str]) -> list[str]:
    return [_SHORT.get(header, header) for header in headers]


def _table(
    title: str,
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    highlight_row: int | None = None,
    column: int | None = None,
    keep: int = 1,
) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.padding = (0, 1, 0, 0)
    for i, header in enumerate(headers):
        table.add_column(
            escape(header),
            justify="left" if i < keep else "right",
            style="bold" if i == column else "",
            no_wrap=i < keep,
        )
    for i, row in enumerate(rows):
        table.add_row(*map(escape, row), style="bold" if i == highlight_row else "")
    return table
