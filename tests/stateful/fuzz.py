"""`make fuzz`: lives from fresh seeds for as long as one likes, every failure and a sample replayed on anvil.

Prints one line for tests/README.md. Failures are written to build/fuzz with their seed and steps, ready for
tests/regressions.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import tempfile
import time
import traceback
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.engine import on_anvil, on_revm
from tests.fixtures.levered import Levered
from tests.stateful.life import Life
from tests.stateful.steps import TALLY, replay, table
from tests.stateful.systems import KINDS, build

FOLDER = Path("build/fuzz")
LIVES_A_SEED, STEPS = 50, 60
SAMPLE = 0.01


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
    """A life that leaves its steps, digests and tape when it ends."""

    result: Result
    kept: list[tuple[Any, Any, Any]]
    last: Life | None = None
    chosen = random.Random(0)

    def teardown(self) -> None:
        entries, cls = self.s.chain.entries, type(self)
        cls.last = self
        cls.result.lives += 1
        cls.result.transactions += len(entries)
        cls.result.sequences.add(tuple(name for name, _ in self.steps))
        if cls.chosen.random() < SAMPLE:
            cls.kept.append((list(self.steps), list(self.digests), list(entries)))
        super().teardown()


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
            try:
                run_state_machine_as_test(seed(number)(lambda: Recorded(system)), settings=_depth())
            except Exception:
                result.failures.append(_failure(kind, number, anvil))
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


def _failure(kind: str, number: int, anvil: Levered) -> str:
    """Write down the smallest life that failed, and whether anvil fails it too."""
    error = traceback.format_exc()
    assert Recorded.last
    steps = Recorded.last.steps
    try:
        replay(Life(anvil), steps)
        on = "not on anvil"
    except Exception as same:
        on = f"on anvil: {type(same).__name__}: {same}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{kind}-{number}.json"
    body = {"kind": kind, "seed": number, "anvil": on, "steps": steps, "error": error[-4_000:]}
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
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        results = pool.starmap(run, jobs)
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
