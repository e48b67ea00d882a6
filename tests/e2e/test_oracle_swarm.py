"""A quarter of real prices, nine signers of which four lie, one relay, and fifty murders."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from equipoise.client.rpc import RpcChain
from equipoise.marketdata.packages import default_prices
from equipoise.units import DAY, unpack_word8
from equipoise.world import AssetSpec, World
from tests.fixtures.swarm import HONEST, LIARS, Swarm

ASSETS = ("BTC", "ETH", "LINK")
HISTORY, DAYS, KILLS = 400, 90, 50
STEP_SECONDS = 180.0


@pytest.fixture
def swarm(tmp_path: Path) -> Iterator[Swarm]:
    prices = default_prices(list(ASSETS))
    closes = prices.loc["2021-01-01":].iloc[: HISTORY + DAYS + 1]
    first_day = int(closes.index[HISTORY].timestamp())
    specs = [AssetSpec.of(name, float(closes[name].iloc[HISTORY])) for name in ASSETS]
    with World.build(specs, start_timestamp=first_day - DAY // 2) as world:
        made = Swarm.build(world, closes, tmp_path)
        try:
            yield made
        finally:
            made.close()


class Murderer(threading.Thread):
    """Kills a random process now and then and starts it again at once."""

    def __init__(self, swarm: Swarm, kills: int) -> None:
        super().__init__()
        self.swarm, self.left = swarm, kills
        self.victims: dict[str, int] = {}
        self.halt = threading.Event()
        self._dice = random.Random(20)

    def run(self) -> None:
        names = list(self.swarm.commands)
        while self.left and not self.halt.wait(self._dice.uniform(0.3, 2.0)):
            # the relay is where a report could be lost or sent twice
            name = "relay" if self._dice.random() < 0.4 else self._dice.choice(names)
            self.swarm.kill(name)
            self.victims[name] = self.victims.get(name, 0) + 1
            self.swarm.start(name)
            self.left -= 1


def honest_range(swarm: Swarm, slot: int) -> pd.DataFrame:
    """What the honest signers signed for a time, one row each, from their journals."""
    rows = []
    for i in range(HONEST):
        with sqlite3.connect(f"file:{swarm.folder}/signer-{i}.sqlite?mode=ro", uri=True) as journal:
            query = (
                "SELECT json_extract(body, '$.vols') FROM signed "
                "WHERE kind = 'volatilities' AND observed_at = ?"
            )
            rows += [int(word) for (word,) in journal.execute(query, (slot,))]
    return pd.DataFrame([unpack_word8(word, len(ASSETS)) for word in rows], columns=list(ASSETS))


def test_swarm__four_liars_and_fifty_murders__lose_nothing_and_send_nothing_twice(swarm: Swarm) -> None:
    """EQ-28 EQ-148: the vault's volatility stays in the honest range at every step of a replayed quarter."""
    chain = swarm.world.chain
    assert isinstance(chain, RpcChain)
    for name in swarm.commands:
        swarm.start(name)
    swarm.wait_until_up(STEP_SECONDS)
    murderer = Murderer(swarm, KILLS)
    start = chain.timestamp() - chain.timestamp() % DAY + DAY
    landed, correlations = 0, set()
    for day in range(DAYS):
        slot = start + day * DAY
        swarm.world.warp_to(slot + 2)
        swarm.wait_for(slot, STEP_SECONDS)
        if day == 0:
            murderer.start()
        landed += 1
        # the murders are spread over the quarter, however fast the machine
        while KILLS - murderer.left < KILLS * day // DAYS:
            assert murderer.is_alive()
            time.sleep(0.02)
        honest = honest_range(swarm, slot)
        vols = unpack_word8(swarm.read("lastPost").vols, len(ASSETS))
        assert len(honest) >= 3, "a quorum of five has at most two liars"
        assert (vols >= honest.min().to_numpy() - 1e-8).all(), (slot, vols, honest)
        assert (vols <= honest.max().to_numpy() + 1e-8).all(), (slot, vols, honest)
        correlations.add(swarm.read("reportTimes").correlationsAt)
        assert any(swarm.read("riskData").correlations)
    deadline = time.monotonic() + STEP_SECONDS
    while murderer.left and time.monotonic() < deadline:
        time.sleep(0.1)
    correlations.add(swarm.read("reportTimes").correlationsAt)
    murderer.halt.set()
    murderer.join()
    assert murderer.left == 0
    # the relay's nonce counts every transaction that it ever sent, also one that failed
    sent = int(chain.request("eth_getTransactionCount", swarm.relay_address, "latest"), 16)
    assert sent == landed + len(correlations)
    assert landed == DAYS
    assert len(correlations) >= DAYS // 7
    assert murderer.victims["relay"] > 5
    assert len(murderer.victims) > len(LIARS) + 2
