"""What several charts draw alike: lines, stacked areas, the mode strip, labels at the end of a line."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from equipoise.report.theme import FRAME, HEIGHT, MODE_COLOURS, PORTFOLIO_STYLES, safe
from equipoise.simulation import MODES, VAULT, Portfolio, ReplayResult

__all__ = [
    "EndLabel",
    "add_swatches",
    "display_name",
    "end_labels",
    "line",
    "log_ticks",
    "mode_strip",
    "stack",
]

_LABEL_SIZE, _LINE_HEIGHT = 14, 18
_DAY_MS = 86_400_000


@dataclass(frozen=True)
class EndLabel:
    """Text beside the right end of the value `y` (data units), lines separated by <br>."""

    text: str
    y: float
    colour: str


def display_name(portfolio: Portfolio) -> str:
    """The portfolio's name for a label, bold for the vault."""
    name = safe(portfolio.name)
    return f"<b>{name}</b>" if portfolio.key == VAULT else name


def line(figure: go.Figure, portfolio: Portfolio, path: pd.Series, hover: str, fill: bool = False) -> None:
    """A path in the style of its portfolio."""
    style = PORTFOLIO_STYLES[portfolio.key]
    figure.add_scatter(
        x=path.index,
        y=path,
        name=safe(portfolio.name),
        line={"color": style.colour, "dash": style.dash, "width": style.width},
        fill="tozeroy" if fill else None,
        fillcolor="rgba(22, 32, 43, 0.10)",
        hovertemplate=hover,
    )


def stack(figure: go.Figure, frame: pd.DataFrame, colours: Mapping[str, str]) -> None:
    """Columns of `frame` as stacked areas."""
    for name in frame.columns:
        figure.add_scatter(
            x=frame.index,
            y=frame[name],
            name=safe(name),
            stackgroup="all",
            mode="lines",
            line={"width": 0.6, "color": "white"},
            fillcolor=colours[name],
            hovertemplate="%{y:.1%}",
        )


def mode_strip(figure: go.Figure, result: ReplayResult, row: int) -> None:
    """The guard's mode by day as a strip of runs in the given row of a figure with subplots."""
    modes = result.days["mode"]
    runs = (modes != modes.shift()).cumsum()
    key = []
    for mode in MODES:
        some = modes[modes == mode]
        if some.empty:
            continue
        spans = some.index.to_series().groupby(runs[some.index]).agg(["min", "max"])
        width = (spans["max"] - spans["min"]).dt.days.to_numpy() + 1
        figure.add_bar(
            x=spans["min"] + (spans["max"] - spans["min"]) / 2,
            y=np.ones(len(spans)),
            width=width * _DAY_MS,
            name=mode,
            showlegend=False,
            marker={"color": MODE_COLOURS[mode], "line": {"width": 0}},
            hovertemplate=mode,
            row=row,
            col=1,
        )
        square = f'<span style="color:{MODE_COLOURS[mode]}">\N{BLACK SQUARE}</span>'
        key.append(f"{square} {mode} {len(some):,} d")
    figure.update_layout(barmode="overlay")
    figure.update_yaxes(showticklabels=False, ticks="", range=[0, 1], title_text="Mode", row=row, col=1)
    figure.add_annotation(
        text="<br>".join(key),
        x=1,
        xref="paper",
        xanchor="left",
        xshift=8,
        y=0.5,
        yref=f"y{row}",
        yanchor="middle",
        showarrow=False,
        align="left",
        font={"size": 13},
    )


def add_swatches(figure: go.Figure, labels: Sequence[EndLabel], colours: Sequence[str]) -> None:
    """Put a square of the area's colour before each end label (the last annotations of the figure)."""
    notes = figure.layout.annotations[-len(labels) :]
    for note, colour in zip(notes, colours, strict=True):
        first, _, rest = note.text.partition("<br>")
        square = f'<span style="color:{colour}">\N{BLACK SQUARE}</span> '
        note.text = square + first + (f"<br>\N{EM SPACE}{rest}" if rest else "")


def log_ticks(low: float, high: float) -> list[float]:
    """Round values (1, 2, 5 times a power of ten; finer on a short range) in [low, high]."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks: list[float] = []
    for steps in (
        (1, 2, 5),
        (1, 1.5, 2, 3, 5, 7),
        tuple(np.arange(1, 10, 0.5)),
        tuple(np.arange(1, 10, 0.1)),
    ):
        ticks = [float(f"{step * 10.0**k:.4g}") for k in decades for step in steps]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) >= 4:
            break
    return ticks


def end_labels(
    figure: go.Figure,
    labels: Sequence[EndLabel],
    limits: tuple[float, float],
    *,
    log: bool = False,
    axis: str = "y",
    plot_height: float = HEIGHT - FRAME,
) -> None:
    """Write labels beside the right edge, moved apart just enough that none covers another.

    Parameters
    ----------
    labels
        At most as many as fit into the height.
    limits
        Range of the y axis in data units, which this sets.
    log
        Whether that axis is logarithmic.
    axis, plot_height
        Plotly's name of the axis (y, y2, ..), and the height of its panel in pixels.
    """
    low, high = np.log10(limits) if log else np.asarray(limits, dtype=float)
    figure.update_layout({axis.replace("y", "yaxis"): {"range": [low, high]}})
    if not labels:
        return
    wanted = np.array([np.log10(label.y) if log else label.y for label in labels])
    heights = np.array([_LINE_HEIGHT * (1 + label.text.count("<br>")) for label in labels]) + 3.0
    places = _spread((wanted - low) / (high - low) * plot_height, heights, plot_height)
    for label, place in zip(labels, places / plot_height * (high - low) + low, strict=True):
        figure.add_annotation(
            text=label.text,
            x=1,
            xref="paper",
            xanchor="left",
            xshift=8,
            y=float(place),
            yref=axis,
            yanchor="middle",
            align="left",
            showarrow=False,
            font={"size": _LABEL_SIZE, "color": label.colour},
        )


def _spread(centres: np.ndarray, heights: np.ndarray, room: float) -> np.ndarray:
    """Centres moved as little as possible, in order, so that boxes of `heights` do not overlap.

    Pool adjacent violators: boxes that touch form one block, centred on the mean of what they wanted.
    """
    order = np.argsort(centres, kind="stable")
    offsets = np.concatenate([[0.0], np.cumsum((heights[order][1:] + heights[order][:-1]) / 2)])
    blocks: list[list[float]] = []
    for value in centres[order] - offsets:
        blocks.append([float(value)])
        while len(blocks) > 1 and np.mean(blocks[-2]) > np.mean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    start = np.concatenate([np.full(len(block), np.mean(block)) for block in blocks])
    lowest, highest = heights[order][0] / 2, room - heights[order][-1] / 2 - offsets[-1]
    places = np.empty_like(start)
    places[order] = np.clip(start, min(lowest, highest), max(lowest, highest)) + offsets
    return places
