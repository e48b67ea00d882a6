"""One look for every figure: colours, fonts, axes, titles."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

__all__ = [
    "CASH",
    "FRAME",
    "GRID",
    "HEIGHT",
    "INK",
    "MODE_COLOURS",
    "MUTED",
    "PORTFOLIO_STYLES",
    "Chart",
    "Style",
    "asset_colours",
    "new_figure",
    "safe",
    "titled",
]

INK, MUTED, GRID, CASH = "#16202b", "#5c6875", "#e4e8ed", "#d3d9e0"
FONT = "Lato, Segoe UI, Helvetica Neue, Arial, sans-serif"  # Lato comes with kaleido
WIDTH, HEIGHT, RIGHT_MARGIN = 1200, 620, 185
_LEFT, _TOP, _BOTTOM = 92, 14, 58
FRAME = _TOP + _BOTTOM  # pixels of a figure's height above and below its plot

# Okabe and Ito (2008): told apart with every kind of colour blindness; yellow is darkened for white paper.
_ASSET_COLOURS = ("#E69F00", "#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A800", "#6B4C9A")
MODE_COLOURS = {
    "Normal": "#bcd9d0",
    "NoIncrease": "#E69F00",
    "DeleverOnly": "#D55E00",
    "InKindOnly": "#16202b",
}


@dataclass(frozen=True)
class Style:
    """How a portfolio is drawn; the dash tells lines apart without colour."""

    colour: str
    dash: str
    width: float


PORTFOLIO_STYLES = {
    "vault": Style(INK, "solid", 3.0),
    "buy_and_hold": Style("#0072B2", "dash", 1.7),
    "equal_dollars": Style("#009E73", "dot", 1.9),
    "minimum_variance": Style("#A0448A", "dashdot", 1.7),
    "single_asset": Style("#D98200", "solid", 1.4),
    "equal_weight": Style("#009E73", "dot", 1.9),
    "sixty_forty": Style("#D98200", "solid", 1.4),
    "mix": Style("#D98200", "solid", 1.4),
    "inverse_volatility": Style("#56B4E9", "longdash", 1.7),
    "mean_variance": Style("#D55E00", "dash", 1.7),
    "hierarchical": Style("#6B4C9A", "longdashdot", 1.7),
}


@dataclass(frozen=True)
class Chart:
    """A figure and its words. `figure` carries no title: a page sets it as text, a PNG draws it."""

    key: str
    title: str
    subtitle: str
    figure: go.Figure


def safe(text: object) -> str:
    """A user's string inside a figure or a page: no markup survives."""
    return html.escape(str(text), quote=True)


def asset_colours(assets: Sequence[str]) -> dict[str, str]:
    """The colour of each asset by its place in the basket: the same in every chart and table."""
    return {asset: _ASSET_COLOURS[i % len(_ASSET_COLOURS)] for i, asset in enumerate(assets)}


def new_figure(index: pd.Index, figure: go.Figure | None = None, height: int = HEIGHT) -> go.Figure:
    """An empty figure, or `figure` (say with subplots), in the house style over the dates of `index`."""
    figure = figure or go.Figure()
    axis = {"gridcolor": GRID, "linecolor": MUTED, "ticks": "outside", "tickcolor": GRID, "zeroline": False}
    figure.update_layout(
        template="none",
        width=WIDTH,
        height=height,
        margin={"l": _LEFT, "r": RIGHT_MARGIN, "t": _TOP, "b": _BOTTOM},
        font={"family": FONT, "size": 15, "color": INK},
        paper_bgcolor="white",
        plot_bgcolor="white",
        hovermode="x unified",
        hoverlabel={"font": {"size": 12}},
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "font": {"size": 14}},
        showlegend=False,
        bargap=0,
    )
    dates = [index[0], index[-1]]
    named = {"title_font": {"size": 14, "color": MUTED}, "title_standoff": 10}
    figure.update_xaxes(**axis, **named, showgrid=False, hoverformat="%d %b %Y", range=dates)
    figure.update_yaxes(**axis, **named)
    return figure


def titled(chart: Chart) -> go.Figure:
    """A copy of the chart's figure with its title and subtitle drawn above it."""
    figure = go.Figure(chart.figure)
    title, subtitle = textwrap.wrap(chart.title, 100), textwrap.wrap(chart.subtitle, 160)
    legend = 34 if figure.layout.showlegend else 12
    extra = 22 + 30 * len(title) + 21 * len(subtitle) + legend
    height, top, left = figure.layout.height, figure.layout.margin.t, figure.layout.margin.l
    lines = ((title, 23, INK, "<b>{}</b>", 0), (subtitle, 16, MUTED, "{}", 30 * len(title)))
    for texts, size, colour, form, below in lines:
        figure.add_annotation(
            text="<br>".join(form.format(safe(text)) for text in texts),
            font={"size": size, "color": colour},
            x=0,
            xref="paper",
            xanchor="left",
            xshift=20 - left,
            y=1,
            yref="paper",
            yanchor="top",
            yshift=extra + top - 18 - below,
            align="left",
            showarrow=False,
        )
    figure.update_layout(height=height + extra, margin={"t": top + extra})
    return figure
