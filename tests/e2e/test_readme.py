"""Every command and every figure that the README shows is true: they are run and looked up here."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
BIN = Path(sys.executable).parent
RUN_BY_CI = {"make test"}
"""CI itself runs it: this test is in it."""


def blocks(language: str) -> list[str]:
    """Fenced code blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.M | re.S)


DEPOSITORS = ("ape run deposit ", "ape run redeem ", "ape run exit ")
VOTERS = ("ape run wrap ", "ape run propose ", "ape run vote ", "ape run queue ", "ape run execute ")
COMMANDS = [line for block in blocks("sh") for line in block.splitlines() if line.strip()]


def run(
    command: str, folder: Path, text_in: str | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """A README command as a reader runs it, with the environment's own programs first."""
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **variables}
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=environment,
        text=True,
        capture_output=True,
        timeout=300,
        input=text_in,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reader's folder with the files that the README speaks of."""
    folder = tmp_path_factory.mktemp("desk")
    rng = np.random.default_rng(3)
    dates = pd.date_range("2021-01-01", periods=400)
    steps = rng.standard_normal((400, 3)) * [0.01, 0.04, 0.005]
    prices = pd.DataFrame(np.exp(steps.cumsum(axis=0)) * [1800, 30_000, 100], dates, ["GOLD", "BTC", "BONDS"])
    prices.to_csv(folder / "prices.csv", index_label="date")
    (folder / "case.json").write_text(json.dumps({"covariance": [[0.04, 0.01], [0.01, 0.09]]}))
    return folder


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """`equipoise world`, kept running on a free port: the variables by which ape finds it."""
    addresses = {"EQUIPOISE_DEPLOYMENTS": str(tmp_path_factory.mktemp("deployments"))}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(BIN / "equipoise"), "world", "--port", str(port)]
    node = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, **addresses}
    )
    try:
        assert node.stdout is not None
        assert f"127.0.0.1:{port}" in node.stdout.readline()
        yield {"APE_FOUNDRY_HOST": f"http://127.0.0.1:{port}", **addresses}
    finally:
        node.terminate()
        assert node.wait(30) == 130


def test_commands__in_the_readme__are_all_covered_here() -> None:
    covered = RUN_BY_CI | {"make demo", "equipoise world", "ape run status", "ape console"}
    kinds = (
        "equipoise demo ",
        "equipoise estimate ",
        "equipoise solve ",
        "equipoise backtest ",
        "ape run deploy ",
        *DEPOSITORS,
        *VOTERS,
        "equipoise keeper ",
        "ape run status ",
        "ape accounts generate ",
        "equipoise signer ",
        "equipoise relay ",
    )
    assert [c for c in COMMANDS if c not in covered and not c.startswith(kinds)] == []


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("make ")])
def test_make__target_of_the_readme__exists(command: str) -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed, so nobody came here through it")
    run(command.replace("make ", "make --dry-run "), ROOT)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("equipoise demo")])
def test_demo__command_of_the_readme__writes_the_report(command: str, desk: Path) -> None:
    run(command, desk)
    summary = json.loads((desk / "build/mine/summary.json").read_text())
    assert summary["assets"] == ["GOLD", "BTC", "BONDS"]
    assert summary["budgets"] == {"GOLD": 0.4, "BTC": 0.2, "BONDS": 0.4}
    for asset, share in summary["realised_risk_shares"].items():
        assert share == pytest.approx(summary["budgets"][asset], abs=0.025)


@pytest.mark.parametrize(
    "command",
    [c for c in COMMANDS if c.startswith(("equipoise solve", "equipoise est", "equipoise backtest"))],
)
def test_solver__command_of_the_readme__answers(command: str, desk: Path) -> None:
    answer = run(command, desk).stdout
    if "solve" in command:
        keys = {"weights", "coordinates", "volatility", "contributions", "max_error", "iterations"}
        assert keys <= json.loads(answer).keys()
    else:
        assert "GOLD" in answer
        assert "backtest" not in command or "Buy and hold" in answer


def test_console__session_of_the_readme__goes_through(network: dict[str, str]) -> None:
    (session,) = blocks("python")
    session += "print('balance', vault.balanceOf(alice))\n"
    done = run("ape console", ROOT, session, **network)
    assert "balance 0" in done.stdout, done.stdout[-3000:]
    assert "Traceback" not in done.stdout
    assert "ERROR" not in done.stdout


def test_status__command_of_the_readme__shows_the_vault(network: dict[str, str]) -> None:
    assert "Parity gap" in run("ape run status", ROOT, **network).stdout


def test_depositor__commands_of_the_readme__go_in_and_all_the_way_out(network: dict[str, str]) -> None:
    typed = [c for c in COMMANDS if c.startswith(DEPOSITORS)]
    assert [c.split()[2] for c in typed] == ["deposit", "redeem", "exit"]
    for command in typed:
        assert "USDC" in run(command, ROOT, "y\ny\n", **network).stdout, command


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith(VOTERS)])
def test_voter__command_of_the_readme__is_a_script(command: str) -> None:
    """test_ape_governance types them all on a governed vault."""
    assert "--account" in run(f"{command.partition(' --account')[0]} --help", ROOT).stdout


def test_deploy__configuration_of_the_readme__is_read() -> None:
    from equipoise.client.config import DeploymentConfig

    (path,) = {m for c in COMMANDS for m in re.findall(r"--config (\S+)", c)}
    assert DeploymentConfig.from_yaml(ROOT / path).symbols == ("BTC", "ETH", "LINK")
    assert "--config" in run("ape run deploy --help", ROOT).stdout


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("ape accounts")])
def test_account__command_of_the_readme__is_apes_own(command: str) -> None:
    assert "mnemonic" in run(f"{command} --help", ROOT).stdout.lower()


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if c.startswith(("equipoise signer", "equipoise rel", "equipoise keep"))]
)
def test_service__command_of_the_readme__says_what_it_lacks(command: str, tmp_path: Path) -> None:
    """Its file is read and its account looked up; test_oracle_swarm runs the same commands to the end."""
    asked = subprocess.run(
        f"{BIN / 'equipoise'} {command.partition(' ')[2]}",
        shell=True,
        cwd=ROOT,
        env={**os.environ, "APE_DATA_FOLDER": str(tmp_path)},
        text=True,
        capture_output=True,
        timeout=60,
        input="a passphrase\n",
    )
    account = {"relay": "relay", "keeper": "keeper", "signer": "signer-1"}[command.split()[1]]
    assert asked.returncode == 2, asked.stderr
    assert f"make one with `ape accounts generate {account}`" in asked.stderr


def test_links__in_the_readme__lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
