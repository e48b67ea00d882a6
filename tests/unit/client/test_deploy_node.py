"""Nodes that lie, transactions that wait, purses that run dry: each refusal says how to go on."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import Any

import pytest

from equipoise.client import RpcChain, RpcError
from equipoise.client.config import DeploymentConfig
from equipoise.client.deploy import deploy
from equipoise.client.deploy.create2 import FACTORY, check_factory
from equipoise.client.deploy.head import HeadWatch, is_local
from equipoise.client.deploy.pending import wait_for_pending
from equipoise.errors import ContractRevert, InputError
from equipoise.world import World
from tests.fixtures.deploying import Liar

PUBLIC = {"web3_clientVersion": lambda _: "Geth/v1.14"}


def higher(blocks: int) -> Any:
    return lambda number: hex(int(number, 16) + blocks)


def at_time(timestamp: float) -> Any:
    return lambda block: {**block, "timestamp": hex(int(timestamp))}


def test_is_local__anvil_and_geth__are_told_apart(node: RpcChain) -> None:
    assert is_local(node)
    assert not is_local(Liar(node, **PUBLIC))


def test_check__honest_node__gives_its_head(node: RpcChain) -> None:
    watch = HeadWatch(node, node)
    assert watch.check() == watch.check() == int(node.request("eth_blockNumber"), 16)


def test_check__head_goes_back__is_refused_but_for_a_reorg(node: RpcChain) -> None:
    """EQ-174"""
    node.request("anvil_mine", hex(40))
    for back, honest in ((2, True), (3, True), (4, False), (30, False)):
        numbers = iter([higher(0), higher(-back)])
        blocks = iter([lambda b: b, lambda b, back=back: {**b, "number": hex(int(b["number"], 16) - back)}])
        liar = Liar(
            node,
            eth_blockNumber=lambda n, numbers=numbers: next(numbers)(n),
            eth_getBlockByNumber=lambda b, blocks=blocks: next(blocks)(b),
        )
        watch = HeadWatch(liar)
        head = watch.check()
        if honest:
            assert watch.check() == head - back
        else:
            with pytest.raises(
                RpcError, match=rf"went back from block {head} to {head - back}.*nothing is lost"
            ):
                watch.check()


def test_check__number_without_its_block__is_refused(node: RpcChain) -> None:
    """EQ-174"""
    with pytest.raises(RpcError, match=r"says block \d+ is its head, but gives \d+ as the latest"):
        HeadWatch(Liar(node, eth_blockNumber=higher(100))).check()


@pytest.mark.parametrize(
    ("offset", "words"), [(-7_200, "7200 s ago|7199 s ago|7201 s ago"), (7_200, "from now")]
)
def test_check__latest_block_far_from_now__is_refused_on_a_public_chain(
    node: RpcChain, offset: int, words: str
) -> None:
    """EQ-174: a development chain has a time of its own."""
    HeadWatch(Liar(node, eth_getBlockByNumber=at_time(time.time() + offset))).check()
    with pytest.raises(RpcError, match=rf"({words}).*not synchronised.*another endpoint"):
        HeadWatch(Liar(node, **PUBLIC, eth_getBlockByNumber=at_time(time.time() + offset))).check()
    HeadWatch(Liar(node, **PUBLIC, eth_getBlockByNumber=at_time(time.time() - 60))).check()


def test_check__second_endpoint_of_another_fork__is_refused(node: RpcChain) -> None:
    """EQ-174"""
    other = Liar(node, eth_getBlockByNumber=lambda block: {**block, "hash": "0x" + "cd" * 32})
    with pytest.raises(RpcError, match=r"disagree about block \d+ \(0x\w+, 0xcdcd"):
        HeadWatch(node, other).check()


def test_check__second_endpoint_far_behind__is_refused(node: RpcChain) -> None:
    """EQ-174"""
    node.request("anvil_mine", hex(40))
    with pytest.raises(RpcError, match=r"heads are \d+ and \d+, more than 20 blocks apart"):
        HeadWatch(node, Liar(node, eth_blockNumber=higher(-21))).check()


def test_check__second_endpoint_of_another_chain__is_refused(node: RpcChain) -> None:
    """EQ-174"""

    class Elsewhere(Liar):
        chain_id = 5

    with pytest.raises(RpcError, match="second endpoint is of chain 5, the first of 31337"):
        HeadWatch(node, Elsewhere(node)).check()


def test_deploy__code_absent_where_it_was_mined__is_refused_and_resumes(
    venue: World, owned_config: DeploymentConfig
) -> None:
    """EQ-174"""

    class Blind(Liar):
        """Its code is always that of a while ago."""

        def code(self, address: str) -> bytes:
            return b"" if address != FACTORY else bytes(venue.chain.code(address))

    deployer = venue.accounts[0]
    with pytest.raises(
        RpcError, match=r"deploy PriceOracle: the node says that 0x\w+ was mined.*another endpoint"
    ):
        deploy(Blind(venue.chain), deployer, owned_config, patience=0.01)
    assert deploy(venue.chain, deployer, owned_config).vault


def test_deploy__node_a_moment_behind__is_waited_for(venue: World, owned_config: DeploymentConfig) -> None:
    calls = itertools.count()

    class Late(Liar):
        def code(self, address: str) -> bytes:
            return (
                b"" if address != FACTORY and next(calls) in (0, 1, 2) else bytes(venue.chain.code(address))
            )

    assert deploy(Late(venue.chain), venue.accounts[0], owned_config).vault


def test_deploy__constructor_refuses__its_reason_is_named(
    venue: World, owned_config: DeploymentConfig
) -> None:
    """The CREATE2 factory swallows it."""
    wrong = replace(owned_config, cash=replace(owned_config.cash, heartbeat=1))
    with pytest.raises(ContractRevert, match=r"PriceOracle: ParameterOutOfRange\(heartbeat, 1, "):
        deploy(venue.chain, venue.accounts[0], wrong)


@pytest.mark.parametrize(
    ("code", "said"), [("0x", "no CREATE2 factory .*deterministic-deployment-proxy"), ("0x60", "is not")]
)
def test_check_factory__missing_or_another__is_told(node: RpcChain, code: str, said: str) -> None:
    check_factory(node)
    snapshot = node.request("evm_snapshot")
    node.request("anvil_setCode", FACTORY, code)
    with pytest.raises(InputError, match=said):
        check_factory(node)
    node.request("evm_revert", snapshot)


@pytest.fixture
def unmined(node: RpcChain) -> Any:
    """An account whose transactions wait until `evm_mine`."""
    snapshot = node.request("evm_snapshot")
    node.request("evm_setAutomine", False)
    sender = node.request("eth_accounts")[8]

    def send(skip: int = 0) -> None:
        nonce = int(node.request("eth_getTransactionCount", sender, "pending"), 16) + skip
        transaction = {"from": sender, "to": sender, "gas": hex(21_000), "gasPrice": hex(10**9)}
        node.request("eth_sendTransaction", {**transaction, "nonce": hex(nonce)})

    yield sender, send
    node.request("anvil_dropAllTransactions")
    node.request("evm_setAutomine", True)
    node.request("evm_revert", snapshot)


def test_wait_for_pending__nothing_waits__returns(node: RpcChain, unmined: Any) -> None:
    wait_for_pending(node, unmined[0], patience=0)


def test_wait_for_pending__sent_and_not_mined__names_the_nonces(node: RpcChain, unmined: Any) -> None:
    """EQ-174"""
    sender, send = unmined
    nonce = int(node.request("eth_getTransactionCount", sender, "latest"), 16)
    send()
    send()
    said = rf"with nonces {nonce} to {nonce + 1} are sent and not mined: wait, or replace.*nothing is lost"
    with pytest.raises(InputError, match=said):
        wait_for_pending(node, sender, patience=0)
    node.request("evm_mine")
    wait_for_pending(node, sender, patience=0)


def test_wait_for_pending__behind_a_gap__names_the_nonces(node: RpcChain, unmined: Any) -> None:
    """EQ-174"""
    sender, send = unmined
    nonce = int(node.request("eth_getTransactionCount", sender, "latest"), 16)
    send(skip=3)
    said = rf"nonces \[{nonce + 3}\] wait behind a gap \(its next nonce is "
    f"{nonce}\).*from {nonce} to {nonce + 2}"
    with pytest.raises(InputError, match=said):
        wait_for_pending(node, sender, patience=0)


def test_wait_for_pending__node_that_tells_no_pool__is_believed(node: RpcChain, unmined: Any) -> None:
    def refuse(_: Any) -> Any:
        raise RpcError("method not found", -32601)

    wait_for_pending(Liar(node, txpool_inspect=refuse), unmined[0], patience=0)
