"""Relays aggregated reports to the chain. It can neither change nor invent one: the signatures decide."""

from __future__ import annotations

from collections.abc import Iterable

from equipoise.client import Contract, Receipt
from equipoise.oracle.aggregator import Quorum, aggregate_correlations, aggregate_volatilities
from equipoise.oracle.payload import CorrelationReport, Signature, SignedVolatilities
from equipoise.oracle.typed_data import Domain
from equipoise.solver.parity import solve_parity
from equipoise.units import pack_word8, unpack_word8

__all__ = ["Publisher"]


class Publisher:
    """Relays reports to one oracle.

    Parameters
    ----------
    oracle
        Handle to a VolatilityOracle.
    sender
        Account that pays the gas; it needs no permission.
    """

    def __init__(self, oracle: Contract, sender: str) -> None:
        self.oracle = oracle
        self.sender = sender

    @property
    def domain(self) -> Domain:
        """Where signatures for this oracle are valid, read anew: governance may change the basket."""
        return Domain(self.oracle.chain.chain_id, self.oracle.address, tuple(self.oracle.call("assets")))

    def quorum(self) -> Quorum:
        """Who may sign now."""
        return Quorum.of(self.oracle.call("signers"), self.oracle.call("threshold"))

    def post_volatilities(
        self, reports: Iterable[SignedVolatilities], now: int | None = None, gas: int | None = None
    ) -> Receipt:
        """Drop what the oracle would refuse, post the rest.

        `now` in unix seconds, default the latest block's time. Raises OracleError below the quorum,
        ContractRevert when the chain refuses all the same.
        """
        return self.oracle.send(
            "postVolatilities", *self.volatility_call(reports, now), sender=self.sender, gas=gas
        )

    def volatility_call(
        self,
        reports: Iterable[SignedVolatilities],
        now: int | None = None,
        round_at: int | None = None,
    ) -> tuple[list[tuple[int, int, bytes, bytes]]]:
        """Arguments of `postVolatilities`, from reports newer than the last post.

        With `round_at`, the time of a post that has not settled: from reports of that time, however old.

        Raises OracleError below the quorum.
        """
        now = self.oracle.chain.timestamp() if now is None else now
        if round_at is None:
            newer_than = self.oracle.call("lastPost").observedAt
            max_age = self.oracle.call("params").maxReportAge
        else:
            reports = [signed for signed in reports if signed.report.observed_at == round_at]
            newer_than, max_age = round_at - 1, now - round_at
        chosen = aggregate_volatilities(
            reports, self.domain, self.quorum(), now=now, max_age=max_age, newer_than=newer_than
        )
        return ([signed.to_struct() for signed in chosen],)

    def post_correlations(
        self,
        report: CorrelationReport,
        signatures: Iterable[Signature],
        coordinates: int | None = None,
        gas: int | None = None,
    ) -> Receipt:
        """Post a co-signed matrix with the parity coordinates that it implies.

        `coordinates` is a WORD8, solved here when omitted, 0 to let the chain solve (dearer).
        Raises OracleError below the quorum, SolverError, ContractRevert.
        """
        args = self.correlation_call(report, signatures, coordinates)
        return self.oracle.send("postCorrelations", *args, sender=self.sender, gas=gas)

    def correlation_call(
        self, report: CorrelationReport, signatures: Iterable[Signature], coordinates: int | None = None
    ) -> tuple[tuple[int, tuple[int, int]], list[Signature], int]:
        """Arguments of `postCorrelations`. Raises OracleError below the quorum, SolverError."""
        chosen = aggregate_correlations(report, signatures, self.domain, self.quorum())
        word = self.coordinates(report) if coordinates is None else coordinates
        return (report.observed_at, report.correlations), chosen, word

    def coordinates(self, report: CorrelationReport) -> int:
        """WORD8 of the coordinates for the matrix as the chain reads it and the oracle's budgets."""
        n = self.domain.n
        budgets = unpack_word8(self.oracle.call("budgets"), n)
        return pack_word8(solve_parity(report.correlation(n), budgets).coordinates)
