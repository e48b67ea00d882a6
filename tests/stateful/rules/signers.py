"""Reports of honest signers, of liars among them, of no quorum at all; correlations, coordinates, pokes."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
from hypothesis import strategies as st

from equipoise.oracle.payload import CorrelationReport, VolatilityReport
from equipoise.oracle.signer import Signer
from equipoise.oracle.typed_data import Domain
from equipoise.solver.parity import solve_parity
from equipoise.units import pack_word8, unpack_correlations
from tests.stateful.model.risk import TOLERANCE, certificate_error, lanes_of
from tests.stateful.rules.market import Market
from tests.stateful.steps import action

NOISE = st.floats(0.9, 1.1)
LEVEL = st.one_of(st.floats(0.8, 1.25), st.floats(0.3, 3.0))
AGE = st.sampled_from([0, 0, 0, 1, 60, 700])
USUAL = {"BTC": 0.3, "ETH": 0.4, "GOLD": 0.1, "LINK": 0.6}
STRANGER = b"\x77" * 32
TRICKS = (
    "few",
    "none",
    "twice the same",
    "descending",
    "a stranger",
    "another chain",
    "tampered",
    "future",
    "stale",
    "another time",
    "replay",
    "out of bounds",
    "unused lane",
)
REFUSED = (
    "VolatilityOracle__QuorumNotReached",
    "VolatilityOracle__SignersNotAscending",
    "VolatilityOracle__NotSigner",
    "VolatilityOracle__Report",
    "VolatilityOracle__RoundOpen",
    "VolatilityOracle__TimesDiffer",
    "VolatilityOracle__VolatilityOutOfRange",
    "VolatilityOracle__UnusedLanesNotZero",
)
Struct = tuple[int, int, bytes, bytes]


class Signers(Market):
    """All signers are at hand, in ascending order of address, and sign for the basket of now."""

    @property
    def signers(self) -> list[Signer]:
        known = set(self.s.volatility_oracle.call("signers"))
        tokens = tuple(self.world.tokens[name].address for name in self.basket)
        domain = replace(self.s.signers[0].domain, assets=tokens)
        here = [Signer(s.key, domain) for s in self.s.signers if s.address in known]
        return sorted(here, key=lambda s: int(s.address, 16))

    @property
    def vols(self) -> Any:
        """What honest signers say at level 1."""
        return np.array([USUAL[name] for name in self.basket])

    @property
    def threshold(self) -> int:
        return int(self.s.volatility_oracle.call("threshold"))

    def _signed(self, signer: Signer, vols: Any, at: int) -> Struct:
        return signer.sign_volatilities(np.clip(vols, 0.001, 40.0), at).to_struct()

    def _post(self, reports: list[Struct]) -> bool:
        """Post what a quorum signed: the model says whether it is taken, and what is in use then."""
        lanes = [(at, lanes_of(word, self.n)) for at, word, _, _ in reports]
        refusal = self.reports.post(lanes, self.now)
        args = (reports,)
        taken = self.predicted(
            refusal, self.s.volatility_oracle, "postVolatilities", *args, sender=self.s.keeper
        )
        self.last_post = reports if taken else self.last_post
        self.prices_moved()
        return bool(taken)

    @property
    def last_post(self) -> list[Struct]:
        return self.__dict__.get("_last_post", [])

    @last_post.setter
    def last_post(self, reports: list[Struct]) -> None:
        self.__dict__["_last_post"] = reports

    def _time(self, age: int) -> int:
        """Of an open round the time that it is of: nothing else is taken. Else `age` seconds ago."""
        return self.now - age if self.reports.settled(self.now) else self.reports.volatilities_at

    # ---------------------------------------------------------- volatilities

    @action(level=LEVEL, noise=st.lists(NOISE, min_size=5, max_size=5), age=AGE, absent=st.integers(0, 2))
    def honest_signers_report(self, level: float, noise: list[float], age: int, absent: int) -> None:
        """Some may be absent: a quorum suffices."""
        signers = self.signers
        present = signers[: max(min(self.threshold, len(signers)), len(signers) - absent)]
        if len(present) < self.threshold:
            return
        vols = self.vols * level
        at = self._time(age)
        self._post([self._signed(s, vols * f, at) for s, f in zip(present, noise, strict=False)])

    @action(
        lie=st.sampled_from([0.001, 0.01, 10.0, 40.0]),
        level=LEVEL,
        first=st.booleans(),
        before=st.sampled_from(["nothing", "a quorum with the liars", "the honest, then more liars"]),
        late=st.booleans(),
    )
    def liars_are_outvoted(self, lie: float, level: float, first: bool, before: str, late: bool) -> None:
        """Fewer than half of all lie, inside the bounds: the median is between two honest words.

        Also when they were `before` in the same round, at the last moment if `late`, and answer nobody: what
        they posted is added to what the honest say.
        """
        signers, m = self.signers, self.threshold
        liars = (len(signers) - 1) // 2
        if len(signers) < m:
            return
        vols, at = self.vols * level, self._time(0)
        lying = set(range(liars) if first else range(len(signers) - liars, len(signers)))
        reports = [
            self._signed(s, np.full(self.n, lie) if i in lying else vols * (1 + i / 100), at)
            for i, s in enumerate(signers)
        ]
        if before != "nothing":
            truth = [i for i in range(len(signers)) if i not in lying]
            if before != "a quorum with the liars" and len(truth) >= m:
                self._post([reports[i] for i in truth])
                self._wait_in_round(late)
            for count in range(m, len(signers)):
                posted = sorted([*lying, *truth[: max(0, count - liars)]])
                if len(posted) > self.reports.count or self.reports.settled(self.now):
                    self._post([reports[i] for i in posted])
                    break
            self._wait_in_round(late)
        if not self._post(reports):
            return
        event = self.s.volatility_oracle.call("lastPost").vols
        honest = [lanes_of(r[1], self.n) for i, r in enumerate(reports) if i not in lying]
        for lane, words in zip(lanes_of(event, self.n), zip(*honest, strict=True), strict=True):
            # a fall is slowed, so that the word may be above the honest ones
            assert lane >= min(words)

    def _wait_in_round(self, late: bool) -> None:
        """Until its last second, if it has not settled."""
        if late and not self.reports.settled(self.now):
            self.wait(self.reports.settles_at - 1 - self.now)

    @action(factor=st.sampled_from([0.2, 0.5, 3.0, 20.0]))
    def a_majority_lies(self, factor: float) -> None:
        """Collusion at the quorum, inside the bounds: what they cannot do is in every invariant."""
        signers = self.signers[: self.threshold]
        if len(signers) < self.threshold:
            return
        vols, at = self.vols * factor, self._time(0)
        self._post([self._signed(s, vols, at) for s in signers])

    @action(trick=st.sampled_from(TRICKS), level=LEVEL)
    def an_adversary_posts(self, trick: str, level: float) -> None:
        """Whatever is not M distinct signers' own word of now is refused and changes nothing."""
        reports = self._trick(trick, self.vols * level)
        if reports is None:
            return
        before = self._oracle_state()
        refused = self.attempt(
            self.s.volatility_oracle, "postVolatilities", reports, sender=self.s.mallory, unless=REFUSED
        )
        assert refused is None, f"{trick}: accepted"
        assert self._oracle_state() == before
        self.prices_moved()

    def _trick(self, trick: str, vols: Any) -> list[Struct] | None:
        signers, m, now = self.signers, self.threshold, self.now
        if len(signers) < m:
            return None
        honest = [self._signed(s, vols, now) for s in signers]
        if trick == "few":
            return honest[: m - 1]
        if trick == "none":
            return []
        if trick == "twice the same":
            return [*honest[: m - 1], honest[m - 2]]
        if trick == "descending":
            return honest[::-1]
        if trick == "a stranger":
            return self._sorted([*signers[: m - 1], Signer(STRANGER, signers[0].domain)], vols, now)
        if trick == "another chain":
            d = signers[0].domain
            far = Domain(d.chain_id + 1, d.oracle, d.assets)
            return self._sorted([Signer(s.key, far) for s in signers], vols, now)
        if trick == "tampered":
            return [(at, word + 1, r, vs) for at, word, r, vs in honest]
        if trick == "future":
            return [self._signed(s, vols, now + 1 + i) for i, s in enumerate(signers)]
        if trick == "stale":
            return [self._signed(s, vols, now - self.reports.max_age - 1) for s in signers]
        if trick == "another time":
            return [self._signed(s, vols, now - i) for i, s in enumerate(signers)]
        if trick == "replay":
            # the same words once more: of an open round from which a signer has left any quorum's are taken
            reopened = not self.reports.settled(now) and self.reports.count == 0
            return None if reopened else self.last_post or None
        word = pack_word8(np.clip(vols, 0.001, 40.0))
        bad = word & ~0xFFFFFFFF | 99_999 if trick == "out of bounds" else word | 1 << (32 * self.n)
        return [self._raw(s, bad, now) for s in signers]

    def _sorted(self, signers: list[Signer], vols: Any, at: int) -> list[Struct]:
        return [self._signed(s, vols, at) for s in sorted(signers, key=lambda s: int(s.address, 16))]

    def _raw(self, signer: Signer, word: int, at: int) -> Struct:
        return at, word, *signer._sign(VolatilityReport(at, word))

    def _oracle_state(self) -> Any:
        o = self.s.volatility_oracle
        return o.call("lastPost"), o.call("riskData"), o.call("reportedVolatilities")

    # ---------------------------------------------------------- correlations

    @action(
        pairs=st.lists(st.floats(-0.6, 0.98), min_size=6, max_size=6),
        few=st.sampled_from([False, False, False, True]),
        solved_here=st.booleans(),
    )
    def signers_cosign_correlations(self, pairs: list[float], few: bool, solved_here: bool) -> None:
        """The chain takes positive definite matrices of a quorum, and has or finds their coordinates."""
        n = self.n
        matrix = np.eye(n)
        for value, (i, j) in zip(pairs, combinations(range(n), 2), strict=False):
            matrix[i, j] = matrix[j, i] = value
        report = CorrelationReport.of(matrix, self.now)
        signers = self.signers[: self.threshold - few]
        signatures = [s.cosign_correlations(report, matrix) for s in signers]
        coordinates = 0
        if solved_here and np.linalg.eigvalsh(report.correlation(n))[0] > 0.005:
            coordinates = self._solved(report.correlation(n))
        args = ((report.observed_at, report.correlations), signatures, coordinates)
        refusals = ["VolatilityOracle__NotPositiveDefinite", "VolatilityOracle__ReportNotNewer"]
        refusals += ["VolatilityOracle__QuorumNotReached"]
        before = self._oracle_state()
        oracle, who = self.s.volatility_oracle, self.s.keeper
        if self.attempt(oracle, "postCorrelations", *args, sender=who, unless=refusals):
            assert len(signatures) >= self.threshold
            floor = oracle.call("params").eigenvalueFloorWad / 1e18
            assert np.linalg.eigvalsh(report.correlation(n))[0] >= floor - 1e-9
            self.reports.correlations_at = self.now
            self.reports.has_correlations = self.reports.has_coordinates = True
        else:
            assert self._oracle_state() == before
        self.prices_moved()

    def _solved(self, matrix: Any) -> int:
        budgets = np.array(lanes_of(self.s.volatility_oracle.call("budgets"), self.n)) / 1e8
        return int(pack_word8(solve_parity(matrix, budgets).coordinates))

    @action(
        kind=st.sampled_from(["right", "wrong", "corner", "zero lane"]),
        asset=st.integers(0, 3),
        missing=st.booleans(),
    )
    def anybody_posts_coordinates(self, kind: str, asset: int, missing: bool) -> None:
        """Taken if and only if they satisfy parity within 1e-6 and better than those there are, exactly.

        With `missing` the owner, if one that acts at once, has set the budgets anew before: there are none.
        """
        asset %= self.n
        if missing and not self.governed:
            word = self.s.volatility_oracle.call("budgets")
            self.s.volatility_oracle.send("setBudgets", word, sender=self.s.owner)
            self.reports.has_coordinates = False
        data = self.s.volatility_oracle.call("riskData")
        c, budgets = self._matrix(data), lanes_of(data.budgets, self.n)
        x = lanes_of(self._solved(unpack_correlations(data.correlations, self.n)), self.n)
        if kind == "wrong":
            x[asset] += x[asset] // 1000
        elif kind == "zero lane":
            x[asset] = 0
        elif kind == "corner":
            x = self._corner(x, c, budgets, asset)
        word = sum(lane << (32 * i) for i, lane in enumerate(x))
        error, refusal = certificate_error(x, c, budgets), None
        if not self.reports.has_correlations:
            refusal = "VolatilityOracle__NoCorrelations"
        elif 0 in x:
            refusal = "VolatilityOracle__CoordinateZero"
        elif error > TOLERANCE:
            refusal = "VolatilityOracle__CertificateFailed"
        elif data.coordinates:
            standing = certificate_error(lanes_of(data.coordinates, self.n), c, budgets)
            # errors count rounded up to 1e-18
            if -(-error * 10**18 // 1) >= -(-standing * 10**18 // 1):
                refusal = "VolatilityOracle__CoordinatesNotBetter"
        args = (word,)
        oracle = self.s.volatility_oracle
        if self.predicted(refusal, oracle, "postCoordinates", *args, sender=self.s.mallory):
            self.reports.has_coordinates = True
        self.prices_moved()

    def _corner(self, x: list[int], c: list[list[int]], b: list[int], asset: int) -> list[int]:
        """The farthest that one coordinate can be off, to the last unit, or one unit beyond."""
        low, high = 0, x[asset]
        while low < high:
            middle = (low + high + 1) // 2
            moved = [v + middle * (i == asset) for i, v in enumerate(x)]
            if certificate_error(moved, c, b) <= TOLERANCE:
                low = middle
            else:
                high = middle - 1
        beyond = x[asset] & 1
        return [v + (low + beyond) * (i == asset) for i, v in enumerate(x)]

    def _matrix(self, data: Any) -> list[list[int]]:
        floats = unpack_correlations(data.correlations, self.n)
        return [[round(value * 32_767) for value in row] for row in floats]

    @action()
    def anybody_has_the_chain_solve(self) -> None:
        refusal = None if self.reports.has_correlations else "VolatilityOracle__NoCorrelations"
        refusals = ["VolatilityOracle__CoordinatesNotBetter"]
        oracle, who = self.s.volatility_oracle, self.s.mallory
        if self.predicted(refusal, oracle, "solveCoordinates", sender=who, unless=refusals):
            self.reports.has_coordinates = True
        self.prices_moved()

    # ----------------------------------------------------------------- pokes

    @action(parity=st.booleans())
    def anybody_pokes(self, parity: bool) -> None:
        """The first poke that is due, and no other."""
        realized = self.s.contracts.realized_volatility
        due = realized.call("dueAt")
        if parity:
            refusals = ["RealizedVolatility__"]
            self.attempt(realized, "pokeParity", sender=self.s.mallory, unless=refusals)
        else:
            early = "RealizedVolatility__TooEarly" if self.now < due.pokeAt else None
            self.predicted(early, realized, "poke", sender=self.s.mallory)
        self.prices_moved()
