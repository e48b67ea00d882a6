"""Two keepers at one vault: who loses pays gas, and not more of it than was configured."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from equipoise.client.chain import RpcError
from equipoise.client.dispatch import DispatchConfig
from equipoise.keeper.budget import Limits
from equipoise.keeper.plan import Policy
from equipoise.keeper.service import KeeperService
from equipoise.units import WAD
from tests.fixtures.keeping import Room
from tests.fixtures.levered import Levered
from tests.fixtures.system import System

ROUNDS = 3
LIMITS = Limits(per_day=0.02, per_transaction=0.01)
FUNDS = 10 * WAD


@pytest.fixture
def room(levered: Levered, make_room: Callable[[System], Room]) -> Room:
    return make_room(levered)


@pytest.fixture
def blocks(room: Room) -> Iterator[Callable[[], None]]:
    """Blocks come when they are called, so that both keepers can be in one."""
    chain = room.system.chain
    chain.request("evm_setAutomine", False)

    def block() -> None:
        chain.request("evm_setNextBlockTimestamp", chain.timestamp() + 30)
        chain.request("evm_mine")

    yield block
    chain.request("evm_setAutomine", True)
    chain.request("anvil_dropAllTransactions")


def shift(room: Room, change: float) -> None:
    s = room.system
    s.warp(3_600)
    s.set_price(0, s.price(0) * change)
    s.refresh_prices()
    s.world.align_pools()


def mined_only(keeper: KeeperService) -> Callable[..., int]:
    """Estimates as most nodes make them: anvil alone looks at what is pending."""

    def estimate(to: str, data: bytes, value: int = 0) -> int:
        keeper.chain._simulate(to, data, value)
        return 2_000_000

    return estimate


def spent(keeper: KeeperService) -> int:
    return FUNDS - keeper.chain.balance(keeper.chain.sender)


def test_race__two_keepers_take_turns__fill_nothing_twice_and_lose_nothing(room: Room) -> None:
    """EQ-184: whoever comes second sees it in its private check, at no cost."""
    pair = [room.service(number) for number in (1, 2)]
    for change in (1.3, 0.7, 1.3)[:ROUNDS]:
        shift(room, change)
        for turn in range(40):
            for keeper in pair if turn % 2 else pair[::-1]:
                keeper.step()
            room.system.world.align_pools()
            room.system.warp(60)
        assert room.gap() < room.system.auction.call("params").parityBandWad / WAD
    for kind in ("open", "fill", "poke"):
        first, second = (set(keeper.ledger.landed_keys(kind)) for keeper in pair)
        assert not first & second
        assert first | second
    for keeper in pair:
        assert keeper.chain.nonce() == keeper.ledger.transactions() > 0
        assert spent(keeper) == keeper.ledger.spent_since(0)
        assert not any(outcome == "reverted" for _, outcome in keeper.watched.outcomes)


def test_race__both_in_one_block__the_loser_pays_bounded_gas_and_both_go_on(
    room: Room, blocks: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-184: the private check cannot see it: one of two opens and fills reverts."""
    options = {
        "limits": LIMITS,
        "policy": Policy(min_profit_usd=1.0, poke=False),
        "dispatch": DispatchConfig(wait=0.05, stuck_after=1e5),
    }
    pair = [room.service(number, **options) for number in (1, 2)]
    for keeper in pair:
        monkeypatch.setattr(keeper.chain, "estimate", mined_only(keeper))
    chain = room.system.chain
    chain.request("evm_setAutomine", True)
    shift(room, 1.3)
    chain.request("evm_setAutomine", False)
    for _ in range(64):
        for keeper in pair:
            keeper.step()
        blocks()
    blocks()
    for keeper in pair:
        keeper.step()
    landed = sum(len(keeper.ledger.landed_keys(kind)) for keeper in pair for kind in ("open", "fill"))
    mined = [keeper.ledger.transactions() for keeper in pair]
    failed = sum(mined) - landed
    assert failed > 0, "they met in a block at least once"
    assert sum(event == "revert" for event, _ in room.heard.told) == failed
    first, second = (set(keeper.ledger.landed_keys("open")) for keeper in pair)
    assert not first & second
    assert room.gap() < room.system.auction.call("params").parityBandWad / WAD
    for keeper in pair:
        assert spent(keeper) == keeper.ledger.spent_since(0) <= LIMITS.per_day * WAD
        assert keeper.chain.nonce() == keeper.ledger.transactions()
        assert keeper.watched.problems == {}


def test_race__two_threads_without_pause__fill_nothing_twice(room: Room) -> None:
    """EQ-184: as two processes would, each with its own connection."""
    pair = [room.service(number) for number in (1, 2)]
    shift(room, 1.3)
    stop = threading.Event()

    def work(keeper: KeeperService) -> None:
        while not stop.is_set():
            keeper.attempt()

    threads = [threading.Thread(target=work, args=(keeper,)) for keeper in pair]
    for thread in threads:
        thread.start()
    try:
        for _ in range(25):
            with suppress(RpcError):  # a keeper's block came in between
                room.system.warp(60)
            stop.wait(0.2)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for keeper in pair:
        keeper.attempt()
        assert keeper.chain.nonce() == keeper.ledger.transactions()
        assert spent(keeper) == keeper.ledger.spent_since(0)
    first, second = (set(keeper.ledger.landed_keys("open")) for keeper in pair)
    assert not first & second
    assert room.gap() < room.system.auction.call("params").parityBandWad / WAD
