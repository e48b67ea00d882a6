"""`ape run deploy` as a user types it, against `equipoise world`: killed, refused, rehearsed, resumed."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from eth_account import Account

from equipoise.client import RpcChain
from equipoise.client.artifacts import ROOT
from equipoise.client.config import AssetConfig, DeploymentConfig, OracleConfig
from equipoise.client.deploy.plan import make_plan
from equipoise.client.deployment import Deployment
from equipoise.client.options import GovernanceConfig
from tests.e2e.conftest import BIN, environment, start_world


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The node of a running `equipoise world`; its folder of deployments is `chain.folder`."""
    folder = tmp_path_factory.mktemp("deployments")
    with start_world(folder) as endpoint:
        node: Any = RpcChain(endpoint)
        node.folder = folder
        yield node


@pytest.fixture
def config(chain: Any) -> DeploymentConfig:
    """A second vault, of two of the tokens that are there, owned by its shareholders."""
    living = Deployment.load(chain, chain.folder / "31337.json")
    prices = living.price_oracle

    def asset(index: int | None) -> AssetConfig:
        token = living.cash.address if index is None else living.tokens[index].address
        fee = {} if index is None else {"pool_fee": living.pool_fees[index]}
        symbol = "USDC" if index is None else living.symbols[index]
        return AssetConfig(symbol, token, prices.call("feedOf", token).feed, 1e-8, 1e9, **fee)

    _, alice, bob = (living.vault.chain.request("eth_accounts"))[:3]  # type: ignore[attr-defined]
    return DeploymentConfig(
        name="Two assets",
        symbol="eq2",
        cash=asset(None),
        assets=(asset(0), asset(4)),
        budgets=(0.3, 0.7),
        oracle=OracleConfig(tuple(living.volatility_oracle.call("signers")), 3),
        governance=GovernanceConfig(),
        guardian=alice,
        fee_recipient=bob,
        uniswap_factory=living.filler.call("factory"),
        swap_router=living.zap.call("router"),
        deposit_cap=1_000_000.0,
        chain_id=31337,
    )


@pytest.fixture
def written(tmp_path: Path) -> Callable[[DeploymentConfig], str]:
    """A configuration as a file."""

    def write(config: DeploymentConfig) -> str:
        path = tmp_path / "vault.yaml"
        path.write_text(yaml.safe_dump(json.loads(json.dumps(asdict(config)))))
        return str(path)

    return write


@pytest.fixture
def start(chain: Any, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """`ape run deploy` by an account of the test mnemonic, its records in the test's folder."""

    def run(*args: str, account: str = "TEST::0", **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(BIN / "ape"), "run", "deploy", "--account", account, *args],
            cwd=ROOT,
            env=environment(
                EQUIPOISE_DEPLOYMENTS=str(tmp_path), APE_FOUNDRY_HOST=chain.endpoint, **variables
            ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run


def finished(process: subprocess.Popen[str], code: int) -> tuple[str, str]:
    """What it wrote on standard output and error."""
    out, err = process.communicate(timeout=180)
    assert process.returncode == code, out + err
    return out, err


def noted(path: Path) -> int:
    return len(json.loads(path.read_text())["steps"]) if path.exists() else 0


def test_deploy__killed_thrice__the_same_command_line_ends_it(
    chain: Any,
    config: DeploymentConfig,
    written: Callable[[DeploymentConfig], str],
    start: Callable[..., subprocess.Popen[str]],
    tmp_path: Path,
) -> None:
    """EQ-170, EQ-173: SIGKILL, by a supervisor that has no say in where exactly."""
    deployer = chain.request("eth_accounts")[0]
    plan = make_plan(chain, deployer, config)
    nonce = int(chain.request("eth_getTransactionCount", deployer, "latest"), 16)
    source, record = written(config), tmp_path / "31337.json"
    for point in (2, 9, 17):
        process = start("--config", source)
        while noted(record) < point:
            assert process.poll() is None, process.communicate()
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert point <= noted(record) < len(plan.steps)
        with pytest.raises(Exception, match="is unfinished"):
            Deployment.load(chain, record)
    changed = tmp_path / "changed.yaml"
    changed.write_text(Path(source).read_text().replace("deposit_cap: 1000000.0", "deposit_cap: 5000.0"))
    _, err = finished(start("--config", str(changed)), 2)
    assert err.count("\n") == 1
    assert "deposit_cap: 1000000.0 became 5000.0" in err
    out, _ = finished(start("--config", source), 0)
    assert out.count("already done") >= 17
    assert "ape plugins install etherscan" in " ".join(out.split())
    made = Deployment.load(chain, record)
    assert made.addresses == {name: plan.addresses[name] for name in made.addresses}
    assert made.timelock
    assert made.vault.call("owner") == made.timelock.address
    sent = int(chain.request("eth_getTransactionCount", deployer, "latest"), 16) - nonce
    assert sent == len(plan.steps)


def test_deploy__dry_run__prices_every_step_and_leaves_nothing(
    chain: Any,
    config: DeploymentConfig,
    written: Callable[[DeploymentConfig], str],
    start: Callable[..., subprocess.Popen[str]],
    tmp_path: Path,
) -> None:
    """EQ-176"""
    height = chain.request("eth_blockNumber")
    out, _ = finished(start("--config", written(replace(config, salt=21)), "--dry-run"), 0)
    assert "Dry run at" in out
    assert "deploy ParityGovernor" in out
    assert "Total" in out
    assert chain.request("eth_blockNumber") == height
    assert list(tmp_path.glob("*.json")) == []


def test_deploy__configuration_that_does_not_fit__one_line_and_nothing_sent(
    chain: Any,
    config: DeploymentConfig,
    written: Callable[[DeploymentConfig], str],
    start: Callable[..., subprocess.Popen[str]],
) -> None:
    """EQ-171"""
    height = chain.request("eth_blockNumber")
    _, err = finished(start("--config", written(replace(config, salt=31, guardian="0x" + "0" * 39 + "7"))), 2)
    assert err.count("\n") == 1
    assert "1 errors (guardian), told above; nothing was sent" in err
    assert chain.request("eth_blockNumber") == height


@pytest.fixture
def key_file(tmp_path: Path) -> tuple[str, str, str]:
    """An encrypted ape account: its address, alias and ape's data folder."""
    account = Account.create()
    folder = tmp_path / "ape" / "accounts"
    folder.mkdir(parents=True)
    (folder / "deployer.json").write_text(json.dumps(Account.encrypt(account.key, "right", iterations=2)))
    return account.address, "deployer", str(tmp_path / "ape")


def test_deploy__wrong_passphrase_and_empty_purse__say_how_to_go_on(
    chain: Any,
    config: DeploymentConfig,
    written: Callable[[DeploymentConfig], str],
    start: Callable[..., subprocess.Popen[str]],
    key_file: tuple[str, str, str],
    tmp_path: Path,
) -> None:
    """EQ-174"""
    address, alias, data = key_file
    source = written(replace(config, salt=41))

    def attempt(passphrase: str, code: int) -> tuple[str, str]:
        variables = {"APE_DATA_FOLDER": data, f"APE_ACCOUNTS_{alias}_PASSPHRASE": passphrase}
        return finished(start("--config", source, account=alias, **variables), code)

    chain.request("anvil_setNextBlockBaseFeePerGas", hex(10**9))
    chain.request("evm_mine")
    out, err = attempt("right", 2)
    assert "1 errors (deployer)" in err
    assert "has 0 ETH" in " ".join(out.split())
    chain.request("anvil_setBalance", address, hex(10**20))
    _, err = attempt("wrong", 2)
    assert f"wrong passphrase for {address}; nothing was signed" in err
    assert not (tmp_path / "31337.json").exists()
    attempt("right", 0)
    assert Deployment.load(chain, tmp_path / "31337.json").timelock


def test_deploy__missing_plugin__says_how_to_install_it(start: Callable[..., subprocess.Popen[str]]) -> None:
    """EQ-174"""
    network = "ethereum:mainnet:alchemy"
    _, err = finished(start("--config", "scripts/configs/sepolia.yaml", "--network", network), 2)
    assert "`ape plugins install alchemy`, then run the same command again" in " ".join(err.split())
    assert "Traceback" not in err
