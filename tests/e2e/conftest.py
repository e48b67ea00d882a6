"""One replay of real prices, watched from inside; shared by the stories about it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise.client import rpc
from equipoise.client.artifacts import ROOT
from equipoise.client.deployment import Deployment
from equipoise.simulation import ReplayResult, demo

DAYS = 75
BIN = Path(sys.executable).parent


@dataclass
class Evening:
    """The chain at the end of a day: its height, requests answered so far, and the vault's accounts."""

    block: int
    requests: int
    books: list[int]
    balances: list[int]
    supply: int
    share_price_wad: int
    nav_wad: int
    total_assets: int
    mode: int


@dataclass
class Watched:
    """A finished replay and what was seen on the way."""

    result: ReplayResult
    stages: list[str]
    evenings: list[Evening] = field(default_factory=list)


def watch(options: demo.DemoOptions) -> Watched:
    """Run the demo and look at the chain itself every evening, past the replay's own records."""
    staged: list[demo.Stage] = []
    stages: list[str] = []
    evenings: list[Evening] = []
    asked = [0]
    exchange = rpc._Ipc.exchange

    def counted(self: Any, request: bytes) -> bytes:
        asked[0] += 1
        return exchange(self, request)

    def kept(*args: Any) -> demo.Stage:
        staged.append(stage(*args))
        return staged[-1]

    def on_day(_day: Any, _total: int) -> None:
        before = asked[0]
        evenings.append(_evening(staged[-1].deployment, before))
        asked[0] = before  # looking does not count

    stage = demo.stage
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rpc._Ipc, "exchange", counted)
        patch.setattr(demo, "stage", kept)
        result = demo.run_demo(options, on_day, stages.append)
    return Watched(result, stages, evenings)


def _evening(deployment: Deployment, requests: int) -> Evening:
    state, vault = deployment.dashboard(), deployment.vault
    tokens, books = vault.call("holdings")
    if deployment.account is not None:  # the basket is collateral: Aave's own numbers are the books
        tokens, books = tokens[-1:], books[-1:]
    held = {token.address: token for token in [*deployment.tokens, deployment.cash]}
    return Evening(
        block=int(deployment.chain.request("eth_blockNumber"), 16),  # type: ignore[attr-defined]
        requests=requests,
        books=list(books),
        balances=[held[token].call("balanceOf", vault.address) for token in tokens],
        supply=vault.call("totalSupply"),
        share_price_wad=state.sharePriceWad,
        nav_wad=state.navWad,
        total_assets=state.totalAssets,
        mode=state.mode,
    )


@pytest.fixture(scope="session")
def watched() -> Watched:
    """The first 75 days of the default prices: warm-up, the first investment, and March 2020."""
    return watch(demo.DemoOptions(days=DAYS))


@pytest.fixture(scope="session")
def equipoise() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command `equipoise` as a user does."""

    def run(*args: object, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [str(BIN / "equipoise"), *map(str, args)]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, **options)

    return run


def prices(columns: dict[str, float], days: int = 64, seed: int = 5) -> pd.DataFrame:
    """Random walks with one common factor: symbol -> daily volatility."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(days, 1))
    noise = 0.6 * common + 0.8 * rng.normal(size=(days, len(columns)))
    index = pd.date_range("2024-01-01", periods=days, name="date")
    return pd.DataFrame(100 * np.exp((noise * list(columns.values())).cumsum(axis=0)), index, list(columns))


def summary_of(directory: Path) -> dict[str, Any]:
    return dict(json.loads((directory / "summary.json").read_text()))


@contextmanager
def start_world(folder: Path) -> Iterator[str]:
    """A running `equipoise world` that keeps its deployments in `folder`: its endpoint."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    node = subprocess.Popen(
        [str(BIN / "equipoise"), "world", "--port", str(port)],
        cwd=ROOT,
        env=environment(EQUIPOISE_DEPLOYMENTS=str(folder)),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert node.stdout
        assert f":{port}" in node.stdout.readline()
        assert f"APE_FOUNDRY_HOST=http://127.0.0.1:{port} ape console" in node.stdout.readline()
        yield f"http://127.0.0.1:{port}"
    finally:
        node.terminate()
        assert node.wait(30) == 130
    assert list(folder.glob("31337.json")) == []  # the addresses of a chain that is gone


def environment(**changes: str) -> dict[str, str]:
    return {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **changes}
