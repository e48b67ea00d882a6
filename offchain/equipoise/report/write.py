"""Writes the whole report or nothing."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equipoise.errors import InputError
from equipoise.report.charts import all_charts
from equipoise.report.html import render_page
from equipoise.report.png import write_pngs
from equipoise.report.summary import summarise, to_json
from equipoise.simulation import Portfolio, ReplayResult, compare

__all__ = ["Report", "write_report"]


@dataclass(frozen=True)
class Report:
    """A written report: its directory and files, its figures, and the portfolios that it compares."""

    directory: Path
    files: tuple[Path, ...]
    summary: dict[str, Any]
    portfolios: tuple[Portfolio, ...]


def write_report(result: ReplayResult, out_dir: str | Path) -> Report:
    """Write report.html, summary.json and one PNG a chart into `out_dir`.

    All files are made in a temporary directory beside `out_dir` and moved in at the end, when an interrupt
    is held back until the last is in place: a failure or Ctrl-C leaves what was there before. Other files in
    `out_dir` stay.

    Raises
    ------
    InputError
        Where `out_dir` cannot be made or written.
    """
    target = Path(out_dir).resolve()
    if target.exists() and not target.is_dir():
        raise InputError(f"{target} is a file; name a directory for the report")
    portfolios = compare(result)
    charts = all_charts(result, portfolios)
    summary = summarise(result, portfolios)
    with _workshop(target) as workshop:
        write_pngs(charts, workshop)
        (workshop / "report.html").write_text(
            render_page(result, portfolios, charts, summary), encoding="utf-8"
        )
        (workshop / "summary.json").write_text(to_json(summary), encoding="utf-8")
        names = sorted(path.name for path in workshop.iterdir())
        with _interrupts_held_back():
            target.mkdir(exist_ok=True)
            for name in names:
                os.replace(workshop / name, target / name)
    return Report(target, tuple(target / name for name in names), summary, portfolios)


@contextmanager
def _workshop(target: Path) -> Iterator[Path]:
    """A temporary directory beside `target`, on its file system; gone on every exit."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        path = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise InputError(f"{target.parent} cannot be written ({error}); choose another directory") from error
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Deliver SIGINT and SIGTERM after the block instead of inside it (Python has handlers in one thread)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    kept = {
        number: signal.signal(number, lambda received, _frame: arrived.append(received))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
        for received in arrived:
            signal.raise_signal(received)
