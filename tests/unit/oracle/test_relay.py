"""A relay on a real chain: what it sends lands once, wherever it was killed and whoever else is at work."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient

from equipoise.client.dispatch import DispatchConfig
from equipoise.client.signing import Fees
from equipoise.errors import BudgetError, ContractRevert, InputError, OracleError
from equipoise.oracle.outbox import Outbox, Posting
from equipoise.oracle.payload import CorrelationReport
from equipoise.oracle.relay import Relay, RelayConfig
from equipoise.oracle.relay_app import relay_app
from equipoise.oracle.service import scope_of
from equipoise.types import FloatArray
from equipoise.units import DAY, WAD
from tests.fixtures.relaying import CONFIG, POINTS, Killed, Office, silent, stations
from tests.fixtures.system import System


def test_step__when_reports_are_due__posts_each_kind_once(office: Office) -> None:
    """EQ-148: correlations and volatilities of the slot; then nothing until the next."""
    relay = office.relay()
    assert relay.step() == ["correlations", "volatilities"]
    assert office.times() == (office.slot, office.slot)
    assert office.oracle.call("lastPost").reportCount == 5
    assert relay.step() == []
    assert office.relay().step() == []
    office.to(office.slot + DAY + 5)
    assert relay.step() == ["volatilities"]
    assert office.sent() == 3
    assert relay.problems == {}


@pytest.mark.parametrize("kind", ["correlations", "volatilities"])
@pytest.mark.parametrize("point", POINTS)
def test_step__killed_at_any_point__is_finished_by_the_next(
    office: Office, monkeypatch: pytest.MonkeyPatch, kind: str, point: str
) -> None:
    """EQ-148: neither lost nor sent twice: the nonce counts everything that ever left."""
    relay = office.relay()
    target, method = stations(relay)[point]
    original, skip = getattr(target, method), 1 if kind == "volatilities" else 0
    calls = []

    def dies(*args: object) -> object:
        calls.append(args)
        if len(calls) > skip:
            raise Killed
        return original(*args)

    with monkeypatch.context() as patched:
        patched.setattr(target, method, dies)
        with pytest.raises(Killed):
            relay.step()
    again = office.relay()
    for _ in range(3):
        again.step()
    assert office.times() == (office.slot, office.slot)
    assert office.sent() == 2
    assert (
        again.outbox.landed_times("volatilities")
        == again.outbox.landed_times("correlations")
        == [office.slot]
    )


def test_step__another_relay_was_first__sends_nothing(office: Office, tmp_path: Path) -> None:
    """EQ-148: what is on chain is not due."""
    office.relay().step()
    other = Outbox(tmp_path / "other.sqlite", scope_of(office.system.signers[0].domain))
    late = Relay(office.oracle, ["http://signer-0"], other, CONFIG)
    assert late.step() == []
    assert office.sent() == 2


def test_step__its_nonce_was_used_by_somebody_else__sends_anew(office: Office) -> None:
    """EQ-148: a transaction that can never be mined is forgotten, and its report sent anew."""
    relay = office.relay()
    raw, transaction_hash = relay.chain.prepare(office.payer.address, b"", relay.chain.nonce(), value=1)
    lost = Posting("volatilities", office.slot, relay.chain.nonce(), "0x" + "12" * 32, raw, None)
    relay.outbox.intend(lost)
    relay.chain.broadcast(raw)
    relay.chain.wait(transaction_hash)
    relay.step()
    relay.step()
    assert office.times() == (office.slot, office.slot)


def slow(_: httpx.Request) -> httpx.Response:
    time.sleep(4)
    return httpx.Response(200, json={})


ODD = {
    "silent": silent,
    "slow": slow,
    "endless": lambda _: httpx.Response(200, content=b"x" * 100_000),
    "not JSON": lambda _: httpx.Response(200, content=b"<html>"),
    "a list": lambda _: httpx.Response(200, json=[1, 2]),
    "refusing": lambda _: httpx.Response(409, json={"error": "OracleError", "message": "not today"}),
    "nested": lambda _: httpx.Response(200, content=b"[" * 60_000),
    "infinite": lambda _: httpx.Response(
        200,
        content=b'{"observed_at": 1e999, "vols": "1", "correlations": [1e999, 1], "r": "0x%s", "vs": "0x%s"}'
        % (b"11" * 32, b"22" * 32),
    ),
    "nonsense": lambda _: httpx.Response(200, json={"observed_at": "x", "vols": None, "correlations": 5}),
    "huge numbers": lambda _: httpx.Response(
        200,
        json={
            "observed_at": 2**80,
            "vols": str(2**300),
            "correlations": ["1", "-1"],
            "r": "0x" + "00" * 40,
            "vs": "0x",
        },
    ),
}


@pytest.mark.parametrize("how", ODD)
def test_step__two_odd_signers__do_not_stop_the_others(office: Office, how: str) -> None:
    """EQ-148: whatever they answer, three of five are enough."""
    office.answer = {"signer-1": ODD[how], "signer-3": ODD[how]}
    relay = office.relay()
    assert relay.step() == ["correlations", "volatilities"]
    assert office.oracle.call("lastPost").reportCount == 3


def test_step__below_the_quorum__says_so_and_recovers(office: Office) -> None:
    """EQ-148: a problem is named, shown by /health, and gone when the signers are back."""
    office.answer = dict.fromkeys(("signer-0", "signer-1", "signer-2"), silent)
    relay = office.relay()
    watch = TestClient(relay_app(relay))
    assert relay.step() == []
    assert "2 usable reports, 3 are needed" in relay.problems["volatilities"]
    assert "2 signers gave a matrix" in relay.problems["correlations"]
    health = watch.get("/health")
    assert (health.status_code, health.json()["ok"]) == (503, False)
    assert "equipoise_relay_signers_answering 2.0" in watch.get("/metrics").text
    office.answer = {}
    relay.step()
    assert watch.get("/health").status_code == 200
    assert office.times() == (office.slot, office.slot)


def test_attempt__a_bug_in_a_step__is_named_and_the_next_one_runs(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-148: a relay that has died would look like one that has nothing to do."""
    relay = office.relay()
    with monkeypatch.context() as patched:
        patched.setattr(relay, "_ask", lambda *_: 1 // 0)
        assert relay.attempt() == []
    assert relay.problems["relay"].startswith("ZeroDivisionError")
    assert relay.attempt() == ["correlations", "volatilities"]
    assert relay.problems == {}


def says(matrix: FloatArray, slot: int) -> Callable[[httpx.Request], httpx.Response]:
    words = CorrelationReport.of(matrix, slot).correlations
    body = {"observed_at": slot, "correlations": [str(word) for word in words]}
    return lambda _: httpx.Response(200, json=body)


def stored(office: Office) -> FloatArray:
    words = office.oracle.call("riskData").correlations
    return CorrelationReport(office.slot, tuple(words)).correlation(3)


def test_step__two_liars_matrices__are_not_proposed(office: Office) -> None:
    """EQ-31 EQ-148: pair by pair it is between what two honest signers say."""
    wild = -0.4 * np.ones((3, 3)) + 1.4 * np.eye(3)
    opinions = [s.opinion(office.slot).correlation(3) for s in office.services[2:]]
    office.answer = dict.fromkeys(("signer-0", "signer-1"), says(wild, office.slot))
    assert "correlations" in office.relay().step()
    assert (stored(office) >= np.min(opinions, axis=0) - 1e-4).all()
    assert (stored(office) <= np.max(opinions, axis=0) + 1e-4).all()


def test_step__medians_that_are_no_good_matrix__are_mended(office: Office) -> None:
    """EQ-148: the chain would refuse them, and nobody would propose another."""
    pairs = ((0.7, 0.7, 0.0), (0.7, 0.0, -0.7), (0.0, 0.7, -0.7))  # medians: 0.7, 0.7, -0.7
    for i in range(5):
        a, b, c = pairs[i % 3]
        office.answer[f"signer-{i}"] = says(np.array([[1, a, b], [a, 1, c], [b, c, 1]]), office.slot)
    matrix = office.relay()._proposal(office.slot).correlation(3)
    floor = office.oracle.call("params").eigenvalueFloorWad / WAD
    assert floor < np.linalg.eigvalsh(matrix)[0] < floor + 0.001
    assert list(np.sign(matrix[np.triu_indices(3, 1)])) == [1, 1, -1]


def test_step__strangers_asked_every_signer_first__are_signed_too(office: Office) -> None:
    """EQ-148: with another matrix for each, so that no two would have signed the same."""
    for i, app in enumerate(office.apps.values()):
        words = app.get(f"/v1/correlations/{office.slot}").json()["correlations"]
        body = {"observed_at": office.slot, "correlations": [str(int(words[0]) ^ (i + 1)), words[1]]}
        assert app.post("/v1/correlations", json=body).status_code == 200
    assert office.relay().step() == ["correlations", "volatilities"]


def test_step__a_stuck_report_that_may_cost_no_more__is_told_and_sent_as_it_was(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-148: a node that has forgotten it gets it again; /health tells while it is stuck."""
    relay, node = office.relay(), office.system.chain

    def allow(kind: str, gas: int, fees: Fees) -> None:
        if gas * fees.limit > 10**15:
            raise BudgetError(f"{kind} is too dear")

    monkeypatch.setattr(relay._dispatcher, "allow", allow)
    monkeypatch.setattr(relay._dispatcher, "config", DispatchConfig(wait=0.1, stuck_after=0.0))
    monkeypatch.setattr(relay.chain, "fees", lambda: Fees(2 * 10**9, 10**8))
    watch = TestClient(relay_app(relay))
    node.request("evm_setAutomine", False)
    try:
        for _ in range(12):
            relay.step()
        assert "too dear" in str(watch.get("/health").json()["problems"])
        assert watch.get("/health").status_code == 503
        node.request("anvil_dropAllTransactions")
        relay.step()
    finally:
        node.request("evm_setAutomine", True)
        node.request("evm_mine")
    relay.step()
    assert office.times() == (office.slot, office.slot)
    assert watch.get("/health").status_code == 200


def test_step__too_late_for_the_chain__waits_for_the_next_slot(office: Office) -> None:
    """EQ-26: what the chain would refuse as too old is not sent."""
    office.to(office.slot + 4_000)
    relay = office.relay()
    assert relay.step() == []
    assert office.sent() == 0


def test_relay__without_its_own_key__is_refused(system: System, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="signs its own transactions"):
        Relay(system.volatility_oracle, [], Outbox(tmp_path / "o.sqlite", "x"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"cadence": 0},
        {"correlations_every": 100},
        {"cadence": 7, "correlations_every": 8},
        {"patience": 0.0},
        {"patience": 20.0},
    ],
)
def test_relay_config__that_makes_no_sense__is_refused(wrong: dict) -> None:
    with pytest.raises(InputError):
        RelayConfig(**wrong)


def test_outbox__a_report_on_its_way__is_not_sent_again(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.sqlite", "scope")
    posting = Posting("volatilities", 100, 3, "0xaa", b"raw", None)
    outbox.intend(posting)
    with pytest.raises(OracleError, match="already on their way"):
        outbox.intend(Posting("volatilities", 100, 4, "0xbb", b"other", None))
    assert outbox.unsettled() == [posting]
    outbox.landed(posting, 7)
    assert outbox.landed_times("volatilities") == [100]
    assert Outbox(tmp_path / "o.sqlite", "another").last("volatilities") == 0


def test_signing_chain__send__signs_here(office: Office) -> None:
    """A transaction that would revert is refused before it is paid for; another sender has no key here."""
    with pytest.raises(ContractRevert, match="VolatilityOracle__NoCorrelations"):
        office.oracle.send("solveCoordinates", sender=office.payer.address)
    with pytest.raises(InputError, match="the only key is that of"):
        office.oracle.send("solveCoordinates", sender=office.system.mallory)
    assert office.sent() == 0
