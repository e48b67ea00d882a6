"""Writes the whole report or nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equipoise.errors import InputError
from equipoise.interrupts import interrupts_held_back
from equipoise.report.charts import all_charts
from equipoise.report.html import render_page
from equipoise.report.png import write_pngs
from equipoise.report.summary import summarise, to_json
from equipoise.report.theme import Chart
from equipoise.simulation import Portfolio, ReplayResult, compare

__all__ = ["Report", "check_directory", "write_files", "write_report"]


@dataclass(frozen=True)
class Report:
    """A written report: its directory and files, its figures, and the portfolios that it compares."""

    directory: Path
    files: tuple[Path, ...]
    summary: dict[str, Any]
    portfolios: tuple[Portfolio, ...]


def check_directory(out_dir: str | Path) -> Path:
    """The absolute path of a directory that can be made and written; nothing is made here.

    Raises InputError otherwise.
    """
    target = Path(out_dir).resolve()
    if target.exists() and not target.is_dir():
        raise InputError(f"{target} is a file; name a directory for the report")
    # files are made beside the target and moved into it
    nearest = next(parent for parent in target.parents if parent.exists())
    for folder in {nearest, target} if target.exists() else {nearest}:
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            raise InputError(f"{folder} cannot be written; choose another directory than {target}")
    return target


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
    target = check_directory(out_dir)
    portfolios = compare(result)
    charts = all_charts(result, portfolios)
    summary = summarise(result, portfolios)
    texts = {
        "report.html": render_page(result, portfolios, charts, summary),
        "summary.json": to_json(summary),
    }
    return Report(target, write_files(target, charts, texts), summary, portfolios)


def write_files(target: Path, charts: Sequence[Chart], texts: Mapping[str, str]) -> tuple[Path, ...]:
    """Write a PNG of each chart and each text by its name into `target`: all or, on a failure, none."""
    with _workshop(target) as workshop:
        write_pngs(charts, workshop)
        for name, text in texts.items():
            (workshop / name).write_text(text, encoding="utf-8")
        names = sorted(path.name for path in workshop.iterdir())
        with interrupts_held_back():
            target.mkdir(exist_ok=True)
            for name in names:
                os.replace(workshop / name, target / name)
    return tuple(target / name for name in names)


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
