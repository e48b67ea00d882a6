"""The demo's replay: is its cost linear in days, who spends the time, how much memory does it take?"""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from equipoise.simulation.demo import DemoOptions, run_demo
from equipoise.simulation.replay import DayView
from tests.bench.measure import show_seconds, table

__all__ = ["tables"]

DAYS = (60, 120, 240)
PROC = Path("/proc")


@dataclass(frozen=True)
class Run:
    """One replay.

    `wall` {s} without the set-up; `python` and `anvil` {s} of processor time; peaks of resident memory
    {bytes}, 0 where the system does not tell.
    """

    days: int
    rebalances: int
    wall: float
    python: float
    anvil: float
    python_peak: int
    anvil_peak: int

    @property
    def processor(self) -> float:
        return self.python + self.anvil


def tables() -> list[Table | str]:
    # a process of its own, so that its memory is the replay's; the first run warms it
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        _, *runs = pool.map(run, (DAYS[0], *DAYS))
    times = [
        (
            str(r.days),
            str(r.rebalances),
            f"{r.wall:.1f} s",
            show_seconds(r.wall / r.days),
            f"{r.wall / r.days / (runs[0].wall / runs[0].days):.2f}",
            show_seconds((r.wall - before.wall) / (r.days - before.days)) if before else "",
            show_seconds(r.processor / r.days),
            f"{r.processor / r.days / (runs[0].processor / runs[0].days):.2f}",
        )
        for before, r in zip([None, *runs], runs, strict=False)
    ]
    resources = [
        (
            str(r.days),
            f"{r.python / r.processor:.0%}",
            f"{r.anvil / r.processor:.0%}",
            _mebibytes(r.python_peak),
            _mebibytes(r.anvil_peak),
        )
        for r in runs
    ]
    return [
        table(
            "Replay of the demo: is its time linear in days?",
            ("Days ", "Rebalances", "  Wall", "  A day", " Ratio", "One more day", "CPU a day", " Ratio"),
            times,
            "Ratio to the first row (linear: 1). The first 30 days have no trades.",
        ),
        table(
            "Replay: CPU and peak memory",
            ("Days ", "CPU: Python", "  anvil", "Memory: Python", "   anvil"),
            resources,
        ),
    ]


def run(days: int) -> Run:
    """Replay the first `days` days of the demo, in this process."""
    replayed, anvil_peak = 0, 0

    def on_day(_: DayView, total: int) -> None:
        nonlocal replayed, anvil_peak
        replayed += 1
        if replayed == total:  # the chain ends with the replay
            anvil_peak = max(map(_peak, _children()), default=0)

    before = os.times()
    result = run_demo(DemoOptions(days=days), on_day)
    after = os.times()
    return Run(
        days=days,
        rebalances=len(result.rebalances),
        wall=result.wall_s,
        python=after.user + after.system - before.user - before.system,
        anvil=after.children_user + after.children_system - before.children_user - before.children_system,
        python_peak=_peak(os.getpid()),
        anvil_peak=anvil_peak,
    )


def _children() -> list[int]:
    listed = PROC / "self" / "task" / str(os.getpid()) / "children"
    return [int(pid) for pid in listed.read_text().split()] if listed.exists() else []


def _peak(pid: int) -> int:
    """Peak resident memory {bytes}. Not from getrusage: there a child starts with its parent's."""
    status = PROC / str(pid) / "status"
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def _mebibytes(value: int) -> str:
    return f"{value / 2**20:.0f} MiB" if value else "unknown"
