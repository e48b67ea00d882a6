"""The EVM in this process against anvil: the same lives, transaction by transaction, log by log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from equipoise.client.artifacts import load_artifact
from equipoise.client.chain import RevertedCall, RpcError
from equipoise.client.contract import create
from tests.engine import Saved, on_anvil, on_revm
from tests.fixtures.levered import STAKE_USD
from tests.stateful.life import Life
from tests.stateful.steps import replay
from tests.stateful.systems import KINDS

FEW = settings(
    max_examples=max(3, settings().max_examples // 30),
    stateful_step_count=30,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


@pytest.mark.parametrize("kind", KINDS)
def test_engines__the_same_lives__agree_in_every_transaction(
    saved: Callable[[str], Saved], kind: str
) -> None:
    """Results, reverts with their data, logs, times, and what the views say after every rule."""
    system = on_revm(saved(kind))
    ran: list[tuple[Life, list[Any]]] = []

    class Kept(Life):
        def teardown(self) -> None:
            ran.append((self, list(self.s.chain.entries)))
            super().teardown()

    run_state_machine_as_test(lambda: Kept(system), settings=FEW)
    assert sum(len(entries) for _, entries in ran) > 20 * len(ran)
    with on_anvil(saved(kind)) as other:
        for machine, entries in ran:
            copy = Life(other)
            replay(copy, machine.steps)
            assert copy.digests == machine.digests
            assert other.chain.entries == entries


def test_engines__votes_and_another_basket__agree_in_every_transaction(saved: Callable[[str], Saved]) -> None:
    """Contracts that create others do so at the same addresses."""
    steps = [
        ("begins", {"invested": True, "fees": "usual", "settle": 600, "governed": True}),
        ("an_asset_is_replaced", {"out": 0, "moment": 0.5}),
        ("a_proposal_goes_its_way", {"which": 0, "to": "the end"}),
        ("a_quiet_day", {"level": 1.0, "moment": 1.0}),
        ("what_is_sold_is_dropped", {}),
        ("a_proposal_goes_its_way", {"which": 0, "to": "the end"}),
    ]
    here = replay(Life(system := on_revm(saved("levered"))), steps)
    assert here.names == ["ETH", "GOLD", "LINK", "USDC"]
    entries = list(system.chain.entries)
    with on_anvil(saved("levered")) as other:
        there = replay(Life(other), steps)
        assert there.digests == here.digests
        assert other.chain.entries == entries


@settings(max_examples=20, derandomize=True)
@given(data=st.binary(max_size=64), value=st.integers(0, 10))
def test_revm_chain__any_data_to_the_vault__reverts_as_on_anvil(
    saved: Callable[[str], Saved], data: bytes, value: int
) -> None:
    """Unknown selectors, short data, and ether: with the same revert data, or none."""
    system = on_revm(saved("unlevered"))
    with pytest.raises(RevertedCall) as caught:
        system.chain.send(system.bob, system.vault.address, b"\0" + data, value)
    assert caught.value.data == b""


def test_revm_chain__snapshots_within_snapshots__return_to_each(lives: Callable[[str], Any]) -> None:
    """State, time and nonces; what comes later is used up, as on anvil."""
    s = lives("unlevered")
    chain = s.chain
    outer = chain.request("evm_snapshot")
    at, cash = s.now(), s.cash_of(s.bob)
    s.deposit(s.bob, STAKE_USD)
    inner = chain.request("evm_snapshot")
    s.warp(1_000)
    s.vault.send("redeem", s.shares(s.bob), s.bob, s.bob, sender=s.bob)
    assert chain.request("evm_revert", inner)
    assert s.shares(s.bob) > 0
    late = chain.request("evm_snapshot")
    assert chain.request("evm_revert", outer)
    assert (s.now(), s.cash_of(s.bob), s.shares(s.bob)) == (at, cash, 0)
    assert not chain.request("evm_revert", late)


def test_revm_chain__a_creation__has_the_address_that_anvil_gives(saved: Callable[[str], Saved]) -> None:
    """The sender's nonce counts calls too, and failed ones."""

    def made(s: Any) -> str:
        s.cash.send("approve", s.bob, 1, sender=s.alice)
        with pytest.raises(RevertedCall):
            s.chain.send(s.alice, s.vault.address, b"\1\2\3\4")
        return create(s.chain, load_artifact("PoolImpostor"), sender=s.alice).address

    system = on_revm(saved("unlevered"))
    with on_anvil(saved("unlevered")) as other:
        assert made(system) == made(other)


def test_revm_chain__transient_storage__is_cleared_between_transactions(
    lives: Callable[[str], Any],
) -> None:
    """TSTORE in one transaction is not seen by the next, nor by a call."""
    s = lives("unlevered")
    snapshot = s.chain.request("evm_snapshot")
    # tload(0) is returned, tstore(0, 1) is left behind
    code = bytes.fromhex("5f5c5f5260015f5d60205ff3")
    receipt = s.chain.send(s.alice, None, b"\x6b" + code + bytes.fromhex("5f52600c6014f3"))
    for _ in range(2):
        s.chain.send(s.alice, receipt.contract_address, b"")
        assert int.from_bytes(s.chain.call(receipt.contract_address, b""), "big") == 0
    assert s.chain.request("evm_revert", snapshot)


def test_revm_chain__what_it_cannot_do__is_refused_by_name(lives: Callable[[str], Any]) -> None:
    chain = lives("unlevered").chain
    with pytest.raises(RpcError, match="anvil_impersonateAccount"):
        chain.request("anvil_impersonateAccount", "0x" + "11" * 20)
    with pytest.raises(RpcError, match="latest block only"):
        chain.call("0x" + "11" * 20, b"", block=7)
    with pytest.raises(RpcError, match="lies before"):
        chain.request("evm_setNextBlockTimestamp", 1)
