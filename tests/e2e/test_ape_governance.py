"""What shareholders and guardian type, on a governed vault behind a node of its own."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from equipoise.client.artifacts import ROOT
from equipoise.governance import State
from equipoise.units import pack_budgets
from equipoise.world import World
from tests.e2e.conftest import BIN, environment
from tests.fixtures.governance import Governed, govern
from tests.fixtures.levered import ASSETS, STAKE_USD, build_levered

OWNER, GUARDIAN, KEEPER, ALICE = (f"TEST::{i}" for i in (0, 1, 3, 4))


@dataclass
class Terminal:
    """A governed vault, and ape on its network."""

    governed: Governed
    endpoint: str
    folder: Path

    def ape(self, *args: str) -> subprocess.CompletedProcess[str]:
        variables = {"EQUIPOISE_DEPLOYMENTS": str(self.folder), "APE_FOUNDRY_HOST": self.endpoint}
        return subprocess.run(
            [str(BIN / "ape"), "run", *args],
            cwd=ROOT,
            env=environment(**variables, COLUMNS="80"),
            capture_output=True,
            text=True,
            timeout=300,
        )

    def does(self, *args: str) -> str:
        done = self.ape(*args)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refuses(self, *args: str) -> str:
        done = self.ape(*args)
        assert done.returncode == 2, done.stdout + done.stderr
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1
        return done.stderr


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    folder = tmp_path_factory.mktemp("deployments")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with World.build(ASSETS, lending=True, port=port) as world:
        governed = govern(build_levered(world))
        governed.contracts.save(folder / "31337.json")
        governed.deposit(governed.alice, STAKE_USD)
        governed.lever()
        yield Terminal(governed, f"http://127.0.0.1:{port}", folder)


def test_scripts__new_budgets__from_wrap_to_execute(terminal: Terminal) -> None:
    """EQ-159: the effect first, then one command a step; state lives on the chain alone."""
    t, g = terminal, terminal.governed
    assert "has 0 votes, a proposal takes" in t.refuses(
        "propose", "budgets", "0.5", "0.2", "0.3", "--yes", "--account", ALICE
    )
    assert re.search(r"has 900,?000 votes", t.does("wrap", "900000", "--account", ALICE))
    g.warp(1)
    refused = t.refuses("propose", "budgets", "0.5", "0.2", "0.2", "--yes", "--account", ALICE)
    assert "budgets sum to 0.9" in refused

    shown = t.does("propose", "budgets", "0.5", "0.2", "0.3", "--yes", "--account", ALICE)
    for words in (
        "Risk budgets 0.5, 0.2, 0.3",
        "setBudgets",
        "target leverage",
        "parity gap",
        "gas of its calls",
    ):
        assert words in shown
    long = [line for line in shown.splitlines() if len(line) > 80]
    assert [line for line in long if not line.startswith(("proposed: ", "INFO: "))] == []
    proposal = g.governance.find("latest")
    assert f"proposed: {proposal.id}" in shown

    refused = t.refuses("vote", "latest", "for", "--yes", "--account", ALICE)
    assert "is pending, not active: votes count from" in refused
    g.to_vote(proposal)
    assert re.search(
        r"counted: 900,?000 votes for", t.does("vote", "latest", "for", "--yes", "--account", ALICE)
    )
    g.after_vote(proposal)
    assert "queued; execute it from" in t.does("queue", str(proposal.id)[:10], "--account", KEEPER)
    assert "waits until" in t.refuses("execute", "latest", "--account", KEEPER)
    g.wait()
    g.system.refresh_prices()
    assert "executed in 0x" in t.does("execute", "latest", "--account", KEEPER)
    assert g.volatility_oracle.call("budgets") == pack_budgets((0.5, 0.2, 0.3))
    assert "nothing: it was executed" in t.refuses("execute", "latest", "--account", KEEPER)


def test_scripts__simulate_only__sends_nothing(terminal: Terminal) -> None:
    """EQ-159: also for whoever has no votes, and no refusal is a traceback."""
    t, g = terminal, terminal.governed
    g.system.refresh_prices()
    count = len(g.governance.proposals())
    shown = t.does("propose", "target-volatility", "0.2", "--simulate-only", "--account", OWNER)
    assert "auction.targetVolatility: 0.3 -> 0.2" in shown
    parameter = ("propose", "parameter", "guard.deleverAfter", "60", "--simulate-only", "--account", OWNER)
    assert "guard.deleverAfter is 1 minute; give 36 hours to 30 days" in t.refuses(*parameter)
    assert len(g.governance.proposals()) == count


def test_scripts__veto__cancels_what_is_queued_for_the_guardian_alone(terminal: Terminal) -> None:
    """EQ-157: by its own command."""
    from equipoise.governance import templates

    t, g = terminal, terminal.governed
    g.system.refresh_prices()
    if not g.votes.call("getVotes", g.alice):
        g.governance.wrap(g.alice, g.shares(g.alice))
        g.warp(1)
    proposal = g.queue(templates.deposit_cap(g.contracts, 1_000_000))
    assert "holds no veto" in t.refuses("veto", "latest", "--yes", "--account", KEEPER)
    assert "vetoed in 0x" in t.does("veto", "latest", "--yes", "--account", GUARDIAN)
    assert g.state(proposal) is State.CANCELED
