"""Proposals that an incident ends with, from draft to execution."""

from __future__ import annotations

import pytest

from equipoise.client.config import AssetConfig
from equipoise.errors import ContractRevert, InputError
from equipoise.governance import offices
from equipoise.governance.simulate import simulate
from tests.fixtures.governance import CANCELLER, Governed, govern
from tests.fixtures.system import System, artifact_contract


def test_unpause__paused__is_lifted(governed: Governed) -> None:
    with pytest.raises(InputError, match="nothing to lift"):
        offices.unpause(governed.contracts)
    governed.guard.send("pauseDeposits", sender=governed.guardian)
    draft = offices.unpause(governed.contracts)
    assert draft.title == "Lift the pause of deposits"
    governed.enact(draft)
    assert not governed.guard.call("depositsPaused")


def test_guardian__compromised__loses_its_veto_and_then_its_offices(governed: Governed) -> None:
    """The first proposal cannot be vetoed, the second could be until the first is executed."""
    g = governed
    g.guard.send("pauseIncreases", sender=g.guardian)
    first = g.queue(offices.remove_veto(g.contracts, g.guardian))
    with pytest.raises(ContractRevert, match="RiskTimelock__BeyondVeto"):
        g.governance.veto(first, g.guardian)
    g.wait()
    g.governance.execute(first, g.keeper)
    draft = offices.guardian(g.contracts, g.treasury, lift=True)
    assert draft.title.endswith("and both pauses lifted")
    second = g.queue(draft)
    with pytest.raises(InputError, match="holds no veto"):
        g.governance.veto(second, g.guardian)
    g.wait()
    g.governance.execute(second, g.keeper)
    for contract in (g.guard, g.volatility_oracle):
        assert contract.call("guardian").lower() == g.treasury.lower()
    assert g.timelock.call("hasRole", CANCELLER, g.treasury)
    assert not g.guard.call("increasesPaused")
    with pytest.raises(InputError, match="is the guardian already"):
        offices.guardian(g.contracts, g.treasury)


def test_remove_veto__nobodys_or_no_timelock__is_refused(governed: Governed, system: System) -> None:
    with pytest.raises(InputError, match="holds no veto"):
        offices.remove_veto(governed.contracts, governed.mallory)
    with pytest.raises(InputError, match="has no timelock"):
        offices.remove_veto(system.contracts, system.guardian)


@pytest.mark.parametrize("address", ["bob", "0x" + "0" * 40, "0x12"])
def test_guardian__no_address__is_refused(governed: Governed, address: str) -> None:
    with pytest.raises(InputError, match="is no address of anybody"):
        offices.guardian(governed.contracts, address)


def _asset(token: str, feed: str) -> AssetConfig:
    return AssetConfig("TOK0", token, feed, 1e-6, 1e9, heartbeat=7_200)


def test_feed__another_aggregator__is_read_from_then_on(system: System) -> None:
    g = govern(system)
    g.wrap(system.alice, 100_000)
    system.warp(60)
    new = artifact_contract(system.chain, "OddFeed", 8, 2_100 * 10**8, sender=system.owner)
    draft = offices.feed(g.contracts, _asset(g.tokens[0].address, new.address))
    assert new.address in draft.title
    g.enact(draft)
    listing = g.price_oracle.call("feedOf", g.tokens[0])
    assert (listing.feed, listing.heartbeat) == (new.address, 7_200)


def test_feed__dead_or_of_a_stranger__is_refused_before_a_vote(governed: Governed) -> None:
    stranger = _asset("0x" + "12" * 20, governed.feeds[0].address)
    with pytest.raises(InputError, match="is no token of this vault"):
        offices.feed(governed.contracts, stranger)
    governed.feeds[1].send("setBehaviour", 1, b"", sender=governed.keeper)
    dead = _asset(governed.tokens[0].address, governed.feeds[1].address)
    with pytest.raises(InputError, match="would fail when the proposal is executed"):
        simulate(governed.contracts, offices.feed(governed.contracts, dead))
