"""Drafts of the common changes: their calls, their words, and what they refuse before anybody votes."""

from __future__ import annotations

from typing import Any

import pytest

from equipoise.errors import InputError
from equipoise.governance import Governance, templates
from equipoise.units import WAD, pack_budgets
from tests.fixtures.governance import Governed
from tests.fixtures.system import System


def test_budgets__valid__sets_them_and_solves(governed: Governed) -> None:
    g = governed
    draft = templates.budgets(g.contracts, (0.5, 0.3, 0.2))
    assert [call.function for call in draft.calls] == ["setBudgets", "solveCoordinates"]
    assert draft.title == "Risk budgets 0.5, 0.3, 0.2"
    assert "- TOK0: 33.33% -> 50.00%" in draft.text
    g.enact(draft)
    assert g.volatility_oracle.call("budgets") == pack_budgets((0.5, 0.3, 0.2))
    assert g.volatility_oracle.call("riskData").coordinates


def test_budgets__without_correlations__does_not_ask_for_a_solution(make_system: Any) -> None:
    s = make_system(reports=False)
    draft = templates.budgets(s.contracts, (0.5, 0.3, 0.2))
    assert [call.function for call in draft.calls] == ["setBudgets"]


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ((0.5, 0.5), r"2 budgets for 3 assets: give one each of TOK0, TOK1, TOK2"),
        ((0.5, 0.495, 0.005), r"the budget of TOK2 is 0.005; the least is 0.01: remove the asset instead"),
        ((0.5, 0.3, 0.3), r"budgets sum to 1.1; they must sum to 1"),
        ((0.5, 0.5, float("nan")), r"the budget of TOK2 is nan"),
        ((1 / 3, 1 / 3, 1 / 3), r"the budgets are 0.3333, 0.3333, 0.3333 already"),
    ],
)
def test_budgets__that_cannot_be__are_refused(system: System, shares: tuple[float, ...], words: str) -> None:
    with pytest.raises(InputError, match=words):
        templates.budgets(system.contracts, shares)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"auction.targetVolatility": 1.5}, r"auction.targetVolatility is 1.5; give 0.01 to 1 \(1/√year\)"),
        ({"auction.targetVolatility": 0.15}, r"auction.targetVolatility is 0.15 already"),
        ({"auction.maxLeverage": 2}, r"auction.maxLeverage is 2; give 0.1 to 1"),
        ({"guard.deleverAfter": 3_600}, r"guard.deleverAfter is 1 hour; give 36 hours to 30 days"),
        ({"guard.triggerHealth": 1.5}, r"guard.increaseHealth is 1.45; give 1.5 to 4"),
        ({"guard.volatilitiesFreshFor": 0.5}, r"whole number of s"),
        ({"auction.colour": 1}, r"there is no parameter 'auction.colour'"),
        ({"price_oracle.blockTime": 2}, r"price_oracle.blockTime is fixed at construction"),
        ({"volatility_oracle.budget": 0.3}, r"budgets are set all at once"),
        ({"volatility_oracle.threshold": 4}, r"volatility_oracle.threshold is 4; give 2 to 3"),
        ({"governor.quorum": 0.2}, r"this deployment has no 'governor': it has no governance"),
        (
            {"price_oracle.heartbeat": 100},
            r"None is no token of this vault; name one of TOK0, TOK1, TOK2, cash",
        ),
    ],
)
def test_change__that_cannot_be__is_refused(system: System, values: dict[str, float], words: str) -> None:
    """EQ-158: the ranges of the table, with those that depend on others in the same call."""
    with pytest.raises(InputError, match=words):
        templates.change(system.contracts, values)


def test_change__several_of_one_setter__is_one_call_and_keeps_the_rest(governed: Governed) -> None:
    g = governed
    before = g.auction.call("params")
    values = {"auction.targetVolatility": 0.2, "auction.lossBudget": 0.01, "guard.deleverAfter": 172_800}
    draft = templates.change(g.contracts, values)
    assert [call.function for call in draft.calls] == ["setParams", "setParams"]
    assert draft.title == "auction.targetVolatility, auction.lossBudget, guard.deleverAfter"
    assert "- guard.deleverAfter: 4 days -> 2 days" in draft.text
    g.enact(draft)
    changed = before._replace(targetVolatilityWad=WAD // 5, lossBudgetWad=WAD // 100)
    assert g.auction.call("params") == changed
    assert g.guard.call("params").deleverAfter == 172_800


@pytest.mark.parametrize(
    ("key", "value", "token", "read"),
    [
        (
            "price_oracle.heartbeat",
            3_600,
            "TOK1",
            lambda g: g.price_oracle.call("feedOf", g.tokens[1]).heartbeat,
        ),
        (
            "price_oracle.halfSpreadBps",
            20,
            "cash",
            lambda g: g.price_oracle.call("feedOf", g.cash).halfSpreadBps,
        ),
        (
            "realized_volatility.minInterval",
            7_200,
            None,
            lambda g: g.realized_volatility.call("params").minInterval,
        ),
        (
            "volatility_oracle.signerDelay",
            259_200,
            None,
            lambda g: g.volatility_oracle.call("params").signerDelay,
        ),
        ("volatility_oracle.threshold", 3, None, lambda g: g.volatility_oracle.call("threshold")),
        ("vault.depositCap", 123_456, None, lambda g: g.vault.call("depositCap") // 10**6),
        ("vault.exitFee", 0.01, None, lambda g: g.vault.call("fees").exitFeeWad * 100 // WAD / 100),
        ("governor.lateQuorumExtension", 7_200, None, lambda g: g.governor.call("lateQuorumVoteExtension")),
        ("governor.proposalThreshold", 0.02, None, lambda g: g.governor.call("proposalThresholdWad") / WAD),
        ("timelock.delay", 259_200, None, lambda g: g.timelock.call("getMinDelay")),
    ],
)
def test_change__of_each_kind_of_setter__is_what_the_contract_says_afterwards(
    governed: Governed, key: str, value: float, token: str | None, read: Any
) -> None:
    g = governed
    g.enact(templates.change(g.contracts, {key: value}, token))
    assert read(g) == value


def test_fees__named_ones_and_the_recipient__leave_the_others(governed: Governed) -> None:
    g = governed
    before = g.vault.call("fees")
    g.enact(templates.fees(g.contracts, management=0.01, recipient=g.bob))
    assert g.vault.call("fees") == before._replace(managementFeeWad=WAD // 100)
    assert g.vault.call("feeRecipient").lower() == g.bob
    with pytest.raises(InputError, match=r"vault.entryFee is 0.02; give 0 to 0.01"):
        templates.fees(g.contracts, entry=0.02)
    with pytest.raises(InputError, match="no fee is named"):
        templates.fees(g.contracts)
    only = templates.fees(g.contracts, recipient=g.alice)
    assert only.title == f"Fees go to {g.alice}"


def test_signer__that_replaces_another__waits_for_its_own_delay_too(governed: Governed) -> None:
    """EQ-37: proposed by governance, activated by anyone."""
    g = governed
    old = g.signers[0].address
    draft = templates.signer(g.contracts, new=g.bob, replaces=old)
    assert draft.title == f"Signers: {g.bob} signs, {old} no more; 2 of 3"
    assert "2 days after" in draft.text
    g.enact(draft)
    assert not g.volatility_oracle.call("isSigner", g.bob)
    g.warp(2 * 86_400)
    g.volatility_oracle.send("activateSigner", g.bob, sender=g.mallory)
    assert g.volatility_oracle.call("isSigner", g.bob)
    assert not g.volatility_oracle.call("isSigner", old)


def test_signer__that_cannot_be__is_refused(system: System) -> None:
    s = system
    first = s.signers[0].address
    for arguments, words in (
        ({}, "name a signer that comes, or one that leaves"),
        ({"new": first}, "signs already"),
        ({"replaces": s.bob}, "is none of the signers"),
        ({"new": s.bob, "threshold": 2}, r"a threshold of 2 for 4 signers: give 3 \(a majority\) to 4"),
    ):
        with pytest.raises(InputError, match=words):
            templates.signer(s.contracts, **arguments)


@pytest.mark.parametrize(
    ("contract", "function", "words"),
    [
        ("timelock", "updateDelay", "a power over the timelock cannot be given up"),
        ("lens", "dashboard", "nobody owns the lens"),
        ("vault", "fees", "has no function 'fees' that changes anything"),
        ("vault", "colour", "has no function 'colour'"),
        ("treasury", "spend", "has no 'treasury': correct the name"),
    ],
)
def test_abdicate__what_is_no_power__is_refused(
    governed: Governed, contract: str, function: str, words: str
) -> None:
    """EQ-154: only a power over what the timelock owns."""
    with pytest.raises(InputError, match=words):
        templates.abdicate(governed.contracts, contract, function)


def test_templates__of_a_vault_with_a_plain_owner__have_no_governor(system: System) -> None:
    with pytest.raises(InputError, match="a plain address owns this vault"):
        templates.abdicate(system.contracts, "vault", "setFees")
    with pytest.raises(
        InputError, match=r"has no governor: its owner is 0x.*deploy with a `governance` section"
    ):
        Governance(system.contracts)
