"""The local world and the clients of it: build time, transactions and calls a second."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import ape
from ape.logging import logger
from ethpm_types import ContractType
from rich.table import Table

from equipoise.client.contract import Contract
from equipoise.client.rpc import RpcChain
from equipoise.world import World
from tests.bench.measure import median_seconds, show_seconds, table

__all__ = ["tables"]

BUILDS = 3
SECONDS = 1.5

Action = Callable[[], object]


def tables() -> list[Table | str]:
    builds = []
    for _ in range(BUILDS + 1):
        started = time.perf_counter()
        with World.build():
            builds.append(time.perf_counter() - started)
    port = free_port()
    with World.build(port=port) as world:
        world.fund("USDC", world.accounts[0], 10**15)
        rates: list[tuple[str, float, float]] = []
        for name, (transfer, read) in clients(world, f"http://127.0.0.1:{port}"):
            rates.append(
                (name, median_seconds(transfer, seconds=SECONDS), median_seconds(read, seconds=SECONDS))
            )
    _, first_sent, first_called = rates[0]
    rows = [
        (
            name,
            f"{1 / sent:,.0f}",
            f"{sent / first_sent:.3g}",
            f"{1 / called:,.0f}",
            f"{called / first_called:.3g}",
        )
        for name, sent, called in rates
    ]
    built = sorted(builds[1:])[BUILDS // 2]  # the first one reads artifacts from the disk
    return [
        table(
            "Clients: an ERC-20 transfer, and a balance",
            ("Client", "  Transfers/s", "  Time, ratio", "  Reads/s", "  Time, ratio"),
            rows,
            "Until the receipt; ape signs itself, ours lets the node.",
        ),
        f"World of 5 pools: {show_seconds(built)} (median of {BUILDS}; the first {show_seconds(builds[0])})",
    ]


def clients(world: World, url: str) -> Iterator[tuple[str, tuple[Action, Action]]]:
    """Name, transfer and read of each client of the same node; a client is connected while it is measured."""
    token, sender, receiver = world.usdc, *world.accounts[:2]
    yield "ours, IPC", actions(token, sender, receiver)
    http = RpcChain(url)
    yield "ours, HTTP", actions(Contract(http, token.address, token.abi), sender, receiver)
    http.close()
    with ape_contract(token, url) as (contract, account):
        yield (
            "ape, HTTP",
            (
                lambda: contract.transfer(receiver, 1, sender=account),
                lambda: contract.balanceOf(receiver),
            ),
        )


def actions(token: Contract, sender: str, receiver: str) -> tuple[Action, Action]:
    return (
        lambda: token.send("transfer", receiver, 1, sender=sender),
        lambda: token.call("balanceOf", receiver),
    )


@contextmanager
def ape_contract(
    token: Contract, url: str
) -> Iterator[tuple[ape.contracts.ContractInstance, ape.api.AccountAPI]]:
    """ape's own handle to the token, and ape's account of the same key, quietly."""
    level = logger.level
    logger.set_level("ERROR")
    settings = {"host": url}
    try:
        with ape.networks.parse_network_choice("ethereum:local:foundry", provider_settings=settings):
            kind = ContractType.model_validate({"abi": token.abi, "contractName": "TestToken"})
            yield ape.Contract(token.address, contract_type=kind), ape.accounts.test_accounts[0]
    finally:
        logger.set_level(level)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
