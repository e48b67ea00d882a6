"""The renderer of the PNGs: it may hang, and then it must not take us along."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, ClassVar

import pytest

from equipoise.errors import ToolchainError
from equipoise.report import png
from equipoise.report.charts import all_charts
from equipoise.simulation import compare
from tests.unit.simulation.synthetic import make_result

RESULT = make_result(days=60, assets=3)
CHARTS = all_charts(RESULT, compare(RESULT))[:2]


class Hanging(png._Scope):
    """A renderer whose processes stand still, the first `times` times that they were started."""

    times = 1
    starts: ClassVar[list[int]] = []

    def _build_proc_args(self) -> list[str]:
        self.starts.append(-1)
        return super()._build_proc_args()

    def _ensure_kaleido(self) -> None:
        super()._ensure_kaleido()
        self.starts[-1] = self._proc.pid
        if len(self.starts) <= self.times:
            os.killpg(self._proc.pid, signal.SIGSTOP)


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> type[Hanging]:
    monkeypatch.setattr(Hanging, "starts", [])
    monkeypatch.setattr(png, "_Scope", Hanging)
    return Hanging


def left(leaders: list[int]) -> list[str]:
    """Processes of these groups that live on; the dead whom nobody has buried yet do not count."""
    deadline = time.monotonic() + 10
    while True:
        table = subprocess.run(["ps", "-eo", "pgid=,stat=,args="], capture_output=True, text=True).stdout
        rows = [row.split(maxsplit=2) for row in table.splitlines()]
        alive = [args for group, state, args in rows if int(group) in leaders and state[0] != "Z"]
        if not alive or time.monotonic() > deadline:
            return alive
        time.sleep(0.05)


def test_write_pngs__renderer_hangs_once__is_started_anew(
    hanging: type[Hanging], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(png, "_PATIENCE_SECONDS", 5.0)
    paths = png.write_pngs(CHARTS, tmp_path)
    assert [path.read_bytes()[:4] for path in paths] == [b"\x89PNG"] * 2
    assert len(hanging.starts) == 2
    assert left(hanging.starts) == []


def test_write_pngs__renderer_hangs_always__error_and_nothing_left(
    hanging: type[Hanging], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(png, "_PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(hanging, "times", 9)
    with pytest.raises(ToolchainError, match="was not drawn within 1 s, 3 times"):
        png.write_pngs(CHARTS, tmp_path)
    assert len(hanging.starts) == 3
    assert left(hanging.starts) == []


def test_write_pngs__renderer_refuses__its_reason_is_not_hidden(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: Any, **__: Any) -> bytes:
        raise ValueError("error code 525")

    monkeypatch.setattr(png._Scope, "transform", refuse)
    with pytest.raises(ValueError, match="error code 525"):
        png.write_pngs(CHARTS, tmp_path)
