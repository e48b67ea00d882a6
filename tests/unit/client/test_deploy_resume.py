"""A deployment that is killed at every step in turn ends as one that was not disturbed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from equipoise.client import RpcChain
from equipoise.client.config import DeploymentConfig
from equipoise.client.contract import Contract
from equipoise.client.deploy import StepReport, deploy
from equipoise.client.deploy.create2 import FACTORY
from equipoise.client.deploy.plan import make_plan
from equipoise.client.deploy.record import Record
from equipoise.client.deployment import Deployment
from equipoise.errors import ContractRevert, InputError
from equipoise.world import World
from tests.fixtures.deploying import Killed, Mortal


def begin(chain: Any, deployer: str, config: DeploymentConfig, path: Path) -> Deployment:
    """What the script does, in a process that knows nothing but the file and the chain."""
    plan = make_plan(chain, deployer, config)
    return deploy(chain, deployer, config, record=Record.open(chain, deployer, config, plan, path=path))


def settings(contract: Contract) -> dict[str, Any]:
    """Everything that a contract tells without being asked for anything in particular."""
    names = [
        entry["name"]
        for entry in contract.abi
        if entry["type"] == "function"
        and not entry["inputs"]
        and entry["stateMutability"] in ("view", "pure")
    ]
    told: dict[str, Any] = {}
    for name in names:
        try:
            told[name] = contract.call(name)
        except ContractRevert as revert:
            told[name] = revert.name
    return told


def outcome(world: World, deployer: str, config: DeploymentConfig) -> dict[str, Any]:
    """Addresses, code and settings of what stands there, and how many transactions it took."""
    creations = make_plan(world.chain, deployer, config).creations
    contracts = {name: creation.contract for name, creation in creations.items()}
    return {
        "addresses": {name: contract.address for name, contract in contracts.items()},
        "code": {name: world.chain.code(contract.address) for name, contract in contracts.items()},
        "settings": {name: settings(contract) for name, contract in contracts.items()},
        "transactions": int(world.chain.request("eth_getTransactionCount", deployer, "latest"), 16),
    }


def creations_sent(chain: RpcChain, deployer: str, first: int) -> Counter[str]:
    """Successful calls of the CREATE2 factory since a block, by their data."""
    found: Counter[str] = Counter()
    for number in range(first + 1, int(chain.request("eth_blockNumber"), 16) + 1):
        for sent in chain.request("eth_getBlockByNumber", hex(number), True)["transactions"]:
            if sent["from"].lower() == deployer.lower() and (sent["to"] or "").lower() == FACTORY.lower():
                assert chain.request("eth_getTransactionReceipt", sent["hash"])["status"] == "0x1"
                found[sent["input"]] += 1
    return found


@pytest.mark.parametrize(
    ("owner", "moment"),
    [("governed_config", "before"), ("governed_config", "after"), ("owned_config", "after")],
)
def test_deploy__killed_at_every_step_in_turn__resumes_to_the_same_result(
    request: pytest.FixtureRequest, venue: World, tmp_path: Path, owner: str, moment: str
) -> None:
    """EQ-170: before a transaction is sent, and after it is mined but before it is noted."""
    config: DeploymentConfig = request.getfixturevalue(owner)
    deployer, chain = venue.accounts[0], venue.chain
    snapshot = venue.snapshot()
    begin(chain, deployer, config, tmp_path / "undisturbed.json")
    wanted = outcome(venue, deployer, config)
    total = len(make_plan(chain, deployer, config).steps)
    assert total == {"governed_config": 27, "owned_config": 20}[owner]
    venue.revert(snapshot)

    for fatal in range(1, total + 1):
        snapshot = venue.snapshot()
        first = int(chain.request("eth_blockNumber"), 16)
        path = tmp_path / f"{fatal}.json"
        with pytest.raises(Killed):
            begin(Mortal(chain, fatal, moment), deployer, config, path)
        if path.exists():
            assert len(json.loads(path.read_text())["steps"]) == fatal - 1
            with pytest.raises(InputError, match=r"is unfinished .* resume it by the same `ape run deploy`"):
                Deployment.load(chain, path)
        begin(RpcChain(chain.endpoint), deployer, config, path)
        assert outcome(venue, deployer, config) == wanted, f"killed {moment} step {fatal}"
        sent = creations_sent(chain, deployer, first)
        assert set(sent.values()) == {1}, f"killed {moment} step {fatal}: deployed twice"
        record = json.loads(path.read_text())
        assert record["complete"]
        assert [step["name"] for step in record["steps"]] == [
            step.name for step in make_plan(chain, deployer, config).steps
        ]
        assert sum(step["tx"] is None for step in record["steps"]) == (moment == "after")
        assert Deployment.load(chain, path).addresses == {
            name: wanted["addresses"][name] for name in record["contracts"]
        }
        venue.revert(snapshot)


def test_deploy__killed_at_every_second_step__still_ends_the_same(
    venue: World, governed_config: DeploymentConfig, tmp_path: Path
) -> None:
    """EQ-170: kills may come one after another."""
    deployer, path = venue.accounts[0], tmp_path / "record.json"
    for _ in range(100):
        try:
            made = begin(Mortal(venue.chain, 2, "after"), deployer, governed_config, path)
            break
        except Killed:
            continue
    assert made.timelock
    assert made.vault.call("owner") == made.timelock.address
    assert Record.read(path).complete  # type: ignore[union-attr]


def test_deploy__run_again_when_complete__sends_nothing(
    venue: World, governed_config: DeploymentConfig, tmp_path: Path
) -> None:
    """EQ-170"""
    deployer = venue.accounts[0]
    begin(venue.chain, deployer, governed_config, tmp_path / "a.json")
    again, seen = Mortal(venue.chain), list[StepReport]()
    deploy(again, deployer, governed_config, seen.append)
    assert again.sent == 0
    assert {report.state for report in seen} == {"found"}
    assert [report.number for report in seen] == list(range(1, 28))


def test_deploy__another_salt__another_vault_beside_the_first(
    venue: World, owned_config: DeploymentConfig
) -> None:
    """EQ-170: addresses follow from code, arguments, deployer and salt."""

    deployer, other = venue.accounts[0], venue.accounts[5]
    plans = [
        make_plan(venue.chain, deployer, owned_config).addresses,
        make_plan(venue.chain, deployer, replace(owned_config, salt=1)).addresses,
        make_plan(venue.chain, other, owned_config).addresses,
        make_plan(venue.chain, deployer, replace(owned_config, deposit_cap=2.0)).addresses,
    ]
    written = replace(owned_config, guardian=owned_config.guardian.lower(), deposit_cap=1_000_000)
    assert make_plan(venue.chain, deployer, written).addresses == plans[0]  # the same, otherwise written
    addresses = [address for plan in plans for address in plan.values()]
    assert len(set(addresses)) == len(addresses)
    first = deploy(venue.chain, deployer, owned_config)
    second = deploy(venue.chain, deployer, replace(owned_config, salt=1))
    assert first.vault.address != second.vault.address


def test_deploy__a_stranger_has_deployed_the_same_code__is_taken_as_done(
    venue: World, owned_config: DeploymentConfig
) -> None:
    """EQ-170: whoever sends a creation, its owner is the one that its arguments name."""
    deployer, stranger = venue.accounts[0], venue.accounts[6]
    creation = make_plan(venue.chain, deployer, owned_config).creations["price_oracle"]

    class Raced(Mortal):
        """The stranger's transaction lands just before ours."""

        def send(self, sender: str, to: str | None, data: bytes, *args: Any, **options: Any) -> Any:
            if data.endswith(creation.creation_code):
                venue.chain.send(stranger, to, data)
            return super().send(sender, to, data, *args, **options)

    made = deploy(Raced(venue.chain), deployer, owned_config)
    assert made.price_oracle.address == creation.contract.address
    assert made.price_oracle.call("owner") == deployer


def test_deploy__account_bound_by_a_stranger__says_to_change_the_salt(
    venue: World, owned_config: DeploymentConfig
) -> None:
    """EQ-175"""

    deployer, stranger = venue.accounts[0], venue.accounts[6]
    account = make_plan(venue.chain, deployer, owned_config).creations["account"].contract
    with pytest.raises(Killed):
        deploy(Mortal(venue.chain, 6), deployer, owned_config)
    account.send("bind", sender=stranger)
    with pytest.raises(InputError, match=rf"bound by a stranger \({stranger}\).*another `salt`.*--restart"):
        deploy(venue.chain, deployer, owned_config)
    assert deploy(venue.chain, deployer, replace(owned_config, salt=7)).account
