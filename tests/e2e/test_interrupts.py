"""Ctrl-C and SIGTERM at any moment of the demo: exit code 130, no process, no half-written report."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from equipoise.client.artifacts import ROOT
from tests.e2e.conftest import BIN, environment, prices

MARK = "EQUIPOISE_TEST_RUN"
Start = Callable[..., subprocess.Popen[str]]


def processes_of(mark: str) -> dict[int, str]:
    """Living processes that carry the mark in their environment: all that a run started, wherever moved."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            words = (folder / "environ").read_bytes()
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            name = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if f"{MARK}={mark}".encode() in words.split(b"\0") and state != "Z":
            found[int(folder.name)] = name
    return found


def gone(mark: str, within: float = 5.0) -> dict[int, str]:
    """What is left of a run once the operating system has had time to bury it."""
    deadline = time.monotonic() + within
    while (left := processes_of(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="it reads Linux's /proc")


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[str]:
    mark = f"{os.getpid()}-{tmp_path.name}"
    yield mark
    for pid in processes_of(mark):  # a failed test leaves nothing either
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def start(tmp_path: Path, mark: str) -> Start:
    """Start `equipoise demo` on two assets with a report of its own; its temporary files are ours to see."""
    (tmp_path / "tmp").mkdir()
    prices({"GOLD": 0.01, "OIL": 0.02}, days=60).to_csv(tmp_path / "prices.csv")

    def run(*options: object) -> subprocess.Popen[str]:
        command = [str(BIN / "equipoise"), "demo", *map(str, options), "--out", str(tmp_path / "report")]
        return subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(**{MARK: mark, "TMPDIR": str(tmp_path / "tmp"), "PYTHONUNBUFFERED": "1"}),
        )

    return run


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout
    for line in process.stdout:
        if words in line:
            return
    raise AssertionError(f"never said {words!r}: {process.communicate()}")


def end(process: subprocess.Popen[str], number: int) -> str:
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    return errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("stage", ["anvil starts", "days are replayed", "report is drawn"])
def test_demo__signal_at_a_stage__leaves_no_process_and_the_earlier_report(
    start: Start, tmp_path: Path, mark: str, number: int, stage: str
) -> None:
    earlier = tmp_path / "report"
    # a report is drawn in two seconds: on a busy machine it can be ready before the signal is sent
    for last in (False, False, True):
        shutil.rmtree(earlier, ignore_errors=True)
        earlier.mkdir()
        (earlier / "summary.json").write_text("earlier")
        replay = start("--prices", tmp_path / "prices.csv")
        wait_for(replay, stage)
        time.sleep(0.1)
        if replay.poll() is None or last:
            break
    errors = end(replay, number)
    assert errors.count("\n") == 1
    assert errors.startswith("interrupted")
    assert gone(mark) == {}
    assert {path.name: path.read_text() for path in earlier.iterdir()} == {"summary.json": "earlier"}
    assert {path.name for path in tmp_path.iterdir()} == {"tmp", "prices.csv", "report"}
    assert [path.name for path in (tmp_path / "tmp").glob("equipoise-*")] == []


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.03, 0.06, 0.1])
def test_demo__signal_while_the_chain_is_born__leaves_no_process(
    start: Start, tmp_path: Path, mark: str, delay: float
) -> None:
    replay = start("--prices", tmp_path / "prices.csv")
    wait_for(replay, "anvil starts")
    time.sleep(delay)
    end(replay, signal.SIGTERM)
    assert gone(mark) == {}


def test_demo__two_signals_at_once__still_unwinds(start: Start, tmp_path: Path, mark: str) -> None:
    replay = start("--prices", tmp_path / "prices.csv")
    wait_for(replay, "days are replayed")
    replay.send_signal(signal.SIGINT)
    end(replay, signal.SIGTERM)
    assert gone(mark) == {}
    assert not (tmp_path / "report").exists()


def test_demo__in_a_shells_background__hears_sigint(start: Start, tmp_path: Path, mark: str) -> None:
    """A shell without job control starts background jobs deaf to SIGINT."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        replay = start("--prices", tmp_path / "prices.csv")
    finally:
        signal.signal(signal.SIGINT, before)
    wait_for(replay, "days are replayed")
    end(replay, signal.SIGINT)
    assert gone(mark) == {}


def test_demo__killed__its_chain_ends_too(start: Start, tmp_path: Path, mark: str) -> None:
    replay = start("--prices", tmp_path / "prices.csv")
    wait_for(replay, "days are replayed")
    assert any("anvil" in name for name in processes_of(mark).values())
    replay.kill()
    replay.communicate()
    assert gone(mark) == {}
    assert list((tmp_path / "tmp").glob("equipoise-*")) == []


def test_world__port_in_use__one_line_and_no_process(mark: str) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run(
            [str(BIN / "equipoise"), "world", "--port", str(taken.getsockname()[1])],
            cwd=ROOT,
            capture_output=True,
            text=True,
            env=environment(**{MARK: mark}),
            timeout=60,
        )
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert gone(mark) == {}
