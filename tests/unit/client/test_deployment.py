"""Deployment on a local chain: wiring, ownership, and finding it again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from equipoise.client.artifacts import load_artifact
from equipoise.client.config import DeploymentConfig
from equipoise.client.contract import create
from equipoise.client.deploy import StepReport, deploy
from equipoise.client.deployment import CONTRACTS, Deployment, deployment_path
from equipoise.client.facts import read_status
from equipoise.errors import InputError
from equipoise.simulation.demo import local_config
from equipoise.units import pack_budgets
from equipoise.world import World

OWNED = ("volatility_oracle", "price_oracle", "guard", "vault", "auction")
SIGNERS = tuple("0x" + f"{i:040x}" for i in (21, 22, 23, 24, 25))


@pytest.fixture
def config(world: World) -> DeploymentConfig:
    deployer, owner, guardian, treasury = world.accounts[:4]
    base = local_config(world, [0.1, 0.2, 0.3, 0.15, 0.25], SIGNERS, owner=deployer)
    return replace(base, owner=owner, guardian=guardian, fee_recipient=treasury, deposit_cap=1234.5)


@pytest.fixture
def deployment(world: World, config: DeploymentConfig) -> Deployment:
    return deploy(world.chain, world.accounts[0], config)


def test_deploy__any_config__every_contract_knows_its_neighbours(
    deployment: Deployment, world: World, config: DeploymentConfig
) -> None:
    d = deployment
    assert d.vault.call("asset") == world.usdc.address
    assert d.vault.call("auction") == d.auction.address
    assert d.vault.call("priceOracle") == d.price_oracle.address
    assert d.vault.call("guard") == d.guard.address
    assert d.auction.call("vault") == d.vault.address
    assert d.filler.call("auction") == d.auction.address
    assert list(d.volatility_oracle.call("assets")) == [asset.token for asset in config.assets]
    assert [token.address for token in d.tokens] == [asset.token for asset in config.assets]


def test_deploy__any_config__parameters_are_the_files(
    deployment: Deployment, config: DeploymentConfig
) -> None:
    d = deployment
    assert d.volatility_oracle.call("budgets") == config.budgets_word
    assert sorted(d.volatility_oracle.call("signers")) == sorted(config.oracle.signers)
    assert d.volatility_oracle.call("threshold") == config.oracle.threshold
    assert tuple(d.volatility_oracle.call("params")) == config.oracle.params()
    assert tuple(d.auction.call("params")) == config.auction.params()
    assert tuple(d.guard.call("params")) == config.guard.params()
    assert tuple(d.vault.call("fees")) == config.fees.params()
    assert d.vault.call("feeRecipient") == config.fee_recipient
    assert d.vault.call("depositCap") == 1_234_500_000


def test_deploy__owner_is_another__ownership_waits_for_its_acceptance(
    deployment: Deployment, world: World, config: DeploymentConfig
) -> None:
    deployer = world.accounts[0]
    for name in OWNED:
        owned = getattr(deployment, name)
        assert (owned.call("owner"), owned.call("pendingOwner")) == (deployer, config.owner)
        owned.send("acceptOwnership", sender=config.owner)
        assert owned.call("owner") == config.owner
    assert deployment.volatility_oracle.call("guardian") == config.guardian
    assert deployment.guard.call("guardian") == config.guardian


def test_deploy__owner_is_the_deployer__nothing_is_pending(world: World, config: DeploymentConfig) -> None:
    deployer = world.accounts[0]
    made = deploy(world.chain, deployer, replace(config, owner=deployer.lower()))
    assert {int(getattr(made, name).call("pendingOwner"), 16) for name in OWNED} == {0}


def test_deploy__progress__names_every_step_before_and_after(world: World, config: DeploymentConfig) -> None:
    said: list[StepReport] = []
    deploy(world.chain, world.accounts[0], config, said.append)
    assert [step.state for step in said] == ["begins", "done"] * 19
    names = [step.name for step in said if step.state == "done"]
    assert names[: len(CONTRACTS)] == [f"deploy {name}" for name in CONTRACTS.values()]
    assert names[-1] == "offer RebalanceAuction"
    assert all(step.receipt and step.receipt.gas_used for step in said if step.state == "done")


def test_save__then_load__is_the_same_deployment(
    deployment: Deployment, world: World, tmp_path: Path
) -> None:
    path = deployment.save(tmp_path / "deep" / "31337.json")
    found = Deployment.load(world.chain, path)
    assert found.to_json() == deployment.to_json()
    assert found.dashboard() == deployment.dashboard()


def test_save__folder_named_by_the_environment__is_used(
    deployment: Deployment, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EQUIPOISE_DEPLOYMENTS", str(tmp_path))
    assert deployment.save() == tmp_path / "31337.json"
    assert Deployment.load(world.chain).addresses == deployment.addresses
    monkeypatch.delenv("EQUIPOISE_DEPLOYMENTS")
    assert deployment_path(1).parts[-3:] == ("scripts", "deployments", "1.json")


def test_load__no_file__says_how_to_make_one(world: World, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no deployment at .*ape run deploy"):
        Deployment.load(world.chain, tmp_path / "absent.json")


def test_load__unfinished__says_to_resume(deployment: Deployment, world: World, tmp_path: Path) -> None:
    """EQ-173"""
    path = tmp_path / "31337.json"
    path.write_text(json.dumps({**deployment.to_json(), "complete": False, "steps": [1, 2]}))
    with pytest.raises(InputError, match=r"is unfinished \(2 steps are noted\): resume it by the same"):
        Deployment.load(world.chain, path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"chain_id": 31337, "contracts": []}', "null"])
def test_load__not_a_deployment__is_refused(world: World, tmp_path: Path, content: str) -> None:
    path = tmp_path / "31337.json"
    path.write_text(content)
    with pytest.raises(InputError, match="is no deployment"):
        Deployment.load(world.chain, path)


def test_load__of_another_chain__is_refused(deployment: Deployment, world: World, tmp_path: Path) -> None:
    path = tmp_path / "1.json"
    path.write_text(json.dumps({**deployment.to_json(), "chain_id": 1}))
    with pytest.raises(InputError, match="is for chain 1, this is chain 31337"):
        Deployment.load(world.chain, path)


def test_load__no_code_at_an_address__names_the_contract(
    deployment: Deployment, world: World, tmp_path: Path
) -> None:
    data = deployment.to_json()
    data["contracts"]["lens"] = world.accounts[5]
    path = tmp_path / "31337.json"
    path.write_text(json.dumps(data))
    with pytest.raises(InputError, match=rf"no code at {world.accounts[5]} \(lens\) on chain 31337"):
        Deployment.load(world.chain, path)


def test_load__after_a_change_of_the_basket__is_the_chains(world: World, tmp_path: Path) -> None:
    """EQ-99: tokens and order from the vault; names and fees from the file, else from the token."""
    deployer = world.accounts[0]
    config = local_config(world, [0.1, 0.2, 0.3, 0.15, 0.25], SIGNERS, owner=deployer)
    made = deploy(world.chain, deployer, config)
    path = made.save(tmp_path / "31337.json")
    new = create(world.chain, load_artifact("OddToken"), "BTC", 18, sender=deployer)
    feed = world.feeds["LINK"].address
    made.price_oracle.send("setFeed", (new, feed, 90_000, 50, 1, 10**30), sender=deployer)
    btc, eth = (world.tokens[name].address for name in ("BTC", "ETH"))
    assets = [eth, new.address, btc]
    made.volatility_oracle.send("setBasket", assets, pack_budgets([0.5, 0.2, 0.3]), sender=deployer)
    made.realized_volatility.send("setBasket", assets, sender=deployer)
    made.vault.send("setBasket", assets, sender=deployer)
    found = Deployment.load(world.chain, path)
    assert [token.address for token in found.tokens] == assets
    assert found.symbols == ("ETH", "BTC", f"BTC {btc}")
    fees = dict(zip(made.symbols, made.pool_fees, strict=True))
    assert found.pool_fees == (fees["ETH"], 3_000, fees["BTC"])
    assert found.budgets == pytest.approx((0.5, 0.2, 0.3))
    assert found.refreshed().to_json() == found.to_json()
    assert made.refreshed().symbols == found.symbols
    assert set(read_status(found)["assets"]) == {*found.symbols, "cash"}
    assert list(read_status(made)["assets"]) == [*found.symbols, "cash"]


SYMBOLS = {
    "bytes32": bytes.fromhex("7f") + b"MKR".ljust(32, b"\0") + bytes.fromhex("5f5260205ff3"),
    "reverts": bytes.fromhex("5f5ffd"),
    "burns its gas": bytes.fromhex("fe"),
    "answers nothing": bytes.fromhex("00"),
}


@pytest.mark.parametrize("kind", SYMBOLS)
def test_at__a_new_token_without_a_string_for_a_symbol__goes_by_its_address(
    deployment: Deployment, world: World, kind: str
) -> None:
    """EQ-99: the keeper of a basket that lists MKR goes on."""
    data = deployment.to_json()
    token = data["tokens"][1]
    for key in ("tokens", "symbols", "pool_fees"):
        del data[key][1]
    world.chain.request("anvil_setCode", token, "0x" + SYMBOLS[kind].hex())
    found = Deployment.at(world.chain, data)
    symbols = list(deployment.symbols)
    assert list(found.symbols) == [symbols[0], token, *symbols[2:]]
