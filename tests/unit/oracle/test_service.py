"""A signer behind HTTP: what it signs, what it refuses, and that it never signs twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from equipoise.errors import InputError
from equipoise.estimation.blend import BlendConfig
from equipoise.oracle import CorrelationReport, Domain, Signer
from equipoise.oracle.aggregator import recover
from equipoise.oracle.journal import Journal
from equipoise.oracle.payload import VolatilityReport
from equipoise.oracle.service import ServicePolicy, SignerService, signer_app
from equipoise.units import DAY

DOMAIN = Domain(31_337, "0x" + "be" * 20, tuple("0x" + f"{i:040x}" for i in (1, 2, 3)))
KEY = b"\x21" * 32
START = pd.Timestamp("2022-01-01")
ROWS = 120
SLOT = int(START.timestamp()) + 100 * DAY
EWMA = BlendConfig(ewma=1.0, garch=0.0, implied=0.0)


class Table:
    """Closes in memory; the future is in it, and must not be used."""

    name = "table"

    def __init__(self, closes: pd.DataFrame) -> None:
        self.table = closes
        self.asked: list[int] = []

    def closes(self, until: int) -> pd.DataFrame:
        self.asked.append(until)
        return self.table.loc[: pd.Timestamp(until - DAY, unit="s")]


def closes(seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    days = pd.date_range(START, periods=ROWS, freq="D", name="date")
    walks = np.exp(np.cumsum(0.03 * rng.standard_normal((ROWS, 3)), axis=0))
    return pd.DataFrame(walks * 100, index=days, columns=["A", "B", "C"])


class Bench:
    """A service with a clock that is set, and its HTTP client."""

    def __init__(self, folder: Path, table: pd.DataFrame | None = None, seed: int = 1) -> None:
        self.now = SLOT + 10
        self.source = Table(closes(seed) if table is None else table)
        self.service = SignerService(
            Signer(KEY, DOMAIN),
            self.source,
            Journal(folder / "journal.sqlite"),
            EWMA,
            policy=ServicePolicy(),
            clock=lambda: self.now,
        )
        self.http = TestClient(signer_app(self.service), raise_server_exceptions=False)

    def get(self, path: str) -> tuple[int, dict]:
        answer = self.http.get(path)
        return answer.status_code, answer.json()

    def cosign(self, report: CorrelationReport) -> tuple[int, dict]:
        words = [str(word) for word in report.correlations]
        answer = self.http.post(
            "/v1/correlations", json={"observed_at": report.observed_at, "correlations": words}
        )
        return answer.status_code, answer.json()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_volatilities__on_the_grid__are_its_own_and_signed(bench: Bench) -> None:
    code, answer = bench.get(f"/v1/volatilities/{SLOT}")
    assert code == 200
    report = VolatilityReport(answer["observed_at"], int(answer["vols"]))
    pair = bytes.fromhex(answer["r"][2:]), bytes.fromhex(answer["vs"][2:])
    assert recover(DOMAIN.digest(report), pair) == bench.service.signer.address == answer["signer"]
    assert report.vol_ann(3) == pytest.approx(bench.service._believe(SLOT).estimate.vol_ann, abs=1e-8)
    assert answer["model"] == EWMA.model_id
    assert answer["model_hash"] == EWMA.model_hash
    assert set(answer["components"]) == {"A", "B", "C"}
    kept = bench.service.journal.get(bench.service.scope, "volatilities", SLOT)
    assert kept is not None
    assert kept[3]["model_hash"] == EWMA.model_hash


def test_volatilities__asked_again_with_other_data__are_what_was_signed(tmp_path: Path) -> None:
    """A restart with another history does not make a second report for the same time."""
    first = Bench(tmp_path).get(f"/v1/volatilities/{SLOT}")
    again = Bench(tmp_path, seed=2).get(f"/v1/volatilities/{SLOT}")
    assert first == again


def test_volatilities__the_future_of_the_table__does_not_matter(tmp_path: Path) -> None:
    changed = closes()
    changed.iloc[100:] *= 7
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert Bench(tmp_path / "a").get(f"/v1/volatilities/{SLOT}") == Bench(tmp_path / "b", changed).get(
        f"/v1/volatilities/{SLOT}"
    )


@pytest.mark.parametrize(
    ("slot", "words"),
    [
        (SLOT + 1, "not on the grid"),
        (SLOT + DAY, "in the future"),
        (SLOT - DAY, "ask for a later one"),
    ],
)
def test_volatilities__at_a_wrong_time__are_refused(bench: Bench, slot: int, words: str) -> None:
    code, answer = bench.get(f"/v1/volatilities/{slot}")
    assert (code, answer["error"]) == (409, "OracleError")
    assert words in answer["message"]
    assert bench.service.journal.count() == 0


def test_volatilities__on_stale_or_gapped_data__are_refused(tmp_path: Path) -> None:
    stale = closes().iloc[:90]
    code, answer = Bench(tmp_path, stale).get(f"/v1/volatilities/{SLOT}")
    assert code == 409
    assert "the last close of A is of 2022-03-31, 10 days old" in answer["message"]
    gapped = closes().drop(closes().index[50:60])
    code, answer = Bench(tmp_path, gapped).get(f"/v1/volatilities/{SLOT}")
    assert code == 409
    assert "2022-02-" in answer["message"]


def test_cosign__matrices_near_its_own__are_signed_and_the_first_is_kept(bench: Bench) -> None:
    """Also another for the same time: else whoever asked first could keep signers apart."""
    code, opinion = bench.get(f"/v1/correlations/{SLOT}")
    assert code == 200
    own = CorrelationReport(SLOT, tuple(map(int, opinion["correlations"])))
    matrix = own.correlation(3)
    near = CorrelationReport.of(matrix * 0.95 + 0.05 * np.eye(3), SLOT)
    code, answer = bench.cosign(near)
    assert code == 200
    pair = bytes.fromhex(answer["r"][2:]), bytes.fromhex(answer["vs"][2:])
    assert recover(DOMAIN.digest(near), pair) == bench.service.signer.address
    code, other = bench.cosign(own)
    assert code == 200
    pair = bytes.fromhex(other["r"][2:]), bytes.fromhex(other["vs"][2:])
    assert recover(DOMAIN.digest(own), pair) == bench.service.signer.address
    assert bench.cosign(near) == (200, answer)
    assert bench.service.journal.count() == 1
    kept = bench.service.journal.get(bench.service.scope, "correlations", SLOT)
    assert kept is not None
    assert kept[0] == DOMAIN.digest(near)


def test_answers__after_the_basket_has_changed__are_refused(bench: Bench) -> None:
    """EQ-99: nothing that the chain would not take is signed, or kept for the time."""
    bench.service.domain = lambda: replace(DOMAIN, assets=DOMAIN.assets[:2])
    own = bench.service.signer.propose_correlations(np.eye(3), SLOT)
    answers = [bench.get(f"/v1/{kind}/{SLOT}") for kind in ("volatilities", "correlations")]
    for code, answer in [*answers, bench.cosign(own)]:
        assert code == 409
        assert "restart this signer" in answer["message"]
    code, facts = bench.get("/health")
    assert (code, facts["ok"]) == (503, False)
    assert "the oracle's basket is not what it was" in facts["reason"]
    assert bench.service.journal.count() == 0


def test_cosign__a_matrix_that_it_does_not_believe__is_refused(bench: Bench) -> None:
    far = CorrelationReport.of(np.full((3, 3), 0.9) + 0.1 * np.eye(3), SLOT)
    code, answer = bench.cosign(far)
    assert code == 409
    assert "differs from this signer's by" in answer["message"]
    assert bench.service.journal.count() == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"observed_at": SLOT},
        {"observed_at": SLOT, "correlations": ["1"]},
        {"observed_at": SLOT, "correlations": ["x", "0"]},
        {"observed_at": SLOT, "correlations": [str(2**256), "0"]},
        {"observed_at": SLOT, "correlations": ["-1", "0"]},
        {"observed_at": SLOT, "correlations": [str(2**255), "1"]},
        {"observed_at": "soon", "correlations": ["0", "0"]},
    ],
)
def test_cosign__a_malformed_body__is_refused(bench: Bench, body: dict) -> None:
    assert bench.http.post("/v1/correlations", json=body).status_code == 422
    assert bench.service.journal.count() == 0


def test_health_and_metrics__tell_what_an_operator_needs(bench: Bench) -> None:
    code, facts = bench.get("/health")
    assert (code, facts["ok"], facts["source"], facts["last_volatilities"]) == (200, True, "table", 0)
    bench.get(f"/v1/volatilities/{SLOT}")
    bench.get(f"/v1/volatilities/{SLOT + 1}")
    assert bench.get("/health")[1]["last_volatilities"] == SLOT
    text = bench.http.get("/metrics").text
    assert 'equipoise_signer_answers_total{kind="volatilities",outcome="signed"} 1.0' in text
    assert 'equipoise_signer_answers_total{kind="volatilities",outcome="refused"} 1.0' in text
    assert f"equipoise_signer_last_volatilities {float(SLOT):.9e}".split("e+")[0][:40] in text
    bench.now += 40 * DAY
    code, facts = bench.get("/health")
    assert (code, facts["ok"]) == (503, False)
    assert "the last close of A" in facts["reason"]


@pytest.mark.parametrize("name", ["cadence", "max_lag", "max_age_days", "max_gap_days"])
def test_policy__zero__is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} is 0; give at least 1"):
        ServicePolicy(**{name: 0})
