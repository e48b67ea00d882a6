"""The runbook is rehearsed: each incident happens to a governed, levered vault, and the commands of its block
are run in their order, by ape itself. What needs another process is done by the same client functions.
"""

from __future__ import annotations

import ast
import importlib
import os
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from equipoise.client.artifacts import ROOT, load_artifact
from equipoise.client.contract import create
from equipoise.governance import State, Support
from equipoise.oracle.journal import Journal
from equipoise.world import World
from tests.e2e.conftest import BIN
from tests.fixtures.drill import DAY, HOUR, INCIDENTS, RUNBOOK, Drill
from tests.fixtures.governance import Governed, govern
from tests.fixtures.levered import ASSETS, build_levered

# --------------------------------------------------------------------- rehearsals


def stale_oracle(d: Drill) -> None:
    d.warp(50 * HOUR)
    d.refresh_prices()
    assert "volatilities are 50." in d.do("ape run status")
    assert d.facts()["mode"] == "NoIncrease"
    d.do("equipoise relay")
    assert d.facts()["mode"] == "Normal"
    d.warp(5 * DAY)
    d.set_price(0, 29_500)
    d.refresh_prices()
    assert d.facts()["mode"] == "DeleverOnly"
    assert "ripcord-due" in d.found()
    debt = d.debt()
    d.do("ape run keep ripcord")
    d.warp(450)
    assert "sold for debt" in d.do("ape run keep fill")
    assert d.debt() < debt


def usdc_off_its_peg(d: Drill) -> None:
    d.set_price(None, 0.93)
    assert "depeg" in d.found()
    assert d.vault.call("maxDeposit", d.bob) > 0
    d.do("ape run guardian pause-deposits")
    assert d.vault.call("maxDeposit", d.bob) == 0
    assert "USDC trades at 0.9300 USD" in d.do("ape run status")
    d.do("ape run exit 1000 --in-kind")
    d.set_price(None, 1.0)
    assert "depeg" not in d.found()


def feed_frozen_or_wrong(d: Drill) -> None:
    d.world.push_round("BTC", 0, d.now())
    assert "BTC: price not positive" in d.do("ape run status")
    assert d.facts()["mode"] == "InKindOnly"
    d.do("ape run guardian pause-increases")
    d.do("ape run guardian pause-deposits")
    new = create(d.chain, load_artifact("TestAggregator"), "BTC / USD", 8, d.owner, sender=d.owner)
    new.send("push", 30_000 * 10**8, d.now(), sender=d.owner)
    file = d.folder / "btc.yaml"
    file.write_text(
        f"symbol: BTC\ntoken: '{d.tokens[0].address}'\nfeed: '{new.address}'\n"
        "min_price: 100\nmax_price: 10000000\n"
    )
    d.names["FEED"] = str(file)
    assert new.address in d.do("ape run propose feed").replace("\n", "")
    proposal = d.governance.find("latest")
    d.to_vote(proposal)
    d.do("ape run vote latest for")
    d.after_vote(proposal)
    d.do("ape run queue latest")
    d.wait()
    new.send("push", 30_000 * 10**8, d.now(), sender=d.owner)
    d.do("ape run execute latest")
    assert d.price_oracle.call("feedOf", d.tokens[0]).feed == new.address
    # Aave's own feed of the token is as dead, so the debt can be repaid and nothing sold: it is pushed too
    d.world.set_prices({"BTC": 30_000.0, "ETH": 2_000.0, "SPX": 4_000.0, "USDC": 1.0})
    assert "price-fault" not in d.found()
    d.do("ape run exit 1000 --in-kind")


def aave_in_trouble(d: Drill) -> None:
    d.aave.set_terms("ETH", 0.0, 0.8, 0.05)
    assert "no-ltv" in d.found()
    assert "ETH backs no new debt" in d.do("ape run status")
    d.do("ape run guardian pause-increases")
    d.do("ape run keep collateral ETH --drop")
    d.aave.set_terms("ETH", 0.75, 0.8, 0.05)
    d.do("ape run keep collateral ETH --use")
    assert "no-ltv" not in d.found()
    d.aave.pause("ETH")
    assert "no-ltv" in d.found()
    told = d.do("ape run exit 1000 --in-kind --skip ETH")
    assert "BTC" in told
    assert "ETH" not in told


def collateral_that_somebody_gave(d: Drill) -> None:
    """Of a reserve whose feed at Aave is dead."""
    pledge = d.aave.tokens["PLEDGE"].address
    d.aave.a_tokens["PLEDGE"].send("transfer", d.account, 1, sender=d.aave.borrower)
    d.aave.oracle.send("setAssetSources", [pledge], ["0x" + "00" * 19 + "01"], sender=d.aave.admin)
    assert {"foreign-collateral", "venue-silent"} <= d.found()
    assert "somebody gave" in d.do("ape run status")
    d.names["TOKEN"] = pledge
    d.do("ape run keep collateral")
    assert not {"foreign-collateral", "venue-silent"} & d.found()


def keeper_outage(d: Drill) -> None:
    d.set_price(0, 45_000)
    d.world.align_pools()
    assert {"keeper-unhealthy", "may-open"} <= d.found(keeper="http://127.0.0.1:9")
    d.warp(2 * HOUR)
    assert "done: poke" in d.do("ape run keep poke")
    assert "is open" in d.do("ape run keep open")
    d.to_curve(0.9965)
    assert "sold" in d.do("ape run keep fill")
    d.warp(HOUR)
    d.do("equipoise keeper")
    assert "may-open" not in d.found()


def relay_outage(d: Drill) -> None:
    d.warp(37 * HOUR)
    d.refresh_prices()
    assert {"relay-unhealthy", "volatilities-stale"} <= d.found(relay="http://127.0.0.1:9")
    d.do("equipoise relay")
    d.do("ape run status")
    assert d.facts()["mode"] == "Normal"


def compromised_signer(d: Drill) -> None:
    oracle, bad = d.volatility_oracle, d.signers[0].address
    d.names |= {"BAD": bad, "NEW": d.treasury}
    assert "4 signers for a threshold of 3" in d.do("ape run guardian remove-signer")
    assert not oracle.call("isSigner", bad)
    d.do("ape run propose signer")
    d.governed.system.signers.pop(0)
    d.decide()
    assert "signer-ready" not in d.found()
    d.warp(2 * DAY)
    assert "signer-ready" in d.found()
    d.do("ape run keep activate")
    assert len(oracle.call("signers")) == 5


def compromised_guardian(d: Drill) -> None:
    for pause in ("pauseIncreases", "pauseDeposits"):
        d.guard.send(pause, sender=d.guardian)
    assert {"increases-paused", "deposits-paused"} <= d.found()
    d.names |= {"BAD": d.guardian, "NEW": d.treasury}
    d.do("ape run propose remove-veto")
    d.decide()
    d.do("ape run propose guardian")
    d.decide()
    assert d.guard.call("guardian").lower() == d.treasury.lower()
    assert not {"increases-paused", "deposits-paused"} & d.found()


def compromised_keeper_key(d: Drill) -> None:
    assert "keeper-2" in d.do("ape accounts generate")
    d.warp(2 * HOUR)
    assert "done: poke" in d.do("ape run keep poke")


def wrong_parameter(d: Drill) -> None:
    assert d.facts()["max_leverage"] == 3
    assert "max_leverage 3 -> 1.2" in d.do("ape run guardian tighten")
    assert d.facts()["target_leverage"] <= 1.2
    d.do("ape run propose parameter")
    d.decide()
    assert d.facts()["max_leverage"] == 1.5


def hostile_proposal(d: Drill) -> None:
    d.deposit(d.mallory, 1_000_000)
    d.governance.wrap(d.mallory, d.shares(d.mallory))
    d.warp(60)
    proposal = d.propose(d.greedy(), d.mallory)
    told = d.do("ape run status")
    assert "Proposals" in told
    assert "Pending" in told
    d.to_vote(proposal)
    d.do("ape run vote latest against")
    d.governance.vote(proposal, d.mallory, Support.FOR)
    d.after_vote(proposal)
    d.do("ape run queue latest")
    (waiting,) = d.facts()["timelock_operations"]
    assert any("vault.setFees" in call for call in waiting["calls"])
    d.do("ape run veto latest")
    assert d.state(proposal) is State.CANCELED
    assert d.facts()["timelock_operations"] == d.facts()["governance_proposals"] == []
    d.refresh_prices()
    d.world.align_pools()
    d.do("ape run exit 1000")


def falling_health_factor(d: Drill) -> None:
    d.crash(-0.22)
    d.world.align_pools()
    assert "health-trigger" in d.found()
    d.do("ape run keep ripcord")
    d.warp(600)
    d.do("ape run keep fill")
    assert d.health() > 1.59
    assert "health-trigger" not in d.found()


def reorganisation(d: Drill) -> None:
    d.set_price(0, 45_000)
    before = d.world.snapshot()
    d.auction.send("open", sender=d.keeper)
    d.world.revert(before)  # the block is gone, and the auction with it
    d.do("ape run status")
    assert "an auction may open" in d.do("ape run status")
    d.do("ape run keep open")
    assert d.facts()["auction"]["open"]


REHEARSALS: dict[str, Callable[[Drill], None]] = {
    "Stale oracle": stale_oracle,
    "USDC off its peg": usdc_off_its_peg,
    "Feed frozen or wrong": feed_frozen_or_wrong,
    "Aave paused, without LTV, or illiquid": aave_in_trouble,
    "Collateral that somebody gave": collateral_that_somebody_gave,
    "Keeper outage": keeper_outage,
    "Relay outage": relay_outage,
    "Compromised signer": compromised_signer,
    "Compromised guardian": compromised_guardian,
    "Compromised keeper key": compromised_keeper_key,
    "Wrong parameter": wrong_parameter,
    "Hostile proposal": hostile_proposal,
    "Falling health factor": falling_health_factor,
    "Reorganisation, or a node that lies": reorganisation,
}


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Governed, str, Path]]:
    """A levered vault of shareholders: alice's shares vote, bob's do not."""
    folder = tmp_path_factory.mktemp("deployments")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with World.build(ASSETS, lending=True, port=port) as world:
        governed = govern(build_levered(world))
        governed.wrap(governed.alice, 600_000)
        governed.deposit(governed.bob, 400_000)
        governed.lever()
        governed.contracts.save(folder / "31337.json")
        yield governed, f"http://127.0.0.1:{port}", folder


@pytest.mark.parametrize("incident", INCIDENTS)
def test_incident__of_the_runbook__is_rehearsed(incident: str, staged: tuple[Governed, str, Path]) -> None:
    """EQ-191: it happens, every command of its block is run, and it is over."""
    governed, endpoint, folder = staged
    assert incident in REHEARSALS, f"{incident!r} stands in the runbook, and nobody rehearses it"
    drill = Drill(governed, endpoint, folder, list(INCIDENTS[incident]))
    signers = list(governed.system.signers)
    with governed.system.scenario():
        REHEARSALS[incident](drill)
    governed.system.signers[:] = signers
    assert drill.commands == []


def test_rehearsals__each__is_of_an_incident() -> None:
    assert list(REHEARSALS) == list(INCIDENTS)


def test_findings__their_incidents__stand_in_the_runbook() -> None:
    """By the source: a rehearsal meets only some of them."""
    tree = ast.parse((ROOT / "offchain/equipoise/client/findings.py").read_text())
    literals = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    named = {text for text in literals if isinstance(text, str) and text in INCIDENTS}
    assert len(named) >= 9
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    last = [call.args[5] for call in calls if len(call.args) == 6 and ast.unparse(call.func) == "Finding"]
    assert {node.value for node in last if isinstance(node, ast.Constant)} <= set(INCIDENTS)


@pytest.mark.parametrize("heading", INCIDENTS)
def test_incident__its_chapter__answers_every_question(heading: str) -> None:
    text = re.split(rf"^### {re.escape(heading)}$", RUNBOOK, flags=re.M)[1].partition("\n### ")[0]
    for word in ("**Shows**", "**By itself**", "**Do**", "**Over**", "**Users**"):
        assert word in text, word


def test_keys__commands_of_the_ceremonies__are_what_they_say(tmp_path: Path) -> None:
    """The backup of a journal is made while it is in use; ape and equipoise know the other commands."""
    chapter = RUNBOOK.partition("\n## Keys\n")[2].partition("\n## Incidents\n")[0]
    lines = [
        line
        for block in re.findall(r"^```sh\n(.*?)^```", chapter, flags=re.M | re.S)
        for line in block.splitlines()
    ]
    backup = next(line for line in lines if line.startswith("python "))
    journal = Journal(tmp_path / "signer-1.sqlite")
    journal.record("a", "volatilities", 86_400, b"d" * 32, {}, lambda _: (b"r" * 32, b"s" * 32))
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(backup, shell=True, check=True, cwd=tmp_path, env={**os.environ, "PATH": path})
    assert Journal(tmp_path / "signer-1.backup.sqlite").count() == 1
    journal.close()
    assert {line.split()[0] for line in lines} == {"ape", "equipoise", "python"}
    for line in lines:
        if line.startswith("ape run guardian"):
            importlib.import_module("scripts.guardian").cli.commands[line.split()[3]]
