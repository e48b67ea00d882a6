"""The guardian's acts do what their words say, tighten only, and can be left to a multisig."""

from __future__ import annotations

import pytest

from equipoise.client.facts import read_status
from equipoise.client.guardian import Guardian
from equipoise.errors import InputError
from equipoise.units import to_wad
from tests.fixtures.system import System


def test_pause__by_the_guardian__is_so_at_once(system: System) -> None:
    guardian = Guardian(system.contracts)
    guardian.pause_increases().send(system.guardian)
    guardian.pause_deposits().send(system.guardian)
    facts = read_status(system.contracts)
    assert facts["increases_paused"]
    assert facts["deposits_paused"]


def test_act__from_anybody_else__is_refused_before_it_is_sent(system: System) -> None:
    act = Guardian(system.contracts).pause_increases()
    height = system.chain.height()
    with pytest.raises(InputError, match=r"refused from 0x.*RiskGuard__NotGuardian.*nothing was sent"):
        act.send(system.mallory)
    assert system.chain.height() == height


def test_act__its_data__is_what_a_multisig_sends(system: System) -> None:
    act = Guardian(system.contracts).lower_cap(5_000)
    system.chain.send(system.guardian, act.contract.address, bytes.fromhex(act.data[2:]))
    assert system.vault.call("depositCap") == system.units(5_000)


def test_remove_signer__each__says_how_many_are_left(system: System) -> None:
    guardian, (first, second, _) = Guardian(system.contracts), system.signers
    act = guardian.remove_signer(first.address.lower())
    assert "2 signers for a threshold of 2" in act.words
    act.send(system.guardian)
    act = guardian.remove_signer(second.address)
    assert "NO report passes" in act.words
    with pytest.raises(InputError, match="is no signer; the signers are 0x"):
        guardian.remove_signer(first.address)
    with pytest.raises(InputError, match="is no address"):
        guardian.remove_signer("bob")


def test_cancel_signer__proposed__never_signs(system: System) -> None:
    guardian = Guardian(system.contracts)
    with pytest.raises(InputError, match="is not proposed"):
        guardian.cancel_signer(system.bob)
    system.volatility_oracle.send("proposeSigner", system.bob, "0x" + "0" * 40, 3, sender=system.owner)
    guardian.cancel_signer(system.bob).send(system.guardian)
    assert read_status(system.contracts)["signer_proposals"] == []


@pytest.mark.parametrize("cash", [10_000_000, 20_000_000])
def test_lower_cap__not_lower__is_refused(system: System, cash: float) -> None:
    with pytest.raises(InputError, match="the deposit cap is 10,000,000, not above"):
        Guardian(system.contracts).lower_cap(cash)


def test_tighten__some_limits__leaves_every_other_parameter(system: System) -> None:
    """EQ-193: by the guardian itself."""
    before = system.auction.call("params")
    act = Guardian(system.contracts).tighten({"target_volatility": 0.1, "loss_budget": 0.001})
    assert act.words == "target_volatility 0.15 -> 0.1, loss_budget 0.005 -> 0.001"
    act.send(system.guardian)
    after = system.auction.call("params")
    assert after == before._replace(targetVolatilityWad=to_wad(0.1), lossBudgetWad=to_wad(0.001))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "nothing to tighten"),
        ({"target_volatility": 0.15}, "target_volatility is 0.15; give less"),
        ({"max_leverage": 2.0}, "max_leverage is 0.98; give less"),
        ({"max_leverage": -1.0}, "give less than that and at least 0"),
        ({"duration": 5}, "'duration' cannot be tightened"),
    ],
)
def test_tighten__nothing_or_not_lower__is_refused(
    system: System, changes: dict[str, float], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        Guardian(system.contracts).tighten(changes)


def test_tighten__below_the_contracts_bound__is_refused_before_it_is_sent(system: System) -> None:
    with pytest.raises(InputError, match=r"ParameterOutOfRange.*nothing was sent"):
        Guardian(system.contracts).tighten({"target_volatility": 0.001}).send(system.owner)


def test_veto__without_a_timelock__says_so(system: System) -> None:
    with pytest.raises(InputError, match="has no timelock"):
        Guardian(system.contracts).veto("0x" + "00" * 32)
