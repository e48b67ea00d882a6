"""What a person watches while a replay runs: stages, then one bar with the vault's state of the day."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from equipoise.simulation.replay import DayView

__all__ = ["DemoProgress"]


class DemoProgress:
    """A context manager; in a pipe it prints the stages only."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.fields[date]}"),
            BarColumn(bar_width=None),
            TextColumn("NAV/share [bold]{task.fields[price]}[/]"),
            TextColumn("gap {task.fields[gap]}"),
            TextColumn("x{task.fields[leverage]}"),
            TextColumn("{task.fields[mode]}"),
            TextColumn("{task.fields[rebalances]} rebalances"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None

    def stage(self, text: str) -> None:
        """Say what begins."""
        self._progress.console.print(f"[dim]· {text}[/]")

    def day(self, day: DayView, total: int) -> None:
        """Show the end of a day."""
        fields: dict[str, Any] = {
            "date": f"{day.date:%Y-%m-%d}",
            "price": f"{day.share_price:.4f}",
            "gap": f"{day.parity_gap:5.1%}",
            "leverage": f"{day.leverage:.2f}",
            "mode": day.mode,
            "rebalances": day.rebalances,
        }
        if self._task is None:
            self._task = self._progress.add_task("replay", total=total, **fields)
        self._progress.update(self._task, advance=1, **fields)

    def __enter__(self) -> DemoProgress:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
