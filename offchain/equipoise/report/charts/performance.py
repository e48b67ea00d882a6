"""What a holder got: value, drawdown, volatility."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from equipoise.report import format as fmt
from equipoise.report.draw import (
    EndLabel,
    display_name,
    end_labels,
    line,
    log_ticks,
)
from equipoise.report.theme import (
    INK,
    PORTFOLIO_STYLES,
    Chart,
    new_figure,
)
from equipoise.simulation import VAULT, Portfolio, ReplayResult, spans_year
from equipoise.simulation.metrics import drawdown, per_year

__all__ = ["drawdowns", "nav", "volatility"]

_REALISED_WINDOW = 60  # days


def nav(portfolios: Sequence[Portfolio]) -> Chart:
    """Growth of one USDC, log scale."""
    figure = new_figure(portfolios[0].nav.index)
    for portfolio in reversed(portfolios):
        line(figure, portfolio, portfolio.nav, "%{y:.3f}")
    values = np.concatenate([portfolio.nav.to_numpy() for portfolio in portfolios])
    limits = (float(values.min()) / 1.06, float(values.max()) * 1.06)
    ticks = log_ticks(*limits)
    figure.update_yaxes(type="log", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    figure.update_yaxes(title_text="Value of 1 USDC (log scale)")
    annual = spans_year(portfolios)

    def growth(portfolio: Portfolio) -> str:
        figures = portfolio.statistics
        return f"{fmt.change(figures.annual_return)} a year" if annual else fmt.change(figures.total_return)

    labels = [
        EndLabel(
            f"{display_name(p)}<br>{fmt.ratio(p.nav.iloc[-1])} ({growth(p)})",
            float(p.nav.iloc[-1]),
            PORTFOLIO_STYLES[p.key].colour,
        )
        for p in portfolios
    ]
    end_labels(figure, labels, limits, log=True)
    vault = portfolios[0]
    ratios = [p.statistics.sharpe for p in portfolios]
    rank = 1 + sum(other > ratios[0] for other in ratios[1:])
    finding = f"; its Sharpe ratio of {fmt.ratio(ratios[0])} ranks {rank} of {len(ratios)}"
    return Chart(
        "nav",
        f"The vault turned 1 USDC into {fmt.ratio(vault.nav.iloc[-1])}"
        + (finding if np.isfinite(ratios[0]) else ""),
        "Value per share after costs and fees, beside benchmarks that pay the same cost per dollar traded "
        "and are not scaled to the vault's volatility.",
        figure,
    )


def drawdowns(portfolios: Sequence[Portfolio]) -> Chart:
    """Loss from the running peak."""
    figure = new_figure(portfolios[0].nav.index)
    paths = {p.key: drawdown(p.nav) for p in portfolios}
    for portfolio in reversed(portfolios):
        style, path = PORTFOLIO_STYLES[portfolio.key], paths[portfolio.key]
        line(figure, portfolio, path, "%{y:.1%}", fill=portfolio.key == VAULT)
        figure.add_scatter(
            x=[path.idxmin()],
            y=[path.min()],
            mode="markers",
            marker={"color": style.colour, "size": 8},
            hoverinfo="skip",
        )
    deepest = min(float(path.min()) for path in paths.values())
    figure.update_yaxes(title_text="Below the highest value so far", tickformat=".1~%")
    labels = [
        EndLabel(
            f"{display_name(p)}<br>deepest {fmt.percent(-p.statistics.max_drawdown)}",
            float(paths[p.key].iloc[-1]),
            PORTFOLIO_STYLES[p.key].colour,
        )
        for p in portfolios
    ]
    end_labels(figure, labels, (min(1.06 * deepest, -0.01), 0.0))
    depths = [p.statistics.max_drawdown for p in portfolios]
    return Chart(
        "drawdown",
        f"The vault lost at most {fmt.percent(depths[0])} from a peak; its benchmarks "
        f"{fmt.percent(min(depths[1:]))} to {fmt.percent(max(depths[1:]))}",
        "Distance below the highest value per share so far; a dot marks the deepest day of each.",
        figure,
    )


def volatility(result: ReplayResult, portfolios: Sequence[Portfolio]) -> Chart:
    """The vault's own estimate and the realised volatility against the target."""
    figure = new_figure(portfolios[0].nav.index)
    held = result.invested
    estimate = result.days["volatility"].where(held).iloc[result.base :]
    path = portfolios[0].nav
    window = min(_REALISED_WINDOW, max(3, len(path) // 3))
    scale = np.sqrt(per_year(pd.DatetimeIndex(path.index)))
    realised = path.pct_change().rolling(window).std() * scale
    series = (
        ("Vault's estimate", estimate, INK, "solid", 2.2),
        (f"Realised, {window} days", realised, "#0072B2", "dot", 1.8),
    )
    labels = [EndLabel(f"Target<br>{fmt.percent(result.target_vol)}", result.target_vol, "#B34700")]
    for name, values, colour, dash, width in series:
        figure.add_scatter(
            x=values.index,
            y=values,
            name=name,
            line={"color": colour, "dash": dash, "width": width},
            hovertemplate="%{y:.1%}",
        )
        known = values.dropna()
        if len(known):
            text = f"{name}<br>average {fmt.percent(known.mean())}"
            labels.append(EndLabel(text, float(known.iloc[-1]), colour))
    figure.add_hline(y=result.target_vol, line={"color": "#D55E00", "dash": "dash", "width": 2})
    peak = np.nanmax([result.target_vol, estimate.max(), realised.max()])
    figure.update_yaxes(title_text="Volatility a year", tickformat=".1~%")
    end_labels(figure, labels, (0.0, 1.08 * float(peak)))
    return Chart(
        "volatility",
        f"Volatility: {fmt.percent(estimate.mean())} estimated on average, "
        f"{fmt.percent(portfolios[0].statistics.volatility)} realised, {fmt.percent(result.target_vol)} "
        "targeted",
        f"Realised: standard deviation of the share price's returns over {window} days, a year of 365. "
        + ("" if result.levered else "Without leverage the vault stays below target in calm markets."),
        figure,
    )
