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

__all__ = ["NOTE", "render", "result_headers", "result_rows", "share_headers", "share_rows"]

# a terminal of 80 columns shows every figure
_SHORT = {"Return a year": "Return/y", "Volatility": "Vol."}
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


def render(result: ReplayResult, portfolios: Sequence[Portfolio]) -> Group:
    """Results and shares of variance for a rich console."""
    days = result.days.index
    title = f"{result.invested_from:%Y-%m-%d} to {days[-1]:%Y-%m-%d}, {len(result.rebalances)} rebalances"
    shares = share_headers(portfolios)
    headers = [_SHORT.get(header, header) for header in result_headers(portfolios)]
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
    )


def _table(
    title: str,
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    highlight_row: int | None = None,
    column: int | None = None,
) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.padding = (0, 1, 0, 0)
    for i, header in enumerate(headers):
        table.add_column(
            escape(header),
            justify="left" if i == 0 else "right",
            style="bold" if i == column else "",
            no_wrap=i == 0,
        )
    for i, row in enumerate(rows):
        table.add_row(*map(escape, row), style="bold" if i == highlight_row else "")
    return table
