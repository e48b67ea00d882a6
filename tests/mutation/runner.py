"""A warm pytest: everything is imported and collected once, then a child is forked for each mutant.

The child sees the mutant's code in the place of the contract's, runs the tests until one fails, and is gone.
"""

from __future__ import annotations

import hashlib
import json
import os
import select
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

import pytest
from hypothesis import Phase, settings

from equipoise.client import artifacts
from equipoise.client.artifacts import ROOT
from tests.mutation.chain import Chains

__all__ = ["Runner", "Verdict", "run"]

EXAMPLES = 20
_PROFILE = "mutation"
_WITHOUT = ("ape_test", "terminal", "cacheprovider", "xdist", "faulthandler")
_QUIET = [
    "-o",
    "addopts=--import-mode=importlib",
    *(word for name in _WITHOUT for word in ("-p", f"no:{name}")),
]
_FEWEST_SECONDS = 30.0
_PATIENCE = 5.0  # times as long as the sound contracts take


@dataclass(frozen=True)
class Verdict:
    """`killer` is the test that failed, or how else the child ended."""

    outcome: Literal["killed", "timeout", "survived"]
    killer: str | None
    seconds: float


class Runner:
    """The plugin that takes pytest's loop over.

    Parameters
    ----------
    work
        What to do instead of running the tests, with this object in hand.

    Attributes
    ----------
    refused
        Tests that do not pass with the sound contracts here, after `calibrate`.
    """

    def __init__(self, work: Callable[[Runner], None]) -> None:
        self._work = work
        self._items: list[pytest.Item] = []
        self._sound: dict[str, bytes] = {}
        self._failed: str | None = None
        self._durations: dict[str, float] = {}
        self.refused: list[str] = []
        self._kills: Counter[str] = Counter()
        self._kinship: dict[str, int] = {}

    # ---------------------------------------------------------- pytest's hooks

    def pytest_sessionstart(self) -> None:
        Chains().install()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._items = list(session.items)
        self._work(self)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._durations[report.nodeid] = self._durations.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self._failed = report.nodeid

    # ------------------------------------------------------------------- work

    def calibrate(self, sound: Mapping[str, bytes], memory: Path) -> None:
        """Take these codes for the sound contracts', and leave out tests that fail with them.

        `memory` is a file; what stands there of the same codes and the same tests is not tried again.
        """
        self._sound = dict(sound)
        state = hashlib.sha256(b"".join(sound.values()))
        for path in sorted({*(ROOT / "tests").rglob("*.py"), *(ROOT / "offchain").rglob("*.py")}):
            state.update(path.read_bytes())
        known = json.loads(memory.read_text()) if memory.exists() else {}
        if known.get("state") != state.hexdigest():
            refused, durations = self._try_all()
            known = {"state": state.hexdigest(), "refused": refused, "durations": durations}
            memory.parent.mkdir(parents=True, exist_ok=True)
            memory.write_text(json.dumps(known, indent=1))
        self.refused, self._durations = known["refused"], known["durations"]
        bad = set(self.refused)
        self._items = [item for item in self._items if item.nodeid not in bad]

    def _try_all(self) -> tuple[list[str], dict[str, float]]:
        """Tests that fail with the sound contracts, and seconds of each."""

        def everything() -> Any:
            failed = []
            for item, following in zip(self._items, [*self._items[1:], None], strict=True):
                self._failed = None
                with self._instead(self._sound):
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                failed += [item.nodeid] if self._failed else []
            return failed, self._durations

        answer = _forked(everything, timeout=3_600.0)
        if not isinstance(answer, list):
            raise RuntimeError(f"the tests of the sound contracts ended by {answer}")
        failed, durations = answer
        return failed, durations

    def prepare(self, words: Sequence[str], killers: Sequence[str]) -> None:
        """Tests that have killed go first, then those whose names hold most of a source's `words`."""
        self._kills.update(killers)
        wanted = [word.lower() for word in words]
        for item in self._items:
            name = item.nodeid.lower()
            self._kinship[item.nodeid] = sum(word in name for word in wanted)

    def judge(self, codes: Mapping[str, bytes], rooms: Sequence[str]) -> Verdict:
        """Run the tests of some rooms with these codes in the place of the sound ones."""
        chosen = [item for item in self._items if item.nodeid.startswith(tuple(rooms))]
        # stable: the others keep their order
        chosen.sort(key=lambda item: (-self._kills[item.nodeid], -self._kinship.get(item.nodeid, 0)))
        expected = sum(self._durations.get(item.nodeid, 0.0) for item in chosen)
        start = time.monotonic()
        answer = _forked(
            lambda: self._first_failure(chosen, {**self._sound, **codes}),
            timeout=max(_FEWEST_SECONDS, _PATIENCE * expected),
        )
        seconds = time.monotonic() - start
        if answer is None:
            return Verdict("survived", None, seconds)
        if answer == "timeout":
            return Verdict("timeout", None, seconds)
        self._kills[answer] += 1
        return Verdict("killed", answer, seconds)

    def _first_failure(self, items: Sequence[pytest.Item], codes: Mapping[str, bytes]) -> str | None:
        self._failed = None
        with self._instead(codes):
            for item, following in zip(items, [*items[1:], None], strict=True):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if self._failed:
                    return self._failed
        return None

    @staticmethod
    def _instead(codes: Mapping[str, bytes]) -> AbstractContextManager[Any]:
        """In this block `load_artifact` gives these codes."""
        types = artifacts._contract_types()
        changed = {n: {**types[n], "deploymentBytecode": {"bytecode": c.hex()}} for n, c in codes.items()}
        return patch.object(artifacts, "_contract_types", lambda: {**types, **changed})


def _forked(work: Callable[[], Any], timeout: float) -> Any:
    """Answer of a child, or "timeout", or "crash" where it ended without one."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            null = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(null, descriptor)
            os.write(writing, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    answer, deadline = b"", time.monotonic() + timeout
    try:
        while True:
            ready, _, _ = select.select([reading], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return "timeout"
            part = os.read(reading, 1 << 16)
            if not part:
                return json.loads(answer) if answer else "crash"
            answer += part
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def run(rooms: Sequence[str], work: Callable[[Runner], None]) -> None:
    """Collect the tests of some rooms, then do `work`. Raises RuntimeError where they cannot be collected."""
    phases = (Phase.explicit, Phase.generate)  # that a test fails is enough, why does not matter here
    settings.register_profile(
        _PROFILE,
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        phases=phases,
        report_multiple_bugs=False,
    )
    os.environ["HYPOTHESIS_PROFILE"] = _PROFILE
    code = pytest.main([*_QUIET, *rooms], plugins=[Runner(work)])
    if code != pytest.ExitCode.OK:
        raise RuntimeError(f"pytest ended with {code!r}")
