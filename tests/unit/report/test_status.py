"""One screen about a vault: before any report, at its targets, and with a dead price feed."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from rich.console import Console

from equipoise.client.artifacts import ROOT
from equipoise.report.status import FAULTS, print_status, status
from tests.fixtures.system import System


def printed(system: System, as_json: bool = False) -> str:
    screen = io.StringIO()
    print_status(system.contracts, as_json, Console(file=screen, width=100))
    return screen.getvalue()


def test_status__invested__figures_in_peoples_units(invested: System) -> None:
    facts = status(invested.contracts)
    assert facts["mode"] == "Normal"
    assert facts["nav_usd"] == pytest.approx(100_000, rel=0.01)
    assert facts["total_assets"] == pytest.approx(facts["nav_usd"], rel=1e-6)
    assert facts["volatility"] == pytest.approx(facts["target_volatility"], rel=0.02)
    assert facts["parity_gap"] < 0.01
    assert facts["may_open"] == "none"
    assert 0 <= facts["volatilities_age_s"] <= facts["correlations_age_s"] + 3_600
    rows = facts["assets"]
    assert sum(row["weight"] for row in rows.values()) == pytest.approx(1)
    for i, symbol in enumerate(invested.contracts.symbols):
        assert rows[symbol]["price_usd"] == pytest.approx(invested.price(i))
        assert rows[symbol]["balance"] == invested.balances()[i]
        assert rows[symbol]["risk_share"] == pytest.approx(1 / 3, abs=0.01)
        assert rows[symbol]["volatility"] == pytest.approx(invested.vols[i], abs=1e-8)
        assert rows[symbol]["reported"] == rows[symbol]["volatility"]
        assert rows[symbol]["realised"] is None
    assert rows["cash"]["risk_share"] is None


def test_status__no_report_yet__unknown_is_null_not_zero(make_system: Any) -> None:
    facts = status(make_system(reports=False).contracts)
    assert facts["mode"] == "NoIncrease"
    for key in ("volatility", "leverage", "parity_gap", "volatilities_age_s", "correlations_age_s"):
        assert facts[key] is None, key
    assert facts["may_open"] == "none"


def test_status__reason_to_open__is_told(system: System) -> None:
    system.deposit(system.alice, 100_000)
    assert status(system.contracts)["may_open"] != "none"


def test_status__dead_feeds__answers_without_prices(invested: System) -> None:
    invested.kill_feeds()
    facts = status(invested.contracts)
    assert facts["mode"] == "InKindOnly"
    for row in facts["assets"].values():
        assert row["price_usd"] is None
        assert row["weight"] is None
        assert row["price_fault"] == "feed failed"


def test_print_status__json__is_what_status_says(invested: System) -> None:
    assert json.loads(printed(invested, as_json=True)) == json.loads(json.dumps(status(invested.contracts)))


@pytest.mark.parametrize("dead", [False, True], ids=["living", "dead feeds"])
def test_print_status__table__fits_and_names_everything(invested: System, dead: bool) -> None:
    if dead:
        invested.kill_feeds()
    text = printed(invested)
    words = ["Mode", "NAV", "Parity gap", "Share of variance", "cash", *invested.contracts.symbols]
    assert [word for word in words if word not in text] == []
    assert max(map(len, text.splitlines())) <= 100


def test_print_status__no_report__says_never(make_system: Any) -> None:
    assert "volatilities never" in printed(make_system(reports=False))


def test_faults__their_names__are_the_contracts_own() -> None:
    """In the order of the enum, so that no fault is shown as another."""
    source = (ROOT / "contracts" / "interfaces" / "IPriceOracle.sol").read_text()
    (members,) = re.findall(r"enum Fault \{(.*?)\}", source, re.S)
    assert len(members.split(",")) == len(FAULTS)


def test_status__after_a_month_of_pokes__shows_what_the_chain_saw(system: System) -> None:
    s = system
    for day in range(14):
        s.move([0.03 * (-1) ** day] * 3)
        s.warp(86_400)
        s.realized_volatility.send("poke", sender=s.keeper)
    facts = status(s.contracts)
    assert facts["assets"]["TOK0"]["realised"] == pytest.approx(0.03 * 365**0.5, rel=0.1)
    assert facts["parity_ratio"] is None
    assert "has not gathered enough" in printed(s)
