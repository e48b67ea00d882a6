"""A keeper's file: every key is checked, the committed example is valid, and what it makes answers."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from eth_account import Account
from fastapi.testclient import TestClient

from equipoise.cli import main
from equipoise.client.artifacts import ROOT
from equipoise.errors import InputError
from equipoise.keeper.app import keeper_app
from equipoise.keeper.logs import JsonLines
from equipoise.keeper.settings import KeeperSettings
from equipoise.oracle.keys import LocalKey
from tests.fixtures.keeping import Room
from tests.fixtures.levered import Levered
from tests.fixtures.system import System

EXAMPLE: dict[str, Any] = yaml.safe_load((ROOT / "scripts" / "configs" / "keeper.yaml").read_text())


def written(folder: Path, data: object) -> Path:
    path = folder / "keeper.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


def test_example__that_is_committed__is_valid_and_holds_the_defaults() -> None:
    made = KeeperSettings.from_yaml(ROOT / "scripts" / "configs" / "keeper.yaml")
    assert len(made.endpoints) == 3
    for section in ("policy", "limits", "head", "alerts"):
        kind = type(getattr(made, section))
        assert getattr(made, section) == kind()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sauce": 1}, "unknown keys"),
        ({"policy": {"open": "often"}}, "open is 'often'; choose profitable, always or never"),
        ({"policy": {"min_profit_usd": -1}}, "min_profit_usd is -1"),
        ({"limits": {"per_day": 0}}, "limits: per_day is 0"),
        ({"limits": {"per_week": 1}}, "limits has unknown keys"),
        ({"head": {"max_lag": -5}}, "head: max_lag is -5"),
        ({"dispatch": {"jitter": -1}}, "dispatch: jitter is -1"),
        ({"alerts": {"health": -1}}, "alerts: health is -1"),
        ({"relay": {"cadence": 0}}, "cadence is 0"),
        ({"endpoints": ["ftp://one"]}, "give a list of the signers' URLs"),
        ({"activate": [5]}, "give a list of addresses"),
        ({"poll": 0}, "poll is 0"),
        ({"min_trade": 1}, "min_trade 1"),
        ({"account": 5}, "give text"),
    ],
)
def test_keeper_settings__wrong_key__is_named(tmp_path: Path, change: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        KeeperSettings.from_yaml(written(tmp_path, EXAMPLE | change))


@pytest.mark.parametrize("key", ["account", "rpc", "deployment", "ledger", "quoter", "eth_usd"])
def test_keeper_settings__missing_key__is_named(tmp_path: Path, key: str) -> None:
    with pytest.raises(InputError, match=rf"missing .*'{key}'"):
        KeeperSettings.from_yaml(written(tmp_path, {k: v for k, v in EXAMPLE.items() if k != key}))


def settings(levered: Levered, folder: Path, **change: Any) -> KeeperSettings:
    world = levered.world
    assert world
    data = EXAMPLE | {
        "rpc": levered.chain.endpoint,
        "deployment": str(levered.contracts.save(folder / "d.json")),
        "ledger": str(folder / "l.sqlite"),
        "quoter": world.quoter.address,
        "eth_feed": world.feeds["ETH"].address,
        "head": {"max_lag": 0},
    }
    data.pop("endpoints")
    return KeeperSettings.from_yaml(written(folder, data | change))


def test_make__on_a_chain__steps_with_the_feeds_price_of_ether(levered: Levered, tmp_path: Path) -> None:
    service = settings(levered, tmp_path).make(LocalKey(b"\x21" * 32))
    assert service.price.usd() == 2_000.0
    levered.set_price(1, 1.0)
    levered.kill_feeds()
    assert service.price.usd() == EXAMPLE["eth_usd"]
    service.close()


def test_make__limits_that_contradict_each_other__are_told(
    levered: Levered, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """EQ-182: fills end far below the price of gas that is allowed."""
    settings(levered, tmp_path).make(LocalKey(b"\x21" * 32)).close()
    assert "limits" not in caplog.text
    poor = {"limits": {"protection_per_transaction": 0.2}}
    settings(levered, tmp_path, **poor).make(LocalKey(b"\x21" * 32)).close()
    assert "protection_per_transaction is 0.2 ether: a ripcord's fill of 3 assets" in caplog.text
    assert "up to 78 gwei, not protection_gas_price = 1000" in caplog.text


def test_make__a_ledger_that_another_keeper_works_with__is_refused(levered: Levered, tmp_path: Path) -> None:
    """EQ-181: two processes with one key would use each nonce twice."""
    made = settings(levered, tmp_path)
    first = made.make(LocalKey(b"\x21" * 32))
    with pytest.raises(InputError, match="another keeper works with the ledger"):
        made.make(LocalKey(b"\x21" * 32))
    first.close()
    made.make(LocalKey(b"\x21" * 32)).close()


def test_make__no_quoter_there__is_said(levered: Levered, tmp_path: Path) -> None:
    made = settings(levered, tmp_path, quoter="0x" + "12" * 20)
    with pytest.raises(InputError, match="quoter: no code"):
        made.make(LocalKey(b"\x21" * 32))


def test_keeper_app__health_and_metrics__tell_of_mode_money_and_trouble(
    levered: Levered, make_room: Callable[[System], Room]
) -> None:
    """EQ-187: 503 before the first whole step, and while there is trouble."""
    keeper = make_room(levered).service()
    now = [1e12]
    watch = TestClient(keeper_app(keeper, longest=60.0, clock=lambda: now[0]))
    assert watch.get("/health").status_code == 503
    keeper.attempt()
    now[0] = keeper.watched.stepped_at + 59
    health = watch.get("/health")
    assert (health.status_code, health.json()["ok"], health.json()["mode"]) == (200, True, "Normal")
    text = watch.get("/metrics").text
    assert 'equipoise_keeper_actions_total{kind="parity",outcome="landed"} 1.0' in text
    (told,) = re.findall(r"^equipoise_keeper_health_factor (\S+)$", text, re.MULTILINE)
    assert float(told) == pytest.approx(levered.health(), abs=1e-3)
    assert "equipoise_keeper_mode 0.0" in text
    now[0] += 2
    assert watch.get("/health").json()["problems"] == {"step": "no whole step for more than 60 s"}


def run(levered: Levered, folder: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> Any:
    """`equipoise keeper`, with an encrypted ape account whose passphrase stands in a file."""
    (folder / "accounts").mkdir(exist_ok=True)
    keystore = Account.encrypt(b"\x21" * 32, "open sesame", kdf="pbkdf2", iterations=2)
    (folder / "accounts" / "keeper.json").write_text(json.dumps(keystore))
    if not (folder / "pass").exists():
        (folder / "pass").touch(mode=0o600)
        (folder / "pass").write_text("open sesame")
    monkeypatch.setenv("APE_DATA_FOLDER", str(folder))
    settings(levered, folder, passphrase_file=str(folder / "pass"))
    return CliRunner().invoke(main, ["keeper", str(folder / "keeper.yaml"), *options])


def test_keeper_command__once__does_what_is_due_and_ends(
    levered: Levered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-188: a dry run beforehand says the same and sends nothing."""
    sender = LocalKey(b"\x21" * 32).address
    levered.chain.request("anvil_setBalance", sender, hex(10**18))
    dry = run(levered, tmp_path, monkeypatch, "--once", "--dry-run")
    assert (dry.exit_code, dry.stdout) == (0, "landed: nothing\n")
    assert int(levered.chain.request("eth_getTransactionCount", sender, "latest"), 16) == 0
    done = run(levered, tmp_path, monkeypatch, "--once")
    assert (done.exit_code, done.stdout) == (0, "landed: parity\n")
    assert int(levered.chain.request("eth_getTransactionCount", sender, "latest"), 16) == 1


def test_keeper_command__wrong_passphrase__is_one_line(
    levered: Levered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-186"""
    (tmp_path / "pass").touch(mode=0o600)
    (tmp_path / "pass").write_text("open barley")
    done = run(levered, tmp_path, monkeypatch, "--once")
    assert done.exit_code == 2
    assert done.output == ("error: the passphrase does not open the ape account 'keeper'; give its own\n")


def test_json_lines__a_record__is_one_object() -> None:
    record = logging.LogRecord("keeper", logging.WARNING, "x.py", 1, "fill of %s", ("7",), None)
    line = json.loads(JsonLines().format(record))
    assert (line["level"], line["logger"], line["message"]) == ("warning", "keeper", "fill of 7")
