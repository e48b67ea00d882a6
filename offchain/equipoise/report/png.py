"""The charts as PNG files, through kaleido's own renderer: one process for all of them, none left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Timer
from typing import Any

import plotly.io as pio
from kaleido.scopes.plotly import PlotlyScope

from equipoise.errors import ToolchainError
from equipoise.report.theme import Chart, titled

__all__ = ["write_pngs"]

_SCALE = 2  # pixels a unit: sharp in print at 15 cm
_PATIENCE_SECONDS = 60.0  # for a chart of 0.1 s, with a second for the start of the renderer
_TRIES = 3
_PARTING_SECONDS = 2.0
_IN_A_GROUP = "import os, sys; os.setsid(); os.execv(sys.argv[1], sys.argv[1:])"


def write_pngs(charts: Sequence[Chart], directory: Path) -> list[Path]:
    """Write `<key>.png` for each chart into `directory`, which exists; returns the paths.

    Raises ToolchainError when the renderer gives no answer, three times for one chart.
    """
    paths = []
    with _renderer() as renderer:
        for chart in charts:
            path = directory / f"{chart.key}.png"
            path.write_bytes(_drawn(renderer, chart))
            paths.append(path)
    return paths


def _drawn(renderer: Any, chart: Chart) -> bytes:
    """A PNG. The renderer (a browser) hangs once in some thousand charts: then it is ended and asked anew."""
    figure = titled(chart)
    size = {"width": figure.layout.width, "height": figure.layout.height, "scale": _SCALE}
    for _ in range(_TRIES):
        ended = Event()
        watch = Timer(_PATIENCE_SECONDS, _end, [renderer, ended])
        watch.start()
        try:
            return bytes(renderer.transform(figure, format="png", **size))
        except (OSError, ValueError):  # its output ended, or its input
            if not ended.is_set():
                raise
        finally:
            watch.cancel()
    raise ToolchainError(
        f"the chart {chart.key} was not drawn within {_PATIENCE_SECONDS:.0f} s, {_TRIES} times; "
        "try again when the machine is less busy"
    )


class _Scope(PlotlyScope):
    """Kaleido in a process group of its own: a kill of its shell alone would leave the browser running."""

    def _build_proc_args(self) -> list[str]:
        return [sys.executable, "-c", _IN_A_GROUP, *super()._build_proc_args()]


@contextmanager
def _renderer() -> Iterator[Any]:
    """Kaleido's process, ended on every exit; formulas are not typeset, so nothing is fetched."""
    scope = _Scope(plotlyjs=pio.kaleido.scope.plotlyjs)
    try:
        yield scope
    finally:
        # not by its own shutdown, which swallows an interrupt that comes while it waits
        process, scope._proc = scope._proc, None
        if process is not None:
            _close(process)


def _close(process: subprocess.Popen[bytes]) -> None:
    """The end of its input lets it go, and remove its temporary file; what is left after that is killed."""
    try:
        assert process.stdin
        with suppress(OSError, subprocess.TimeoutExpired):
            process.stdin.close()
            process.wait(_PARTING_SECONDS)
    finally:
        _kill_group(process.pid)


def _end(scope: Any, ended: Event) -> None:
    ended.set()
    if scope._proc is not None:
        _kill_group(scope._proc.pid)


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
