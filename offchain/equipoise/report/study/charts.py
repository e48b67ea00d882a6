"""The figures of a study that a replay's report does not have. A title says the finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from equipoise.report import format as fmt
from equipoise.report.charts.performance import drawdowns, nav
from equipoise.report.draw import EndLabel, add_swatches, display_name, end_labels, log_ticks, stack
from equipoise.report.theme import (
    FRAME,
    HEIGHT,
    INK,
    MUTED,
    PORTFOLIO_STYLES,
    Chart,
    asset_colours,
    new_figure,
    safe,
)
from equipoise.simulation import Portfolio
from equipoise.simulation.metrics import ex_ante_risk_shares, per_year
from equipoise.simulation.study import Study

__all__ = ["study_charts"]

WINDOW = 60  # days of realised volatility
_BLUE, _TARGET = "#0072B2", "#B34700"
_TALL = HEIGHT + 120


def study_charts(study: Study) -> tuple[Chart, ...]:
    """Every chart, in the order of the page."""
    charts = [growth(study), drawdowns(study.portfolios), equal_risk(study), sharpe(study)]
    charts += [volatility(study), risk_shares(study), leverage(study), costs(study)]
    return (*charts, *([sensitivity(study)] if len(study.grid) == 2 else []))


def growth(study: Study) -> Chart:
    """NAV of all, each with the risk that it takes."""
    subtitle = (
        "After costs, on the same days at the same prices; the others hold no cash and are not scaled to the "
        "vault's volatility."
    )
    return replace(nav(study.portfolios), subtitle=subtitle)


def equal_risk(study: Study) -> Chart:
    """NAV of the same mixes at the vault's target volatility."""
    target = fmt.percent(study.backtest.config.auction.target_volatility)
    ratios = [p.statistics.sharpe for p in study.equal_risk]
    others = [ratio for ratio in ratios[1:] if np.isfinite(ratio)]
    finding = f"At equal risk the vault's Sharpe ratio is {fmt.ratio(ratios[0])}"
    if others:
        finding += f", that of the other mixes {fmt.ratio(min(others))} to {fmt.ratio(max(others))}"
    return replace(
        nav(study.equal_risk),
        key="nav_equal_risk",
        title=finding,
        subtitle=f"Every mix steered to {target} a year by the vault's estimates, band, caps, borrow rate.",
    )


def sharpe(study: Study) -> Chart:
    """Sharpe ratios with their intervals, the best on top."""
    order = _ordered(study.portfolios, [p.statistics.sharpe for p in study.portfolios])
    figure = go.Figure()
    for portfolio in order:
        interval = study.uncertainty.figures[portfolio.key]["sharpe"]
        value, colour = portfolio.statistics.sharpe, PORTFOLIO_STYLES[portfolio.key].colour
        figure.add_scatter(
            x=[value],
            y=[display_name(portfolio)],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [interval.high - value],
                "arrayminus": [value - interval.low],
                "color": colour,
                "thickness": 2.5,
                "width": 7,
            },
            mode="markers",
            marker={"color": colour, "size": 13},
            hovertemplate=f"%{{x:.2f}} ({fmt.ratio(interval.low)} to {fmt.ratio(interval.high)})",
        )
    figure.add_vline(x=0, line={"color": MUTED, "width": 1})
    figure = new_figure(pd.Index([0, 1]), figure, height=120 + 48 * len(order))
    figure.update_layout(hovermode="closest", margin={"l": 190})
    figure.update_xaxes(
        range=None, autorange=True, showgrid=True, title_text="Sharpe ratio", hoverformat=".2f"
    )
    luck = study.uncertainty
    gains = luck.sharpe_gain
    above, below = (
        sum(sign * gain.low > 0 and sign * gain.high > 0 for gain in gains.values()) for sign in (-1, 1)
    )
    finding = "Luck is large: no other Sharpe ratio differs from the vault's beyond chance"
    if above or below:
        finding = f"Beyond chance, {above} of {len(gains)} Sharpe ratios are above the vault's, {below} below"
    return Chart(
        "sharpe",
        finding,
        f"{fmt.percent(luck.level, 0)} intervals from {fmt.count(luck.resamples)} resamples of blocks of "
        f"{luck.block} days on average; differences are tested on the same blocks.",
        figure,
    )


def volatility(study: Study) -> Chart:
    """Realised volatility of every portfolio against the vault's target."""
    figure = new_figure(study.vault.nav.index)
    target = study.backtest.config.auction.target_volatility
    labels = [EndLabel(f"Target<br>{fmt.percent(target)}", target, _TARGET)]
    window = min(WINDOW, len(study.vault.nav) // 3)
    low = high = target
    annual = per_year(pd.DatetimeIndex(study.vault.nav.index)) ** 0.5
    for portfolio in reversed(study.portfolios):
        style = PORTFOLIO_STYLES[portfolio.key]
        realised = portfolio.nav.pct_change().rolling(window).std() * annual
        known = realised[realised > 0]  # a path that rests has none to show on this scale
        if known.empty:
            continue
        figure.add_scatter(
            x=realised.index,
            y=realised.where(realised > 0),
            name=safe(portfolio.name),
            line={"color": style.colour, "dash": style.dash, "width": style.width},
            hovertemplate="%{y:.1%}",
        )
        low, high = min(low, float(known.min())), max(high, float(known.max()))
        labels.append(EndLabel(display_name(portfolio), float(known.iloc[-1]), style.colour))
    figure.add_hline(y=target, line={"color": _TARGET, "dash": "dash", "width": 2})
    limits = low / 1.06, high * 1.06
    ticks = log_ticks(*limits)
    figure.update_yaxes(type="log", tickvals=ticks, ticktext=[f"{100 * tick:g}%" for tick in ticks])
    figure.update_yaxes(title_text="Volatility a year (log scale)")
    end_labels(figure, labels, limits, log=True)
    return Chart(
        "volatility",
        f"The vault realised {fmt.percent(study.vault.statistics.volatility)} for a target of "
        f"{fmt.percent(target)}",
        f"Realised over {window} days, a year. Only the vault steers it; the others take what comes.",
        figure,
    )


def risk_shares(study: Study) -> Chart:
    """Share of the vault's variance by asset, with the budgets as lines."""
    vault = study.vault
    held = vault.weights.sum(axis=1).to_numpy() > 0
    shares = ex_ante_risk_shares(vault.weights[held], vault.covariances[held])
    figure = new_figure(shares.index)
    assets = [str(name) for name in shares.columns]
    colours = asset_colours(assets)
    stack(figure, shares, colours)
    budgets = np.array(study.backtest.config.budgets or np.full(len(assets), 1 / len(assets)))
    for edge in budgets.cumsum()[:-1]:
        figure.add_hline(y=float(edge), line={"color": INK, "width": 1.6, "dash": "dash"})
    means, ends = shares.mean(), shares.iloc[-1].cumsum() - shares.iloc[-1] / 2
    labels = [
        EndLabel(
            f"<b>{safe(a)}</b><br>{fmt.percent(means[a])} (budget {fmt.percent(b)})", float(ends[a]), INK
        )
        for a, b in zip(assets, budgets, strict=True)
    ]
    figure.update_yaxes(title_text="Share of variance", tickformat=".0%")
    end_labels(figure, labels, (0.0, 1.0))
    add_swatches(figure, labels, [colours[a] for a in assets])
    worst = float(np.abs(means.to_numpy() - budgets).max())
    return Chart(
        "risk_contributions",
        f"On average every asset carried its budget of the variance within {fmt.points(worst)} points",
        "Share of the vault's variance by the signers' estimate of the day; dashed lines are the budgets.",
        figure,
    )


def leverage(study: Study) -> Chart:
    """Exposure, its target, and the health factor where there was debt."""
    days = study.backtest.days
    owes = bool((days["debt"] > 0).any())
    figure = make_subplots(rows=1 + owes, cols=1, shared_xaxes=True, vertical_spacing=0.06)
    figure = new_figure(days.index, figure, height=_TALL if owes else HEIGHT)
    for name, column, colour, dash in (
        ("Target", "target_leverage", _TARGET, "dot"),
        ("Held", "leverage", INK, "solid"),
    ):
        figure.add_scatter(
            x=days.index,
            y=days[column],
            name=name,
            line={"color": colour, "dash": dash, "width": 1.8},
            hovertemplate="%{y:.2f}",
            row=1,
            col=1,
        )
    figure.update_yaxes(title_text="Exposure / NAV", rangemode="tozero", row=1, col=1)
    figure.update_layout(showlegend=True)
    low = days["health_factor"].min()
    if owes:
        health = days["health_factor"].where(days["debt"] > 0).clip(upper=10)
        figure.add_scatter(
            x=days.index,
            y=health,
            name="Health factor",
            line={"color": _BLUE},
            hovertemplate="%{y:.2f}",
            row=2,
            col=1,
        )
        figure.update_yaxes(title_text="Health factor (to 10)", rangemode="tozero", row=2, col=1)
    safety = f"; the health factor never fell below {fmt.ratio(float(low))}" if owes else ", without debt"
    return Chart(
        "leverage",
        f"Exposure of {fmt.ratio(days['leverage'].mean())} times NAV on average, "
        f"{fmt.ratio(days['leverage'].max())} at most{safety}",
        "Sum of exposures over NAV at the end of each day: low in wild markets, high in calm ones.",
        figure,
    )


def costs(study: Study) -> Chart:
    """Turnover and trading cost a year, by portfolio."""
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.16)
    order = sorted(study.portfolios, key=lambda p: p.statistics.trading_cost)
    names = [display_name(p) for p in order]
    colours = [PORTFOLIO_STYLES[p.key].colour for p in order]
    for column, values, digits in (
        (1, [p.statistics.turnover for p in order], 0),
        (2, [p.statistics.trading_cost for p in order], 2),
    ):
        figure.add_bar(
            x=values,
            y=names,
            orientation="h",
            marker={"color": colours},
            text=[fmt.percent(value, digits) for value in values],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="skip",
            row=1,
            col=column,
        )
    figure = new_figure(pd.Index([0, 1]), figure, height=FRAME + 46 * len(order))
    figure.update_layout(bargap=0.35, margin={"l": 190, "r": 90})
    figure.update_xaxes(range=None, autorange=True, showticklabels=False, ticks="")
    figure.update_xaxes(title_text="Turnover a year", col=1)
    figure.update_xaxes(title_text="Trading cost a year", col=2)
    figure.update_yaxes(showgrid=False)
    figure.update_yaxes(showticklabels=False, col=2)
    vault = study.vault.statistics
    return Chart(
        "costs",
        f"The vault turns over {fmt.percent(vault.turnover, 0)} of NAV a year, which costs "
        f"{fmt.percent(vault.trading_cost, 2)}",
        "Bought plus sold over NAV, and value given away to fees, spread and price impact. Gas is beside it.",
        figure,
    )


def sensitivity(study: Study) -> Chart:
    """What the two parameters of the grid do to the Sharpe ratio and to the cost."""
    (first, rows), (second, columns) = study.grid.items()
    figure = make_subplots(rows=1, cols=3, horizontal_spacing=0.06, shared_yaxes=True)
    panels = (
        ("Sharpe ratio", "sharpe", ".2f"),
        ("Cost a year", "trading_cost", ".2%"),
        ("Trades", "rebalances", ",.0f"),
    )
    own = _own_point(study, (first, rows), (second, columns))
    for column, (_, name, form) in enumerate(panels, start=1):
        table = study.sweep.pivot(index=first, columns=second, values=name)
        figure.add_heatmap(
            z=table.to_numpy(),
            x=[f"{value:g}" for value in table.columns],
            y=[f"{value:g}" for value in table.index],
            text=[[f"{value:{form}}" for value in line] for line in table.to_numpy()],
            texttemplate="%{text}",
            colorscale=[[0, "#f5f7f9"], [1, "#56B4E9"]],
            showscale=False,
            hoverinfo="skip",
            row=1,
            col=column,
        )
    figure = new_figure(pd.Index([0, 1]), figure, height=FRAME + 90 + 60 * len(rows))
    figure.update_layout(hovermode=False, margin={"r": 40, "t": 50})
    figure.update_xaxes(type="category", range=None, autorange=True)
    figure.update_yaxes(type="category")
    figure.update_yaxes(title_text=_named(first), col=1)
    for column, (title, _, _) in enumerate(panels, start=1):
        figure.update_xaxes(title_text=_named(second), col=column)
        if own is not None:
            i, j = own
            figure.add_shape(
                type="rect",
                x0=j - 0.5,
                x1=j + 0.5,
                y0=i - 0.5,
                y1=i + 0.5,
                line={"color": INK, "width": 2.5},
                row=1,
                col=column,
            )
        axis = figure.layout["xaxis" if column == 1 else f"xaxis{column}"]
        figure.add_annotation(
            text=f"<b>{title}</b>",
            x=sum(axis.domain) / 2,
            xref="paper",
            xanchor="center",
            y=1,
            yref="paper",
            yshift=22,
            showarrow=False,
        )
    spread = study.sweep["sharpe"].max() - study.sweep["sharpe"].min()
    cost = study.sweep["trading_cost"]
    return Chart(
        "sensitivity",
        f"Over the grid the Sharpe ratio moves by {fmt.ratio(float(spread))}, the cost from "
        f"{fmt.percent(float(cost.min()), 2)} to {fmt.percent(float(cost.max()), 2)} a year",
        f"{len(study.sweep)} backtests; nothing was chosen by their results. Darker is more"
        + ("; framed are the study's own settings." if own else "."),
        figure,
    )


def _named(parameter: str) -> str:
    """With its unit, where the name alone leaves it open."""
    units = {"parity_band": "of the variance", "volatility_band": "of target"}
    name = parameter.replace("_", " ").capitalize()
    return f"{name} ({units[parameter]})" if parameter in units else name


def _own_point(
    study: Study, first: tuple[str, Sequence[float]], second: tuple[str, Sequence[float]]
) -> tuple[int, int] | None:
    """Row and column of the grid that the study itself ran with, when it is among them."""
    config = study.backtest.config
    parts = (config.auction, config.estimation, config)
    places = []
    for name, values in (first, second):
        own = next(getattr(part, name) for part in parts if hasattr(part, name))
        if own not in values:
            return None
        places.append(sorted(values).index(own))
    return places[0], places[1]


def _ordered(portfolios: Sequence[Portfolio], values: Sequence[float]) -> list[Portfolio]:
    """From the least value to the greatest; those without a value first."""
    return [portfolios[i] for i in np.argsort(np.nan_to_num(values, nan=-np.inf), kind="stable")]
