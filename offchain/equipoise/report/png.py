"""The charts as PNG files, through kaleido's own renderer: one process for all of them, none left behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import plotly.io as pio

from equipoise.report.theme import Chart, titled

__all__ = ["write_pngs"]

_SCALE = 2  # pixels a unit: sharp in print at 15 cm


def write_pngs(charts: Sequence[Chart], directory: Path) -> list[Path]:
    """Write `<key>.png` for each chart into `directory`, which exists; returns the paths."""
    paths = []
    with _renderer() as renderer:
        for chart in charts:
            figure = titled(chart)
            path = directory / f"{chart.key}.png"
            path.write_bytes(
                renderer.transform(
                    figure, format="png", width=figure.layout.width, height=figure.layout.height, scale=_SCALE
                )
            )
            paths.append(path)
    return paths


@contextmanager
def _renderer() -> Iterator[Any]:
    """Kaleido's process, ended on every exit; formulas are not typeset, so nothing is fetched."""
    scope = pio.kaleido.scope
    scope.mathjax = None
    try:
        yield scope
    finally:
        scope._shutdown_kaleido()
