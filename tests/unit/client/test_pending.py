"""What waits for its time is listed while it waits, in words, and no longer."""

from __future__ import annotations

import pytest

from equipoise.client.facts import read_status
from equipoise.client.guardian import Guardian
from equipoise.client.words import describe_call
from equipoise.errors import InputError
from equipoise.governance import templates
from equipoise.units import pack_budgets, to_wad
from tests.fixtures.governance import Governed

DAY = 86_400


def test_governance_proposals__from_proposal_to_vote__is_listed_with_its_calls(governed: Governed) -> None:
    proposal = governed.propose(templates.target_volatility(governed.contracts, 0.1))
    (listed,) = read_status(governed.contracts)["governance_proposals"]
    assert listed["id"] == str(proposal.id)
    assert listed["title"] == proposal.title
    assert listed["state"] == "Pending"
    assert listed["calls"] == ["auction.setParams(targetVolatility 0.15 -> 0.1)"]
    assert 0 < listed["starts_in_s"] <= DAY
    governed.to_vote(proposal)
    (listed,) = read_status(governed.contracts)["governance_proposals"]
    assert listed["state"] == "Active"
    assert listed["for_votes"] == 0
    assert 0 < listed["ends_in_s"] <= 5 * DAY


def test_timelock_operations__queued_ready_executed__are_told(governed: Governed) -> None:
    proposal = governed.queue(templates.deposit_cap(governed.contracts, 20_000_000))
    facts = read_status(governed.contracts)
    (waiting,) = facts["timelock_operations"]
    assert waiting["id"] == "0x" + governed.governance.operation_id(proposal).hex()
    assert waiting["calls"] == [f"vault.setDepositCap({governed.units(20_000_000)})"]
    assert 0 < waiting["ready_in_s"] <= 2 * DAY
    assert [listed["state"] for listed in facts["governance_proposals"]] == ["Queued"]
    governed.wait()
    facts = read_status(governed.contracts)
    assert "operation-ready" in {finding["code"] for finding in facts["findings"]}
    governed.governance.execute(proposal, governed.keeper)
    facts = read_status(governed.contracts)
    assert facts["timelock_operations"] == facts["governance_proposals"] == []


def test_veto__by_id__takes_what_status_shows(governed: Governed) -> None:
    governed.queue(governed.greedy())
    (waiting,) = read_status(governed.contracts)["timelock_operations"]
    act = Guardian(governed.contracts).veto(waiting["id"])
    with pytest.raises(InputError, match="nothing was sent"):
        act.send(governed.mallory)
    act.send(governed.guardian)
    assert read_status(governed.contracts)["timelock_operations"] == []
    with pytest.raises(InputError, match="does not wait"):
        Guardian(governed.contracts).veto(waiting["id"])
    with pytest.raises(InputError, match="64 hex digits"):
        Guardian(governed.contracts).veto("0x12")


def test_describe_call__known_contracts__in_peoples_words(governed: Governed) -> None:
    contracts = governed.contracts

    def words(target: object, function: str, *args: object) -> str:
        return describe_call(contracts, target.address, target.encode(function, *args))  # type: ignore[attr-defined]

    params = governed.auction.call("params")
    assert words(governed.auction, "setParams", params) == "auction.setParams(as it is)"
    params = params._replace(maxLeverageWad=to_wad(0.5), duration=3_600)
    told = words(governed.auction, "setParams", params)
    assert told == "auction.setParams(maxLeverage 0.98 -> 0.5, duration 1800 -> 3600)"
    budgets = pack_budgets([0.2, 0.3, 0.5])
    assert words(governed.volatility_oracle, "setBudgets", budgets).endswith("setBudgets(20 %, 30 %, 50 %)")
    assert words(governed.vault, "transferOwnership", governed.timelock).endswith("Ownership(timelock)")
    assert words(governed.vault, "approve", governed.tokens[0], 5) == "vault.approve(TOK0, 5)"


def test_describe_call__what_nobody_knows__by_address_and_selector(governed: Governed) -> None:
    contracts, vault = governed.contracts, governed.vault.address
    assert describe_call(contracts, vault, b"\x01\x02\x03\x04") == "vault 0x01020304"
    stranger = "0x" + "ab" * 20
    told = describe_call(contracts, stranger, b"\x01\x02\x03\x04\x05")
    assert told.lower() == f"{stranger} 0x01020304"
    short = governed.vault.encode("setDepositCap", 1)[:10]
    assert describe_call(contracts, vault, short) == "vault.setDepositCap(what cannot be read)"
