"""States of a levered vault after a storm, drawn at random and built on the real market."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from tests.fixtures.levered import Levered

HOUR = 3_600
RIPCORD_WINDOW = 4 * 900


@dataclass(frozen=True)
class Storm:
    """Price changes at once, new cash before, silence of the signers, use of the credit market."""

    common: float
    own: tuple[float, float, float]
    new_cash: int
    silence: int
    utilisation: float
    patience: int

    @property
    def changes(self) -> list[float]:
        return [(1 + self.common) * (1 + own) - 1 for own in self.own]


def storms(low: float, high: float) -> st.SearchStrategy[Storm]:
    """Storms whose common move lies in [low, high]."""
    own = st.floats(-0.15, 0.15)
    return st.builds(
        Storm,
        common=st.floats(low, high),
        own=st.tuples(own, own, own),
        new_cash=st.sampled_from([0, 0, 1, 20_000, 300_000]),
        silence=st.sampled_from([0, 0, 37 * HOUR, 60 * HOUR, 97 * HOUR]),
        utilisation=st.sampled_from([0.75, 0.75, 0.5, 0.97]),
        patience=st.integers(1, RIPCORD_WINDOW - 10),
    )


def hit(s: Levered, storm: Storm) -> None:
    """Bring the fixture into the storm's state; its feeds are fresh."""
    if storm.new_cash:
        s.deposit(s.bob, storm.new_cash)
    if storm.utilisation != 0.75:
        s.aave.set_utilisation("USDC", storm.utilisation)
    if storm.silence:
        s.warp(storm.silence)
    assert s.world
    prices = s.world.prices()
    moved = {n: prices[n] * (1 + c) for n, c in zip(s.symbols, storm.changes, strict=True)}
    s.world.set_prices({**moved, "USDC": 1.0})
