"""Health and metrics of a relay, for whoever watches it."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from equipoise.oracle.relay import Relay
from equipoise.oracle.service import CORRELATIONS, VOLATILITIES

__all__ = ["relay_app"]


def relay_app(relay: Relay) -> FastAPI:
    """`/health` is 503 while something that is due cannot be delivered."""
    app = FastAPI(title="Equipoise relay", docs_url=None, redoc_url=None)
    registry = CollectorRegistry()
    answering = Gauge("equipoise_relay_signers_answering", "Signers that answered last", registry=registry)
    answering.set_function(lambda: sum(relay.signers.answered.values()))
    failing = Gauge("equipoise_relay_problems", "Kinds of report that are due and stuck", registry=registry)
    failing.set_function(lambda: len(relay.troubles))
    last = Gauge("equipoise_relay_last", "Time of the last report sent {unix s}", ["kind"], registry=registry)
    for kind in (VOLATILITIES, CORRELATIONS):
        last.labels(kind).set_function(partial(relay.outbox.last, kind))

    @app.get("/health")
    def health() -> JSONResponse:
        facts: dict[str, Any] = {
            "ok": not (troubles := relay.troubles),
            "problems": troubles,
            "signers": dict(relay.signers.answered),
            "last": {kind: relay.outbox.last(kind) for kind in (VOLATILITIES, CORRELATIONS)},
            "sender": relay.chain.sender,
        }
        return JSONResponse(facts, 200 if facts["ok"] else 503)

    @app.get("/metrics")
    def metrics() -> PlainTextResponse:
        return PlainTextResponse(generate_latest(registry))

    return app
