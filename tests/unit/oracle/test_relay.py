"""A relay on a real chain: what it sends lands once, wherever it was killed and whoever else is at work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from equipoise.client.chain import RpcError
from equipoise.client.contract import Contract
from equipoise.client.signing import SigningChain
from equipoise.errors import ContractRevert, InputError, OracleError
from equipoise.estimation.blend import BlendConfig
from equipoise.oracle import Signer
from equipoise.oracle.journal import Journal
from equipoise.oracle.keys import LocalKey
from equipoise.oracle.outbox import Outbox, Posting
from equipoise.oracle.relay import Relay, RelayConfig
from equipoise.oracle.relay_app import relay_app
from equipoise.oracle.service import SignerService, scope_of, signer_app
from equipoise.units import DAY, unpack_word8
from tests.fixtures.build import KEYS
from tests.fixtures.system import System

EWMA = BlendConfig(ewma=1.0, garch=0.0, implied=0.0)
SETTLE = 600
PAYER = b"\x77" * 32
CONFIG = RelayConfig(timeout=5.0, patience=1.0)


class Killed(BaseException):
    """The process is gone; no handler of the relay's may see it."""


class Table:
    name = "table"

    def __init__(self, closes: pd.DataFrame) -> None:
        self._closes = closes

    def closes(self, until: int) -> pd.DataFrame:
        return self._closes.loc[: pd.Timestamp(until - DAY, unit="s")]


class Office:
    """Five signers in this process behind real HTTP interfaces, an oracle of theirs, and relays on demand."""

    def __init__(self, system: System, folder: Path) -> None:
        self.system, self.folder = system, folder
        self.payer = LocalKey(PAYER)
        system.chain.request("anvil_setBalance", self.payer.address, hex(10**20))
        chain = SigningChain(system.chain.endpoint, self.payer)
        oracle = system.volatility_oracle
        self.oracle = Contract(chain, oracle.address, oracle.abi, oracle.name)
        self.chain = chain
        self.now = 0
        self.slot = system.now() - system.now() % DAY + DAY
        first = pd.Timestamp(self.slot - 300 * DAY, unit="s")
        days = pd.date_range(first, periods=400, freq="D", name="date")
        rng = np.random.default_rng(4)
        walk = np.exp(np.cumsum(0.03 * rng.standard_normal((400, 3)), axis=0))
        self.services = []
        self.apps: dict[str, TestClient] = {}
        self.answer: dict[str, Callable[[httpx.Request], httpx.Response]] = {}
        self.asked = 0
        for i, key in enumerate(KEYS):
            noisy = walk * np.exp(0.0005 * rng.standard_normal(walk.shape))
            table = Table(pd.DataFrame(noisy, index=days, columns=["A", "B", "C"]))
            signer = Signer(key, system.signers[0].domain)
            journal = Journal(folder / f"{i}.sqlite")
            service = SignerService(signer, table, journal, EWMA, clock=lambda: self.now)
            self.services.append(service)
            self.apps[f"signer-{i}"] = TestClient(signer_app(service), raise_server_exceptions=False)
        self.to(self.slot + 5)

    def to(self, timestamp: int) -> None:
        self.system.warp(timestamp - self.system.now())
        self.now = timestamp  # apart from the chain's connection, which is not for their threads

    def relay(self) -> Relay:
        """A new one on the same outbox, as after a restart."""
        outbox = Outbox(self.folder / "outbox.sqlite", scope_of(self.system.signers[0].domain))
        transport = httpx.MockTransport(self._route)
        urls = [f"http://{name}" for name in self.apps]
        return Relay(self.oracle, urls, outbox, CONFIG, httpx.Client(transport=transport))

    def _route(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        self.asked += 1
        if host in self.answer:
            return self.answer[host](request)
        made = self.apps[host].request(
            request.method, request.url.path, content=request.read(), headers=request.headers
        )
        return httpx.Response(made.status_code, content=made.content)

    def sent(self) -> int:
        return self.chain.nonce()

    def times(self) -> tuple[int, int]:
        """Of the last post, settled or not, and of the correlations."""
        return self.oracle.call("lastPost").observedAt, self.oracle.call("reportTimes").correlationsAt

    def next_slot(self) -> int:
        """Reports have settled, the next are due."""
        self.slot += DAY
        self.to(self.slot + 5)
        return self.slot

    def settle(self) -> None:
        self.to(self.oracle.call("lastPost").settlesAt)

    def post(self, slot: int, lies: dict[int, float], honest: Sequence[int] = ()) -> None:
        """Somebody posts what these say; liars answer no relay, and sign what they like."""
        signers = self.system.signers
        rows = [
            (signers[i].address, signers[i].sign_volatilities([vol] * 3, slot).to_struct())
            for i, vol in lies.items()
        ]
        for i in honest:
            said = self.services[i].volatilities(slot)
            words = (bytes.fromhex(said[name][2:]) for name in ("r", "vs"))
            rows.append((said["signer"], (slot, int(said["vols"]), *words)))
        structs = [struct for _, struct in sorted(rows, key=lambda row: row[0].lower())]
        oracle = self.system.volatility_oracle
        oracle.send("postVolatilities", structs, sender=self.system.mallory)

    def posted(self) -> tuple[int, float]:
        """How many reports the last post has, and the first volatility of it."""
        last = self.oracle.call("lastPost")
        return last.reportCount, float(unpack_word8(last.vols, 3)[0])


@pytest.fixture
def office(make_system: Callable[..., System], tmp_path: Path) -> Office:
    return Office(make_system(signers=5, threshold=3, settle_period=SETTLE, reports=False), tmp_path)


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


POINTS = ["before it is written down", "before it is sent", "before it is mined", "before that is noted"]


def stations(relay: Relay) -> dict[str, tuple[object, str]]:
    """What is called next at each of the points."""
    calls = (
        (relay.outbox, "intend"),
        (relay.chain, "broadcast"),
        (relay.chain, "wait"),
        (relay.outbox, "landed"),
    )
    return dict(zip(POINTS, calls, strict=True))


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


def silent(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectTimeout("nobody there")


LIES = {0: 30.0, 1: 30.0}
TWO, FOUR = ("signer-0", "signer-1"), ("signer-0", "signer-1", "signer-3", "signer-4")


@pytest.fixture
def told(office: Office) -> Office:
    """The reports of a day are in use, those of the next are due, and nobody has posted them."""
    office.relay().step()
    office.settle()
    office.next_slot()
    return office


@pytest.mark.parametrize("mute", [(), TWO])
def test_step__a_minority_posted_first__is_corrected(told: Office, mute: tuple[str, ...]) -> None:
    """EQ-149: two liars, who may answer no relay: their reports are on chain, and outvoted there."""
    told.post(told.slot, LIES, [2])
    assert told.posted() == (3, 30.0)
    told.answer = dict.fromkeys(mute, silent)
    relay = told.relay()
    relay.step()
    count, vol = told.posted()
    assert (count, vol < 2) == (5, True)
    sent = told.sent()
    relay.step()
    told.relay().step()
    assert told.sent() == sent
    assert relay.problems == {}


def test_step__liars_answer_its_own_post__are_corrected(told: Office) -> None:
    """EQ-149: what it posted itself was all that it could get; what they posted since is more."""
    told.answer = dict.fromkeys(TWO, silent)
    relay = told.relay()
    assert relay.step() == ["volatilities"]
    assert told.posted()[0] == 3
    told.to(told.oracle.call("lastPost").settlesAt - 12)
    told.post(told.slot, LIES, [2, 3])
    assert told.posted() == (4, 30.0)
    relay.step()
    count, vol = told.posted()
    assert (count, vol < 2) == (5, True)


def test_step__twice_in_one_round__corrects_twice(told: Office) -> None:
    """EQ-149 EQ-37: a removal gives the liars another turn, and the relay too: as many reports as before."""
    relay, system = told.relay(), told.system
    honest = told.posted()[1]
    told.answer = dict.fromkeys((*TWO, "signer-4"), silent)
    for _ in range(2):
        told.post(told.slot, dict.fromkeys(LIES, 0.002), [2])
        assert told.posted()[1] == pytest.approx(0.8 * honest, rel=0.01), "as low as the speed limit lets"
        relay.step()
        count, vol = told.posted()
        assert (count, vol > 0.9 * honest) == (4, True)
        left = system.signers[4].address
        if told.oracle.call("isSigner", left):
            system.volatility_oracle.send("removeSigner", left, sender=system.guardian)
            assert told.posted()[0] == 0
    assert len(relay.outbox.landed_keys("corrections")) == 2


def test_step__honest_signers_are_slow__asks_until_they_answer(told: Office) -> None:
    """EQ-149: that nothing more is known yet does not make a post right, not even one of its own."""
    told.post(told.slot, LIES, [2])
    told.answer = dict.fromkeys(FOUR, silent)
    relay = told.relay()
    relay.step()
    assert told.posted() == (3, 30.0)
    told.answer = dict.fromkeys(FOUR[:-1], silent)
    relay.step()
    assert told.posted() == (3, 30.0), "of four the upper middle is theirs"
    told.answer = dict.fromkeys(TWO, silent)
    relay.step()
    assert told.posted()[0] == 5


@pytest.mark.parametrize("mute", [(), ("signer-4",), TWO])
def test_step__once_it_has_judged_a_post__asks_no_more(told: Office, mute: tuple[str, ...]) -> None:
    """EQ-149: nothing that is missing could move it; another post is judged anew."""
    told.answer = dict.fromkeys(mute, silent)
    relay = told.relay()
    relay.step()
    asked = told.asked
    for _ in range(3):
        assert relay.step() == []
    assert told.asked == asked
    if mute == TWO:
        told.post(told.slot, LIES, [2, 3])
        relay.step()
        assert told.asked == asked + 5


def test_step__a_full_post__is_not_asked_about(told: Office) -> None:
    """EQ-149: nothing replaces all reports, whatever they say."""
    told.post(told.slot, LIES, [2, 3, 4])
    relay, before = told.relay(), told.asked
    assert relay.step() == []
    assert told.asked == before


def test_step__a_post_held_up_by_the_speed_limit__is_no_lie(office: Office) -> None:
    """EQ-149 EQ-30: another relay's three reports, as far down as they may: two more would store the same."""
    relay = office.relay()
    office.post(office.slot - 100, dict.fromkeys(range(5), 30.0))
    office.settle()
    office.post(office.slot, {}, [2, 3, 4])
    assert office.posted()[1] > 29.9
    assert relay.step() == ["correlations"]
    assert office.posted()[0] == 3


@pytest.mark.parametrize("mute", [(), TWO])
def test_step__a_node_without_logs__corrects_by_what_the_signers_say(
    told: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, mute: tuple[str, ...]
) -> None:
    """EQ-149: liars who answer no relay are then not outvoted, and once it has logs again they are."""
    told.post(told.slot, LIES, [2])
    told.answer = dict.fromkeys(mute, silent)
    relay = told.relay()

    def nothing(*_: object) -> None:
        raise RpcError("eth_getLogs: not served (code -32601)", -32_601)

    with monkeypatch.context() as patched:
        patched.setattr(SigningChain, "logs", nothing)
        assert relay.step() == []
    assert told.posted()[0] == (3 if mute else 5)
    assert ("corrected by" in caplog.text) is not bool(mute), "no more than posted is no correction"
    assert relay.problems == {}
    relay.step()
    assert told.posted()[0] == 5


@pytest.mark.parametrize("point", POINTS)
def test_correction__killed_at_any_point__is_finished_by_the_next(
    told: Office, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """EQ-148 EQ-149: neither lost nor sent twice."""
    told.post(told.slot, LIES, [2])
    told.answer = dict.fromkeys(TWO, silent)
    relay, before = told.relay(), told.sent()
    target, method = stations(relay)[point]

    def dies(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(target, method, dies)
        with pytest.raises(Killed):
            relay.step()
    again = told.relay()
    for _ in range(3):
        again.step()
    assert told.posted()[0] == 5
    assert told.sent() == before + 1
    assert len(again.outbox.landed_keys("corrections")) == 1


def test_stands__of_a_correction__as_many_reports_or_a_later_time(told: Office) -> None:
    """EQ-148 EQ-149: what a reorganisation took back is there all the same if somebody else brought it."""
    relay, slot = told.relay(), told.slot
    told.post(slot, {}, [0, 1, 2, 3])
    for at, count, expected in ((slot, 4, True), (slot, 3, True), (slot, 5, False), (slot - DAY, 5, True)):
        posting = Posting("corrections", f"{at}:{count}:{slot + SETTLE}", 0, "0xaa", b"", 1)
        assert relay.stands(posting) is expected
    assert not relay.stands(Posting("corrections", f"{slot + DAY}:3:0", 0, "0xaa", b"", 1))
    assert relay.stands(Posting("volatilities", slot, 0, "0xaa", b"", 1))
    assert not relay.stands(Posting("volatilities", slot + DAY, 0, "0xaa", b"", 1))


def test_step__while_a_round_of_another_time_is_open__waits_for_its_end(told: Office) -> None:
    """EQ-148 EQ-149: until then the chain takes no newer reports; afterwards the slot is due all the same."""
    relay, sent = told.relay(), told.sent()
    told.post(told.slot - 3_000, dict.fromkeys(range(3), 0.5))
    for until in (told.now + 5, told.oracle.call("lastPost").settlesAt - 1):
        told.to(until)
        assert relay.step() == []
        assert relay.problems == {}
    assert (told.times()[0], told.sent()) == (told.slot - 3_000, sent)
    told.settle()
    assert relay.step() == ["volatilities"]
    assert told.times()[0] == told.slot
    assert relay.problems == {}


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


class Drip(httpx.SyncByteStream):
    """A byte now and then, without end."""

    def __iter__(self) -> Iterator[bytes]:
        while True:
            time.sleep(0.05)
            yield b" "


def test_exchange__an_answer_that_drips__gives_its_thread_back(system: System, tmp_path: Path) -> None:
    """EQ-148: otherwise a liar would use up the relay's threads, one a step."""
    chain = SigningChain(system.chain.endpoint, LocalKey(PAYER))
    oracle = Contract(chain, system.volatility_oracle.address, system.volatility_oracle.abi)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Drip()))
    config = RelayConfig(timeout=0.3, patience=0.3)
    outbox = Outbox(tmp_path / "o.sqlite", "x")
    relay = Relay(oracle, ["http://dripping"], outbox, config, httpx.Client(transport=transport))
    with pytest.raises(OracleError, match="is too slow"):
        relay._get("http://dripping/v1/volatilities/0")


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


def test_step__a_liars_matrix__is_not_proposed(office: Office) -> None:
    """EQ-31: of the opinions, the one that a quorum is nearest to."""
    n = 3
    wild = Signer(KEYS[0], office.system.signers[0].domain).propose_correlations(
        -0.4 * np.ones((n, n)) + 1.4 * np.eye(n), office.slot
    )
    body = {"observed_at": office.slot, "correlations": [str(w) for w in wild.correlations]}
    office.answer = {"signer-0": lambda request: httpx.Response(200, json=body)}
    relay = office.relay()
    assert "correlations" in relay.step()
    assert list(office.oracle.call("riskData").correlations) != list(wild.correlations)


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
    assert outbox.proposal(5, {"a": 1}) == outbox.proposal(5, {"a": 2}) == {"a": 1}


def test_signing_chain__send__signs_here(office: Office) -> None:
    """A transaction that would revert is refused before it is paid for; another sender has no key here."""
    with pytest.raises(ContractRevert, match="VolatilityOracle__NoCorrelations"):
        office.oracle.send("solveCoordinates", sender=office.payer.address)
    with pytest.raises(InputError, match="the only key is that of"):
        office.oracle.send("solveCoordinates", sender=office.system.mallory)
    assert office.sent() == 0
