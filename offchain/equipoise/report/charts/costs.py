"""What parity cost."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from plotly.subplots import make_subplots

from equipoise.report import format as fmt
from equipoise.report.draw import (
    EndLabel,
    end_labels,
)
from equipoise.report.theme import (
    FRAME,
    HEIGHT,
    Chart,
    new_figure,
)
from equipoise.simulation import Portfolio, ReplayResult

__all__ = ["gas"]

_TALL = HEIGHT + 60
_DAILY_BARS = 120  # days up to which each has its own bar
_DAY_MS = 86_400_000


def gas(result: ReplayResult, portfolios: Sequence[Portfolio]) -> Chart:
    """Gas by day, and the dollars that gas and trading took so far."""
    rows = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.5, 0.5], vertical_spacing=0.07)
    days = result.days
    figure = new_figure(days.index, rows, _TALL)
    monthly = len(days) > _DAILY_BARS
    period = pd.DatetimeIndex(days.index).to_period("M" if monthly else "D").to_timestamp()
    busy = days["rebalanced"].astype(bool)
    for name, some, colour in (
        ("days without a rebalance", days["gas_used"].where(~busy), "#9fb6c8"),
        ("days with a rebalance", days["gas_used"].where(busy), "#0072B2"),
    ):
        bars = some.fillna(0).groupby(period).mean() / 1e6
        figure.add_bar(
            x=bars.index,
            y=bars,
            width=[(29 if monthly else 0.9) * _DAY_MS] * len(bars),
            offset=0,
            name=f"{name} ({some.count()}, median {fmt.gas(some.median())} gas)",
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate="%{y:.3f} M gas a day",
            row=1,
            col=1,
        )
    labels = []
    for name, column, colour, dash in (
        ("Gas", "gas_usd", "#0072B2", "solid"),
        ("Trading cost", "trading_cost_usd", "#D55E00", "dash"),
    ):
        total = days[column].cumsum()
        figure.add_scatter(
            x=total.index,
            y=total,
            name=name,
            showlegend=False,
            line={"color": colour, "dash": dash, "width": 2.2},
            hovertemplate="$%{y:,.0f}",
            row=2,
            col=1,
        )
        labels.append(EndLabel(f"{name}<br>{fmt.usd(total.iloc[-1])}", float(total.iloc[-1]), colour))
    totals = days[["gas_usd", "trading_cost_usd"]].cumsum().to_numpy()
    limits = (min(0.0, float(totals.min())), 1.08 * max(1.0, float(totals.max())))
    end_labels(figure, labels, limits, axis="y2", plot_height=0.465 * (_TALL - FRAME))
    title = "Million gas a day" + (", monthly mean" if monthly else "")
    figure.update_yaxes(title_text=title, rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title_text="USD so far", tickprefix="$", tickformat=",~s", row=2, col=1)
    figure.update_layout(showlegend=True, barmode="stack")
    vault = portfolios[0].statistics
    return Chart(
        "gas",
        f"Keeping parity took {fmt.gas(days['gas_used'].sum())} gas ({fmt.usd(days['gas_usd'].sum())}); "
        f"trades gave away {fmt.percent(vault.trading_cost, 2)} of NAV a year",
        f"Gas of every oracle report, opening and fill at {fmt.ratio(result.gas_price_gwei, 1)} gwei "
        "and the day's ether price; trading cost is value given away against mid prices.",
        figure,
    )
