"""Prices drift, gap and lose their peg; feeds fail; pools are pushed and pulled back; time passes."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from equipoise.units import DAY
from tests.stateful.base import USD, Base
from tests.stateful.model.books import WAD
from tests.stateful.steps import action

DRIFT, GAP = st.floats(-0.03, 0.03), st.floats(-0.45, 0.5)
ASSET = st.integers(0, 3)
HOUR = 3_600
LATER = 2**63
TRADER_USD = 20_000_000


def can_crash(machine: Base) -> bool:
    v = machine.view
    return bool(v.debt and v.live and v.health)


class Market(Base):
    """The feeds' rounds, as they were pushed, are the model's prices."""

    def push(self, changes: dict[int, float], updated_at: int | None = None) -> None:
        """Multiply prices, by the asset's index in the market; every named feed has a round of now."""
        feeds = list(self.market.values())
        answers = {i: max(1, round(feeds[i].answer * (1 + change))) for i, change in changes.items()}
        self.world.set_prices({self.listed[i]: answer / 10**8 for i, answer in answers.items()})
        for i, answer in answers.items():
            feeds[i].answer, feeds[i].updated_at = answer, self.now

    @property
    def cash_at(self) -> int:
        """The cash's index in the market."""
        return len(self.market) - 1

    @action(moves=st.lists(DRIFT, min_size=4, max_size=4))
    def prices_drift(self, moves: list[float]) -> None:
        self.push({**dict(enumerate(moves)), self.cash_at: 0.0})
        self.prices_moved()
        self.did()

    @action(common=GAP, own=st.lists(DRIFT, min_size=4, max_size=4))
    def prices_gap(self, common: float, own: list[float]) -> None:
        self.push({i: (1 + common) * (1 + o) - 1 for i, o in enumerate(own)})
        self.prices_moved()
        self.did()

    @precondition(can_crash)
    @action(to=st.floats(0.7, 1.6))
    def a_crash_comes(self, to: float) -> None:
        """All prices move so that the health factor is about that: ripcords and liquidators have work."""
        change = to * WAD / self.view.health - 1
        self.push(dict.fromkeys(range(self.cash_at), max(-0.9, min(1.0, change))))
        self.prices_moved()
        self.did()

    @action(asset=ASSET, move=GAP)
    def one_price_gaps(self, asset: int, move: float) -> None:
        self.push({asset: move})
        self.prices_moved()
        self.did()

    @action(to=st.sampled_from([1.0, 1.0, 0.999, 0.97, 0.88, 1.02, 0.51]))
    def cash_leaves_its_peg(self, to: float) -> None:
        self.push({self.cash_at: to * 10**8 / max(1, self.feeds[-1].answer) - 1})
        self.prices_moved()
        self.did()

    @action(asset=st.integers(0, 4), how=st.sampled_from(["dead", "absurd", "future", "stale"]))
    def a_feed_fails(self, asset: int, how: str) -> None:
        feed = self.market[self.listed[asset]]
        answer = {"dead": 0, "absurd": 10**18}.get(how, feed.answer)
        at = {"future": self.now + HOUR, "stale": max(1, self.now - feed.heartbeat - 1)}.get(how, self.now)
        self.world.push_round(self.listed[asset], answer, at)
        if 0 < feed.answer < 10**16:
            self.sound[self.listed[asset]] = feed.answer
        feed.answer, feed.updated_at = answer, at
        self.prices_moved()
        self.did()

    @action()
    def feeds_recover(self) -> None:
        """Every feed has a round of now; those that failed come back with what they said before."""
        for name, answer in self.sound.items():
            self.market[name].answer = answer
        self.sound.clear()
        self.push(dict.fromkeys(range(len(self.market)), 0.0))
        self.prices_moved()
        self.did()

    @property
    def sound(self) -> dict[str, int]:
        """Last sound answers of feeds that failed."""
        return self.__dict__.setdefault("_sound", {})

    # ------------------------------------------------------------------ time

    def wait(self, seconds: int) -> None:
        if not seconds:
            return
        rate = self.s.account.call("borrowRateWad") if self.levered else 0
        self.s.warp(seconds)
        self.time_passed(rate)

    @action(seconds=st.sampled_from([1, 12, 60, 300, 700, HOUR, 5 * HOUR]))
    def minutes_pass(self, seconds: int) -> None:
        self.wait(seconds)
        self.did()

    @action(days=st.sampled_from([1, 1, 2, 4, 30, 200]), fresh=st.booleans())
    def days_pass(self, days: int, fresh: bool) -> None:
        """With the feeds' heartbeats or without."""
        self.wait(days * DAY)
        if fresh:
            self.feeds_beat()
        self.did()

    def feeds_beat(self) -> None:
        self.push({i: 0.0 for i, name in enumerate(self.listed) if name not in self.sound})
        self.prices_moved()

    # ----------------------------------------------------------------- pools

    @action(asset=ASSET, buy=st.booleans(), usd=st.sampled_from([10_000, 1_000_000, TRADER_USD]))
    def a_pool_is_pushed(self, asset: int, buy: bool, usd: int) -> None:
        """A trader swaps; the vault's books do not care what a pool says."""
        name = self.listed[asset]
        token, feed = self.world.tokens[name], self.market[name]
        unit = 10**feed.decimals
        price = max(1, feed.answer) / 10**8
        amount = usd * 10**6 if buy else max(1, int(usd / price * unit))
        sides = (self.s.cash, token) if buy else (token, self.s.cash)
        self.world.fund(USD if buy else name, self.s.mallory, amount)
        fee, who = self.world.assets[asset].pool_fee, self.s.mallory
        order = (*sides, fee, who, LATER, amount, 0, 0)
        self.attempt(self.world.router, "exactInputSingle", order, sender=who, unless=["Error"])
        self.prices_moved()

    @action()
    def pools_come_back(self) -> None:
        self.world.align_pools()
        self.prices_moved()
        self.did()
