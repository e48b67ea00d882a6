"""What the vault held and where its variance came from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from plotly.subplots import make_subplots

from equipoise.report import format as fmt
from equipoise.report.draw import (
    EndLabel,
    add_swatches,
    end_labels,
    mode_strip,
    stack,
)
from equipoise.report.theme import (
    CASH,
    FRAME,
    HEIGHT,
    INK,
    Chart,
    asset_colours,
    new_figure,
    safe,
)
from equipoise.simulation import Portfolio, ReplayResult

__all__ = ["parity_gap", "risk_contributions", "weights"]

_OFF_BUDGET = 0.025  # average deviation from a budget that the title calls out, in fractions of variance
_CASH = "Cash (USDC)"
_TALL = HEIGHT + 60
_GAP_ROW = 0.89  # of the height; the mode strip has the rest


def risk_contributions(result: ReplayResult, portfolios: Sequence[Portfolio]) -> Chart:
    """Share of variance by asset through time, with the budgets as lines."""
    held = result.invested
    shares = result.risk_shares.loc[held[held].index.min() :]
    figure = new_figure(shares.index)
    average = result.risk_shares[held].mean()
    colours = asset_colours(result.assets)
    stack(figure, shares, colours)
    edges = result.budgets.cumsum()
    for edge in edges.iloc[:-1]:
        figure.add_hline(y=float(edge), line={"color": INK, "width": 1.6, "dash": "dash"})
    labels = [
        EndLabel(
            f"<b>{safe(asset)}</b> {fmt.percent(average[str(asset)])}<br>budget {fmt.percent(budget)}",
            float(edges[str(asset)] - budget / 2),
            INK,
        )
        for asset, budget in result.budgets.items()
    ]
    figure.update_yaxes(title_text="Share of the portfolio's variance", tickformat=".1~%")
    end_labels(figure, labels, (0.0, 1.0))
    add_swatches(figure, labels, [colours[asset] for asset in result.assets])
    miss = (average - result.budgets).abs()
    worst = miss.idxmax()
    title = (
        f"Every asset's average share of variance lies within {fmt.points(miss.max())} points of its budget"
        if miss.max() <= _OFF_BUDGET
        else f"{worst} strayed furthest from its risk budget: {fmt.points(miss.max())} points on average"
    )
    return Chart(
        "risk_contributions",
        title,
        "Share of variance by the vault's own estimate at the end of each day; dashed lines are the budgets, "
        "labels give the average over invested days.",
        figure,
    )


def weights(result: ReplayResult, portfolios: Sequence[Portfolio]) -> Chart:
    """Exposures and cash as fractions of NAV."""
    held = result.invested
    frame = result.weights.iloc[result.base :].assign(**{_CASH: 0.0})
    frame[_CASH] = (1 - frame.drop(columns=_CASH).sum(axis=1)).clip(lower=0)
    figure = new_figure(frame.index)
    colours = asset_colours(result.assets) | {_CASH: CASH}
    stack(figure, frame, colours)
    average = frame[held.iloc[result.base :]].mean()
    middle = average.cumsum() - average / 2
    labels = [
        EndLabel(f"<b>{safe(name)}</b> {fmt.percent(average[name])}", float(middle[name]), INK)
        for name in frame.columns
    ]
    top = max(1.0, float(frame.sum(axis=1).max()))
    figure.update_yaxes(title_text="Fraction of net asset value", tickformat=".1~%")
    end_labels(figure, labels, (0.0, top))
    add_swatches(figure, labels, list(colours.values()))
    average = average.drop(_CASH)
    vol = np.sqrt(np.nanmean(np.diagonal(result.covariances, axis1=1, axis2=2), axis=0))
    calm = ", the calmest asset," if average.argmax() == int(np.argmin(vol)) else ""
    cash = fmt.percent(frame.loc[held[held].index, _CASH].mean(), 0)
    return Chart(
        "weights",
        f"{average.idxmax()}{calm} averaged {fmt.percent(average.max(), 0)} of NAV and {average.idxmin()} "
        f"{fmt.percent(average.min(), 0)}; cash {cash}",
        "Value of each position over net asset value, end of day; labels give averages over invested days. "
        "Cash is what the target volatility leaves uninvested; above 100 % the vault owes the difference.",
        figure,
    )


def parity_gap(result: ReplayResult, portfolios: Sequence[Portfolio]) -> Chart:
    """Parity gap with its band, the rebalances, and the guard's mode below."""
    rows = make_subplots(
        rows=2, shared_xaxes=True, row_heights=[_GAP_ROW, 1 - _GAP_ROW], vertical_spacing=0.03
    )
    days = result.days.loc[result.invested]
    figure = new_figure(days.index, rows, _TALL)
    gap = days["parity_gap"]
    figure.add_scatter(
        x=gap.index,
        y=gap,
        name="Parity gap, end of day",
        line={"color": "#0072B2", "width": 1.5},
        hovertemplate="%{y:.2%}",
        row=1,
        col=1,
    )
    for reason, symbol, colour in zip(
        pd.unique(result.rebalances["reason"]),
        ["triangle-down", "diamond", "square", "circle", "cross", "star"] * 9,
        ["#D55E00", "#A0448A", "#6b7683", "#009E73", "#B8A800", INK] * 9,
        strict=False,
    ):
        some = result.rebalances[result.rebalances["reason"] == reason]
        figure.add_scatter(
            x=some["date"],
            y=some["gap_before"],
            name=f"Rebalance: {safe(reason)} ({len(some)})",
            mode="markers",
            marker={"symbol": symbol, "size": 7, "color": colour, "opacity": 0.75},
            hovertemplate="%{y:.2%} before",
            row=1,
            col=1,
        )
    mode_strip(figure, result, row=2)
    figure.add_hline(y=result.band, line={"color": INK, "dash": "dash", "width": 1.6}, row=1, col=1)
    seen = np.concatenate([gap.to_numpy(), result.rebalances["gap_before"].to_numpy(dtype=float)])
    top = 1.06 * max([result.band * 1.5, *seen[np.isfinite(seen)]])
    label = EndLabel(f"band {fmt.points(result.band)} points<br>opens an auction", result.band, INK)
    plot_height = _GAP_ROW * (_TALL - FRAME)
    end_labels(figure, [label], (0.0, top), plot_height=plot_height)
    figure.update_yaxes(title_text="Largest |share − budget| of variance", tickformat=".1~%", row=1, col=1)
    figure.update_layout(showlegend=True)
    inside = float((gap <= result.band).mean()) if len(gap) else float("nan")
    return Chart(
        "parity_gap",
        f"The parity gap averaged {fmt.points(gap.mean())} points and ended {fmt.percent(inside, 0)} of days "
        f"inside its {fmt.points(result.band)}-point band",
        "Largest distance of a share of variance from its budget. Marks: the gap just before each of "
        f"{len(result.rebalances)} rebalances. Strip: the mode that the risk guard computed.",
        figure,
    )
