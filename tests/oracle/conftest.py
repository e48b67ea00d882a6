"""A factory of volatility oracles with their signers, and reports to post to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from equipoise.client import Contract, Receipt, create, load_artifact
from equipoise.client.config import RealizedConfig
from equipoise.errors import ContractRevert
from equipoise.oracle import CorrelationReport, Domain, Publisher, SignedVolatilities, Signer
from equipoise.units import pack_budgets

WAD = 10**18
ZERO = "0x" + "0" * 40
PARAMS = (3600, 0, 2 * WAD // 10, WAD // 100, 7 * WAD // 10, 7 * WAD // 10, 2 * 86_400)


@dataclass(frozen=True)
class Committee:
    """An oracle, its signers in ascending order, its owner, guardian and a stranger."""

    oracle: Contract
    signers: list[Signer]
    owner: str
    guardian: str
    stranger: str

    @property
    def n(self) -> int:
        return self.signers[0].domain.n

    @property
    def domain(self) -> Domain:
        return self.signers[0].domain

    @property
    def now(self) -> int:
        return self.oracle.chain.timestamp()

    @property
    def publisher(self) -> Publisher:
        return Publisher(self.oracle, self.stranger)

    def sign(self, *vols: Sequence[float], at: int | None = None) -> list[SignedVolatilities]:
        """Reports of the first len(vols) signers, one list of volatilities each, or one number for all."""
        when = self.now if at is None else at
        wide = [np.full(self.n, v) if np.isscalar(v) else v for v in vols]
        return [s.sign_volatilities(v, when) for s, v in zip(self.signers, wide, strict=False)]

    def post(self, reports: Sequence[Any], sender: str | None = None) -> Receipt:
        structs = [r.to_struct() if isinstance(r, SignedVolatilities) else r for r in reports]
        return self.oracle.send("postVolatilities", structs, sender=sender or self.stranger)

    def warp(self, seconds: int) -> None:
        self.at(self.now + seconds)
        self.oracle.chain.request("evm_mine")

    def at(self, timestamp: int) -> None:
        """The next block is of that time."""
        self.oracle.chain.request("evm_setNextBlockTimestamp", timestamp)

    def cosign(self, report: CorrelationReport, count: int = 3) -> list[tuple[bytes, bytes]]:
        """Signatures of the first signers, whatever they think themselves."""
        return [s._sign(report) for s in self.signers[:count]]

    def post_correlations(
        self, report: CorrelationReport, signatures: Sequence[Any], coordinates: int
    ) -> Receipt:
        struct = (report.observed_at, report.correlations)
        return self.oracle.send("postCorrelations", struct, signatures, coordinates, sender=self.stranger)

    def vols(self) -> list[int]:
        word = self.oracle.call("exposureData").vols
        return [word >> (32 * i) & 0xFFFFFFFF for i in range(self.n)]


def address(i: int) -> str:
    return "0x" + f"{i:040x}"


@pytest.fixture(scope="module")
def realized(world: Any) -> Contract:
    """Nobody pokes it: no floor."""
    tokens = [world.tokens["BTC"].address, world.tokens["ETH"].address]
    feeds = [
        (t, world.feeds[s].address, 90_000, 50, 1, 10**30)
        for s, t in zip(("BTC", "ETH"), tokens, strict=True)
    ]
    at = {"sender": world.accounts[0]}
    prices = create(world.chain, load_artifact("PriceOracle"), at["sender"], (ZERO, 0, 1), feeds, **at)
    params = RealizedConfig().params()
    return create(
        world.chain, load_artifact("RealizedVolatility"), at["sender"], prices, tokens, params, **at
    )


@pytest.fixture(scope="module")
def deploy_oracle(world: Any, realized: Contract) -> Callable[..., Contract]:
    """Deploys with any argument replaced, so that a wrong one can be tried."""

    def deploy(**replaced: Any) -> Contract:
        n = replaced.pop("n", 3)
        arguments = {
            "owner": world.accounts[1],
            "guardian": world.accounts[2],
            "realized": realized.address,
            "assets": [address(0xA0 + i) for i in range(n)],
            "budgets": pack_budgets(np.full(n, 1 / n)),
            "signers": [address(0x50 + i) for i in range(5)],
            "threshold": 3,
            "params": PARAMS,
        } | replaced
        artifact = load_artifact("VolatilityOracle")
        return create(world.chain, artifact, *arguments.values(), sender=world.accounts[0])

    return deploy


@pytest.fixture(scope="module")
def make_committee(world: Any, deploy_oracle: Callable[..., Contract]) -> Callable[..., Committee]:
    def make(n: int = 3, signers: int = 5, threshold: int = 3, **replaced: Any) -> Committee:
        keys = [(7_000_000 + i).to_bytes(32, "big") for i in range(signers)]
        nowhere = Domain(1, address(1), (address(2), address(3)))
        addresses = [Signer(key, nowhere).address for key in keys]
        oracle = deploy_oracle(n=n, signers=addresses, threshold=threshold, **replaced)
        domain = Publisher(oracle, world.accounts[5]).domain
        ordered = sorted((Signer(key, domain) for key in keys), key=lambda s: s.address.lower())
        return Committee(oracle, ordered, world.accounts[1], world.accounts[2], world.accounts[5])

    return make


@pytest.fixture
def committee(make_committee: Callable[..., Committee]) -> Committee:
    return make_committee()


@pytest.fixture(scope="session")
def refused() -> Callable[..., tuple[Any, ...]]:
    """Runs an action that must revert with `name` and change nothing; gives the error's arguments."""

    def run(name: str, oracle: Contract, action: Callable[[], Any]) -> tuple[Any, ...]:
        before = oracle.call("riskData")
        with pytest.raises(ContractRevert) as revert:
            action()
        assert revert.value.name == name, revert.value
        assert oracle.call("riskData") == before
        return revert.value.arguments

    return run
