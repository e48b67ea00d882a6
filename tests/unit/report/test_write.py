from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from equipoise.errors import InputError
from equipoise.report import write, write_report
from tests.unit.simulation.synthetic import make_result

PNGS = {
    f"{name}.png"
    for name in (
        "drawdown",
        "gas",
        "nav",
        "parity_gap",
        "risk_contributions",
        "volatility",
        "weights",
    )
}
RESULT = make_result(days=60, assets=3)


def interrupt(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


@pytest.fixture
def without_pngs(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Leave the slow renderer out where a test is about files only."""

    def write_pngs(charts: Any, directory: Path) -> None:
        for chart in charts:
            (directory / f"{chart.key}.png").write_bytes(b"png")

    monkeypatch.setattr(write, "write_pngs", write_pngs)
    return write_pngs


def test_write_report__new_directory__every_file_and_nothing_else(tmp_path: Path) -> None:
    report = write_report(RESULT, tmp_path / "build" / "demo")
    assert {path.name for path in report.directory.iterdir()} == PNGS | {"report.html", "summary.json"}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in report.files if path.suffix == ".png")
    assert all(path.stat().st_size > 10_000 for path in report.files if path.suffix == ".png")
    assert [path.name for path in (tmp_path / "build").iterdir()] == ["demo"]


@pytest.mark.parametrize("stage", ["write_pngs", "render_page", "to_json"])
def test_write_report__interrupted_while_drawing__leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_pngs: Any, stage: str
) -> None:
    monkeypatch.setattr(write, stage, interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_report(RESULT, tmp_path / "demo")
    assert list(tmp_path.iterdir()) == []


def test_write_report__interrupted_over_an_old_report__old_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_pngs: Any
) -> None:
    write_report(RESULT, tmp_path / "demo")
    before = {path.name: path.read_bytes() for path in (tmp_path / "demo").iterdir()}
    monkeypatch.setattr(write, "to_json", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_report(make_result(days=80, assets=3), tmp_path / "demo")
    assert {path.name: path.read_bytes() for path in (tmp_path / "demo").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


@pytest.fixture
def _pythons_own_handler() -> Iterator[None]:
    """`ape test` has one of its own, which exits."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_pythons_own_handler")
def test_write_report__signal_during_the_move__arrives_after_the_last_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_pngs: Any
) -> None:
    move = write.os.replace

    def move_under_fire(source: Path, target: Path) -> None:
        signal.raise_signal(signal.SIGINT)
        move(source, target)

    monkeypatch.setattr(write.os, "replace", move_under_fire)
    with pytest.raises(KeyboardInterrupt):
        write_report(RESULT, tmp_path / "demo")
    assert {path.name for path in (tmp_path / "demo").iterdir()} == PNGS | {"report.html", "summary.json"}
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_write_report__other_files_in_the_directory__stay(tmp_path: Path, without_pngs: Any) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    write_report(RESULT, tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "summary.json").exists()


def test_write_report__target_is_a_file__input_error(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("a file")
    with pytest.raises(InputError, match="is a file"):
        write_report(RESULT, tmp_path / "demo")


def test_write_report__parent_is_a_file__input_error(tmp_path: Path) -> None:
    (tmp_path / "build").write_text("a file")
    with pytest.raises(InputError, match="cannot be written"):
        write_report(RESULT, tmp_path / "build" / "demo")
