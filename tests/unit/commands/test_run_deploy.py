"""What `ape run deploy` does, without ape: looks, asks, deploys, resumes, and rehearses on a fork."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from equipoise.client.config import DeploymentConfig
from equipoise.client.deploy.plan import make_plan
from equipoise.client.deployment import Deployment
from equipoise.commands.deploy import choose_config, dry_run, run
from equipoise.errors import EquipoiseError, InputError
from equipoise.world import World
from equipoise.world.fork import Fork
from tests.fixtures.deploying import Killed, Liar, Mortal


@pytest.fixture
def console() -> Console:
    """What it prints, without a terminal, 80 columns wide."""
    return Console(file=io.StringIO(), width=80)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture
def command(venue: World, console: Console, tmp_path: Path) -> Callable[..., Any]:
    """`run` by the world's first account, its record in a file of the test."""

    def do(config: DeploymentConfig, chain: Any = venue.chain, **options: Any) -> Any:
        where = {"console": console, "path": tmp_path / "record.json", "patience": 0.0}
        return run(chain, venue.accounts[0], config, **{**where, **options})

    return do


def test_run__governed__tells_steps_and_who_owns_it(
    command: Callable[..., Any], console: Console, governed_config: DeploymentConfig
) -> None:
    deployment, record = command(governed_config)
    text = printed(console)
    assert " 1/27  deploy PriceOracle" in text
    assert "27/27  accept the vault" in text
    assert f"timelock   {deployment.timelock.address}  owns everything" in text
    assert record.complete
    assert max(map(len, text.splitlines()[:27])) <= 80


def test_run__plain_owner__says_what_it_has_to_call(
    command: Callable[..., Any], console: Console, owned_config: DeploymentConfig
) -> None:
    deployment, _ = command(owned_config)
    text = printed(console)
    assert f"{owned_config.owner} has to call acceptOwnership() on each of:" in text
    for contract in (deployment.vault, deployment.auction, deployment.realized_volatility):
        assert f"{contract.address}  {contract.name}" in text


def test_run__killed_then_again__goes_on_and_then_has_nothing_to_do(
    command: Callable[..., Any], console: Console, venue: World, governed_config: DeploymentConfig
) -> None:
    """EQ-170"""
    with pytest.raises(Killed):
        command(governed_config, Mortal(venue.chain, 9, "after"))
    made, _ = command(governed_config)
    assert printed(console).count("already done") == 9
    once_more = Mortal(venue.chain)
    found, _ = command(governed_config, once_more)
    assert once_more.sent == 0
    assert found.addresses == made.addresses
    assert "is complete: nothing to do" in printed(console)


def test_run__errors__are_printed_and_nothing_is_sent(
    command: Callable[..., Any],
    console: Console,
    venue: World,
    owned_config: DeploymentConfig,
    tmp_path: Path,
) -> None:
    """EQ-171"""
    mute = Mortal(venue.chain)
    wrong = replace(owned_config, guardian=str(owned_config.owner), cash_decimals=7)
    asked: list[int] = []
    with pytest.raises(
        InputError, match=r"2 errors \(guardian, cash_decimals\), told above; nothing was sent"
    ):
        command(wrong, mute, accept_warnings=True, before_sending=lambda: asked.append(1))
    assert mute.sent == 0
    assert asked == []
    assert not (tmp_path / "record.json").exists()
    assert "the guardian watches the owner" in " ".join(printed(console).split())


def test_run__warnings__must_be_accepted(
    command: Callable[..., Any], venue: World, owned_config: DeploymentConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-171"""
    doubtful, mute = replace(owned_config, guardian=venue.accounts[0]), Mortal(venue.chain)
    for answer in ("n\n", ""):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        with pytest.raises(InputError, match=r"warnings not accepted, nothing was sent.*--accept-warnings"):
            command(doubtful, mute)
    assert mute.sent == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    command(doubtful, mute)
    assert mute.sent == 20


def test_run__accepted_warnings__nobody_is_asked(
    command: Callable[..., Any], venue: World, owned_config: DeploymentConfig
) -> None:
    """EQ-171"""
    command(replace(owned_config, guardian=venue.accounts[0]), accept_warnings=True)


def test_run__wrong_chain__is_refused(command: Callable[..., Any], owned_config: DeploymentConfig) -> None:
    """EQ-174"""
    with pytest.raises(InputError, match="is for chain 11155111, this is chain 31337"):
        command(replace(owned_config, chain_id=11155111))


def test_run__wrong_passphrase__nothing_is_sent_and_the_same_command_goes_on(
    command: Callable[..., Any], venue: World, owned_config: DeploymentConfig
) -> None:
    """EQ-174"""

    def locked() -> None:
        raise InputError("wrong passphrase")

    mute = Mortal(venue.chain)
    with pytest.raises(InputError, match="wrong passphrase"):
        command(owned_config, mute, before_sending=locked)
    assert mute.sent == 0
    command(owned_config)


def test_run__head_goes_back_in_the_middle__stops_and_resumes(
    command: Callable[..., Any], venue: World, owned_config: DeploymentConfig, tmp_path: Path
) -> None:
    """EQ-174"""
    asked: list[str] = []

    def sinking(number: str) -> str:
        asked.append(number)
        return hex(max(0, int(number, 16) - 30)) if len(asked) > 5 else number

    venue.chain.request("anvil_mine", hex(40))
    with pytest.raises(EquipoiseError, match=r"went back from block|gives \d+ as the latest"):
        command(owned_config, Liar(venue.chain, eth_blockNumber=sinking))
    assert 0 < len(json.loads((tmp_path / "record.json").read_text())["steps"]) < 20
    assert command(owned_config)[1].complete


def test_run__out_of_funds_in_the_middle__what_is_done_stays_done(
    command: Callable[..., Any], venue: World, owned_config: DeploymentConfig, tmp_path: Path
) -> None:
    """EQ-174"""

    class Poor(Mortal):
        def send(self, *args: Any, **options: Any) -> Any:
            if self.sent == 6:
                raise InputError("out of funds; send it some")
            return super().send(*args, **options)

    with pytest.raises(InputError, match="out of funds"):
        command(owned_config, Poor(venue.chain))
    assert len(json.loads((tmp_path / "record.json").read_text())["steps"]) == 6
    assert command(owned_config)[1].complete


def test_choose_config__recorded__is_that_with_which_it_began(
    command: Callable[..., Any],
    venue: World,
    owned_config: DeploymentConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """EQ-173"""
    monkeypatch.setenv("EQUIPOISE_DEPLOYMENTS", str(tmp_path))
    with pytest.raises(InputError, match=r"no record at .* to go on with; give --config FILE"):
        choose_config(venue.chain, None, True)
    path = tmp_path / f"{venue.chain.chain_id}.json"
    with pytest.raises(Killed):
        command(owned_config, Mortal(venue.chain, 4), path=path)
    assert choose_config(venue.chain, None, True) == owned_config
    for source, recorded in ((None, False), ("x.yaml", True)):
        with pytest.raises(InputError, match="give --config FILE, or --recorded"):
            choose_config(venue.chain, source, recorded)


@pytest.fixture
def url() -> Any:
    """A network to fork: a world that listens on HTTP."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with World.build(port=port) as world:
        yield world, f"http://127.0.0.1:{port}"


def test_dry_run__on_a_fork__prices_every_step_and_touches_nothing(
    url: Any, console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-176"""
    from equipoise.oracle.signer import Signer
    from equipoise.simulation.demo import local_config
    from tests.fixtures.build import KEYS, _anywhere

    world, endpoint = url
    monkeypatch.setenv("EQUIPOISE_DEPLOYMENTS", str(tmp_path))
    pauper = "0x" + "5b" * 20
    signers = [Signer(key, _anywhere(world.chain)).address for key in KEYS]
    config = replace(
        local_config(world, [0.2] * 5, signers, owner=world.accounts[1]),
        guardian=world.accounts[2],
        deposit_cap=1e6,
    )
    height = world.chain.request("eth_blockNumber")
    costs = dry_run(world.chain, endpoint, pauper, config, console=console)
    assert len(costs) == 19
    assert dict(costs)["deploy RebalanceAuction"] > 4_000_000
    text = printed(console)
    assert "Dry run at 0 gwei" in text
    assert f"{sum(gas for _, gas in costs):,}" in text
    assert world.chain.request("eth_blockNumber") == height
    assert not world.chain.code(make_plan(world.chain, pauper, config).addresses["vault"])
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="no deployment at"):
        Deployment.load(world.chain)


def test_fork__no_url__is_refused() -> None:
    with pytest.raises(InputError, match="is no endpoint that anvil can fork"):
        Fork("somewhere")


def test_fork__nobody_listens__says_so() -> None:
    with pytest.raises(EquipoiseError, match="anvil ended at start"):
        Fork("http://127.0.0.1:9")
