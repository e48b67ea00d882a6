"""A keeper when gas gets dear: what is stuck bars no ripcord, and no fill is paid for out of habit."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from equipoise.client.dispatch import CLEARING, DispatchConfig
from equipoise.client.rpc import RpcChain
from equipoise.client.signing import GAS_MARGIN, Fees
from equipoise.keeper.budget import Limits
from equipoise.keeper.market import Market
from equipoise.keeper.plan import Action, Policy
from equipoise.keeper.service import KeeperService
from tests.fixtures.keeping import ETH_USD, Room
from tests.fixtures.levered import Levered
from tests.fixtures.system import System
from tests.unit.keeper.test_service import room

__all__ = ["room"]  # a fixture

GWEI = 10**9
RICH = Limits(per_day=5, per_transaction=2)


@pytest.fixture
def node(levered: Levered) -> Iterator[RpcChain]:
    """Mines on demand, at the base fee that it is told."""
    made = levered.chain
    snapshot = made.request("evm_snapshot")
    fee = made.request("eth_getBlockByNumber", "latest", False)["baseFeePerGas"]
    yield made
    made.request("evm_setAutomine", True)
    made.request("anvil_dropAllTransactions")
    made.request("evm_revert", snapshot)
    made.request("anvil_setNextBlockBaseFeePerGas", fee)  # which no snapshot holds


def mine(node: RpcChain, gwei: int) -> None:
    """A block at this base fee, and the next as well."""
    for method in ("anvil_setNextBlockBaseFeePerGas", "evm_mine", "anvil_setNextBlockBaseFeePerGas"):
        node.request(method, *([] if method == "evm_mine" else [hex(gwei * GWEI)]))


def test_step__a_poke_is_stuck_when_gas_leaps__the_ripcord_is_pulled_and_filled(
    levered: Levered, make_room: Callable[[System], Room], node: RpcChain
) -> None:
    """EQ-182 EQ-183: what is before it is cancelled from its purse, as the other does not pay for that."""
    dispatch, room = DispatchConfig(wait=0.2, stuck_after=0.0), make_room(levered)
    levered.warp(7_200)
    levered.refresh_prices()
    levered.to_health(1.2)
    levered.pools_follow()
    mine(node, 20)
    node.request("evm_setAutomine", False)
    before = room.service(policy=Policy(ripcord=False, open="never"), dispatch=dispatch)
    assert before.attempt() == []
    assert before.ledger.in_flight()[0].kind == "poke"
    keeper, landed = room.service(dispatch=dispatch), []
    for _ in range(30):
        mine(node, 300)
        landed += keeper.attempt()
        if levered.health() > 1.59 and not keeper.ledger.in_flight():
            break
    assert landed[0] == CLEARING
    assert "ripcord" in landed
    assert "basket" in landed
    assert "poke" not in landed
    assert levered.health() > 1.4
    assert keeper.budget.spent() <= Limits().per_day * 10**18
    assert keeper.ledger.transactions() == keeper.chain.nonce()


def test_step__fills_take_ten_times_the_gas__leave_that_too_or_are_not_sent(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-180: a rival has put dust at every tick: by the node's estimate, not by a table."""
    keeper = room.service(policy=Policy(open="always"), limits=RICH)
    filled = dearer(keeper, monkeypatch, 10)
    landed = room.run(keeper, steps=32)
    assert keeper.watched.outcomes["fill", "too dear"] >= 1
    assert landed.count("fill") == len(filled) >= 1
    for gas, usd in filled:
        assert usd > 0.9 * gas * 21 * GWEI / 1e18 * ETH_USD


def test_step__a_fill_was_dear_once__stops_no_other_for_long(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-180: a node lied, or a rival's dust is gone; at that price nothing is planned, and nothing asked."""
    keeper = room.service(policy=Policy(open="profitable"), limits=RICH)
    estimate = keeper.chain.estimate
    said: list[int] = []

    def once(to: str | None, data: bytes, value: int = 0) -> int:
        true = estimate(to, data, value)
        if to == keeper.deployment.filler.address and not said:
            said.append(true)
            return 39_000_000
        return true

    monkeypatch.setattr(keeper.chain, "estimate", once)
    monkeypatch.setattr(keeper.chain, "fees", lambda: Fees(20 * GWEI, GWEI))
    landed = room.run(keeper, steps=64)
    assert said
    assert keeper.watched.outcomes["fill", "too dear"] == 1
    assert "fill" in landed


def test_step__a_basket_is_stuck_and_its_account_too_poor__a_smaller_one_is_sold(
    levered: Levered, make_room: Callable[[System], Room], node: RpcChain
) -> None:
    """EQ-182: its nonce is cleared, or as long as gas is dear nothing were sold at all."""
    room = make_room(levered)
    levered.warp(7_200)
    levered.refresh_prices()
    levered.to_health(1.2)
    levered.pools_follow()
    keeper = room.service(
        dispatch=DispatchConfig(wait=0.2, stuck_after=0.0),
        policy=Policy(poke=False, open="never", coordinates=False),
    )
    levered.pull()
    node.request("anvil_setBalance", keeper.chain.sender, hex(5 * 10**17))
    node.request("evm_setAutomine", False)
    for _ in range(60):
        mine(node, 60)
        node.request("evm_increaseTime", 30)
        keeper.attempt()
        if keeper.ledger.in_flight():
            break
    assert [posting.kind for posting in keeper.ledger.in_flight()] == ["basket"]
    landed = []
    for _ in range(25):
        mine(node, 200)
        landed += keeper.attempt()
    assert landed[0] == CLEARING
    assert "basket" in landed
    assert levered.health() > 1.25


def test_step__fills_take_half_as_much_again__are_sent_at_once(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-180: no table knows every pool."""
    keeper = room.service(limits=RICH)
    dearer(keeper, monkeypatch, 1.2)
    assert "fill" in room.run(keeper)
    assert keeper.watched.outcomes["fill", "too dear"] == 0


def dearer(keeper: KeeperService, monkeypatch: pytest.MonkeyPatch, times: float) -> list[tuple[int, float]]:
    """The node's estimates are so many times what they are; (gas, least profit {USD}) of fills that land."""
    chain, estimate, do = keeper.chain, keeper.chain.estimate, keeper._do
    landed: list[tuple[int, float]] = []
    found: list[int] = []

    def estimates(to: str | None, data: bytes, value: int = 0) -> int:
        found.append(int(times * estimate(to, data, value)))
        return found[-1]

    def does(action: Action) -> str:
        facts, done = keeper.watched.facts, do(action)
        assert facts
        if done == "landed" and action.kind == "fill":
            _, _, buy, _, _, profit, _ = action.args[0]
            prices = Market.prices(facts.state)
            landed.append((int(found[-1] / GAS_MARGIN), profit / facts.units[buy] * prices[buy]))
        return done

    monkeypatch.setattr(chain, "estimate", estimates)
    monkeypatch.setattr(chain, "fees", lambda: Fees(20 * GWEI, GWEI))
    monkeypatch.setattr(keeper, "_do", does)
    return landed
