"""Reports, coordinates and the mode, as contracts/README.md tells them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tests.stateful.model.prices import up

WAD = 10**18
DAY = 86_400
NORMAL, NO_INCREASE, DELEVER_ONLY, IN_KIND_ONLY = range(4)
LEAST, MOST = 10**5, 4 * 10**9
TOLERANCE = Fraction(1, 10**6)

Lanes = list[int]


def lanes_of(word: int, n: int) -> Lanes:
    """The first n lanes of a WORD8."""
    return [word >> (32 * i) & 0xFFFFFFFF for i in range(n)]


@dataclass
class Reports:
    """What has been posted. Volatilities in 1e-8, times in seconds, `posts` as the oracle keeps two."""

    volatilities_at: int
    settles_at: int
    count: int
    posts: list[Lanes]
    max_age: int
    settle_period: int
    max_fall_wad: int
    correlations_at: int
    settled_at: int = 0
    latest: int = 1
    has_correlations: bool = True
    has_coordinates: bool = True

    def settled(self, now: int) -> bool:
        return now >= self.settles_at

    def in_use(self, now: int) -> Lanes:
        return self.posts[self.latest if self.settled(now) else 1 - self.latest]

    def in_use_at(self, now: int) -> int:
        """Observation time of what is in use, 0 before there was any."""
        return self.volatilities_at if self.settled(now) else self.settled_at

    def forget(self, n: int) -> None:
        """The assets are `n` others: values go, times stay."""
        self.posts = [[0] * n, [0] * n]
        self.settled_at, self.settles_at, self.count = self.volatilities_at, 0, 0
        self.has_correlations = self.has_coordinates = False

    def post(self, reports: Sequence[tuple[int, Lanes]], now: int) -> str | None:
        """Take a quorum's reports {(time, lanes)}, or name the error and change nothing."""
        settled_at, latest, at = self.settled_at, self.latest, reports[0][0]
        if self.settled(now):
            settled_at, latest = self.volatilities_at, 1 - latest
            if at > now:
                return "VolatilityOracle__ReportFromFuture"
            if at + self.max_age < now:
                return "VolatilityOracle__ReportTooOld"
            if at <= settled_at:
                return "VolatilityOracle__ReportNotNewer"
        elif at != self.volatilities_at or len(reports) <= self.count:
            return "VolatilityOracle__RoundOpen"
        if any(other != at for other, _ in reports):
            return "VolatilityOracle__TimesDiffer"
        lanes = list(zip(*(vols for _, vols in reports), strict=True))
        if any(not LEAST <= v <= MOST for lane in lanes for v in lane):
            return "VolatilityOracle__VolatilityOutOfRange"
        vols = [sorted(lane)[len(lane) // 2] for lane in lanes]
        if settled_at:
            kept = max(0, WAD - self.max_fall_wad * (at - settled_at) // DAY)
            base = self.posts[1 - latest]
            vols = [max(v, up(old, kept, WAD)) for v, old in zip(vols, base, strict=True)]
        self.settled_at, self.latest, self.count = settled_at, latest, len(reports)
        self.posts[latest], self.volatilities_at = vols, at
        self.settles_at = now + self.settle_period
        return None


def certificate_error(x: Sequence[int], c: Sequence[Sequence[int]], b: Sequence[int]) -> Fraction:
    """max |x_i (Cx)_i - b_i|, exactly: x and b in 1e-8, C in 1/32767 with 32767 on its diagonal."""
    n = len(x)
    return max(
        abs(Fraction(x[i] * sum(c[i][j] * x[j] for j in range(n)), 32_767 * 10**16) - Fraction(b[i], 10**8))
        for i in range(n)
    )


@dataclass
class Guard:
    """Parameters of the guard and what is paused."""

    volatilities_fresh_for: int
    delever_after: int
    correlations_fresh_for: int
    correlations_delever_after: int
    trigger: int
    increase: int
    target: int
    increases_paused: bool = False
    deposits_paused: bool = False

    def risk_mode(self, r: Reports, now: int) -> int:
        if not r.in_use_at(now):
            return NO_INCREASE
        age = now - r.in_use_at(now)
        if age > self.delever_after:
            return DELEVER_ONLY
        stale = age > self.volatilities_fresh_for or now - r.correlations_at > self.correlations_fresh_for
        return NO_INCREASE if stale or not r.has_coordinates or self.increases_paused else NORMAL

    def mode(self, r: Reports, now: int, live: bool, health: int | None) -> int:
        """`health` {WAD}: None when the venue cannot tell, the largest integer without debt."""
        if not live or health is None:
            return IN_KIND_ONLY
        if health < self.trigger:
            return DELEVER_ONLY
        return max(self.risk_mode(r, now), NO_INCREASE if health < self.increase else NORMAL)

    def deposits_open(self, r: Reports, now: int, live: bool, health: int | None) -> bool:
        return not self.deposits_paused and self.mode(r, now, live, health) <= NO_INCREASE
