"""What was borrowed, how far it was from a liquidation, and what crashes did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from plotly.subplots import make_subplots

from equipoise.report import format as fmt
from equipoise.report.draw import EndLabel, end_labels
from equipoise.report.theme import HEIGHT, INK, Chart, new_figure, safe
from equipoise.simulation import Portfolio, ReplayResult
from equipoise.simulation.crash_result import AS_IT_STOOD, KEEPERS_ACT, KEEPERS_OUT, SIGNERS_SILENT

__all__ = ["crashes", "health_factor", "leverage"]

_HEALTH_CEILING = 8.0  # above it nobody looks
_VARIANTS = {
    AS_IT_STOOD: (INK, "solid"),
    KEEPERS_ACT: ("#009E73", "solid"),
    KEEPERS_OUT: ("#D55E00", "solid"),
    SIGNERS_SILENT: ("#0072B2", "dash"),
}


def leverage(result: ReplayResult, portfolios: Sequence[Portfolio]) -> Chart:
    """Basket over NAV, and what the rules allowed."""
    days = result.days.iloc[result.base :]
    figure = new_figure(days.index)
    series = (
        ("Leverage", days["leverage"], INK, "solid", 2.4),
        ("Target", days["target_leverage"], "#D55E00", "dot", 1.6),
    )
    labels = []
    for name, values, colour, dash, width in series:
        figure.add_scatter(
            x=values.index,
            y=values,
            name=name,
            line={"color": colour, "dash": dash, "width": width},
            hovertemplate="%{y:.2f}",
        )
        text = f"{name}<br>average {fmt.ratio(values[result.invested].mean())}"
        labels.append(EndLabel(text, float(values.iloc[-1]), colour))
    figure.add_hline(y=1, line={"color": "#6b7683", "dash": "dash", "width": 1.4})
    labels.append(EndLabel("1: above it, on credit", 1.0, "#6b7683"))
    top = 1.08 * max(1.1, float(days[["leverage", "target_leverage"]].max().max()))
    figure.update_yaxes(title_text="Basket over net asset value")
    end_labels(figure, labels, (0.0, top))
    owed = days["debt_usd"] > 0
    interest = days["interest_usd"].sum()
    return Chart(
        "leverage",
        f"Leverage averaged {fmt.ratio(days['leverage'][result.invested].mean())} and peaked at "
        f"{fmt.ratio(days['leverage'].max())}; debt on {fmt.percent(owed.mean(), 0)} of days cost "
        f"{fmt.usd(interest)} of interest",
        f"Target: the least of target volatility, a maximum of {fmt.ratio(result.max_leverage, 1)}, the "
        "health factor and the age of the reports. Debt also keeps a cash buffer for redemptions.",
        figure,
    )


def health_factor(result: ReplayResult, portfolios: Sequence[Portfolio]) -> Chart:
    """The lowest health factor of each day, with its thresholds."""
    days = result.days.iloc[result.base :]
    figure = new_figure(days.index)
    owed = np.isfinite(days["min_health_factor"])
    shown = days["min_health_factor"].where(owed).clip(upper=_HEALTH_CEILING)
    figure.add_scatter(
        x=shown.index,
        y=shown,
        name="Lowest health factor of the day",
        line={"color": "#0072B2", "width": 1.8},
        hovertemplate="%{y:.2f}",
    )
    for at, colour in (
        (1.0, "#B00020"),
        (result.health_trigger, "#D55E00"),
        (result.health_target, "#009E73"),
    ):
        figure.add_hline(y=at, line={"color": colour, "dash": "dash", "width": 1.6})
    labels = [
        EndLabel("1: liquidation", 1.0, "#B00020"),
        EndLabel(f"{fmt.ratio(result.health_trigger)}: ripcord", result.health_trigger, "#B34700"),
        EndLabel(f"{fmt.ratio(result.health_target)}: target", result.health_target, "#00795A"),
    ]
    figure.update_yaxes(title_text=f"Health factor at Aave (cut at {_HEALTH_CEILING:g})")
    end_labels(figure, labels, (0.8, _HEALTH_CEILING))
    lowest = result.min_health_factor
    finding = "No debt: nothing could be liquidated"
    if np.isfinite(lowest):
        ripcords, liquidations = int(days["ripcords"].sum()), int(days["liquidations"].sum())
        finding = (
            f"The health factor never fell below {fmt.ratio(lowest)}: {ripcords} ripcords, "
            f"{liquidations} liquidations"
        )
    return Chart(
        "health_factor",
        finding,
        "Lowest of all hours of a day, before anybody acted; gaps are days without debt.",
        figure,
    )


def crashes(result: ReplayResult, portfolios: Sequence[Portfolio]) -> Chart:
    """Health factor and share price through each crash, hour by hour, in every variant."""
    events = list(dict.fromkeys(run.event for run in result.crashes))
    grid = make_subplots(
        rows=2,
        cols=len(events),
        subplot_titles=[safe(event) for event in events],
        vertical_spacing=0.08,
        horizontal_spacing=0.055,
    )
    first = result.crashes[0].path.index
    figure = new_figure(pd.DatetimeIndex(first), grid, HEIGHT + 120)
    for run in result.crashes:
        column = 1 + events.index(run.event)
        colour, dash = _VARIANTS[run.variant]
        path = run.path
        health = path["health_factor"].where(np.isfinite(path["health_factor"])).clip(upper=3.0)
        values = (health, path["share_price"] / path["share_price"].iloc[0])
        for row, (line, form) in enumerate(zip(values, ("%{y:.2f}", "%{y:.3f}"), strict=True), start=1):
            figure.add_scatter(
                x=line.index,
                y=line,
                name=run.variant,
                legendgroup=run.variant,
                showlegend=row == 1 and column == 1,
                line={"color": colour, "dash": dash, "width": 1.8},
                hovertemplate=form,
                row=row,
                col=column,
            )
        figure.update_xaxes(range=[path.index[0], path.index[-1]], tickformat="%d %b", nticks=4, col=column)
    for at, colour in ((1.0, "#B00020"), (result.health_trigger, "#D55E00")):
        figure.add_hline(y=at, line={"color": colour, "dash": "dot", "width": 1.4}, row=1)
    figure.update_yaxes(range=[0.8, 3.0], row=1)
    figure.update_yaxes(title_text="Health factor (cut at 3)", row=1, col=1)
    figure.update_yaxes(title_text="Value per share, evening before = 1", row=2, col=1)
    figure.update_layout(showlegend=True, legend={"y": 1.06}, margin={"r": 30, "t": 60})
    liquidated = sum(run.liquidations > 0 for run in result.crashes)
    lowest = min(result.crashes, key=lambda run: run.min_health_factor)
    story = (
        f"{liquidated} of {len(result.crashes)} runs were liquidated" if liquidated else "none was liquidated"
    )
    return Chart(
        "crashes",
        f"{len(events)} crashes, {len(result.crashes)} runs: {story}; the lowest health factor was "
        f"{fmt.ratio(lowest.min_health_factor)} ({lowest.event}, {lowest.variant})",
        "By the hour on model paths between daily closes. 'As it stood' is the replay's vault; the others "
        "had borrowed to the limit of their health factor the evening before. Dotted: liquidation at 1, the "
        "ripcord's trigger.",
        figure,
    )
