"""The effect of a draft on a fork of the very chain, which stays as it is."""

from __future__ import annotations

import subprocess

import pytest

from equipoise.errors import InputError
from equipoise.governance import Call, Draft, templates
from equipoise.governance.simulate import look, simulate
from equipoise.units import WAD
from tests.fixtures.governance import Governed


def test_simulate__new_budgets__tells_targets_leverage_gap_and_gas_as_they_come(
    governed_levered: Governed,
) -> None:
    """EQ-159: coordinates are solved on the fork; afterwards the chain itself says the same."""
    g = governed_levered
    draft = templates.budgets(g.contracts, (0.2, 0.2, 0.6))
    fingerprint, height = g.system.fingerprint(), g.chain.request("eth_blockNumber")
    effect = simulate(g.contracts, draft)
    assert (g.system.fingerprint(), g.chain.request("eth_blockNumber")) == (fingerprint, height)

    before, after = effect.before, effect.after
    assert before == look(g.contracts)
    assert after.budgets == {"BTC": 0.2, "ETH": 0.2, "SPX": 0.6}
    assert after.targets["SPX"] > before.targets["SPX"]
    assert before.parity_gap == pytest.approx(0, abs=0.01)
    assert after.parity_gap == pytest.approx(0.6 - 1 / 3, abs=0.01)
    assert before.may_open == "no"
    assert after.may_open != "no"
    assert 50_000 < effect.gas_used < 700_000

    with g.system.scenario():  # as the owner, at once: what the fork did
        for call in draft.calls:
            call.target.send(call.function, *call.args, sender=g.timelock.address)
        truth = look(g.contracts)
    assert after.targets == pytest.approx(truth.targets, rel=1e-4)
    assert after.target_leverage == pytest.approx(truth.target_leverage, rel=1e-4)


def test_simulate__a_call_that_would_fail__is_refused_with_its_reason(governed_levered: Governed) -> None:
    """EQ-159: nobody should vote for it."""
    g = governed_levered
    params = g.auction.call("params")._replace(duration=1)
    draft = Draft("too short", (Call(g.auction, "setParams", (params,)),))
    with pytest.raises(
        InputError, match=r"call 1 of 1, RebalanceAuction.setParams, would fail .*duration, 1, 60"
    ):
        simulate(g.contracts, draft)


def test_simulate__a_power_given_up__is_refused(governed_levered: Governed) -> None:
    """EQ-159: the fork acts as the owner; the timelock's own refusal is asked for."""
    g = governed_levered
    g.enact(templates.abdicate(g.contracts, "auction", "setParams"))
    g.system.refresh_prices()
    with pytest.raises(InputError, match=r"governance gave up RebalanceAuction.setParams for ever"):
        simulate(g.contracts, templates.target_volatility(g.contracts, 0.2))


def test_simulate__leverage__falls_with_the_target_volatility(governed_levered: Governed) -> None:
    g = governed_levered
    effect = simulate(g.contracts, templates.target_volatility(g.contracts, 0.15))
    before, after = effect.before, effect.after
    assert after.target_volatility == pytest.approx(0.15)
    assert before.target_volatility > 0.25
    scale = after.target_volatility / before.target_volatility
    assert after.target_leverage == pytest.approx(before.target_leverage * scale, rel=1e-3)
    assert effect.after.may_open == "volatility too high"
    assert g.auction.call("params").targetVolatilityWad == 3 * WAD // 10


def test_simulate__whatever_happens__leaves_no_process(governed_levered: Governed) -> None:
    g = governed_levered

    def nodes() -> int:
        return int(subprocess.run(["pgrep", "-c", "anvil"], capture_output=True, text=True).stdout)

    before = nodes()
    simulate(g.contracts, templates.target_volatility(g.contracts, 0.2))
    bad = Draft("bad", (Call(g.auction, "setParams", (g.auction.call("params")._replace(duration=1),)),))
    with pytest.raises(InputError):
        simulate(g.contracts, bad)
    assert nodes() <= before


def test_simulate__without_an_address_to_fork__says_so(governed_levered: Governed) -> None:
    from dataclasses import replace

    g = governed_levered

    class Nowhere:
        chain_id = 31337

    with pytest.raises(InputError, match="no address to fork"):
        simulate(replace(g.contracts, chain=Nowhere()), templates.target_volatility(g.contracts, 0.2))
