"""What an operator is told is what the chain says, in people's units, and explains the mode."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from equipoise.client.abi import to_checksum_address
from equipoise.client.artifacts import ROOT
from equipoise.client.chain import RpcError
from equipoise.client.facts import REASONS, read_status
from equipoise.client.findings import FAULTS, MODES, Finding, findings_of, mode_of, span
from equipoise.client.pending import PROPOSAL_STATES
from tests.fixtures.levered import Levered
from tests.fixtures.system import System

DAY = 86_400


def findings(facts: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {finding["code"]: finding for finding in facts["findings"]}


def test_read_status__invested__figures_in_peoples_units(invested: System) -> None:
    facts = read_status(invested.contracts)
    assert facts["mode"] == "Normal"
    assert facts["nav_usd"] == pytest.approx(100_000, rel=0.01)
    assert facts["total_assets_cash"] == pytest.approx(facts["nav_usd"], rel=1e-6)
    assert facts["deposit_room_cash"] == pytest.approx(10_000_000 - facts["total_assets_cash"])
    assert facts["idle_cash"] == invested.balances()[-1] / 1e6
    assert facts["volatility_ann"] == pytest.approx(facts["target_volatility_ann"], rel=0.02)
    assert facts["parity_gap"] < 0.01
    assert facts["may_open"] == "none"
    assert 0 <= facts["volatilities_age_s"] <= facts["correlations_age_s"] + 3_600
    rows = facts["assets"]
    assert sum(row["weight"] for row in rows.values()) == pytest.approx(1)
    for i, symbol in enumerate(invested.contracts.symbols):
        assert rows[symbol]["price_usd"] == pytest.approx(invested.price(i))
        assert rows[symbol]["balance"] == invested.balances()[i]
        assert rows[symbol]["risk_share"] == pytest.approx(1 / 3, abs=0.01)
        assert rows[symbol]["volatility_ann"] == pytest.approx(invested.vols[i], abs=1e-8)
        assert rows[symbol]["reported_ann"] == rows[symbol]["volatility_ann"]
        assert rows[symbol]["realised_ann"] is rows[symbol]["floor_ann"] is None
    assert rows["cash"]["risk_share"] is None
    assert facts["findings"] == []


def test_read_status__no_report_yet__unknown_is_null_not_zero(make_system: Any) -> None:
    facts = read_status(make_system(reports=False).contracts)
    assert facts["mode"] == "NoIncrease"
    for key in ("volatility_ann", "leverage", "parity_gap", "volatilities_age_s", "correlations_age_s"):
        assert facts[key] is None, key
    assert facts["may_open"] == "none"
    assert findings(facts)["volatilities-never"]["mode"] == "NoIncrease"


def test_read_status__empty_vault__nobody_is_told_to_open(system: System) -> None:
    facts = read_status(system.contracts)
    system.refuses("RebalanceAuction__EmptyVault", system.auction, "open", sender=system.keeper)
    assert facts["may_open"] == "none"


def test_read_status__off_its_target__an_auction_may_open(system: System) -> None:
    system.deposit(system.alice, 100_000)
    facts = read_status(system.contracts)
    assert facts["may_open"] == "volatility too low"
    assert findings(facts)["may-open"]["remedy"] == "ape run keep open"


def test_read_status__dead_feeds__answers_without_prices(invested: System) -> None:
    """EQ-190: also where nothing can be valued."""
    invested.kill_feeds()
    facts = read_status(invested.contracts)
    assert facts["mode"] == "InKindOnly"
    for key in ("nav_usd", "share_price", "total_assets_cash", "loss_budget_used"):
        assert facts[key] is None, key
    for row in facts["assets"].values():
        assert row["price_usd"] is None
        assert row["weight"] is None
        assert row["price_fault"] == "feed failed"
    assert facts["findings"][0]["mode"] == "InKindOnly"


def test_read_status__dead_feeds_of_a_levered_vault__debt_is_still_told(levered: Levered) -> None:
    levered.kill_feeds()
    facts = read_status(levered.contracts)
    assert facts["debt_cash"] == pytest.approx(levered.debt() / 1e6)
    assert not facts["venue_answers"]
    assert facts["health_factor"] is None
    assert "venue-silent" in findings(facts)


def test_read_status__after_a_month_of_pokes__shows_what_the_chain_saw(system: System) -> None:
    for day in range(14):
        system.move([0.03 * (-1) ** day] * 3)
        system.warp(DAY)
        system.realized_volatility.send("poke", sender=system.keeper)
    facts = read_status(system.contracts)
    row = facts["assets"]["TOK0"]
    assert row["realised_ann"] == pytest.approx(0.03 * 365**0.5, rel=0.1)
    assert row["floor_ann"] == pytest.approx(0.7 * row["realised_ann"])
    assert facts["parity_ratio"] is None


def _stale(s: Levered) -> None:
    s.warp(40 * 3_600)
    s.refresh_prices()


def _silent(s: Levered) -> None:
    s.warp(5 * DAY)
    s.refresh_prices()


def _old_correlations(s: Levered) -> None:
    s.warp(22 * DAY)
    s.refresh_prices()
    s.post_volatilities()


def _price(usd: float) -> Callable[[Levered], None]:
    return lambda s: s.set_price(0, usd)


def give_pledge(s: Levered) -> str:
    """A unit of a reserve that is none of the vault's; its address."""
    s.aave.a_tokens["PLEDGE"].send("transfer", s.account, 1, sender=s.aave.borrower)
    return s.aave.tokens["PLEDGE"].address


CAUSES: dict[str, Callable[[Levered], Any]] = {
    "nothing": lambda s: None,
    "volatilities-stale": _stale,
    "volatilities-silent": _silent,
    "correlations-stale": _old_correlations,
    "coordinates-missing": lambda s: s.volatility_oracle.send(
        "setBudgets", 2 * 10**7 | (3 * 10**7) << 32 | (5 * 10**7) << 64, sender=s.owner
    ),
    "increases-paused": lambda s: s.guard.send("pauseIncreases", sender=s.guardian),
    "deposits-paused": lambda s: s.guard.send("pauseDeposits", sender=s.owner),
    "health-increase": lambda s: s.crash(-0.10),
    "health-trigger": lambda s: s.crash(-0.22),
    "price-fault": lambda s: s.warp(2 * DAY),
    "venue-silent": lambda s: s.kill_feeds(),
    "foreign-collateral": lambda s: give_pledge(s),
    "depeg": lambda s: s.set_price(None, 0.93),
    "no-ltv": lambda s: s.aave.set_terms("BTC", 0.0, 0.78, 0.05),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_findings__each_cause__is_named_and_explains_the_chains_mode(levered: Levered, cause: str) -> None:
    """EQ-190: the gravest reason gives the mode that the contracts compute."""
    CAUSES[cause](levered)
    facts = read_status(levered.contracts)
    found = findings_of(facts)
    assert mode_of(found) == facts["mode"] == MODES[levered.vault.call("mode")]
    assert cause in ({finding.code for finding in found} | ({"nothing"} if not found else set()))


def test_read_status__paused__says_by_whom_and_who_lifted_it(system: System) -> None:
    system.guard.send("pauseIncreases", sender=system.guardian)
    system.guard.send("pauseDeposits", sender=system.owner)
    facts = read_status(system.contracts)
    assert facts["paused_by"] == {
        "increases": to_checksum_address(system.guardian),
        "deposits": to_checksum_address(system.owner),
    }
    assert "by the guardian" in findings(facts)["increases-paused"]["text"]
    assert "by the owner" in findings(facts)["deposits-paused"]["text"]
    system.guard.send("unpause", sender=system.owner)
    assert read_status(system.contracts)["paused_by"] == {}


def test_read_status__signer_proposed__waits_with_its_time(system: System) -> None:
    oracle = system.volatility_oracle
    oracle.send("proposeSigner", system.bob, system.signers[0].address, 2, sender=system.owner)
    oracle.send("proposeSigner", system.mallory, "0x" + "0" * 40, 3, sender=system.owner)
    oracle.send("cancelProposal", system.mallory, sender=system.guardian)
    (pending,) = read_status(system.contracts)["signer_proposals"]
    assert pending["signer"] == to_checksum_address(system.bob)
    assert pending["replaces"] == system.signers[0].address
    assert pending["threshold"] == 2
    assert 0 < pending["ready_in_s"] <= 2 * DAY
    system.warp(2 * DAY)
    facts = read_status(system.contracts)
    assert "signer-ready" in findings(facts)
    oracle.send("activateSigner", system.bob, sender=system.mallory)
    assert read_status(system.contracts)["signer_proposals"] == []


def test_read_status__a_node_without_logs__says_what_it_cannot_tell(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> Any:
        raise RpcError("query returned more than 10000 results")

    system.guard.send("pauseIncreases", sender=system.guardian)
    monkeypatch.setattr(type(system.chain), "logs", refused)
    facts = read_status(system.contracts)
    assert facts["signer_proposals"] is facts["paused_by"] is None
    assert "no-logs" in findings(facts)
    assert "no event tells" in findings(facts)["increases-paused"]["text"]


def test_findings__quorum_lost__is_an_error(system: System) -> None:
    for signer in system.signers[:2]:
        system.volatility_oracle.send("removeSigner", signer.address, sender=system.guardian)
    facts = read_status(system.contracts)
    assert "1 signers for a threshold of 2" in findings(facts)["quorum-lost"]["text"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (119, "119 s"), (600, "10 min"), (129_600, "36 h"), (345_600, "4 d"), (360_000, "4.2 d")],
)
def test_span__seconds__as_people_say_it(seconds: int, words: str) -> None:
    assert span(seconds) == words


@pytest.mark.parametrize(
    ("file", "enum", "names"),
    [
        ("contracts/interfaces/IPriceOracle.sol", "Fault", FAULTS),
        ("contracts/interfaces/IRiskGuard.sol", "Mode", MODES),
        ("contracts/interfaces/IRebalanceAuction.sol", "Reason", REASONS),
        ("node_modules/@openzeppelin/contracts/governance/IGovernor.sol", "ProposalState", PROPOSAL_STATES),
    ],
)
def test_names__of_an_enum__are_as_many_as_the_contracts(
    file: str, enum: str, names: tuple[str, ...]
) -> None:
    """In its order, so that nothing is shown as another."""
    (members,) = re.findall(rf"enum {enum} \{{(.*?)\}}", (ROOT / file).read_text(), re.S)
    listed = [word.strip() for word in members.split(",")]
    assert len(listed) == len(names)
    if enum in ("Mode", "ProposalState"):
        assert listed == list(names)


def test_findings__their_order__is_the_gravest_first(levered: Levered) -> None:
    levered.guard.send("pauseIncreases", sender=levered.guardian)
    levered.crash(-0.25)
    found = findings_of(read_status(levered.contracts))
    assert [f.mode for f in found[:2]] == ["DeleverOnly", "NoIncrease"]
    assert mode_of([]) == "Normal"
    assert mode_of([Finding("a", "info", "b")]) == "Normal"
