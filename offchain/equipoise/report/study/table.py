"""The rows of a study, for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from equipoise.report import format as fmt
from equipoise.simulation import Portfolio
from equipoise.simulation.bootstrap import Interval, Uncertainty
from equipoise.simulation.study import Study

__all__ = [
    "HEADERS",
    "caption",
    "held_on",
    "render_equal_risk",
    "render_study",
    "render_sweep",
    "study_rows",
]

HEADERS = (
    "Portfolio",
    "Return a year",
    "Volatility",
    "Deepest drawdown",
    "Sharpe",
    "Sharpe, interval",
    "Parity ahead by",
    "Turnover a year",
    "Cost a year",
)
_SHORT = {
    "Return a year": "Return/y",
    "Volatility": "Vol.",
    "Deepest drawdown": "Fall",
    "Parity ahead by": "Ahead by",
    "Turnover a year": "Turn./y",
    "Cost a year": "Cost/y",
}


def study_rows(portfolios: Sequence[Portfolio], uncertainty: Uncertainty) -> list[tuple[str, ...]]:
    """A row a portfolio, in their order; cells as `HEADERS`."""
    return [_row(portfolio, uncertainty) for portfolio in portfolios]


def render_study(study: Study) -> Table:
    """The table for a terminal."""
    vault = study.vault
    first, last = vault.nav.index[0], vault.nav.index[-1]
    title = (
        f"{first:%Y-%m-%d} to {last:%Y-%m-%d}: {len(vault.nav) - 1:,} days, "
        f"{study.backtest.rebalances:,} rebalances"
    )
    return _table(title, None, study.portfolios, study.uncertainty)


def render_equal_risk(study: Study) -> Table:
    """The same mixes at the vault's volatility, for a terminal."""
    target = fmt.percent(study.backtest.config.auction.target_volatility, 0)
    title = f"At equal risk: each steered to {target} a year as the vault is"
    return _table(title, caption(study), study.equal_risk, study.equal_risk_uncertainty)


def _table(
    title: str, caption: str | None, portfolios: Sequence[Portfolio], uncertainty: Uncertainty
) -> Table:
    table = Table(title=title, caption=caption, box=box.SIMPLE_HEAD, pad_edge=False, padding=0)
    table.title_justify = table.caption_justify = "left"
    shown = [i for i, header in enumerate(HEADERS) if header != "Sharpe, interval"]  # the page has room
    for i in shown:
        header = _SHORT.get(HEADERS[i], HEADERS[i])
        table.add_column(header, justify="right" if i else "left", no_wrap=True)
    for k, row in enumerate(study_rows(portfolios, uncertainty)):
        cells = (escape(row[i].replace(" to ", "..")) for i in shown)  # eighty columns are narrow
        table.add_row(*cells, style="bold" if k == 0 else "")
    return table


def render_sweep(study: Study) -> Table:
    """The grid for a terminal, a row a point."""
    table = Table(title="Sensitivity", box=box.SIMPLE_HEAD, pad_edge=False, padding=0, title_justify="left")
    for name in study.grid:
        table.add_column("  " + name.replace("_", " ").capitalize(), justify="right")
    for header in (" Return/y", "   Vol.", "    Fall", "  Sharpe", "    Cost", "  Trades"):
        table.add_column(header, justify="right", no_wrap=True)
    for row in study.sweep.to_dict(orient="records"):
        table.add_row(
            *(f"{row[name]:g}" for name in study.grid),
            fmt.change(row["annual_return"]),
            fmt.percent(row["volatility"]),
            fmt.percent(-row["max_drawdown"]),
            fmt.ratio(row["sharpe"]),
            fmt.percent(row["trading_cost"], 2),
            fmt.count(row["rebalances"]),
        )
    return table


def _row(portfolio: Portfolio, uncertainty: Uncertainty) -> tuple[str, ...]:
    figures, key = portfolio.statistics, portfolio.key
    gain = uncertainty.sharpe_gain.get(key)
    return (
        portfolio.name,
        fmt.change(figures.annual_return),
        fmt.percent(figures.volatility),
        fmt.percent(-figures.max_drawdown),
        fmt.ratio(figures.sharpe),
        _interval(uncertainty.figures[key]["sharpe"]),
        _interval(gain) if gain else "",
        fmt.percent(figures.turnover, 0),
        fmt.percent(figures.trading_cost, 2),
    )


def _interval(interval: Interval) -> str:
    return f"{fmt.ratio(interval.low)} to {fmt.ratio(interval.high)}"


def caption(study: Study) -> str:
    """What the columns of intervals mean."""
    return (
        f"Interval: {fmt.percent(study.uncertainty.level, 0)} of resampled histories. Ahead by: the vault's "
        "Sharpe ratio less this one, on the same resamples; an interval around 0 is no difference."
    )


def held_on(study: Study) -> Sequence[str]:
    """Sentences on the months in which a solver gave no weights."""
    names = {p.key: p.name for p in study.portfolios}
    return [
        f"{names[key]} kept its weights on {months} first days of a month: its optimiser found none."
        for key, months in study.held_on.items()
        if months
    ]
