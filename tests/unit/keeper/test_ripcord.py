"""The keeper and the ripcord, on real pools and the real Aave: pulled when due, filled when it pays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from equipoise.client.dispatch import DispatchConfig
from equipoise.errors import ContractRevert
from equipoise.keeper import Keeper
from equipoise.keeper.market import Market
from equipoise.keeper.watch import unfilled
from equipoise.units import WAD
from tests.fixtures.keeping import Room
from tests.fixtures.levered import Levered
from tests.fixtures.system import System
from tests.unit.keeper.test_plan import facts
from tests.unit.keeper.test_race import mined_only


@pytest.fixture
def keeper(levered: Levered) -> Keeper:
    world = levered.world
    assert world

    def wait_until(timestamp: int) -> None:
        if timestamp > world.chain.timestamp():
            world.warp_to(timestamp)

    return Keeper(levered.contracts, levered.keeper, world.quoter, wait_until, gas_usd=20.0)


def fall(s: Levered, change: float) -> None:
    s.crash(change)
    s.pools_follow()


@pytest.mark.parametrize("change", [-0.2, -0.35, -0.42])
def test_fill_ripcord__any_fall__restores_the_target_at_little_cost(
    levered: Levered, keeper: Keeper, change: float
) -> None:
    s = levered
    fall(s, change)
    assert keeper.ripcord_due(s.contracts.dashboard())
    keeper.pull_ripcord()
    assert not keeper.ripcord_due(s.contracts.dashboard())
    fills = []
    for fill in keeper.fill_ripcord():
        fills.append(fill)
        s.world.align_pools()  # type: ignore[union-attr]
    assert fills
    assert s.health() > 1.59
    assert sum(f.cost_usd for f in fills) <= 0.03 * sum(f.sold_usd for f in fills)
    assert s.aave.liquidate(s.account.address) == []


def test_ripcord__not_due__is_not_pulled(levered: Levered, keeper: Keeper) -> None:
    s = levered
    assert not keeper.ripcord_due(s.contracts.dashboard())
    with pytest.raises(ContractRevert, match="RipcordNotDue"):
        keeper.pull_ripcord()
    assert list(keeper.fill_ripcord()) == []


def test_ripcord__silent_signers_below_the_target__is_due(levered: Levered, keeper: Keeper) -> None:
    s = levered
    s.warp(97 * 3_600)
    s.refresh_prices()
    fall(s, -0.03)
    assert keeper.ripcord_due(s.contracts.dashboard())


# ------------------------------------------------------- what cannot be sold


@pytest.fixture
def room(levered: Levered, make_room: Callable[[System], Room]) -> Room:
    """A health factor of 1.2, pools with depth."""
    levered.to_health(1.2)
    levered.pools_follow()
    return make_room(levered)


def dry(monkeypatch: pytest.MonkeyPatch, *tokens: str) -> None:
    """As the quoter answers for a pool that the liquidity has left."""
    quote = Market._proceeds

    def proceeds(self: Market, sell: str, buy: str, fee: int, amount: int) -> int:
        return 0 if sell in tokens else quote(self, sell, buy, fee, amount)

    monkeypatch.setattr(Market, "_proceeds", proceeds)


@pytest.mark.parametrize("fault", ["paused", "dry"])
def test_step__one_token_cannot_be_sold__the_ripcord_sells_the_others(
    room: Room, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """EQ-182: Aave has paused a reserve, or liquidity has left a pool."""
    s = room.system
    assert isinstance(s, Levered)
    if fault == "paused":
        s.aave.pause(s.symbols[0])
    else:
        dry(monkeypatch, s.tokens[0].address)
    held, keeper = s.balances(), room.service()
    landed = room.run(keeper, steps=10)
    assert "basket" in landed
    assert s.health() > 1.59
    assert s.balances()[0] == pytest.approx(held[0], rel=1e-4)
    assert all(left < 0.9 * before for left, before in zip(s.balances()[1:3], held[1:3], strict=True))
    assert keeper.watched.outcomes["basket", "reverted"] == 0
    assert ("unfilled", False) not in room.heard.told


def test_step__two_tokens_cannot_be_sold__the_ripcord_sells_the_third(room: Room) -> None:
    """EQ-182"""
    s = room.system
    assert isinstance(s, Levered)
    for symbol in s.symbols[:2]:
        s.aave.pause(symbol)
    room.run(room.service(), steps=15)
    assert s.health() > 1.55


def test_step__one_token_paused_and_a_health_factor_below_one__is_brought_above_it(room: Room) -> None:
    """EQ-182 EQ-133: the venue lets nothing out unless enough is sold, so the others go together."""
    s = room.system
    assert isinstance(s, Levered)
    s.to_health(0.98)
    s.pools_follow()
    s.aave.pause(s.symbols[1])
    room.run(room.service(), steps=15)
    assert s.health() > 1.5


def test_step__no_token_can_be_sold__is_told_once_the_discount_is_at_its_cap(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-187: and over when a pool pays again."""
    s = room.system
    assert isinstance(s, Levered)
    keeper = room.service()
    with monkeypatch.context() as patched:
        dry(patched, *(token.address for token in s.tokens))
        room.run(keeper, steps=15)
        assert "unfilled" not in keeper.watched.problems
        # over the end of one ripcord and the start of the next
        room.run(keeper, steps=60)
        assert "the health factor is 1.200, its target 1.600" in keeper.watched.problems["unfilled"]
        assert room.heard.told.count(("unfilled", False)) == 1
        assert ("unfilled", True) not in room.heard.told
    room.run(keeper, steps=15)
    assert s.health() > 1.59
    assert ("unfilled", True) in room.heard.told
    assert "unfilled" not in keeper.watched.problems


def test_step__a_fill_was_mined_and_failed__no_other_is_tried_on_the_same_look(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-184: a rival is a moment faster each time; every failure costs gas, of the purse that protects."""
    keeper, tried = room.service(), []
    keeper.step()
    room.system.warp(900)
    send = keeper.dispatcher.send

    def sends(kind: str, key: Any, *args: Any, **options: Any) -> Any:
        if kind != "basket":
            return send(kind, key, *args, **options)
        tried.append(key)
        raise ContractRevert("transaction reverted", ("0x",), "filler")

    monkeypatch.setattr(keeper.dispatcher, "send", sends)
    for count in (1, 2):
        keeper.step()
        assert len(tried) == count
        room.system.warp(12)


def test_step__a_fill_is_not_mined_yet__sends_no_second(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """EQ-181: interest makes every second's amounts new ones, which the first would have sold."""
    keeper = room.service(dispatch=DispatchConfig(wait=0.05))
    keeper.step()
    room.system.warp(900)
    monkeypatch.setattr(keeper.chain, "estimate", mined_only(keeper))
    chain = room.system.chain
    chain.request("evm_setAutomine", False)
    try:
        keeper.step()
        sent = keeper.ledger.in_flight()
        assert [posting.kind for posting in sent] == ["basket"]
        # a block in which it is not
        chain.request("anvil_dropAllTransactions")
        chain.request("evm_mine")
        keeper.step()
        assert keeper.ledger.in_flight() == sent
        chain.request("evm_mine")
    finally:
        chain.request("evm_setAutomine", True)
    assert "basket" in keeper.step()
    assert keeper.watched.outcomes["basket", "reverted"] == 0


def test_step__dry_run__says_one_fill(room: Room) -> None:
    """EQ-188: what is there for when the chain refuses the first is not what would be sent."""
    room.system.auction.send("ripcord", sender=room.system.keeper)
    room.system.warp(900)
    keeper = room.service(dry_run=True)
    keeper.step()
    assert keeper.watched.outcomes["basket", "would send"] == 1


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        ({"healthFactorWad": 12 * WAD // 10}, True),
        ({"healthFactorWad": 16 * WAD // 10}, False),
        ({"healthFactorWad": 12 * WAD // 10, "auctionOpen": False}, True),
        ({"healthFactorWad": 14 * WAD // 10, "auctionOpen": False}, False),
    ],
)
def test_unfilled__open_or_due__from_when_it_was_first_seen(state: dict[str, Any], wanted: bool) -> None:
    """EQ-187: a ripcord that nobody pulls is one that nothing fills."""
    known = facts()
    ripcord = type(known.auction)(id=4, ripcord=True, startedAt=9_000, endsAt=12_600, targets=0)
    known = replace(
        facts(state={"auctionOpen": True, "auction": ripcord} | state),
        auction=type(known.auction)(ripcordDuration=900),
    )
    assert unfilled(known, None) == (10_000 if wanted else None, None)
    since, text = unfilled(known, 9_000)
    assert (since, bool(text)) == ((9_000, True) if wanted else (None, False))
    assert unfilled(known, 9_100)[1] is None
