"""A signer never signs two reports for one time, whatever happens to it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from equipoise.errors import OracleError
from equipoise.oracle.journal import Journal

BODY = {"vols": str(2**255), "model": "ewma"}


def sign(digest: bytes) -> tuple[bytes, bytes]:
    return digest[::-1], digest


def record(journal: Journal, digest: bytes, at: int = 100, kind: str = "volatilities", scope: str = "1:0xA"):
    return journal.record(scope, kind, at, digest, BODY, sign)


def test_record__the_same_digest__gives_the_same_signature(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    first = record(journal, b"a" * 32)
    calls: list[bytes] = []
    again = journal.record("1:0xA", "volatilities", 100, b"a" * 32, {}, lambda d: calls.append(d) or sign(d))
    assert again == first == (b"a" * 32, b"a" * 32, BODY)
    assert not calls
    assert journal.get("1:0xA", "volatilities", 100) == (b"a" * 32, *first)
    assert (journal.last("1:0xA", "volatilities"), journal.last("1:0xA", "correlations")) == (100, 0)


def test_record__another_digest_for_that_time__is_refused_across_restarts(tmp_path: Path) -> None:
    record(Journal(tmp_path / "j.sqlite"), b"a" * 32)
    reopened = Journal(tmp_path / "j.sqlite")
    with pytest.raises(OracleError, match=r"never signs two reports"):
        record(reopened, b"b" * 32)
    for others in ({"at": 101}, {"kind": "correlations"}, {"scope": "2:0xA"}):
        record(reopened, b"b" * 32, **others)
    assert reopened.count() == 4


def test_record__not_once__signs_others_and_keeps_the_first(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    record(journal, b"a" * 32)
    other = {"vols": "1", "model": "another"}
    for digest in (b"b" * 32, b"c" * 32):
        answer = journal.record("1:0xA", "volatilities", 100, digest, other, sign, once=False)
        assert answer == (*sign(digest), other)
    assert journal.get("1:0xA", "volatilities", 100) == (b"a" * 32, *sign(b"a" * 32), BODY)
    assert journal.count() == 1


def test_record__a_key_that_fails__leaves_no_row(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")

    def fails(_: bytes) -> tuple[bytes, bytes]:
        raise OracleError("the device is gone")

    with pytest.raises(OracleError, match="device"):
        journal.record("1:0xA", "volatilities", 100, b"a" * 32, BODY, fails)
    record(journal, b"b" * 32)


def test_record__many_threads_with_many_digests__only_one_is_signed(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    signed, refused = [], []

    def attempt(i: int) -> None:
        try:
            signed.append(record(journal, bytes([i]) * 32))
        except OracleError:
            refused.append(i)

    threads = [threading.Thread(target=attempt, args=(i,)) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(signed), len(refused), journal.count()) == (1, 15, 1)


def _attempt(path: str, byte: int) -> bool:
    try:
        record(Journal(path), bytes([byte]) * 32)
    except OracleError:
        return False
    return True


def test_record__two_processes_on_one_file__only_one_signs(tmp_path: Path) -> None:
    path = str(tmp_path / "j.sqlite")
    Journal(path)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert sum(pool.starmap(_attempt, [(path, i) for i in range(4)])) == 1


_WRITER = """
import sys
from equipoise.oracle.journal import Journal
journal = Journal(sys.argv[1])
for at in range(1, 10**6):
    journal.record("1:0xA", "volatilities", at, at.to_bytes(32, "big"), {}, lambda d: (d, d))
    print(at, flush=True)
"""


def test_record__killed_at_any_moment__remembers_what_it_gave_away(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    given = 0
    for _ in range(3):
        args = [sys.executable, "-c", _WRITER, str(path)]
        with subprocess.Popen(args, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout
            for _ in range(20):
                given = max(given, int(writer.stdout.readline()))
            os.kill(writer.pid, signal.SIGKILL)
            given = max([given, *map(int, writer.stdout.read().split("\n")[:-1])])
        journal = Journal(path)
        assert journal.last("1:0xA", "volatilities") >= given
        with pytest.raises(OracleError):
            record(journal, b"x" * 32, at=given)


def test_open__a_damaged_file__says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(OracleError, match=r"j\.sqlite.*restore it from a backup"):
        Journal(path)


@pytest.mark.parametrize("at", [0, -1, 2**63, 2**64])
def test_record__a_time_that_is_none__is_refused(tmp_path: Path, at: int) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    for attempt in (
        lambda: record(journal, b"a" * 32, at=at),
        lambda: journal.get("1:0xA", "volatilities", at),
    ):
        with pytest.raises(OracleError, match="is no time"):
            attempt()
    record(journal, b"a" * 32)


def test_record__on_a_full_disk__signs_nothing_and_says_why(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    pages = journal._database.execute("PRAGMA page_count").fetchone()[0]
    journal._database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OracleError, match=r"is full.*nothing is signed"):
        journal.record("1:0xA", "volatilities", 100, b"a" * 32, {"x": "y" * 50_000}, sign)
    journal._database.execute("PRAGMA max_page_count = 100000")
    record(journal, b"b" * 32)
