"""A keeper of a live chain, step by step, on real pools and the real Aave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from equipoise.client.chain import RpcError
from equipoise.errors import SolverError
from equipoise.keeper import coordinates
from equipoise.keeper.app import keeper_app
from equipoise.keeper.budget import Limits
from equipoise.keeper.plan import Policy
from equipoise.keeper.service import KeeperService
from equipoise.units import WAD, pack_budgets
from tests.fixtures.keeping import Killed, Room
from tests.fixtures.levered import Levered
from tests.fixtures.system import System

RISE = 1.3


@pytest.fixture
def room(levered: Levered, make_room: Callable[[System], Room]) -> Room:
    """A levered vault at its targets, after a rise that takes it out of its band."""
    levered.warp(3_600)
    levered.set_price(0, levered.price(0) * RISE)
    levered.refresh_prices()
    levered.world.align_pools()  # type: ignore[union-attr]
    room = make_room(levered)
    assert room.gap() > band(room)
    return room


def band(room: Room) -> float:
    return float(room.system.auction.call("params").parityBandWad) / WAD


def sent(service: KeeperService) -> int:
    """Every transaction that the account ever sent, as the chain counts them."""
    return service.chain.nonce()


def test_step__after_a_rise__opens_once_and_fills_until_the_gap_is_within_its_band(room: Room) -> None:
    """EQ-180: with what the pools pay, after gas; the ledger knows each transaction."""
    keeper = room.service()
    landed = room.run(keeper)
    assert landed.count("open") == 1
    assert landed.count("fill") >= 2
    assert room.gap() < band(room)
    assert sent(keeper) == keeper.ledger.transactions() == len(landed)
    assert keeper.watched.problems == {}
    assert room.run(keeper, steps=3) == []


def test_step__with_gas_too_dear_for_the_lots__opens_nothing(room: Room) -> None:
    """EQ-180: nobody would fill it; always-open opens it all the same, and then nobody fills."""
    dear = Policy(min_profit_usd=50_000.0)
    assert "open" not in room.run(room.service(policy=dear), steps=3)
    landed = room.run(room.service(policy=Policy(open="always", min_profit_usd=50_000.0)), steps=34)
    assert landed.count("open") >= 1
    assert "fill" not in landed


def test_step__dry_run__says_it_and_sends_nothing(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    """EQ-188"""
    keeper = room.service(dry_run=True)
    with caplog.at_level("INFO"):
        assert room.run(keeper, steps=3) == []
    said = [record.getMessage() for record in caplog.records if "dry run" in record.getMessage()]
    assert sum("open" in line for line in said) == 1
    assert sent(keeper) == keeper.ledger.transactions() == 0
    assert keeper.watched.outcomes["open", "would send"] == 1


POINTS = ["before it is written down", "before it is sent", "before it is mined", "before that is noted"]


@pytest.mark.parametrize("kind", ["open", "fill"])
@pytest.mark.parametrize("point", POINTS)
def test_step__killed_at_any_point__is_finished_by_the_next(
    room: Room, monkeypatch: pytest.MonkeyPatch, kind: str, point: str
) -> None:
    """EQ-181: neither lost nor sent twice: the nonce counts everything that ever left."""
    first = room.service()
    target, method = {
        POINTS[0]: (first.ledger, "intend"),
        POINTS[1]: (first.chain, "broadcast"),
        POINTS[2]: (first.chain, "wait"),
        POINTS[3]: (first.ledger, "landed"),
    }[point]
    original, armed = getattr(target, method), []
    intend = first.ledger.intend

    def watches(posting: Any) -> None:
        armed.extend([1] if posting.kind == kind else [])
        if armed and point == POINTS[0]:
            raise Killed
        intend(posting)

    def dies(*args: object) -> object:
        if armed:
            raise Killed
        return original(*args)

    with monkeypatch.context() as patched:
        if point != POINTS[0]:
            patched.setattr(target, method, dies)
        patched.setattr(first.ledger, "intend", watches)
        with pytest.raises(Killed):
            room.run(first)
    again = room.service()
    room.run(again)
    assert room.gap() < band(room)
    assert sent(again) == again.ledger.transactions()
    assert len(again.ledger.landed_keys("open")) == 1
    assert not again.ledger.in_flight()


def test_step__new_budgets__solves_and_posts_the_coordinates(room: Room) -> None:
    """EQ-180: verified by the chain, which is asked to solve where our solver cannot."""
    oracle = room.system.volatility_oracle
    keeper = room.service(policy=Policy(open="never"))
    oracle.send("setBudgets", pack_budgets([0.5, 0.3, 0.2]), sender=room.system.owner)
    assert "coordinates" in keeper.step()
    assert oracle.call("riskData").coordinates
    assert keeper.step() == []


def test_step__the_solver_fails__the_chain_solves(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """EQ-180"""
    oracle = room.system.volatility_oracle

    def fails(_: Any) -> int:
        raise SolverError("singular")

    monkeypatch.setattr(coordinates, "solve", fails)
    oracle.send("setBudgets", pack_budgets([0.5, 0.3, 0.2]), sender=room.system.owner)
    assert "solve" in room.service(policy=Policy(open="never")).step()
    assert oracle.call("riskData").coordinates


def test_step__coordinates_of_ours_are_refused__the_chain_solves(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-180: whatever our solver says, the certificate decides."""
    oracle = room.system.volatility_oracle
    monkeypatch.setattr(coordinates, "solve", lambda risk: 1 | 1 << 32 | 1 << 64)
    oracle.send("setBudgets", pack_budgets([0.5, 0.3, 0.2]), sender=room.system.owner)
    keeper = room.service(policy=Policy(open="never"))
    landed = keeper.step()
    assert "solve" in landed
    assert "coordinates" not in landed
    assert keeper.watched.outcomes["coordinates", "refused"] == 1
    assert sent(keeper) == len(landed)


def test_step__pokes_when_due__and_not_before(room: Room) -> None:
    """EQ-180"""
    keeper = room.service(policy=Policy(open="never"))
    keeper.step()
    assert keeper.step() == []
    room.system.warp(3_600)
    room.system.refresh_prices()
    assert "poke" in keeper.step()


def test_step__a_proposed_signer_whose_delay_is_over__is_activated(room: Room) -> None:
    """EQ-180"""
    oracle, newcomer = room.system.volatility_oracle, room.system.mallory
    keeper = room.service(policy=Policy(open="never", poke=False), signers=(newcomer,))
    oracle.send("proposeSigner", newcomer, room.system.signers[0].address, 3, sender=room.system.owner)
    assert keeper.step() == []
    room.system.warp(oracle.call("params").signerDelay)
    assert keeper.step() == ["activate"]
    assert oracle.call("isSigner", newcomer)
    room.system.warp(12)
    assert keeper.step() == []


def test_step__volatilities_of_long_ago__are_told(room: Room) -> None:
    """EQ-187"""
    keeper = room.service(policy=Policy(open="never", poke=False))
    keeper.step()
    room.system.warp(31 * 3_600)
    room.system.refresh_prices()
    keeper.step()
    assert room.heard.told.count(("reports", False)) == 1
    room.system.post_volatilities()
    keeper.step()
    assert ("reports", True) in room.heard.told


def test_step__a_crash_under_the_trigger__pulls_the_ripcord_and_fills_it(room: Room) -> None:
    """EQ-182: from its own purse, when the other is empty and gas is dear for it."""
    s = room.system
    assert isinstance(s, Levered)
    broke = Limits(per_day=1e-9, per_transaction=1e-9, gas_price=1e-6)
    keeper = room.service(limits=broke)
    assert keeper.step() == []
    s.crash(-0.3)
    s.pools_follow()
    assert s.health() < 1.3
    landed = room.run(keeper, steps=16)
    assert landed[0] == "ripcord"
    assert "basket" in landed
    assert set(landed) == {"ripcord", "basket"}
    assert s.health() > 1.59
    assert ("ripcord", False) in room.heard.told
    assert ("health", False) in room.heard.told
    assert ("mode", False) in room.heard.told
    assert keeper.budget.spent() == 0 < keeper.budget.spent(protection=True)


def test_step__its_day_is_spent__sends_nothing_and_says_so(room: Room) -> None:
    """EQ-183: what it has spent stays within the limit, and the next day it goes on."""
    price, calm = 10**9, Policy(open="always", min_profit_usd=0.0)
    keeper = room.service(limits=Limits(per_day=1_900_000 * price / 1e18), policy=calm)
    room.run(keeper, steps=20)
    assert "per_day" in keeper.watched.problems["budget"]
    assert ("budget", False) in room.heard.told
    spent = keeper.ledger.spent_since(0)
    assert 0 < spent <= 1_900_000 * price
    assert 10 * WAD - keeper.chain.balance(keeper.chain.sender) == spent
    assert room.gap() > band(room)


def test_step__an_empty_account__says_so(room: Room) -> None:
    """EQ-186: and works as soon as it is funded."""
    keeper = room.service()
    room.system.chain.request("anvil_setBalance", keeper.chain.sender, hex(10**9))
    assert keeper.step() == []
    assert ("balance", False) in room.heard.told
    assert "the account holds" in keeper.watched.problems["budget"]
    room.system.chain.request("anvil_setBalance", keeper.chain.sender, hex(WAD))
    room.system.warp(12)
    assert "open" in keeper.step()
    assert ("balance", True) in room.heard.told
    assert ("budget", True) in room.heard.told


def test_attempt__the_node_does_not_answer__is_told_once_and_waits_longer(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-185: and goes on when it is back."""
    keeper = room.service()

    def silent(*args: object) -> object:
        raise RpcError("connection refused")

    with monkeypatch.context() as patched:
        patched.setattr(keeper.chain, "_exchange", silent)
        pauses = []
        for _ in range(4):
            assert keeper.attempt() == []
            pauses.append(keeper.pause)
    assert pauses == sorted(pauses)
    assert pauses[-1] > pauses[0] > 0
    assert room.heard.told.count(("rpc", False)) == 1
    assert "open" in keeper.attempt()
    assert keeper.pause == 0.0
    assert ("rpc", True) in room.heard.told


def test_attempt__a_nodes_words_are_no_text__can_be_told_by_health(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-187: half a character in an error's message."""

    def refuses(*_: object) -> None:
        raise RpcError("refused: \ud800")

    keeper = room.service()
    monkeypatch.setattr(keeper.head, "look", refuses)
    keeper.attempt()
    health = TestClient(keeper_app(keeper)).get("/health")
    assert health.status_code == 503
    assert "refused: ?" in str(health.json()["problems"])


def test_attempt__a_defect_in_a_step__does_not_end_it(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """EQ-185"""
    keeper = room.service()
    with monkeypatch.context() as patched:
        patched.setattr(keeper.market, "lots", lambda state: 1 / 0)
        assert keeper.attempt() == []
    assert "ZeroDivisionError" in keeper.watched.problems["keeper"]
    assert keeper.attempt() != []
    assert keeper.watched.problems == {}
