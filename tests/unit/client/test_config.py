"""A deployment's configuration: every key that is missing, unknown or of the wrong kind is named."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from eth_utils import to_checksum_address

from equipoise.client.artifacts import ROOT
from equipoise.client.config import AuctionConfig, DeploymentConfig, FeesConfig, GuardConfig
from equipoise.errors import InputError


def address(number: int) -> str:
    return "0x" + f"{number:040x}"


def asset(symbol: str, number: int) -> dict[str, Any]:
    tokens = {"token": address(number), "feed": address(number + 1)}
    return {"symbol": symbol, "min_price": 0.5, "max_price": 1e6, **tokens}


VALID: dict[str, Any] = {
    "name": "Vault",
    "symbol": "eqV",
    "cash": asset("USDC", 1),
    "assets": [asset("GOLD", 3), asset("OIL", 5)],
    "budgets": [0.4, 0.6],
    "oracle": {"signers": [address(7), address(8), address(9)], "threshold": 2},
    "owner": address(10),
    "guardian": address(11),
    "fee_recipient": address(12),
    "uniswap_factory": address(13),
    "swap_router": address(14),
}
OPTIONAL = {"guard", "auction", "fees", "deposit_cap", "cash_decimals"}
Change = Callable[[dict[str, Any]], Any]


def changed(change: Change) -> dict[str, Any]:
    data = copy.deepcopy(VALID)
    change(data)
    return data


def test_from_dict__least_keys__defaults_for_the_rest() -> None:
    config = DeploymentConfig.from_dict(VALID)
    assert config.symbols == ("GOLD", "OIL")
    assert (config.guard, config.auction, config.fees) == (GuardConfig(), AuctionConfig(), FeesConfig())
    assert config.budgets_word == 40_000_000 | 60_000_000 << 32


def test_from_yaml__what_asdict_wrote__is_read_back_equal(tmp_path: Path) -> None:
    config = replace(
        DeploymentConfig.from_dict(VALID), auction=AuctionConfig(target_volatility=0.1), deposit_cap=5.0
    )
    path = tmp_path / "vault.yaml"
    path.write_text(yaml.safe_dump(json.loads(json.dumps(asdict(config)))))
    assert DeploymentConfig.from_yaml(path) == config


COMMITTED = sorted((ROOT / "scripts" / "configs").glob("*.yaml"))
DEPLOYMENTS = [path for path in COMMITTED if path.stem not in ("keeper", "relay", "signer")]


@pytest.mark.parametrize("path", DEPLOYMENTS, ids=lambda path: path.stem)
def test_from_yaml__committed_configuration__is_valid_and_checksummed(path: Path) -> None:
    config = DeploymentConfig.from_yaml(path)
    assert 2 <= len(config.assets) <= 8
    written = re.findall(r"0x[0-9a-fA-F]{40}\b", path.read_text())
    assert written
    assert written == [to_checksum_address(one) for one in written]
    assert "ntested live" in path.read_text()


@pytest.mark.parametrize(
    ("name", "chain_id"), [("sepolia", 11155111), ("base-sepolia", 84532), ("mainnet-fork", 1)]
)
def test_from_yaml__configuration_of_a_network__names_its_chain(name: str, chain_id: int) -> None:
    assert DeploymentConfig.from_yaml(ROOT / "scripts" / "configs" / f"{name}.yaml").chain_id == chain_id


@pytest.mark.parametrize("key", sorted(set(VALID) - {"owner", "swap_router"}))
def test_from_dict__missing_key__is_named(key: str) -> None:
    with pytest.raises(InputError, match=rf"the configuration: missing .*'{key}'"):
        DeploymentConfig.from_dict(changed(lambda data: data.pop(key)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data.pop("owner"), "neither `owner` nor `governance`"),
        (lambda data: data.update(governance={}), "both `owner` and `governance`"),
        (lambda data: data.pop("swap_router"), "no `swap_router`.*give `weth`"),
        (lambda data: data.update(salt=-1), "salt is -1; give a whole number"),
        (lambda data: data.update(chain_id="mainnet"), "chain_id is 'mainnet'; give a whole number"),
        (lambda data: data.update(checks={"require_pools": 1}), "require_pools is 1; give true or false"),
        (lambda data: data.update(checks={"max_slippage": 0}), "max_slippage is 0; give a fraction above 0"),
        (lambda data: data.update(checks={"trade_fraction": 2}), "trade_fraction is 2; give at most 1"),
        (lambda data: data.update(weth="0x12"), "weth is '0x12', which is no address"),
    ],
)
def test_from_dict__who_owns_and_what_is_checked__bad_values_are_told(change: Change, said: str) -> None:
    with pytest.raises(InputError, match=said):
        DeploymentConfig.from_dict(changed(change))


def test_from_dict__governance_instead_of_an_owner__has_its_settings() -> None:
    def govern(data: dict[str, Any]) -> None:
        del data["owner"]
        data["governance"] = {"delay": 86_400, "quorum": 0.04}

    config = DeploymentConfig.from_dict(changed(govern))
    assert config.owner is None
    assert config.governance
    assert config.governance.settings() == (86_400, 5 * 86_400, 86_400, 10**16, 4 * 10**16)


@pytest.mark.parametrize(
    ("where", "key"),
    [
        ("cash", "feed"),
        ("cash", "token"),
        ("cash", "max_price"),
        ("oracle", "signers"),
        ("oracle", "threshold"),
    ],
)
def test_from_dict__missing_nested_key__is_named_with_its_place(where: str, key: str) -> None:
    with pytest.raises(InputError, match=rf"{where}: missing .*'{key}'"):
        DeploymentConfig.from_dict(changed(lambda data: data[where].pop(key)))


@pytest.mark.parametrize("where", ["", "cash", "oracle", "guard", "auction", "fees", "assets"])
def test_from_dict__unknown_key__is_named_with_the_known_ones(where: str) -> None:
    def add(data: dict[str, Any]) -> None:
        place = data if not where else data.setdefault(where, {})
        (place[1] if where == "assets" else place)["colour"] = "blue"

    place = {"": "the configuration", "assets": r"assets\[1\]"}.get(where, where)
    with pytest.raises(InputError, match=rf"{place} has unknown keys \['colour'\]; known are \['"):
        DeploymentConfig.from_dict(changed(add))


def set_at(*path: Any) -> Change:
    *way, last, value = path

    def change(data: dict[str, Any]) -> None:
        place: Any = data
        for key in way:
            place = place.setdefault(key, {}) if isinstance(place, dict) else place[key]
        place[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_at("owner", "me"), "owner is 'me', which is no address"),
        (set_at("owner", 1234), "owner is 1234, which is no address"),
        (set_at("guardian", address(0)), "guardian is '0x0+', which is no address"),
        (set_at("assets", 1, "feed", "0x12"), r"assets\[1\]: feed is '0x12'"),
        (set_at("oracle", "signers", [address(7), None]), "oracle: signers is None"),
        (set_at("oracle", "signers", address(7)), "oracle: signers must be a list"),
        (set_at("oracle", "threshold", "two"), "oracle: threshold is 'two'; give a whole number"),
        (set_at("oracle", "max_report_age", 60.5), "max_report_age is 60.5; give a whole number"),
        (set_at("auction", "target_volatility", "15%"), "auction: target_volatility is '15%'; give a number"),
        (set_at("fees", "entry", True), "fees: entry is True; give a number"),
        (set_at("name", 7), "name is 7; give text"),
        (set_at("cash", ["USDC"]), "cash must be a mapping"),
        (set_at("assets", "GOLD"), "assets must be a list"),
        (set_at("assets", ["GOLD", "OIL"]), r"assets\[0\] must be a mapping"),
        (set_at("assets", [asset("GOLD", 3)]), "1 assets: a basket has 2 to 8"),
        (set_at("assets", [asset(f"A{i}", 20 + 2 * i) for i in range(9)]), "9 assets: a basket has 2 to 8"),
        (set_at("assets", 1, "symbol", "GOLD"), "repeat a symbol"),
        (set_at("budgets", 0.5), "budgets must be a list"),
        (set_at("budgets", [0.4, "rest"]), r"budgets\[1\] is 'rest'; give a number"),
        (set_at("budgets", [1.0]), "1 budgets for 2 assets"),
        (set_at("budgets", [0.4, 0.4]), "sum to 0.8"),
        (set_at("budgets", [1.2, -0.2]), "> 0"),
    ],
)
def test_from_dict__wrong_value__is_named(change: Change, message: str) -> None:
    with pytest.raises(InputError, match=message):
        DeploymentConfig.from_dict(changed(change))


@pytest.mark.parametrize("content", ["", "- a list", "just text", "a: [1", "\x00"])
def test_from_yaml__no_mapping__is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "vault.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=r"must be a mapping|cannot read the configuration"):
        DeploymentConfig.from_yaml(path)


def test_from_yaml__no_file__is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read the configuration .*absent\.yaml"):
        DeploymentConfig.from_yaml(tmp_path / "absent.yaml")
