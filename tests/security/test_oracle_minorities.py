"""Fewer than M signers lie, answer no relay and have one of their own: who has the last word in a round?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from equipoise.client import Receipt
from equipoise.errors import ContractRevert
from equipoise.oracle.payload import SignedVolatilities, VolatilityReport
from equipoise.units import unpack_word8
from tests.fixtures.attacks import Ledger
from tests.fixtures.reports import SETTLE, author, nav, post, refused, settling, sign, worth
from tests.fixtures.system import MAX, System

DAY = 86_400
HIGH, LOW = 40.0, 0.001


@pytest.fixture
def s(make_system: Callable[..., System]) -> System:
    return settling(make_system)


def all_known(s: System, honest: Sequence[SignedVolatilities], receipt: Receipt) -> list[SignedVolatilities]:
    """All that an honest relay can get: what its signers say, and what others posted."""
    (event,) = s.volatility_oracle.events(receipt, "ReportsPosted")
    told = [
        SignedVolatilities(VolatilityReport(one.observedAt, one.vols), one.r, one.vs) for one in event.reports
    ]
    return list({author(s, report): report for report in [*told, *honest]}.values())


def to(s: System, timestamp: int) -> None:
    """The next block is of that time."""
    s.warp(timestamp - 1 - s.now())
    s.chain.request("evm_setNextBlockTimestamp", timestamp)


def settles_at(s: System) -> int:
    return int(s.volatility_oracle.call("lastPost").settlesAt)


def posted(s: System) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return unpack_word8(s.volatility_oracle.call("lastPost").vols, 3)


def assert_settles_true(s: System) -> None:
    """Until the round ends the old volatilities are in use, from then on the honest ones; no trade is due."""
    for _ in range(2):
        used = unpack_word8(s.volatility_oracle.call("exposureData").vols, 3)
        np.testing.assert_allclose(used, s.vols, rtol=0.01)
        assert s.auction.call("riskState").reason == 0
        s.warp(max(1, settles_at(s) - s.now()))


def truth(s: System, at: int, who: Sequence[int] = (2, 3, 4)) -> list[SignedVolatilities]:
    """Honest estimates, which differ a little."""
    return [r for i in who for r in sign(s, (i,), np.array(s.vols) * (1 + 0.005 * (i - 3)), at)]


@pytest.mark.parametrize("lie", [HIGH, LOW])
def test_silent_liars__four_reports_in_the_last_second__are_answered(
    s: System, attack: Ledger, lie: float
) -> None:
    """EQ-149 EQ-28: three honest reports first; two liars and two of the honest end the period."""
    me, before, at = s.mallory, (worth(s, s.mallory), nav(s)), s.now()
    lies, honest = sign(s, (0, 1), [lie] * 3, at), truth(s, at)
    post(s, honest, s.keeper)
    settles = settles_at(s)
    to(s, settles - 1)
    receipt = post(s, [*lies, *honest[:2]], me)
    assert receipt.timestamp == settles - 1
    # of four the upper middle counts: it is theirs when they exaggerate
    assert (posted(s)[0] == HIGH) == (lie == HIGH)
    to(s, settles_at(s) - 1)
    post(s, all_known(s, honest, receipt), s.keeper)
    np.testing.assert_allclose(posted(s), s.vols, rtol=0.01)
    again = [*sign(s, (0, 1), [lie * 0.9 + 0.1] * 3, at), *honest]
    assert refused(s, lambda: post(s, again, me)) == "VolatilityOracle__RoundOpen"
    assert_settles_true(s)
    assert refused(s, lambda: post(s, again, me)) == "VolatilityOracle__ReportNotNewer"
    attack(f"two silent liars, {lie:.1%}, 4 reports at the end", worth(s, me) - before[0], before[1] - nav(s))


@pytest.mark.parametrize("lie", [HIGH, LOW])
def test_silent_liars__that_date_back__are_refused(s: System, attack: Ledger, lie: float) -> None:
    """EQ-149 EQ-29: an older time neither ages a round nor replaces it, to make room for a "newer" one."""
    s.warp(60)
    me, before, at = s.mallory, (worth(s, s.mallory), nav(s)), s.now()
    honest = truth(s, at)
    post(s, honest, s.keeper)
    settles = settles_at(s)
    for age in (2, 1):
        lies = sign(s, (0, 1), [lie] * 3, at - age)
        for mixed in ([*lies, *honest[:2]], [*lies, honest[0]]):
            error = refused(s, lambda m=mixed: post(s, m, me))
            assert error in ("VolatilityOracle__TimesDiffer", "VolatilityOracle__RoundOpen")
        alike = [*lies, *truth(s, at - age)]
        assert refused(s, lambda a=alike: post(s, a, me)) == "VolatilityOracle__RoundOpen"
    assert settles_at(s) == settles
    assert_settles_true(s)
    attack(f"two silent liars, {lie:.1%}, dated back", worth(s, me) - before[0], before[1] - nav(s))


@pytest.mark.parametrize("lie", [HIGH, LOW])
def test_silent_liars__from_the_last_second_of_an_age__have_no_last_word(
    s: System, attack: Ledger, lie: float
) -> None:
    """EQ-149 EQ-26: they answer, and change their lies; the truth counts though too old by then."""
    me, before, at = s.mallory, (worth(s, s.mallory), nav(s)), s.now()
    oldest, honest = s.volatility_oracle.call("params").maxReportAge, truth(s, at)
    to(s, at + oldest)
    first = post(s, [*sign(s, (0, 1), [lie] * 3, at), honest[0]], me).timestamp
    to(s, settles_at(s) - 1)
    others = sign(s, (0, 1), [lie * 0.9 + 0.1] * 3, at)
    receipt = post(s, [*others, *honest[:2]], me)
    to(s, settles_at(s) - 1)
    assert s.now() - at > oldest
    post(s, all_known(s, honest, receipt), s.keeper)
    reports = [*others, *honest]
    assert refused(s, lambda: post(s, reports, me)) == "VolatilityOracle__RoundOpen"
    assert settles_at(s) - first <= 3 * SETTLE
    assert_settles_true(s)
    attack(f"two silent liars, {lie:.1%}, as reports expire", worth(s, me) - before[0], before[1] - nav(s))


@pytest.mark.parametrize("lie", [HIGH, LOW])
@pytest.mark.parametrize("first", ["the liar", "the honest"])
def test_silent_liar__one_of_three__moves_nothing(
    make_system: Callable[..., System], attack: Ledger, lie: float, first: str
) -> None:
    """EQ-149 EQ-28: two of three are a quorum, of which he is half: only the third report outvotes him."""
    s = settling(make_system, signers=3, threshold=2)
    s.warp(60)
    me, before, at = s.mallory, (worth(s, s.mallory), nav(s)), s.now()
    honest, lies = truth(s, at, (1, 2)), sign(s, (0,), [lie] * 3, at)
    if first == "the liar":
        receipt = post(s, [*lies, honest[0]], me)
        to(s, settles_at(s) - 1)
        post(s, all_known(s, honest, receipt), s.keeper)
    else:
        post(s, honest, s.keeper)
        for age in (2, 1):
            back = sign(s, (0,), [lie] * 3, at - age)
            for mixed in ([*back, *honest], [*back, honest[0]]):
                error = refused(s, lambda m=mixed: post(s, m, me))
                assert error in ("VolatilityOracle__TimesDiffer", "VolatilityOracle__RoundOpen")
        to(s, settles_at(s) - 1)
        post(s, [*lies, *honest], me)
    np.testing.assert_allclose(posted(s), s.vols, rtol=0.02)
    assert_settles_true(s)
    attack(f"one of three, {lie:.1%}, {first} first", worth(s, me) - before[0], before[1] - nav(s))


def test_silence__ended_by_an_unsettled_post__opens_nothing(s: System, attack: Ledger) -> None:
    """EQ-100 EQ-149: markets are three times as wild: nobody levers up on what was ten days ago."""
    me, before = s.keeper, (worth(s, s.keeper), nav(s))
    s.warp(10 * DAY)
    assert s.vault.call("mode") == 2
    leverage, at = s.auction.call("riskState").leverageWad, s.now()
    wild = [3 * v for v in s.vols]
    post(s, sign(s, range(5), wild, at), me)
    for until in (s.now() + 1, settles_at(s) - 10):
        s.warp(until - s.now())
        assert s.vault.call("mode") == 2
        assert s.vault.call("maxDeposit", me) == 0
        s.attempt(s.auction, "open", sender=me, unless=["RebalanceAuction__WithinBands"])
        for token in s.tokens:
            args = (s.auction.call("current").id, s.cash, token, 10**6, MAX, me)
            with pytest.raises(ContractRevert):
                s.auction.send("bid", *args, sender=me)
        assert s.auction.call("riskState").leverageWad <= leverage
    s.warp(settles_at(s) - s.now())
    assert s.vault.call("mode") == 0
    used = unpack_word8(s.volatility_oracle.call("exposureData").vols, 3)
    np.testing.assert_allclose(used, wild, rtol=1e-6)
    attack("an unsettled post after ten days of silence", worth(s, me) - before[0], before[1] - nav(s))
