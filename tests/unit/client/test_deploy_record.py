"""The record of a deployment: what differs on resumption is named, and nothing is ever overwritten."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from equipoise.client.config import AuctionConfig, ChecksConfig, DeploymentConfig
from equipoise.client.deploy import deploy
from equipoise.client.deploy.plan import Plan, make_plan
from equipoise.client.deploy.record import Record
from equipoise.client.deployment import write_atomically
from equipoise.errors import InputError
from equipoise.world import World
from tests.fixtures.deploying import Killed, Liar, Mortal


@pytest.fixture
def open_record(venue: World, tmp_path: Path) -> Callable[..., Record]:
    """`Record.open` of a configuration in one file."""

    def of(config: DeploymentConfig, chain: Any = venue.chain, sender: int = 0, **options: Any) -> Record:
        deployer = venue.accounts[sender]
        plan = make_plan(chain, deployer, config)
        return Record.open(chain, deployer, config, plan, path=tmp_path / "record.json", **options)

    return of


@pytest.fixture
def half(venue: World, owned_config: DeploymentConfig, open_record: Callable[..., Record]) -> Record:
    """A deployment that was killed at its fifth step."""
    with pytest.raises(Killed):
        deploy(Mortal(venue.chain, 5), venue.accounts[0], owned_config, record=open_record(owned_config))
    return open_record(owned_config)


def test_open__nothing_there__nothing_is_written_yet(
    owned_config: DeploymentConfig, open_record: Callable[..., Record]
) -> None:
    record = open_record(owned_config)
    assert not record.path.exists()
    assert not record.complete


def test_open__half_done__has_its_steps_and_its_configuration(
    half: Record, owned_config: DeploymentConfig, venue: World
) -> None:
    """EQ-173"""
    assert [step["name"] for step in half.data["steps"]][-1] == "deploy RiskGuard"
    assert len(half.data["steps"]) == 4
    assert all(step["gas"] > 10**6 and step["tx"].startswith("0x") for step in half.data["steps"])
    assert half.config == owned_config
    assert half.data["chain_id"] == venue.chain.chain_id


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda c: replace(c, auction=AuctionConfig(target_volatility=0.2, max_leverage=2.0)),
            r"auction\.target_volatility: 0\.15 became 0\.2",
        ),
        (lambda c: replace(c, deposit_cap=5.0), r"deposit_cap: 1000000\.0 became 5\.0"),
        (lambda c: replace(c, budgets=(0.5, 0.3, 0.2)), r"budgets\[0\]: 0\.33+ became 0\.5"),
        (
            lambda c: replace(c, assets=(replace(c.assets[0], heartbeat=77), *c.assets[1:])),
            r"assets\[0\]\.heartbeat: 90000 became 77",
        ),
        (lambda c: replace(c, salt=3), r"salt: 0 became 3"),
    ],
)
def test_open__changed_configuration__is_refused_by_the_keys_that_changed(
    half: Record,
    owned_config: DeploymentConfig,
    open_record: Callable[..., Record],
    change: Callable[[DeploymentConfig], DeploymentConfig],
    said: str,
) -> None:
    """EQ-173"""
    before = half.path.read_text()
    with pytest.raises(InputError, match=rf"after 4 steps that differs in .*{said}.*--recorded.*--restart"):
        open_record(change(owned_config))
    assert half.path.read_text() == before


def test_open__other_deployer__is_refused(
    half: Record, owned_config: DeploymentConfig, venue: World, open_record: Callable[..., Record]
) -> None:
    """EQ-173"""
    with pytest.raises(InputError, match=rf"deployer: {venue.accounts[0]} became {venue.accounts[6]}"):
        open_record(owned_config, sender=6)


def test_open__chain_of_the_same_id_begun_anew__is_refused(
    half: Record, owned_config: DeploymentConfig, venue: World, open_record: Callable[..., Record]
) -> None:
    """EQ-173: a development chain that was started again."""
    anew = Liar(venue.chain, eth_getBlockByNumber=lambda block: {**block, "hash": "0x" + "ab" * 32})
    with pytest.raises(InputError, match=r"genesis: 0x\w+ became 0xabab"):
        open_record(owned_config, chain=anew)


def test_open__recompiled_contracts__are_named(half: Record, owned_config: DeploymentConfig) -> None:
    """EQ-173: the same file, another release."""
    other = Record(half.path, json.loads(json.dumps(half.data)))
    other.data["planned"]["vault"] = "0x" + "12" * 20
    assert half.differences(other) == ["the code of vault"]


def test_open__other_checks_only__goes_on(
    half: Record, owned_config: DeploymentConfig, open_record: Callable[..., Record]
) -> None:
    """EQ-173: how strictly one looks changes nothing that is deployed."""
    assert len(open_record(replace(owned_config, checks=ChecksConfig(max_slippage=0.5))).data["steps"]) == 4


def test_open__restart__keeps_the_old_record_aside(
    half: Record, owned_config: DeploymentConfig, open_record: Callable[..., Record]
) -> None:
    """EQ-173"""
    old = half.path.read_text()
    begun = open_record(replace(owned_config, salt=3), restart=True)
    assert begun.data["steps"] == []
    begun.note("x", None)
    again = open_record(replace(owned_config, salt=4), restart=True)
    again.note("y", None)
    open_record(replace(owned_config, salt=3), restart=True)
    kept = sorted(path.name for path in half.path.parent.glob("record.*.json"))
    assert len(kept) == 3
    assert old in [(half.path.parent / name).read_text() for name in kept]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"steps": []}'])
def test_read__no_record__is_refused_and_kept(tmp_path: Path, content: str) -> None:
    path = tmp_path / "1.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"1\.json is no record of a deployment .*move it away"):
        Record.read(path)
    assert path.read_text() == content


def test_plan__same_arguments__same_plan(venue: World, owned_config: DeploymentConfig) -> None:
    """EQ-170"""
    plans: list[Plan] = [make_plan(venue.chain, venue.accounts[0], owned_config) for _ in range(2)]
    assert plans[0].addresses == plans[1].addresses


def test_write_atomically__dies_before_the_rename__leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-173"""
    path = tmp_path / "deep" / "1.json"
    write_atomically(path, "old")

    def die(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr("equipoise.client.deployment.os.replace", die)
    with pytest.raises(Killed):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    monkeypatch.undo()
    write_atomically(path, "newer")
    assert path.read_text() == "newer"
