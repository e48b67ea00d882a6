"""What the oracle costs: pokes, a report of five of nine, and prices with a pool's opinion."""

from __future__ import annotations

import numpy as np

from equipoise.client.artifacts import load_artifact
from equipoise.client.config import OracleConfig
from equipoise.client.contract import Contract, create
from equipoise.oracle.publisher import Publisher
from equipoise.oracle.signer import Signer
from equipoise.oracle.typed_data import Domain
from equipoise.units import pack_budgets
from tests.fixtures.market import Market
from tests.gas.measure import send, total, view

__all__ = ["POKE_LIMITS", "gas_of_the_oracle"]

# of the issue; warm series, every slot already written
POKE_LIMITS = {"poke of eight assets": 160_000}
WINDOW = 900


def gas_of_the_oracle(m: Market) -> dict[str, dict[str, int]]:
    """Name to gas, as `gas_of_everything` has it."""
    found = {}
    realized = m.realized_volatility
    for _ in range(3):
        m.warp(3_700)
        m.refresh_prices()
        realized.send("poke", sender=m.keeper)
    m.warp(3_700)
    m.refresh_prices()
    with m.scenario():
        found["poke of eight assets"] = send(m, realized, "poke", by=m.keeper)
    realized.send("poke", sender=m.keeper)
    realized.send("pokeParity", sender=m.keeper)
    m.warp(86_400)
    for _ in range(2):
        m.warp(3_700)
        m.refresh_prices()
        realized.send("poke", sender=m.keeper)
    found["poke of the parity portfolio"] = send(m, realized, "pokeParity", by=m.keeper)
    assert m.world
    prices = m.world.prices()
    for day in range(13):
        m.warp(86_400 - 10)
        wobble = 1 + 0.01 * (-1) ** day
        m.world.set_prices({s: p * wobble if s != "USDC" else p for s, p in prices.items()})
        realized.send("poke", sender=m.keeper)
    assert realized.call("floors").volatilities
    found["full target read, over warm floors"] = total(view(m, m.auction, "targetExposures"))
    found["volatility report, 5 of 9"] = total(five_of_nine(m))
    tokens = [*m.tokens, m.cash]
    found["quotes of nine tokens"] = total(view(m, m.price_oracle, "quotes", tokens))
    busy_pools(m)
    for token, pool in zip(m.tokens, m.world.pools.values(), strict=True):  # type: ignore[union-attr]
        m.price_oracle.send("setTwap", token, (pool, WINDOW, 2_000), sender=m.owner)
    found["quotes of nine tokens, eight with pools"] = total(view(m, m.price_oracle, "quotes", tokens))
    return found


def busy_pools(m: Market) -> None:
    """Pools that have traded in every minute of the window, so that searching their memory is real work."""
    assert m.world
    prices = m.world.prices()
    for minute in range(40):
        m.warp(59)
        wobble = 1 + 0.004 * (-1) ** minute
        m.world.set_prices({s: p * wobble if s != "USDC" else p for s, p in prices.items()})
        m.world.align_pools()


def five_of_nine(m: Market) -> int:
    keys = [(9_000_000 + i).to_bytes(32, "big") for i in range(9)]
    nowhere = Domain(1, m.alice, (m.alice, m.bob))
    committee = OracleConfig(tuple(Signer(key, nowhere).address for key in keys), 5)
    args = m.owner, m.guardian, m.realized_volatility, m.tokens, pack_budgets([1 / 8] * 8)
    artifact = load_artifact("VolatilityOracle")
    oracle: Contract = create(
        m.chain, artifact, *args, list(committee.signers), 5, committee.params(), sender=m.owner
    )
    domain = Domain(m.chain.chain_id, oracle.address, tuple(t.address for t in m.tokens))
    publisher = Publisher(oracle, m.keeper)
    rng, gas = np.random.default_rng(5), 0
    for _ in range(3):
        m.warp(3_600)
        at = m.now()
        noisy = [np.array(m.vols) * (1 + 0.01 * rng.standard_normal(8)) for _ in range(5)]
        reports = [Signer(k, domain).sign_volatilities(v, at) for k, v in zip(keys, noisy, strict=False)]
        gas = publisher.post_volatilities(reports).gas_used
    return gas
