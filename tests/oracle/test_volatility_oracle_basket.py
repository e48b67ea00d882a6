"""Another basket: old reports are refused, times go on, nothing is in use before new posts have settled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.oracle import CorrelationReport, Signer
from equipoise.units import pack_budgets
from tests.fixtures.system import FUZZ
from tests.oracle.conftest import PARAMS, ZERO, Committee, address

OLD = [address(0xA0 + i) for i in range(3)]
NEW = [address(0xA0), address(0xA2), address(0xB0), address(0xB1)]
SETTLE = 600
DAY = 86_400


def equal(n: int) -> int:
    return pack_budgets(np.full(n, 1 / n))


def change(committee: Committee, assets: list[str]) -> Committee:
    """The owner's call, and the same people signing for the new assets."""
    committee.oracle.send("setBasket", assets, equal(len(assets)), sender=committee.owner)
    domain = committee.publisher.domain
    signers = [Signer(s.key, domain) for s in committee.signers]
    return Committee(committee.oracle, signers, committee.owner, committee.guardian, committee.stranger)


def correlated(committee: Committee, rho: float = 0.3) -> None:
    n = committee.n
    report = CorrelationReport.of(np.full((n, n), rho) + (1 - rho) * np.eye(n), committee.now)
    committee.post_correlations(report, committee.cosign(report), 0)


@pytest.fixture
def reported(make_committee) -> Committee:
    """Three of five, ten minutes to settle; everything posted and in use."""
    made = make_committee(params=(3600, SETTLE, *PARAMS[2:]))
    made.post(made.sign(0.5, 0.5, 0.5))
    correlated(made)
    made.warp(SETTLE)
    assert made.vols() == [50_000_000] * 3
    return made


WRONG = {
    "one asset": (OLD[:1], equal(2), "VolatilityOracle__AssetCountOutOfRange", (1, 2, 8)),
    "nine assets": (
        [address(i + 1) for i in range(9)],
        equal(8),
        "VolatilityOracle__AssetCountOutOfRange",
        (9, 2, 8),
    ),
    "zero asset": ([OLD[0], ZERO], equal(2), "VolatilityOracle__ZeroAddress", None),
    "twice the same": ([OLD[0], OLD[0]], equal(2), "VolatilityOracle__DuplicateAsset", None),
    "a budget missing": (NEW, equal(3), "VolatilityOracle__BudgetOutOfRange", (3, 0, 10**6, 10**8)),
    "a budget too many": (OLD[:2], equal(3), "VolatilityOracle__UnusedLanesNotZero", None),
}


@pytest.mark.parametrize("case", WRONG)
def test_setBasket__wrong_argument__refused_by_name(reported, refused, case):
    """EQ-20 EQ-21 EQ-90: the same checks as at construction."""
    assets, budgets, name, arguments = WRONG[case]
    c = reported
    action = lambda: c.oracle.send("setBasket", assets, budgets, sender=c.owner)  # noqa: E731
    found = refused(name, c.oracle, action)
    assert arguments is None or found == arguments
    assert list(map(str.lower, c.oracle.call("assets"))) == OLD


def test_setBasket__anybody_else__refused(reported, refused):
    """EQ-90: neither the guardian nor a stranger."""
    c = reported
    for sender in (c.guardian, c.stranger):
        action = lambda s=sender: c.oracle.send("setBasket", NEW, equal(4), sender=s)  # noqa: E731
        refused("OwnableUnauthorizedAccount", c.oracle, action)


def test_setBasket__values__are_cleared_and_times_kept(reported):
    """EQ-91: silence goes on counting, so that a levered vault is delevered whatever its basket is called."""
    c = reported
    before = c.oracle.call("riskData")
    receipt = c.oracle.send("setBasket", NEW, equal(4), sender=c.owner)
    after = c.oracle.call("riskData")
    assert (after.vols, after.coordinates, *after.correlations, after.n) == (0, 0, 0, 0, 4)
    assert (after.volatilitiesAt, after.correlationsAt) == (before.volatilitiesAt, before.correlationsAt)
    times = c.oracle.call("reportTimes")
    assert tuple(times) == (before.volatilitiesAt, before.correlationsAt, False)
    assert after.budgets == equal(4)
    (event,) = c.oracle.events(receipt, "BasketSet")
    assert list(map(str.lower, event.assets)) == NEW
    assert (event.budgets, event.assetsHash) == (equal(4), c.oracle.call("assetsHash"))
    assert c.oracle.events(receipt, "CoordinatesCleared")
    assert tuple(c.oracle.call("params")) == (3600, SETTLE, *PARAMS[2:])
    assert c.oracle.call("threshold") == 3


def test_postVolatilities__signed_for_the_old_basket__is_refused(reported, refused):
    """EQ-23 EQ-90: the assets stand in the digest; their signatures are nobody's now."""
    old = reported
    reports = old.sign(0.6, 0.6, 0.6)
    report = CorrelationReport.of(np.eye(3), old.now)
    signatures = old.cosign(report)
    new = change(old, NEW)
    refused("VolatilityOracle__NotSigner", new.oracle, lambda: old.post(reports))
    action = lambda: old.post_correlations(report, signatures, 0)  # noqa: E731
    refused("VolatilityOracle__NotSigner", new.oracle, action)
    new.warp(1)
    new.post(new.sign(0.6, 0.6, 0.6))


def test_postVolatilities__first_of_the_new_basket__is_in_use_once_settled(reported):
    """EQ-91 EQ-149: neither old lanes nor an unsettled post are ever read as the new assets' volatilities."""
    c = change(reported, NEW)
    assert c.oracle.call("reportedVolatilities") == 0
    c.warp(1)
    c.post(c.sign(0.2, 0.2, 0.2))
    assert c.vols() == [0] * 4
    c.warp(SETTLE)
    assert c.vols() == [20_000_000] * 4


def test_postVolatilities__second_of_the_new_basket__falls_from_the_first(reported):
    """EQ-30 EQ-91: free is the first alone; while it has not settled, its correction is as free."""
    c = change(reported, NEW)
    c.warp(1)
    at = c.now
    c.post(c.sign(0.9, 0.9, 0.9, at=at))
    c.warp(1)
    c.post(c.sign(*[0.4] * 5, at=at))
    c.warp(SETTLE)
    assert c.vols() == [40_000_000] * 4
    c.post(c.sign(0.1, 0.1, 0.1))
    c.warp(SETTLE)
    assert 39_900_000 < c.vols()[0] <= 40_000_000


def test_setBasket__over_an_unsettled_post__it_never_comes_into_use(reported, refused):
    """EQ-91: nor does anything observed before it."""
    c = reported
    c.warp(60)
    at = c.now
    c.post(c.sign(40.0, 40.0, 40.0, at=at))
    assert c.oracle.call("lastPost").settlesAt > c.now
    new = change(c, NEW)
    assert new.oracle.call("reportTimes").volatilitiesAt == at
    older = new.sign(*[0.3] * 5, at=at)
    assert refused("VolatilityOracle__ReportNotNewer", c.oracle, lambda: new.post(older)) == (at, at)
    new.warp(SETTLE)
    assert new.vols() == [0] * 4
    new.post(new.sign(0.3, 0.3, 0.3))
    assert new.vols() == [0] * 4
    new.warp(SETTLE)
    assert new.vols() == [30_000_000] * 4


def test_setBasket__while_a_round_is_open__ends_it(reported):
    """EQ-149 EQ-91: nobody waits for the old basket's period, nor counts on from its reports."""
    c = reported
    c.warp(60)
    c.post(c.sign(*[0.9] * 5))
    new = change(c, NEW)
    last = c.oracle.call("lastPost")
    assert (last.vols, last.reportCount, last.settlesAt) == (0, 0, 0)
    new.warp(1)
    at = new.now
    new.post(new.sign(0.3, 0.3, 0.3, at=at))
    last = c.oracle.call("lastPost")
    assert (last.observedAt, last.reportCount, last.settlesAt) == (at, 3, new.now + SETTLE)


def test_setBasket__there_and_back__replays_nothing(reported, refused):
    """EQ-90: A, B, A: what was posted, or signed before what was posted, stays used up."""
    a = reported
    a.warp(60)
    used = a.sign(0.7, 0.7, 0.7)
    matrix = CorrelationReport.of(np.eye(3), a.now)
    signatures = a.cosign(matrix)
    a.post(used)
    a.post_correlations(matrix, signatures, 0)
    withheld = a.sign(*[0.1] * 5)
    b = change(a, NEW)
    b.warp(60)
    b.post(b.sign(0.5, 0.5, 0.5))
    correlated(b)
    again = change(b, OLD)
    for reports in (used, withheld):
        refused("VolatilityOracle__ReportNotNewer", a.oracle, lambda r=reports: a.post(r))
    error = "VolatilityOracle__ReportNotNewer"
    refused(error, a.oracle, lambda: a.post_correlations(matrix, signatures, 0))
    assert again.vols() == [0] * 3


def test_coordinates__before_the_new_correlations__are_refused(reported, refused):
    """EQ-34 EQ-91: no matrix is not the identity, though both are zeros."""
    c = change(reported, NEW)
    solve = lambda: c.oracle.send("solveCoordinates", sender=c.stranger)  # noqa: E731
    post = lambda: c.oracle.send("postCoordinates", equal(4), sender=c.stranger)  # noqa: E731
    for action in (solve, post):
        refused("VolatilityOracle__NoCorrelations", c.oracle, action)
    c.oracle.send("setBudgets", equal(4), sender=c.owner)
    refused("VolatilityOracle__NoCorrelations", c.oracle, solve)
    c.warp(1)
    correlated(c, 0.0)
    assert list(c.oracle.call("riskData").correlations) == [0, 0]
    assert c.oracle.call("reportTimes").hasCoordinates
    c.oracle.send("setBudgets", equal(4), sender=c.owner)
    assert not c.oracle.call("reportTimes").hasCoordinates
    solve()
    assert c.oracle.call("reportTimes").hasCoordinates


def test_setBasket__before_any_report__waits_for_the_first(make_committee):
    """EQ-91: there is no time to keep."""
    c = make_committee(params=(3600, SETTLE, *PARAMS[2:]))
    c = change(c, NEW)
    assert tuple(c.oracle.call("reportTimes")) == (0, 0, False)
    c.post(c.sign(0.3, 0.3, 0.3))
    correlated(c)
    c.warp(SETTLE)
    assert c.vols() == [30_000_000] * 4


@FUZZ
@given(
    sizes=st.lists(st.integers(2, 8), min_size=1, max_size=3),
    posts=st.lists(st.floats(0.01, 5.0), min_size=1, max_size=3),
    settle=st.booleans(),
)
def test_setBasket__any_sequence__each_basket_begins_with_its_own_first_post(reported, sizes, posts, settle):
    """EQ-91: whatever was posted before, settled or not, no lane of it shows."""
    chain = reported.oracle.chain
    snapshot = chain.request("evm_snapshot")
    c = reported
    for size in sizes:
        c.warp(5)
        at = c.now
        for more, vol in enumerate(posts):
            if settle:
                c.warp(SETTLE)
                c.post(c.sign(vol, vol, vol))
            else:
                c.post(c.sign(*[vol] * (3 + more), at=at))
        c = change(c, [address(0xC0 + size + i) for i in range(size)])
        c.warp(SETTLE)
        assert c.vols() == [0] * size
        c.post(c.sign(0.25, 0.25, 0.25))
        assert c.vols() == [0] * size
        c.warp(SETTLE)
        assert c.vols() == [25_000_000] * size
    assert chain.request("evm_revert", snapshot)
