"""Collects what the signers sign and brings it to the chain, once. Its key pays gas; nobody trusts it.

Everything that it decides follows from the chain, from the signers' answers and from its outbox, so that it
may be killed at any moment: a step begun again ends like the first.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np

from equipoise.client.chain import RpcError
from equipoise.client.contract import Contract
from equipoise.client.dispatch import Dispatcher
from equipoise.client.logs import read_events
from equipoise.client.signing import SigningChain
from equipoise.errors import EquipoiseError, InputError, OracleError
from equipoise.estimation.psd import repair_correlation
from equipoise.oracle.asking import Signers
from equipoise.oracle.outbox import Outbox, Posting
from equipoise.oracle.payload import CorrelationReport, Signature, SignedVolatilities, VolatilityReport
from equipoise.oracle.publisher import Publisher
from equipoise.oracle.service import CORRELATIONS, VOLATILITIES
from equipoise.types import FloatArray
from equipoise.units import CORRELATION_SCALE, DAY, WAD, unpack_word8

__all__ = ["Relay", "RelayConfig"]

_LOG = logging.getLogger(__name__)
_CORRECTIONS = "corrections"
_ODD = (KeyError, TypeError, ValueError, OverflowError)
"""What numbers that are none raise: JSON may say 1e999."""
_LOOK_BACK = 15_000  # blocks: an hour, the longest settle period, on the fastest chains
_POST = {
    VOLATILITIES: "postVolatilities",
    CORRELATIONS: "postCorrelations",
    _CORRECTIONS: "postVolatilities",
}


@dataclass(frozen=True)
class RelayConfig:
    """How a relay works.

    Attributes
    ----------
    cadence, correlations_every
        Reports are for multiples of `cadence` {s}; correlations every `correlations_every` {s}, a multiple.
    timeout, patience
        Longest wait for a signer {s}; and for the rest, once a quorum has answered.
    correct_above
        A post that has not settled is replaced by one of more reports, its own among them, when a volatility
        of it is off by more than this fraction.
    """

    cadence: int = 86_400
    correlations_every: int = 7 * 86_400
    timeout: float = 10.0
    patience: float = 2.0
    correct_above: float = 0.05

    def __post_init__(self) -> None:
        if self.cadence < 1 or self.correlations_every < 1 or self.correlations_every % self.cadence:
            raise InputError(
                f"cadence is {self.cadence} and correlations_every {self.correlations_every}; give whole "
                "seconds, the second a multiple of the first"
            )
        if not 0 < self.patience <= self.timeout:
            raise InputError(f"patience is {self.patience} s; it must be in (0, timeout = {self.timeout}]")


class Relay:
    """One relay for one oracle.

    Parameters
    ----------
    oracle
        VolatilityOracle over a `SigningChain`, whose key pays the gas.
    signers
        Base URLs of the signers.
    transport
        How they are reached; plain HTTP by default.
    dispatcher
        Of the same key and outbox, where its owner sends other things too.
    """

    def __init__(
        self,
        oracle: Contract,
        signers: Sequence[str],
        outbox: Outbox,
        config: RelayConfig | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        dispatcher: Dispatcher | None = None,
    ) -> None:
        if not isinstance(oracle.chain, SigningChain):
            raise InputError("a relay signs its own transactions; give an oracle over a SigningChain")
        self.oracle = oracle
        self.chain = oracle.chain
        self.outbox = outbox
        self.config = config or RelayConfig()
        self.signers = Signers(signers, self.config.timeout, self.config.patience, transport)
        self.problems: dict[str, str] = {}
        self._judged: tuple[int, ...] = ()
        self._dispatcher = dispatcher or Dispatcher(self.chain, outbox)
        self._publisher = Publisher(oracle, self.chain.sender)

    @property
    def troubles(self) -> dict[str, str]:
        """`problems`, and what is stuck on its way; a keeper tells the latter of its own dispatcher."""
        return {**self.problems, **self._dispatcher.problems}

    # ------------------------------------------------------------------- work

    def step(self) -> list[str]:
        """Do all that can be done now: the kinds that landed. Problems are kept in `problems`, not raised."""
        landed = self._settle()
        for kind, deliver in ((CORRELATIONS, self._correlations), (VOLATILITIES, self._volatilities)):
            slot = self._due(kind)
            if slot is None:
                self.problems.pop(kind, None)
                continue
            try:
                self._post(kind, slot, deliver(slot))
                landed.append(kind)
                self.problems.pop(kind, None)
            except EquipoiseError as error:
                if self.problems.get(kind) != str(error):
                    _LOG.warning("%s of %d: %s", kind, slot, error)
                self.problems[kind] = str(error)
        self._correct()
        return landed

    def attempt(self) -> list[str]:
        """A step that outlives a silent node, and whatever else: the next one begins where this one ended."""
        try:
            landed = self.step()
            self.problems.pop("relay", None)
            return landed
        except EquipoiseError as error:
            _LOG.warning("%s", error)
            self.problems["relay"] = str(error)
        except Exception as error:
            # a relay that has died looks like one that has nothing to do
            _LOG.exception("a step failed")
            self.problems["relay"] = f"{type(error).__name__}: {error}"
        return []

    def _due(self, kind: str) -> int | None:
        """The latest time on the grid, if the chain lacks it and would take it, and it is not on its way."""
        now = self.chain.timestamp()
        slot = now - now % self.config.cadence
        stored = self._stored(kind)
        if kind == VOLATILITIES and now < self.oracle.call("lastPost").settlesAt:
            return None  # until then a post can only be corrected
        pause = self.config.correlations_every if kind == CORRELATIONS and stored else 1
        if slot < stored + pause or slot <= self.outbox.last(kind):
            return None
        return slot if slot + self.oracle.call("params").maxReportAge >= now else None

    def _correct(self) -> None:
        """Answer a post that leaves reports out, while the chain still takes an answer.

        To what the signers say is added what was posted: whoever has all reports has the last word, and a
        minority that answers no relay is outvoted by its own reports. The signers are asked again while those
        who have not answered could still move the post: that they are slow may be what a liar counts on.
        """
        try:
            self._answer()
            self.problems.pop(_CORRECTIONS, None)
        except EquipoiseError as error:
            text = f"no correction: {error}"
            if self.problems.get(_CORRECTIONS) != text:
                _LOG.warning("%s", text)
            self.problems[_CORRECTIONS] = text

    def _answer(self) -> None:
        last = self.oracle.call("lastPost")
        post = last.observedAt, last.reportCount, last.settlesAt
        if self.chain.timestamp() >= last.settlesAt or post == self._judged:
            return
        n, slot = self._publisher.domain.n, last.observedAt
        most = len(self._publisher.quorum().signers)
        if last.reportCount == most:
            self._judged = post
            return
        reports = self._reports(slot) + self._posted()
        (structs,) = args = self._publisher.volatility_call(reports, round_at=slot)
        count, middle = len(structs), most // 2
        words = np.sort([unpack_word8(struct[1], n) for struct in structs], axis=0)
        off = np.abs(unpack_word8(last.vols, n) / np.maximum(words, self._least(slot, n)) - 1).max(axis=1)
        # where the median of all can be, whatever the missing ones say
        possible = off[middle - (most - count) : middle + 1]
        if count > last.reportCount and off[count // 2] > self.config.correct_above:
            key = f"{slot}:{count}:{last.settlesAt}"
            if self.outbox.known(_CORRECTIONS, key):
                return  # on its way
            _LOG.warning(
                "%d reports posted, off by %.0f %%: corrected by %d",
                last.reportCount,
                100 * off[count // 2],
                count,
            )
            self._post(_CORRECTIONS, key, args)
        elif possible.max() <= self.config.correct_above:
            self._judged = post

    def _least(self, slot: int, n: int) -> FloatArray:
        """Volatilities below which the speed limit lets none of that time fall, while the round is open."""
        base = self.oracle.call("reportedVolatilities")
        days = (slot - self.oracle.call("reportTimes").volatilitiesAt) / DAY
        kept = max(0.0, 1 - self.oracle.call("params").maxFallPerDayWad / WAD * days)
        return kept * unpack_word8(base, n) if base else np.zeros(n)

    def _posted(self) -> list[SignedVolatilities]:
        """What was posted lately, by whomever; nothing where the node gives no logs."""
        since = max(0, self.chain.height() - _LOOK_BACK)
        try:
            events = [event for _, event in read_events(self.oracle, "ReportsPosted", since=since)]
        except RpcError as error:
            _LOG.info("no logs: %s", error)
            return []
        return [
            SignedVolatilities(VolatilityReport(one.observedAt, one.vols), one.r, one.vs)
            for event in events
            for one in event.reports
        ]

    def _settle(self) -> list[str]:
        """See what became of what was sent: the kinds that landed."""
        return [posting.kind for posting in self._dispatcher.settle(self.stands) if posting.kind in _POST]

    def stands(self, posting: Posting) -> bool:
        """Whether the chain has that report, or a later one; of a correction as many reports, or more."""
        if posting.kind == _CORRECTIONS:
            last = self.oracle.call("lastPost")
            at, count, _ = map(int, str(posting.key).split(":"))
            return bool((last.observedAt, last.reportCount) >= (at, count))
        return posting.kind in _POST and self._stored(posting.kind) >= int(posting.key)

    def _stored(self, kind: str) -> int:
        """Time of the report of that kind on chain, settled or not {unix s}, 0 before the first."""
        if kind == CORRELATIONS:
            return int(self.oracle.call("reportTimes").correlationsAt)
        return int(self.oracle.call("lastPost").observedAt)

    def _post(self, kind: str, key: int | str, args: Sequence[Any]) -> None:
        """Raises ContractRevert when the chain would refuse it."""
        data = self.oracle.encode(_POST[kind], *args)
        self._dispatcher.send(kind, key, self.oracle.address, data, self.oracle.name)

    # ---------------------------------------------------------------- signers

    def _volatilities(self, slot: int) -> Sequence[Any]:
        return self._publisher.volatility_call(self._reports(slot))

    def _reports(self, slot: int) -> list[SignedVolatilities]:
        """For exactly that time: an older one would age the whole."""
        answers = self._ask("GET", f"/v1/volatilities/{slot}")
        reports = [report for report in map(_signed, answers) if report is not None]
        return [report for report in reports if report.report.observed_at == slot]

    def _correlations(self, slot: int) -> Sequence[Any]:
        """A matrix that honest signers can sign, and their signatures of it."""
        report = self._proposal(slot)
        body = {"observed_at": slot, "correlations": list(map(str, report.correlations))}
        answers = self._ask("POST", "/v1/correlations", body)
        signatures = [pair for pair in map(_signature, answers) if pair is not None]
        return self._publisher.correlation_call(report, signatures)

    def _proposal(self, slot: int) -> CorrelationReport:
        """The median of the opinions, pair by pair: while fewer than half lie, it is between honest ones.

        Mixed with as much of the identity as the chain's eigenvalue floor needs: medians of pairs, and a liar
        who knows the others' opinions, can bring it below.
        """
        domain, threshold = self._publisher.domain, self._publisher.quorum().threshold
        matrices = []
        for answer in self._ask("GET", f"/v1/correlations/{slot}"):
            try:
                matrices.append(CorrelationReport(slot, _words(answer)).correlation(domain.n))
            except EquipoiseError:
                continue  # no matrix
        if len(matrices) < threshold:
            raise OracleError(f"{len(matrices)} signers gave a matrix for {slot}; {threshold} are needed")
        floor = self.oracle.call("params").eigenvalueFloorWad / WAD + domain.n / CORRELATION_SCALE
        return CorrelationReport.of(repair_correlation(np.median(matrices, axis=0), floor), slot)

    def _ask(self, method: str, path: str, body: object = None) -> list[dict[str, Any]]:
        return self.signers.ask(method, path, body, enough=self._publisher.quorum().threshold)


def _words(answer: dict[str, Any]) -> tuple[int, int]:
    try:
        low, high = (int(word) for word in answer["correlations"])
    except _ODD as error:
        raise OracleError(f"no matrix in {str(answer)[:80]}") from error
    if not (0 <= low < 2**256 and 0 <= high < 2**256):
        raise OracleError("the matrix is not two words of 256 bits")
    return low, high


def _signature(answer: dict[str, Any]) -> Signature | None:
    try:
        pair = bytes.fromhex(answer["r"][2:]), bytes.fromhex(answer["vs"][2:])
    except (KeyError, TypeError, ValueError):
        return None
    return pair if len(pair[0]) == len(pair[1]) == 32 else None


def _signed(answer: dict[str, Any]) -> SignedVolatilities | None:
    """None for what is no report: the aggregator judges the rest."""
    pair = _signature(answer)
    try:
        report = VolatilityReport(int(answer["observed_at"]), int(answer["vols"]))
    except (*_ODD, EquipoiseError):
        return None
    return SignedVolatilities(report, *pair) if pair and 0 <= report.vols < 2**256 else None
