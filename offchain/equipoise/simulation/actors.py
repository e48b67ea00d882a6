"""Who uses the vault during a replay, when and how: deposits early and late, every kind of exit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["ACTIONS", "Step", "schedule"]

ACTIONS = ("deposit", "redeem", "exit_in_kind", "zap")


@dataclass(frozen=True)
class Step:
    """One user's action on one day.

    `amount` is USD for a deposit, and the fraction of the user's shares for an exit.
    """

    day: int
    user: str
    action: str
    amount: float


# (when as a fraction of the replay, user, action, amount)
_PLAN: Sequence[tuple[float, str, str, float]] = (
    (0.00, "alice", "deposit", 3_000_000.0),
    (0.08, "bob", "deposit", 1_000_000.0),
    (0.20, "carol", "deposit", 600_000.0),
    (0.30, "bob", "redeem", 0.5),
    (0.42, "dave", "deposit", 400_000.0),
    (0.50, "alice", "redeem", 0.1),
    (0.58, "carol", "exit_in_kind", 0.5),
    (0.66, "bob", "deposit", 250_000.0),
    (0.75, "dave", "zap", 1.0),
    (0.86, "carol", "zap", 1.0),
    (0.94, "bob", "redeem", 1.0),
)


def schedule(days: int, seed: int) -> list[Step]:
    """The plan laid over `days` days, each step but the first moved by up to 2 % of them, in order."""
    rng = np.random.default_rng(seed)
    steps = []
    for when, user, action, amount in _PLAN:
        jitter = 0.0 if when == 0 else float(rng.uniform(-0.02, 0.02))
        steps.append(Step(min(int((when + jitter) * days), days - 1), user, action, amount))
    return sorted(steps, key=lambda step: step.day)
