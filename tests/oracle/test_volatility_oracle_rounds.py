"""A post is in use once it has settled; until then more reports correct it, and no fall is measured."""

from __future__ import annotations

import pytest

from equipoise.units import unpack_word8
from tests.oracle.conftest import PARAMS, Committee

SETTLE = 600
LIE = 40.0


@pytest.fixture
def rounds(make_committee) -> Committee:
    """Three of five; every post settles after ten minutes."""
    made = make_committee(params=(3600, SETTLE, *PARAMS[2:]))
    made.post(made.sign(0.5, 0.5, 0.5))
    warp(made, SETTLE)
    return made


def warp(committee: Committee, seconds: int) -> None:
    chain = committee.oracle.chain
    chain.request("evm_setNextBlockTimestamp", chain.timestamp() + seconds)
    chain.request("evm_mine")


def posted(committee: Committee) -> float:
    return float(unpack_word8(committee.oracle.call("lastPost").vols, 3)[0])


def in_use(committee: Committee) -> float:
    return committee.vols()[0] / 1e8


def test_post__until_it_has_settled__leaves_the_old_in_use(rounds: Committee) -> None:
    """EQ-149: what was before stays in use for the settle period."""
    rounds.post(rounds.sign(0.8, 0.8, 0.8))
    last = rounds.oracle.call("lastPost")
    assert (posted(rounds), in_use(rounds), last.reportCount) == (0.8, 0.5, 3)
    assert last.settlesAt == rounds.now + SETTLE
    warp(rounds, SETTLE - 2)
    assert in_use(rounds) == 0.5
    warp(rounds, 2)
    assert in_use(rounds) == 0.8


def test_post__of_a_minority_and_one_honest__is_corrected_by_all(rounds: Committee) -> None:
    """EQ-149 EQ-28: two liars and a relayer of theirs against three honest reports that anybody may relay."""
    at = rounds.now
    lies, truth = rounds.sign(LIE, LIE, at=at), rounds.sign(*[0.55] * 5, at=at)
    rounds.post([*lies, truth[2]])
    assert (posted(rounds), in_use(rounds)) == (LIE, 0.5)
    # the liars' own reports may be among them
    rounds.post([*lies, *truth[2:]])
    assert posted(rounds) == 0.55
    warp(rounds, SETTLE)
    assert in_use(rounds) == 0.55


def test_post__corrected__falls_from_what_had_settled(rounds: Committee) -> None:
    """EQ-149 EQ-30: the speed limit is not measured from the lie, which would hold the truth up for weeks."""
    at = rounds.now
    rounds.post([*rounds.sign(LIE, LIE, at=at), rounds.sign(*[0.5] * 3, at=at)[2]])
    rounds.post(rounds.sign(*[0.499] * 4, at=at))
    assert 0.49 < posted(rounds) <= 0.5


def test_post__with_no_more_reports__does_not_replace(rounds: Committee, refused) -> None:
    """EQ-149: the same reports, or as many others, are a replay."""
    at = rounds.now
    reports = rounds.sign(*[0.6] * 5, at=at)
    rounds.post(reports[:4])
    for again in (reports[:4], reports[1:], reports[:3]):
        error = "VolatilityOracle__ReportNotNewer"
        assert refused(error, rounds.oracle, lambda r=again: rounds.post(r)) == (at, at)
    rounds.post(reports)


def test_post__once_settled__stands_against_more(rounds: Committee, refused) -> None:
    """EQ-149: a round ends; what is in use is not reopened."""
    at = rounds.now
    rounds.post(rounds.sign(*[0.6] * 3, at=at))
    warp(rounds, SETTLE)
    later = rounds.sign(*[0.7] * 5, at=at)
    refused("VolatilityOracle__ReportNotNewer", rounds.oracle, lambda: rounds.post(later))
    assert in_use(rounds) == 0.6


def test_post__more_reports__does_not_restart_the_period(rounds: Committee) -> None:
    """EQ-149: nobody keeps a round open by adding one report after another."""
    at = rounds.now
    reports = rounds.sign(*[0.6] * 5, at=at)
    rounds.post(reports[:3])
    settles = rounds.oracle.call("lastPost").settlesAt
    warp(rounds, SETTLE // 2)
    rounds.post(reports)
    assert rounds.oracle.call("lastPost").settlesAt == settles


def test_post__newer_while_unsettled__keeps_the_base(rounds: Committee) -> None:
    """EQ-149 EQ-29: a lie with an old time among it does not become what the next falls from."""
    at = rounds.now
    warp(rounds, 60)
    lies = rounds.sign(LIE, LIE, at=at)
    rounds.post([*lies, rounds.sign(*[0.5] * 3, at=at + 30)[2]])
    rounds.post(rounds.sign(*[0.5] * 3, at=at + 30))
    assert posted(rounds) == 0.5
    last = rounds.oracle.call("lastPost")
    assert (last.observedAt, last.settlesAt) == (at + 30, rounds.now + SETTLE)


def test_first_post__until_it_has_settled__there_is_none(make_committee) -> None:
    """EQ-149: nothing is in use before."""
    made = make_committee(params=(3600, SETTLE, *PARAMS[2:]))
    made.post(made.sign(0.5, 0.5, 0.5))
    assert in_use(made) == 0
    warp(made, SETTLE)
    assert in_use(made) == 0.5


def test_set_params__settle_period__at_most_an_hour(committee: Committee, refused) -> None:
    """EQ-38: a longer one would keep the truth out of use."""
    params = list(PARAMS)
    params[1] = 3_601
    action = lambda: committee.oracle.send("setParams", params, sender=committee.owner)  # noqa: E731
    assert refused("ParameterOutOfRange", committee.oracle, action)[1:] == (3_601, 0, 3_600)
