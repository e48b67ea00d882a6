"""A month of real prices by the hour, five signers, two keepers that race, nobody who looks after them."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise.marketdata.packages import default_prices
from equipoise.simulation.intraday import intraday_paths
from equipoise.units import DAY, WAD
from equipoise.world import AssetSpec, World
from tests.fixtures.crew import FUNDS, Crew

ASSETS = ("BTC", "ETH", "SPX")
FIRST, HISTORY, DAYS = "2022-06-01", 120, 30
KILLS = 15
HOUR, LOOK = 3_600, 120
STAKE_USD = 500_000
TARGET = 0.9
LIMITS = {"per_day": 0.04, "per_transaction": 0.02, "gas_price": 100.0}
# one auction of half an hour may fail; the second has the hour after
LATE_HOURS = 3
SETTLING_DAYS = 2


@dataclass
class Diary:
    """What the driver saw by the hour; `lows` are health factors before any keeper could act."""

    gaps: list[float] = field(default_factory=list)
    health: list[float] = field(default_factory=list)
    lows: list[float] = field(default_factory=list)
    evenings: list[float] = field(default_factory=list)
    reports: int = 0
    debt: list[float] = field(default_factory=list)


@dataclass
class Month:
    """The world's part: prices, an arbitrageur, time."""

    crew: Crew
    closes: pd.DataFrame
    paths: dict[pd.Timestamp, np.ndarray]
    diary: Diary = field(default_factory=Diary)
    dice: random.Random = field(default_factory=lambda: random.Random(11))
    killed: dict[str, int] = field(default_factory=dict)

    def run(self) -> None:
        crew = self.crew
        start = int(self.closes.index[HISTORY].timestamp()) + DAY
        crew.advance(start + 2)
        self.prices(self.closes.iloc[HISTORY].to_numpy())
        self.report(start)
        self.deposit()
        for date in self.closes.index[HISTORY + 1 : HISTORY + 1 + DAYS]:
            self.day(date)

    def day(self, date: pd.Timestamp) -> None:
        start = int(date.timestamp())
        for hour, values in enumerate(self.paths[date], start=1):
            self.crew.advance(start + hour * HOUR)
            self.prices(values)
            if hour == 24:
                self.report(start + DAY)
            self.murder()
            self.rebalance(start + (hour + 1) * HOUR - 2 * LOOK)
            self.note()
        self.diary.evenings.append(self.diary.health[-1])

    def prices(self, values: np.ndarray) -> None:
        world = self.crew.world
        world.set_prices({**dict(zip(ASSETS, map(float, values), strict=True)), "USDC": 1.0})
        world.align_pools()
        self.diary.lows.append(self.crew.dashboard().healthFactorWad / WAD)
        world.recentre_liquidity(0.1)
        self.crew.wait_seen()

    def report(self, slot: int) -> None:
        self.crew.wait_for(slot, 60.0)
        self.diary.reports += 1
        self.crew.advance(self.crew.read("lastPost").settlesAt)
        self.crew.wait_seen()

    def deposit(self) -> None:
        crew, alice = self.crew, self.crew.world.accounts[1]
        vault, amount = crew.deployment.vault, STAKE_USD * 10**6
        crew.world.fund("USDC", alice, amount)
        crew.deployment.cash.send("approve", vault.address, amount, sender=alice)
        vault.send("deposit", amount, alice, sender=alice)
        crew.wait_seen()

    def rebalance(self, until: int) -> None:
        """Time passes for an auction in course, and the arbitrageur answers each trade."""
        crew = self.crew
        while (state := crew.dashboard()).auctionOpen and state.timestamp < until and state.risk.reason:
            crew.advance(state.timestamp + LOOK)
            crew.wait_seen()
            crew.world.align_pools()

    def note(self) -> None:
        state = self.crew.dashboard()
        self.diary.gaps.append(state.risk.parityGapWad / WAD if state.hasRisk else 0.0)
        self.diary.health.append(min(state.healthFactorWad / WAD, 100.0))
        self.diary.debt.append(state.debtWad / WAD)

    def murder(self) -> None:
        """A random process dies and is born again at once; the keepers more often, at any point of a step."""
        hours = DAYS * 24
        if self.dice.random() < KILLS / hours:
            name = self.dice.choice(["keeper-1", "keeper-2", "signer"])
            name = f"signer-{self.dice.randrange(5)}" if name == "signer" else name
            time.sleep(self.dice.uniform(0, 0.1))
            self.crew.kill(name)
            self.crew.start(name)
            self.killed[name] = self.killed.get(name, 0) + 1


@pytest.fixture
def month(tmp_path: Path) -> Iterator[Month]:
    prices = default_prices(list(ASSETS), end="2022-12-28")
    first = prices.index.get_loc(pd.Timestamp(FIRST)) - HISTORY
    closes = prices.iloc[first : first + HISTORY + DAYS + 1]
    filled = closes.ffill()
    begin = int(closes.index[HISTORY].timestamp()) + DAY // 2
    specs = [AssetSpec.of(name, float(filled[name].iloc[HISTORY])) for name in ASSETS]
    with World.build(specs, start_timestamp=begin, lending=True) as world:
        crew = Crew.assemble(world, closes, tmp_path, LIMITS, TARGET)
        try:
            for name in crew.commands:
                crew.start(name)
            crew.wait_until_up(120.0)
            yield Month(crew, filled, intraday_paths(filled, ["SPX"], 7))
        finally:
            crew.close()


def longest(flags: list[bool]) -> int:
    """Length of the longest run of true."""
    best = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        best = max(best, run)
    return best


def test_month__two_keepers_five_signers_and_murders__stays_in_its_bands(month: Month) -> None:
    """EQ-189 EQ-181 EQ-183 EQ-184: unattended; what each keeper sent and paid is what its ledger says."""
    month.run()
    crew, diary = month.crew, month.diary
    params, guard = crew.deployment.auction.call("params"), crew.deployment.guard.call("params")
    assert diary.reports == DAYS + 1
    settled = slice(SETTLING_DAYS * 24, None)
    band = params.parityBandWad / WAD
    assert max(diary.gaps[settled]) > band / 2, "the month moves"
    assert longest([gap > band for gap in diary.gaps[settled]]) <= LATE_HOURS
    assert min(diary.debt[settled]) > 0
    assert min(diary.health + diary.lows) >= guard.triggerHealthWad / WAD
    assert min(diary.evenings) >= guard.increaseHealthWad / WAD
    assert sum(month.killed.values()) >= KILLS // 2
    crew.stop_keepers()
    opened: list[str] = []
    filled: list[str] = []
    for name, address in crew.keepers.items():
        paid = crew.rows(name, "SELECT at, fee FROM spent ORDER BY at")
        nonce = int(crew.world.chain.request("eth_getTransactionCount", address, "latest"), 16)
        assert nonce == len(paid) > 0
        assert FUNDS - crew.world.chain.balance(address) == sum(int(fee) for _, fee in paid)
        worst = max(sum(int(fee) for at, fee in paid if now - DAY < at <= now) for now, _ in paid)
        assert worst <= LIMITS["per_day"] * WAD
        opened += [
            key for (key,) in crew.rows(name, "SELECT key FROM sent WHERE kind IN ('open', 'ripcord')")
        ]
        filled += [key for (key,) in crew.rows(name, "SELECT key FROM sent WHERE kind = 'fill'")]
    assert len(opened) == len(set(opened)) == crew.deployment.auction.call("current").id > 1
    assert len(filled) == len(set(filled)) > len(opened)
