"""The users' schedule: in order, possible, and every kind of exit, for any length and seed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from equipoise.simulation.actors import ACTIONS, schedule

LENGTHS = st.integers(60, 2_000)
SEEDS = st.integers(0, 2**32)


@given(LENGTHS, SEEDS)
def test_schedule__any_length_and_seed__days_rise_within_the_replay(days: int, seed: int) -> None:
    steps = schedule(days, seed)
    assert [step.day for step in steps] == sorted(step.day for step in steps)
    assert all(0 <= step.day < days for step in steps)
    assert (steps[0].day, steps[0].action) == (0, "deposit")


@given(LENGTHS, SEEDS)
def test_schedule__any_length_and_seed__nobody_leaves_before_coming(days: int, seed: int) -> None:
    holding: dict[str, float] = {}
    for step in schedule(days, seed):
        if step.action == "deposit":
            assert step.amount > 0
            holding[step.user] = 1.0
        else:
            assert 0 < step.amount <= 1
            assert holding.get(step.user, 0) > 0
            holding[step.user] *= 1 - step.amount
    assert sum(holding.values()) > 0, "a vault without shares has no share price"


@given(LENGTHS, SEEDS)
def test_schedule__any_length_and_seed__every_kind_of_action_by_several_users(days: int, seed: int) -> None:
    steps = schedule(days, seed)
    assert {step.action for step in steps} == set(ACTIONS)
    assert len({step.user for step in steps}) >= 3


def test_schedule__seed__moves_the_days() -> None:
    assert schedule(1000, 1) == schedule(1000, 1)
    assert schedule(1000, 1) != schedule(1000, 2)
