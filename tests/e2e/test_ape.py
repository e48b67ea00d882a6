"""What an ape user types, against a running `equipoise world`; nothing of it touches the working tree.

Ape joins a node that runs on its default port 8545; APE_FOUNDRY_HOST, or a network choice with an address,
names another one. The console session is in test_readme.py.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from equipoise.client import RpcChain
from equipoise.client.artifacts import ROOT
from equipoise.client.deployment import Deployment
from tests.e2e.conftest import BIN, environment, start_world


@dataclass
class Network:
    """A running `equipoise world`, and the folder that stands for scripts/deployments."""

    endpoint: str
    folder: Path

    def ape(self, *args: str, joined: bool = True, **changes: str) -> subprocess.CompletedProcess[str]:
        variables = {"EQUIPOISE_DEPLOYMENTS": str(self.folder)}
        variables |= {"APE_FOUNDRY_HOST": self.endpoint} if joined else {}
        return subprocess.run(
            [str(BIN / "ape"), *args],
            cwd=ROOT,
            env=environment(**{**variables, **changes}),
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    folder = tmp_path_factory.mktemp("deployments")
    with start_world(folder) as endpoint:
        yield Network(endpoint, folder)


@pytest.fixture(scope="module")
def living(network: Network) -> Deployment:
    """The vault that `equipoise world` deployed."""
    return Deployment.load(RpcChain(network.endpoint), network.folder / "31337.json")


def test_status__json__is_the_vault_that_lives_there(network: Network, living: Deployment) -> None:
    done = network.ape("run", "status", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["vault"] == living.vault.address
    assert facts["chain_id"] == 31337
    assert facts["mode"] == "Normal"
    assert facts["nav_usd"] > 400_000
    assert list(facts["assets"]) == ["BTC", "ETH", "BNB", "LINK", "SPX", "USMV", "cash"]
    assert sum(row["weight"] for row in facts["assets"].values()) == pytest.approx(1)
    shares = [row["risk_share"] for row in facts["assets"].values() if row["risk_share"] is not None]
    assert sum(shares) == pytest.approx(1)
    assert max(abs(share - 1 / 6) for share in shares) == pytest.approx(facts["parity_gap"], abs=1e-6)


def test_status__network_by_its_address__finds_the_same_deployment(
    network: Network, living: Deployment
) -> None:
    choice = f"ethereum:local:{network.endpoint}"
    done = network.ape("run", "status", "--network", choice, joined=False)
    assert done.returncode == 0, done.stderr
    assert living.vault.address in done.stdout
    assert "Parity gap" in done.stdout


def test_status__nothing_deployed__one_line_and_the_remedy(network: Network, tmp_path: Path) -> None:
    done = network.ape("run", "status", EQUIPOISE_DEPLOYMENTS=str(tmp_path))
    assert done.returncode == 2
    assert re.fullmatch(r"error: no deployment at \S+; run `ape run deploy` .*\n", done.stderr)


def test_status__services_that_do_not_answer__are_findings(network: Network) -> None:
    done = network.ape("run", "status", "--relay", "http://127.0.0.1:9", EQUIPOISE_KEEPER="nonsense")
    assert done.returncode == 0, done.stderr
    assert "Keeper      not well  nonsense" in done.stdout
    assert "relay http://127.0.0.1:9: unreachable" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_depositor__in_part_of_it_out_and_the_rest_sold__through_ape(
    network: Network, living: Deployment
) -> None:
    alice = living.chain.request("eth_accounts")[1]  # type: ignore[attr-defined]
    account = ("--account", "TEST::1", "--yes")

    def held() -> tuple[int, int]:
        return living.cash.call("balanceOf", alice), living.vault.call("balanceOf", alice)

    def ape(*args: str) -> str:
        done = network.ape("run", *args)
        assert done.returncode == 0, done.stderr
        return done.stdout

    before = held()
    told = ape("deposit", "10000", *account)
    assert "deposit 10,000.00 USDC for" in told
    assert "in and out again at once would cost" in told
    assert held()[0] == before[0] - 10_000 * 10**6
    assert held()[1] > before[1]

    cash = held()[0]
    assert "spread and fee cost" in ape("redeem", "1000", *account)
    assert held()[0] - cash == pytest.approx(1_000 * 10**6, abs=1)

    told = ape("exit", "1000", "--in-kind", *account)
    assert "BTC" in told
    assert living.tokens[0].call("balanceOf", alice) > 0
    told = ape("exit", "all", *account)
    assert "less than at mid; at least" in told
    assert held()[1] == 0
    assert 9_000 * 10**6 < held()[0] - (before[0] - 10_000 * 10**6) < 10_000 * 10**6


def test_depositor__unconfirmed_or_refused__nothing_is_sent(network: Network, living: Deployment) -> None:
    height = living.chain.height()
    asked = network.ape("run", "deposit", "10", "--account", "TEST::1")
    assert asked.returncode == 1
    assert "Aborted" in asked.stderr
    refused = network.ape("run", "redeem", "10", "--account", "TEST::9", "--yes")
    assert refused.returncode == 2
    assert re.fullmatch(r"error: 0x\w{40} holds no shares of this vault; deposit first\n", refused.stderr)
    assert living.chain.height() == height


def test_deploy__wrong_configuration__one_line_and_nothing_deployed(
    network: Network, living: Deployment, tmp_path: Path
) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("name: x\ncolour: blue\n")
    height = living.chain.request("eth_blockNumber")  # type: ignore[attr-defined]
    folder = tmp_path / "deployments"
    done = network.ape(
        *("run", "deploy", "--account", "TEST::0", "--config", str(path)), EQUIPOISE_DEPLOYMENTS=str(folder)
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "unknown keys ['colour']" in done.stderr
    assert living.chain.request("eth_blockNumber") == height  # type: ignore[attr-defined]
    assert not folder.exists()


def test_demo__through_ape__has_the_commands_options_and_refusals(network: Network) -> None:
    done = network.ape("run", "demo", "--help")
    assert done.returncode == 0, done.stderr
    for option in ("--days", "--prices", "--assets", "--budgets", "--target-vol", "--seed", "--out"):
        assert option in done.stdout
    refused = network.ape("run", "demo", "--days", "3")
    assert refused.returncode == 2
    assert refused.stderr == "error: --days is 3; give at least 60: the signers need 30 common closes first\n"


def test_compile__unchanged_contracts__nothing_to_do(network: Network) -> None:
    done = network.ape("compile")
    assert done.returncode == 0, done.stderr


def test_test__one_room__collects_and_passes(network: Network) -> None:
    done = network.ape("test", "tests/unit/test_units.py", "-q", "-x")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "100%" in done.stdout or "passed" in done.stdout
