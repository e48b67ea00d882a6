"""Health and metrics of a keeper, for whoever watches it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from equipoise.keeper.lots import MODES
from equipoise.keeper.service import KeeperService
from equipoise.units import from_wad

__all__ = ["keeper_app"]

_NO_DEBT = 2**255


def keeper_app(
    service: KeeperService, longest: float = 300.0, clock: Callable[[], float] = time.time
) -> FastAPI:
    """`/health` is 503 while there are problems, or when the last whole step is older than `longest` {s}."""
    app = FastAPI(title="Equipoise keeper", docs_url=None, redoc_url=None)
    registry = CollectorRegistry()
    registry.register(_Collector(service))

    @app.get("/health")
    def health() -> JSONResponse:
        watched = service.watched
        problems = dict(watched.problems)
        if clock() - watched.stepped_at > longest:
            problems["step"] = f"no whole step for more than {longest:.0f} s"
        state = watched.facts.state if watched.facts else None
        body: dict[str, Any] = {
            "ok": not problems,
            "problems": problems,
            "block": watched.block,
            "mode": None if state is None else MODES[state.mode],
            "account": service.chain.sender,
            "balance_ether": watched.balance / 1e18,
            "spent_today_ether": service.budget.spent() / 1e18,
            "dry_run": service.dry_run,
        }
        return JSONResponse(body, 200 if body["ok"] else 503)

    @app.get("/metrics")
    def metrics() -> PlainTextResponse:
        return PlainTextResponse(generate_latest(registry))

    return app


class _Collector:
    """Reads the service when it is asked: no number is kept twice."""

    def __init__(self, service: KeeperService) -> None:
        self._service = service

    def collect(self) -> Iterable[Metric]:
        service, watched = self._service, self._service.watched
        sent = CounterMetricFamily(
            "equipoise_keeper_actions", "Actions by what became of them", labels=["kind", "outcome"]
        )
        for (kind, outcome), count in dict(watched.outcomes).items():
            sent.add_metric([kind, outcome], count)
        yield sent
        yield CounterMetricFamily("equipoise_keeper_steps", "Whole steps", value=watched.steps)
        gauges = {
            "block": (watched.block, "At which the last whole step began"),
            "stepped_at": (watched.stepped_at, "Time of the last whole step {unix s}"),
            "balance_wei": (watched.balance, "Of the account"),
            "spent_today_wei": (service.budget.spent(), "In a rolling day, without protection"),
            "protection_spent_today_wei": (service.budget.spent(True), "For protection"),
            "in_flight": (len(service.ledger.in_flight()), "Transactions that are not mined"),
            "problems": (len(watched.problems), "Kinds of trouble now"),
        }
        if watched.facts is not None:
            state = watched.facts.state
            gauges |= {
                "mode": (state.mode, "0 Normal, 1 NoIncrease, 2 DeleverOnly, 3 InKindOnly"),
                "nav_usd": (from_wad(state.navWad), "Of the vault"),
                "volatilities_age_seconds": (_finite(state.volatilitiesAge), "Of the report in use"),
                "correlations_age_seconds": (_finite(state.correlationsAge), "Of the report in use"),
            }
            if state.healthFactorWad < _NO_DEBT:
                gauges["health_factor"] = (from_wad(state.healthFactorWad), "Aave's; absent without debt")
            if state.hasRisk:
                gauges["parity_gap"] = (from_wad(state.risk.parityGapWad), "Of the variance")
                gauges["leverage"] = (from_wad(state.risk.leverageWad), "Basket over NAV")
        for name, (value, words) in gauges.items():
            yield GaugeMetricFamily(f"equipoise_keeper_{name}", words, value=value)


def _finite(age: int) -> float:
    return float(age) if age < _NO_DEBT else float("nan")
