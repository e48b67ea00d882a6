"""The files of a signer and a relay: every key is checked, and the committed examples are valid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from equipoise.client.artifacts import ROOT
from equipoise.client.signing import Fees
from equipoise.errors import BudgetError, InputError, OracleError
from equipoise.estimation.blend import BlendConfig
from equipoise.oracle.keys import LocalKey
from equipoise.oracle.payload import VolatilityReport
from equipoise.oracle.settings import RelaySettings, SignerSettings
from equipoise.oracle.sources import CsvSource, FeedSource
from equipoise.units import DAY
from tests.fixtures.basket import assets_of, list_asset, send_changes
from tests.fixtures.system import System

CONFIGS = ROOT / "scripts" / "configs"
SIGNER: dict[str, Any] = yaml.safe_load((CONFIGS / "signer.yaml").read_text())
RELAY: dict[str, Any] = yaml.safe_load((CONFIGS / "relay.yaml").read_text())


def written(folder: Path, data: object) -> Path:
    path = folder / "service.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


def test_examples__that_are_committed__are_valid() -> None:
    signer = SignerSettings.from_yaml(CONFIGS / "signer.yaml")
    relay = RelaySettings.from_yaml(CONFIGS / "relay.yaml")
    assert signer.source.kind == "feeds"
    assert signer.policy.cadence == relay.relay.cadence == 86_400
    assert len(relay.endpoints) == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sauce": 1}, "unknown keys"),
        ({"source": {"kind": "csv", "paht": "x"}}, "source has unknown keys"),
        ({"port": "high"}, "port is 'high'; give a whole number"),
        ({"policy": {"cadence": 0}}, "cadence is 0"),
        ({"account": 5}, "give text"),
    ],
)
def test_signer_settings__wrong_key__is_named(tmp_path: Path, change: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        SignerSettings.from_yaml(written(tmp_path, SIGNER | change))


@pytest.mark.parametrize("key", ["account", "rpc", "deployment", "journal", "source"])
def test_signer_settings__missing_key__is_named(tmp_path: Path, key: str) -> None:
    with pytest.raises(InputError, match=rf"missing .*'{key}'"):
        SignerSettings.from_yaml(written(tmp_path, {k: v for k, v in SIGNER.items() if k != key}))


@pytest.mark.parametrize("endpoints", ["http://one", ["ftp://one"], [5]])
def test_relay_settings__endpoints_that_are_none__are_refused(tmp_path: Path, endpoints: object) -> None:
    with pytest.raises(InputError, match="give a list of the signers' URLs"):
        RelaySettings.from_yaml(written(tmp_path, RELAY | {"endpoints": endpoints}))


def test_service__for_a_token_that_the_vault_does_not_know_yet__waits(
    make_system: Any, tmp_path: Path
) -> None:
    """EQ-99: InputError; another's prices would pass for its own."""
    s = make_system()
    path = s.contracts.save(tmp_path / "deployment.json")
    send_changes(s, [*assets_of(s)[1:], list_asset(s)], only=["volatility_oracle"])
    change = {"rpc": s.chain.endpoint, "deployment": str(path), "journal": str(tmp_path / "j.sqlite")}
    with pytest.raises(InputError, match="which the vault does not know yet: start again"):
        SignerSettings.from_yaml(written(tmp_path, SIGNER | change)).service(LocalKey(b"\x31" * 32))


def test_relay__a_node_that_asks_for_a_fortune_as_a_tip__gets_nothing(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-148: BudgetError; what is due stays due."""
    path = system.contracts.save(tmp_path / "deployment.json")
    change = {"rpc": system.chain.endpoint, "deployment": str(path), "outbox": str(tmp_path / "o.sqlite")}
    relay = RelaySettings.from_yaml(written(tmp_path, RELAY | change)).make(LocalKey(b"\x32" * 32))
    dispatcher, relayed = relay._dispatcher, []
    monkeypatch.setattr(relay.chain, "estimate", lambda *_: 100_000)
    monkeypatch.setattr(relay.chain, "broadcast", relayed.append)
    monkeypatch.setattr(relay.chain, "fees", lambda: Fees(10**9, 2 * 10**12))
    with pytest.raises(BudgetError, match=r"may cost 0\.2 ether, per_transaction allows 0\.2"):
        dispatcher.send("volatilities", 1, system.vault.address, b"")
    assert not relayed
    assert not relay.outbox.in_flight()


def test_settings__no_file_or_no_mapping__are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        SignerSettings.from_yaml(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="must be a mapping"):
        RelaySettings.from_yaml(written(tmp_path, [1]))


def test_service__of_a_deployment__has_its_domain_source_and_model(system: System, tmp_path: Path) -> None:
    path = system.contracts.save(tmp_path / "deployment.json")
    change = {"rpc": system.chain.endpoint, "deployment": str(path), "journal": str(tmp_path / "j.sqlite")}
    made = SignerSettings.from_yaml(written(tmp_path, SIGNER | change))
    service = made.service(LocalKey(b"\x31" * 32))
    assert service.signer.domain == system.signers[0].domain
    assert isinstance(service.source, FeedSource)
    assert service.model == BlendConfig()
    assert abs(service.clock() - system.now()) <= 1
    csv = SignerSettings.from_yaml(
        written(tmp_path, SIGNER | change | {"source": {"kind": "csv", "path": "p.csv"}, "clock": "system"})
    )
    service = csv.service(LocalKey(b"\x31" * 32))
    assert isinstance(service.source, CsvSource)


@pytest.mark.parametrize("kind", ["csv", "feeds", "exchange"])
def test_service__while_an_asset_is_being_retired__reports_the_others(
    make_system: Any, tmp_path: Path, kind: str
) -> None:
    """EQ-99: the vault still holds it, so that nobody could sell it if nobody could sign."""
    s = make_system(signers=5, threshold=3, reports=True)
    s.deposit(s.alice, 100_000.0)
    s.rebalance()
    path, slot = s.contracts.save(tmp_path / "deployment.json"), s.now() - s.now() % DAY
    days = pd.date_range(end=pd.Timestamp(slot - DAY, unit="s"), periods=300, freq="D", name="date")
    walk = np.exp(np.cumsum(0.03 * np.random.default_rng(4).standard_normal((300, 3)), axis=0))
    pd.DataFrame(walk, index=days, columns=list(s.contracts.symbols)).to_csv(tmp_path / "p.csv")
    source: dict[str, Any] = {"kind": kind, "path": str(tmp_path / "p.csv")}
    if kind == "exchange":
        source |= {"exchange": "kraken", "symbols": {name: f"{name}/USD" for name in s.contracts.symbols}}
    change = {
        "rpc": s.chain.endpoint,
        "deployment": str(path),
        "journal": str(tmp_path / "j.sqlite"),
        "source": source,
        "policy": {"max_lag": 10 * DAY},
        "model": {"ewma": 1.0, "garch": 0.0, "implied": 0.0},
    }
    settings = SignerSettings.from_yaml(written(tmp_path, SIGNER | change))
    before = settings.service(LocalKey(b"\x31" * 32))
    first, *rest = assets_of(s)
    # the signer is restarted before the vault has followed
    send_changes(s, rest, [first], only=["volatility_oracle"])
    with pytest.raises(OracleError, match="restart this signer"):
        before.volatilities(slot)
    service = settings.service(LocalKey(b"\x31" * 32))
    send_changes(s, rest, [first], only=["realized_volatility", "vault"])
    assert service.signer.domain.assets == tuple(asset.token.address for asset in rest)
    columns = vars(service.source)[{"csv": "_assets", "feeds": "_feeds", "exchange": "_symbols"}[kind]]
    assert list(columns) == list(s.contracts.symbols[1:])
    if kind != "csv":
        return
    assert service.health()["ok"]
    assert VolatilityReport(slot, int(service.volatilities(slot)["vols"])).vol_ann(2).shape == (2,)
    assert service.opinion(slot).correlation(2).shape == (2, 2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"source": {"kind": "oracle"}}, "choose csv, feeds or exchange"),
        ({"source": {"kind": "csv"}}, "a csv needs `path`"),
        ({"source": {"kind": "exchange", "exchange": "kraken", "symbols": {"TOK0": "A/B"}}}, "it has TOK0"),
        ({"clock": "sun"}, "choose system or chain"),
    ],
)
def test_service__that_cannot_be_made__says_why(
    system: System, tmp_path: Path, change: dict, words: str
) -> None:
    path = system.contracts.save(tmp_path / "deployment.json")
    base = {"rpc": system.chain.endpoint, "deployment": str(path), "journal": str(tmp_path / "j.sqlite")}
    made = SignerSettings.from_yaml(written(tmp_path, SIGNER | base | change))
    with pytest.raises(InputError, match=words):
        made.service(LocalKey(b"\x31" * 32))
