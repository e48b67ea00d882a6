"""The keeper as a silverback bot, as its users start it: it opens and fills an auction, and ends in order."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from eth_account import Account

from equipoise.client.artifacts import ROOT
from equipoise.oracle.keys import LocalKey
from equipoise.units import WAD
from equipoise.world import World
from tests.fixtures.levered import ASSETS, Levered, build_levered
from tests.fixtures.swarm import PASSPHRASE, free_port

BIN = Path(sys.executable).parent
SECRET = b"\x42" * 32
START_SECONDS, WORK_SECONDS = 120.0, 90.0


class Bot:
    """The process, its files and its world."""

    def __init__(self, system: Levered, folder: Path, port: int) -> None:
        self.system, self.folder, self.port = system, folder, free_port()
        self.address = LocalKey(SECRET).address
        system.chain.request("anvil_setBalance", self.address, hex(WAD))
        (folder / "accounts").mkdir()
        keystore = Account.encrypt(SECRET, PASSPHRASE, kdf="pbkdf2", iterations=2)
        (folder / "accounts" / "keeper-1.json").write_text(json.dumps(keystore))
        (folder / "pass").touch(mode=0o600)
        (folder / "pass").write_text(PASSPHRASE)
        self.settings: dict[str, Any] = {
            "account": "named on the command line",
            "passphrase_file": str(folder / "pass"),
            "rpc": "http://127.0.0.1:1",  # the network on the command line counts
            "deployment": str(system.contracts.save(folder / "deployment.json")),
            "ledger": str(folder / "keeper.sqlite"),
            "quoter": system.world.quoter.address,  # type: ignore[union-attr]
            "eth_usd": 2_000,
            "port": self.port,
            "head": {"max_lag": 0},
        }
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "offchain"), str(ROOT)]),
            "APE_DATA_FOLDER": str(folder),
            "APE_FOUNDRY_HOST": f"http://127.0.0.1:{port}",
            "EQUIPOISE_KEEPER": str(folder / "keeper.yaml"),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        (self.folder / "keeper.yaml").write_text(yaml.safe_dump(self.settings))
        command = [str(BIN / "silverback"), "run", "equipoise.keeper.bot"]
        command += ["--network", "ethereum:local:foundry", "--account", "keeper-1"]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                command,
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self.process

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def until(self, words: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while words not in self.log():
            assert self.process
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Bot]:
    port = free_port()
    with World.build(ASSETS, lending=True, port=port) as world:
        system = build_levered(world)
        system.deposit(system.alice, 1_000_000)
        system.lever()
        made = Bot(system, tmp_path, port)
        try:
            yield made
        finally:
            if made.process is not None and made.process.poll() is None:
                made.process.kill()
                made.process.wait()


def test_silverback__runs_the_bot__which_opens_and_fills_an_auction(bot: Bot) -> None:
    """EQ-189: a step a block, with ape's encrypted account, and nothing left behind by SIGTERM."""
    s = bot.system
    began = time.monotonic()
    process = bot.start()
    bot.until("transitioning to runtime", START_SECONDS)
    print(f"silverback was up after {time.monotonic() - began:.1f} s")
    s.warp(3_600)
    s.set_price(0, s.price(0) * 1.3)
    s.refresh_prices()
    s.world.align_pools()  # type: ignore[union-attr]
    band = s.auction.call("params").parityBandWad
    deadline = time.monotonic() + WORK_SECONDS
    assert s.contracts.dashboard().risk.parityGapWad > band
    while s.contracts.dashboard().risk.parityGapWad > band:
        assert time.monotonic() < deadline, bot.log()
        s.warp(120)
        time.sleep(0.4)
    assert s.auction.call("current").id == 2
    health = httpx.get(f"http://127.0.0.1:{bot.port}/health").json()
    assert (health["ok"], health["account"]) == (True, bot.address)
    process.send_signal(signal.SIGTERM)
    s.warp(12)  # silverback hears a signal with the next block, or minute
    assert process.wait(75) == 0, bot.log()
    assert "Traceback" not in bot.log()


def test_silverback__a_wrong_passphrase__ends_with_its_reason(bot: Bot) -> None:
    """EQ-186: before anything is sent."""
    (bot.folder / "pass").write_text("another")
    process = bot.start()
    assert process.wait(START_SECONDS) != 0
    assert "error: the passphrase does not open the ape account 'keeper-1'" in bot.log()
    assert "Traceback" not in bot.log()
