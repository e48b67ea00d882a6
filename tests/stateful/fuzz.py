"""`make fuzz`: lives from fresh seeds for as long as one likes, every failure and a sample replayed on anvil.

Prints a line every minute, and at the end one for tests/README.md. Failures are written to build/fuzz with
their seed and steps, ready for tests/regressions. It ends in time: no life begins after the deadline, and a
failure is made smaller for `SHRINKING` seconds at most; the smallest life by then is kept.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.errors import HypothesisException
from hypothesis.stateful import run_state_machine_as_test

from tests.engine import on_anvil, on_revm
from tests.fixtures.levered import Levered
from tests.stateful.life import Life
from tests.stateful.steps import TALLY, replay, table
from tests.stateful.systems import KINDS, build

FOLDER = Path("build/fuzz")
LIVES_A_SEED, STEPS = 50, 60
SAMPLE = 0.01
SHRINKING, MINUTE = 120, 60
Totals = Any
"""Lives, transactions and failures of all processes, in their shared memory."""


class OutOfTime(BaseException):
    """Ends hypothesis between two lives; no error of a test, which it would make smaller."""


@dataclass
class Failure:
    """A life that failed: its steps, and what it failed with."""

    steps: list[Any]
    error: str


@dataclass
class Result:
    """What one process did."""

    kind: str
    seeds: int = 0
    lives: int = 0
    transactions: int = 0
    replayed: int = 0
    sequences: set[tuple[str, ...]] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    tally: dict[str, dict[str, int]] = field(default_factory=dict)


class Recorded(Life):
    """A life that leaves its steps, digests and tape when it ends, and none that begins too late."""

    result: Result
    kept: list[tuple[Any, Any, Any]]
    totals: Totals
    until: float
    ended = False
    failed: dict[str, Failure]
    chosen = random.Random(0)

    def __init__(self, system: Levered) -> None:
        if time.monotonic() > type(self).until:
            type(self).ended = True
            raise OutOfTime
        super().__init__(system)

    def teardown(self) -> None:
        entries, cls = self.s.chain.entries, type(self)
        cls.result.lives += 1
        cls.result.transactions += len(entries)
        cls.result.sequences.add(tuple(name for name, _ in self.steps))
        cls._count(1, len(entries), 0)
        error = sys.exc_info()[1]
        if isinstance(error, Exception) and not isinstance(error, HypothesisException):
            self._remember(error)
        elif cls.chosen.random() < SAMPLE:
            cls.kept.append((list(self.steps), list(self.digests), list(entries)))
        super().teardown()

    @classmethod
    def _count(cls, *more: int) -> None:
        with cls.totals.get_lock():
            cls.totals[:] = [old + new for old, new in zip(cls.totals, more, strict=True)]

    def _remember(self, error: Exception) -> None:
        """The shortest life of every place at which lives fail."""
        cls = type(self)
        if not cls.failed:
            cls.until = time.monotonic() + SHRINKING
        where = traceback.extract_tb(error.__traceback__)[-1]
        origin = f"{type(error).__name__} at {where.filename}:{where.lineno}"
        known = cls.failed.get(origin)
        cls._count(0, 0, known is None)
        if known is None or len(self.steps) <= len(known.steps):
            text = "".join(traceback.format_exception(error))
            cls.failed[origin] = Failure(list(self.steps), text)


def share(totals: Totals) -> None:
    """Where this process counts."""
    Recorded.totals = totals


def run(kind: str, first_seed: int, seconds: float) -> Result:
    """Live on one core until the time is over."""
    deadline = time.monotonic() + seconds
    Recorded.result, Recorded.kept = result, kept = Result(kind), []
    Recorded.chosen = random.Random(first_seed)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        file = build(kind, Path(folder))
        system, anvil = on_revm(file), stack.enter_context(on_anvil(file))
        while time.monotonic() < deadline:
            number = first_seed + result.seeds
            result.seeds += 1
            Recorded.until, Recorded.failed, Recorded.ended = deadline, {}, False
            try:
                run_state_machine_as_test(seed(number)(lambda: Recorded(system)), settings=_depth())
            except OutOfTime:
                pass
            except Exception:
                # no life's end, and not hypothesis' wonder that time does not let it repeat one
                if not Recorded.failed and not Recorded.ended:
                    Recorded.failed[""] = Failure([], traceback.format_exc())
            for i, failure in enumerate(Recorded.failed.values()):
                result.failures.append(_written(kind, f"{number}-{i}", failure, anvil))
            while kept:
                result.replayed += 1
                if not _agrees(anvil, *kept.pop()):
                    result.failures.append(f"{kind}: seed {number}: the engines disagree")
    result.tally = {rule: dict(counts) for rule, counts in TALLY.items()}
    return result


def _depth() -> settings:
    return settings(
        max_examples=LIVES_A_SEED,
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        print_blob=False,
    )


def _agrees(anvil: Levered, steps: Any, digests: Any, entries: Any) -> bool:
    machine = Life(anvil)
    with suppress(AssertionError):  # the life of a failure ends as it did
        replay(machine, steps)
    return bool(machine.digests == digests and anvil.chain.entries == entries)


def _written(kind: str, name: str, failure: Failure, anvil: Levered) -> str:
    """Write down the smallest life that failed, and whether anvil fails it too."""
    try:
        replay(Life(anvil), failure.steps)
        on = "not on anvil"
    except Exception as same:
        on = f"on anvil: {type(same).__name__}: {same}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{kind}-{name}.json"
    body = {"kind": kind, "seed": name, "anvil": on, "steps": failure.steps, "error": failure.error[-4_000:]}
    path.write_text(json.dumps(body, indent=1))
    return f"{path} ({on})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3_600)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    jobs = [
        (KINDS[i % len(KINDS)], options.seed + i * 10**7, options.seconds) for i in range(options.processes)
    ]
    context = multiprocessing.get_context("spawn")
    totals = context.Array("Q", 3)
    with context.Pool(options.processes, share, (totals,)) as pool:
        began, pending = time.monotonic(), pool.starmap_async(run, jobs)
        while not pending.ready():
            pending.wait(MINUTE)
            lives, transactions, failures = totals[:]
            passed = time.monotonic() - began
            print(
                f"{passed:6,.0f} s: {lives:,} lives, {transactions:,} transactions, {failures} failures",
                flush=True,
            )
        results = pending.get()
    for result in results:
        print(f"\n{result.kind}: outcomes of every rule")
        print("\n".join(table({rule: Counter(counts) for rule, counts in result.tally.items()})))
    failures = [failure for result in results for failure in result.failures]
    print("", *failures, sep="\n")
    print(_line(options, results, len(failures)))
    return 1 if failures else 0


def _line(options: Any, results: list[Result], failures: int) -> str:
    def total(name: str) -> int:
        return sum(int(getattr(result, name)) for result in results)

    sequences = sum(len(result.sequences) for result in results)
    return (
        f"{time.strftime('%Y-%m-%d')}: {options.seconds:,.0f} s on {options.processes} cores: "
        f"{total('lives'):,} lives, {total('transactions'):,} transactions, {sequences:,} distinct rule "
        f"sequences, {total('seeds'):,} seeds from {options.seed}, {total('replayed'):,} lives replayed on "
        f"anvil, {failures} failures"
    )


if __name__ == "__main__":
    raise SystemExit(main())
