"""A relay and posts that leave reports out: what it answers, how often, and what it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest

from equipoise.client.chain import RpcError
from equipoise.client.dispatch import DispatchConfig
from equipoise.client.signing import Fees, SigningChain
from equipoise.errors import BudgetError
from equipoise.keeper.budget import Budget, Limits
from equipoise.oracle.outbox import Posting
from equipoise.units import DAY
from tests.fixtures.relaying import POINTS, SETTLE, Killed, Office, silent, stations

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


def test_step__a_correction_that_is_refused__is_a_problem_until_it_is_over(
    told: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-149: the lie settles meanwhile, so somebody should hear of it."""
    told.post(told.slot, LIES, [2])
    relay = told.relay()

    def refuses(kind: str, *_: object) -> None:
        raise BudgetError(f"{kind}: too dear")

    monkeypatch.setattr(relay._dispatcher, "allow", refuses)
    for _ in range(2):
        assert relay.step() == []
        assert relay.problems == {"corrections": "no correction: corrections: too dear"}
    # somebody asks for /health while the signers are being asked
    ask, seen = relay.signers.ask, []

    def asks(*args: Any, **options: Any) -> Any:
        seen.append(dict(relay.problems))
        return ask(*args, **options)

    monkeypatch.setattr(relay.signers, "ask", asks)
    relay.step()
    assert seen == [relay.problems]
    assert told.posted() == (3, 30.0)
    told.settle()
    relay.step()
    assert "corrections" not in relay.problems


def test_step__gas_too_dear_for_reports__corrects_at_the_cost_of_protection(
    told: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-149 EQ-182"""
    told.post(told.slot, LIES, [2])
    relay = told.relay()
    chain = told.chain
    allow = Budget(Limits(), relay.outbox, chain.timestamp, lambda: chain.balance(chain.sender)).allow
    monkeypatch.setattr(relay._dispatcher, "allow", allow)
    monkeypatch.setattr(chain, "fees", lambda: Fees(101 * 10**9, 10**8))
    relay.step()
    assert told.posted()[0] == 5
    assert relay.problems == {}


def test_step__a_correction_on_its_way__is_no_problem(told: Office) -> None:
    """EQ-149: what is stuck the dispatcher tells."""
    told.post(told.slot, LIES, [2])
    relay, request = told.relay(), told.system.chain.request
    relay._dispatcher.config = DispatchConfig(wait=0.1)
    request("evm_setAutomine", False)
    try:
        relay.step()
        assert "not mined" in relay.problems["corrections"]
        relay.step()
        assert relay.problems == {}
        request("evm_mine")
    finally:
        request("evm_setAutomine", True)
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
