"""One signer as a service: its own key, data and model behind HTTP. It signs what it believes, or says why.

What it refuses: a time that is not on its grid, not yet or too long ago; stale or gapped data; another basket
than the oracle's of now; a matrix that is not its own within a tolerance; a second, different report of
volatilities for a time (the journal outlives restarts).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from pydantic import BaseModel

from equipoise.errors import EquipoiseError, InputError, OracleError
from equipoise.estimation.blend import BlendConfig, Blended, blend
from equipoise.estimation.implied import ImpliedVolatility
from equipoise.oracle.journal import Journal
from equipoise.oracle.payload import CorrelationReport
from equipoise.oracle.signer import Signer
from equipoise.oracle.sources import PriceSource, check_fresh
from equipoise.oracle.typed_data import Domain

__all__ = ["CORRELATIONS", "VOLATILITIES", "ServicePolicy", "SignerService", "scope_of", "signer_app"]

VOLATILITIES, CORRELATIONS = "volatilities", "correlations"
Clock = Callable[[], int]


@dataclass(frozen=True)
class ServicePolicy:
    """When a signer signs.

    Attributes
    ----------
    cadence
        Reports are for multiples of this {s}, > 0: a relay cannot pick its moment.
    max_lag
        Oldest time that is still signed {s before now}.
    max_age_days, max_gap_days
        Oldest last close, and longest gap between closes, of any asset.
    """

    cadence: int = 86_400
    max_lag: int = 3_600
    max_age_days: int = 4
    max_gap_days: int = 5

    def __post_init__(self) -> None:
        for name in ("cadence", "max_lag", "max_age_days", "max_gap_days"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; give at least 1")


def scope_of(domain: Domain) -> str:
    """The name of an oracle in a journal: what was signed for one says nothing about another."""
    return f"{domain.chain_id}:{domain.oracle}"


class SignerService:
    """What the HTTP interface calls; safe from several threads.

    Parameters
    ----------
    signer
        Key, oracle and tolerance.
    source, implied
        Where its closes, and its implied volatilities if any, come from.
    journal
        What it has signed before.
    clock
        Seconds since 1970.
    domain
        Where the oracle takes signatures now: its basket may change. Never, by default.
    """

    def __init__(
        self,
        signer: Signer,
        source: PriceSource,
        journal: Journal,
        model: BlendConfig | None = None,
        implied: ImpliedVolatility | None = None,
        policy: ServicePolicy | None = None,
        clock: Clock = lambda: int(datetime.now(UTC).timestamp()),
        domain: Callable[[], Domain] | None = None,
    ) -> None:
        self.signer = signer
        self.source = source
        self.journal = journal
        self.model = model or BlendConfig()
        self.implied = implied
        self.policy = policy or ServicePolicy()
        self.clock = clock
        self.domain = domain or (lambda: signer.domain)
        self.scope = scope_of(signer.domain)
        self._believed: tuple[int, Blended] | None = None
        self._lock = threading.Lock()

    def volatilities(self, observed_at: int) -> dict[str, Any]:
        """The signed report for a time; the same one however often it is asked. Raises OracleError."""
        if (kept := self._kept(VOLATILITIES, observed_at)) is not None:
            return kept
        self._check(observed_at)
        blended = self._believe(observed_at)
        report = self.signer.volatility_report(blended.estimate.vol_ann, observed_at)
        body = {
            "observed_at": observed_at,
            "vols": str(report.vols),
            "model": blended.model_id,
            "model_hash": self.model.model_hash,
            "components": blended.components,
        }
        return self._record(VOLATILITIES, observed_at, self.signer.domain.digest(report), body)

    def opinion(self, observed_at: int) -> CorrelationReport:
        """Its own matrix for a time, unsigned, for a relay to find one that a quorum can sign."""
        self._check(observed_at)
        return self.signer.propose_correlations(self._believe(observed_at).estimate.correlation, observed_at)

    def cosign(self, report: CorrelationReport) -> dict[str, Any]:
        """Sign a matrix that differs from its own by at most the tolerance. Raises OracleError.

        Any number of them: the chain takes one of a time, and whoever asked first, with another matrix for
        each signer, would keep them from signing any together. The first is in the journal.
        """
        self._check(report.observed_at)
        own = self._believe(report.observed_at).estimate.correlation
        self.signer.check_correlations(report, own)
        body = {
            "observed_at": report.observed_at,
            "correlations": [str(word) for word in report.correlations],
            "model": self.model.model_id,
            "model_hash": self.model.model_hash,
        }
        return self._record(CORRELATIONS, report.observed_at, self.signer.domain.digest(report), body)

    def health(self) -> dict[str, Any]:
        """What an operator looks at: `ok` is whether it could sign for the latest time on its grid."""
        now = self.clock()
        due = now - now % self.policy.cadence
        facts: dict[str, Any] = {
            "signer": self.signer.address,
            "oracle": self.scope,
            "source": self.source.name,
            "model": self.model.model_id,
            "now": now,
            "last_volatilities": self.journal.last(self.scope, VOLATILITIES),
            "last_correlations": self.journal.last(self.scope, CORRELATIONS),
        }
        try:
            self._check_basket()
            self._believe(due)
        except EquipoiseError as error:
            return {"ok": False, "reason": str(error), **facts}
        return {"ok": True, "reason": "", **facts}

    # -------------------------------------------------------------- internals

    def _believe(self, observed_at: int) -> Blended:
        """Estimate from what was known at that time; kept for the correlations of the same time."""
        with self._lock:
            if self._believed is None or self._believed[0] != observed_at:
                closes = self.source.closes(observed_at)
                check_fresh(closes, observed_at, self.policy.max_age_days, self.policy.max_gap_days)
                self._believed = observed_at, blend(closes, self.model, self.implied)
            return self._believed[1]

    def _check_basket(self) -> None:
        if self.domain() != self.signer.domain:
            raise OracleError("the oracle's basket is not what it was: restart this signer, with its data")

    def _check(self, observed_at: int) -> None:
        self._check_basket()
        now, policy = self.clock(), self.policy
        if observed_at % policy.cadence:
            raise OracleError(f"{observed_at} is not on the grid; ask for a multiple of {policy.cadence} s")
        if observed_at > now:
            raise OracleError(f"{observed_at} is in the future, it is {now} here; ask later")
        if observed_at < now - policy.max_lag:
            raise OracleError(
                f"{observed_at} is {now - observed_at} s ago, more than {policy.max_lag}; ask for a later one"
            )

    def _kept(self, kind: str, observed_at: int) -> dict[str, Any] | None:
        found = self.journal.get(self.scope, kind, observed_at)
        if found is None:
            return None
        _, r, vs, body = found
        return self._answer(r, vs, body)

    def _record(self, kind: str, observed_at: int, digest: bytes, body: dict[str, Any]) -> dict[str, Any]:
        key, once = self.signer.key, kind == VOLATILITIES
        r, vs, kept = self.journal.record(self.scope, kind, observed_at, digest, body, key.sign, once=once)
        return self._answer(r, vs, kept)

    def _answer(self, r: bytes, vs: bytes, body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "signer": self.signer.address, "r": "0x" + r.hex(), "vs": "0x" + vs.hex()}


class CorrelationsBody(BaseModel):
    """A matrix over HTTP: 256-bit words as decimal text, which JSON keeps exact."""

    observed_at: int
    correlations: tuple[str, str]

    def report(self) -> CorrelationReport:
        """Raises InputError unless the words are numbers of 256 bits."""
        try:
            low, high = (int(word) for word in self.correlations)
        except ValueError as error:
            raise InputError(f"correlations {self.correlations} are not numbers") from error
        if not (0 <= low < 2**256 and 0 <= high < 2**256):
            raise InputError("correlations are not two words of 256 bits")
        return CorrelationReport(self.observed_at, (low, high))


class _Metrics:
    """Prometheus counters of one service; a registry of its own, so that tests may run two."""

    def __init__(self, service: SignerService) -> None:
        self.registry = CollectorRegistry()
        self._answers = Counter(
            "equipoise_signer_answers",
            "Requests by kind and outcome",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "equipoise_signer_seconds", "Time to answer", ["kind"], registry=self.registry
        )
        for kind in (VOLATILITIES, CORRELATIONS):
            gauge = Gauge(
                f"equipoise_signer_last_{kind}",
                f"Time of the last signed {kind} {{unix s}}",
                registry=self.registry,
            )
            gauge.set_function(partial(service.journal.last, service.scope, kind))

    @contextmanager
    def answering(self, kind: str) -> Iterator[None]:
        with self._seconds.labels(kind).time():
            try:
                yield
            except EquipoiseError:
                self._answers.labels(kind, "refused").inc()
                raise
        self._answers.labels(kind, "signed").inc()


def signer_app(service: SignerService) -> FastAPI:
    """The HTTP interface of a signer. Anyone who reaches it can ask; signatures are all that it gives."""
    app = FastAPI(title="Equipoise signer", docs_url=None, redoc_url=None)
    metrics = _Metrics(service)

    @app.exception_handler(EquipoiseError)
    def refused(_: Request, error: EquipoiseError) -> JSONResponse:
        code = 422 if isinstance(error, InputError) else 409
        return JSONResponse({"error": type(error).__name__, "message": str(error)}, code)

    @app.get("/v1/volatilities/{observed_at}")
    def volatilities(observed_at: int) -> dict[str, Any]:
        with metrics.answering(VOLATILITIES):
            return service.volatilities(observed_at)

    @app.get("/v1/correlations/{observed_at}")
    def opinion(observed_at: int) -> dict[str, Any]:
        with metrics.answering("opinion"):
            report = service.opinion(observed_at)
        return {"observed_at": observed_at, "correlations": [str(word) for word in report.correlations]}

    @app.post("/v1/correlations")
    def cosign(body: CorrelationsBody) -> dict[str, Any]:
        with metrics.answering(CORRELATIONS):
            return service.cosign(body.report())

    @app.get("/health")
    def health() -> JSONResponse:
        facts = service.health()
        return JSONResponse(facts, 200 if facts["ok"] else 503)

    @app.get("/metrics")
    def prometheus() -> PlainTextResponse:
        return PlainTextResponse(generate_latest(metrics.registry))

    return app
