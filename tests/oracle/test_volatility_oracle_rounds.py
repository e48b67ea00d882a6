"""A post is in use once it has settled; until then only more reports of its time replace it."""

from __future__ import annotations

import pytest

from equipoise.oracle import Signer
from equipoise.units import unpack_word8
from tests.oracle.conftest import PARAMS, Committee

SETTLE, MAX_AGE = 600, PARAMS[0]
DELAY = PARAMS[6]
LIE = 40.0
OPEN, NOT_NEWER = "VolatilityOracle__RoundOpen", "VolatilityOracle__ReportNotNewer"


def settling(period: int) -> tuple[int, ...]:
    return (MAX_AGE, period, *PARAMS[2:])


@pytest.fixture
def rounds(make_committee) -> Committee:
    """Three of five; every post settles after ten minutes, the first one has."""
    made = make_committee(params=settling(SETTLE))
    made.post(made.sign(0.5, 0.5, 0.5))
    made.warp(SETTLE)
    return made


def posted(committee: Committee) -> float:
    return float(unpack_word8(committee.oracle.call("lastPost").vols, 3)[0])


def settles_at(committee: Committee) -> int:
    return int(committee.oracle.call("lastPost").settlesAt)


def in_use(committee: Committee) -> float:
    return committee.vols()[0] / 1e8


def mined(committee: Committee, view: str) -> tuple[float, int]:
    """Volatility and time of what a view says in the latest block itself, not in the one after it."""
    block = committee.oracle.chain.request("eth_blockNumber")
    data = committee.oracle.call(view, block=block)
    return (data.vols & 0xFFFFFFFF) / 1e8, data.volatilitiesAt


def test_post__until_it_has_settled__leaves_the_old_in_use(rounds: Committee) -> None:
    """EQ-149: what was before stays in use for the settle period, to its last second."""
    old = rounds.oracle.call("reportTimes").volatilitiesAt
    at = rounds.now
    rounds.post(rounds.sign(0.8, 0.8, 0.8, at=at))
    last = rounds.oracle.call("lastPost")
    assert (posted(rounds), in_use(rounds), last.reportCount) == (0.8, 0.5, 3)
    assert (last.observedAt, last.settlesAt) == (at, rounds.now + SETTLE)
    for second, expected in ((last.settlesAt - 1, (0.5, old)), (last.settlesAt, (0.8, at))):
        rounds.warp(second - rounds.now)
        assert mined(rounds, "exposureData") == mined(rounds, "riskData") == expected
        block = rounds.oracle.chain.request("eth_blockNumber")
        assert rounds.oracle.call("reportTimes", block=block).volatilitiesAt == expected[1]


def test_post__any__publishes_its_reports(rounds: Committee) -> None:
    """EQ-149 EQ-39: with their signatures, so that anybody can post them again with what they lack."""
    at = rounds.now
    reports = rounds.sign(LIE, LIE, 0.5, at=at)
    receipt = rounds.post(reports)
    (event,) = rounds.oracle.events(receipt, "ReportsPosted")
    published = [(one.observedAt, one.vols, one.r, one.vs) for one in event.reports]
    assert published == [report.to_struct() for report in reports]
    rounds.post([*published, *rounds.sign(*[0.5] * 5, at=at)[3:]])
    assert posted(rounds) == 0.5


def test_post__of_a_minority_and_one_honest__is_corrected_by_all(rounds: Committee) -> None:
    """EQ-149 EQ-28: two liars and a relayer of theirs against three honest reports that anybody may relay."""
    at = rounds.now
    lies, truth = rounds.sign(LIE, LIE, at=at), rounds.sign(*[0.55] * 5, at=at)
    rounds.post([*lies, truth[2]])
    assert (posted(rounds), in_use(rounds)) == (LIE, 0.5)
    # the liars' own reports may be among them
    rounds.post([*lies, *truth[2:]])
    assert posted(rounds) == 0.55
    rounds.warp(SETTLE)
    assert in_use(rounds) == 0.55


def test_post__corrected__falls_from_what_had_settled(rounds: Committee) -> None:
    """EQ-149 EQ-30: the speed limit is not measured from the lie, which would hold the truth up for weeks."""
    at = rounds.now
    rounds.post([*rounds.sign(LIE, LIE, at=at), rounds.sign(*[0.5] * 3, at=at)[2]])
    rounds.post(rounds.sign(*[0.499] * 4, at=at))
    assert 0.49 < posted(rounds) <= 0.5


def test_post__with_no_more_reports__does_not_replace(rounds: Committee, refused) -> None:
    """EQ-149: the same reports, as many others or fewer: the round is open to more alone."""
    at = rounds.now
    reports = rounds.sign(*[0.6] * 5, at=at)
    rounds.post(reports[:4])
    settles = settles_at(rounds)
    for again in (reports[:4], reports[1:], reports[:3]):
        assert refused(OPEN, rounds.oracle, lambda r=again: rounds.post(r)) == (at, 4, settles)
    assert (posted(rounds), settles_at(rounds)) == (0.6, settles)
    rounds.post(reports)


@pytest.mark.parametrize("shift", [-1, 1, 30])
def test_post__of_another_time__waits_for_the_end_of_the_round(
    rounds: Committee, refused, shift: int
) -> None:
    """EQ-149: neither older nor newer ones displace an unsettled post, however many they are."""
    rounds.warp(60)
    at = rounds.now
    rounds.warp(60)
    rounds.post(rounds.sign(0.6, 0.6, 0.6, at=at))
    others, settles = rounds.sign(*[0.7] * 5, at=at + shift), settles_at(rounds)
    assert refused(OPEN, rounds.oracle, lambda: rounds.post(others)) == (at, 3, settles)
    rounds.warp(settles - 1 - rounds.now)
    if shift < 0:
        rounds.warp(1)
        assert refused(NOT_NEWER, rounds.oracle, lambda: rounds.post(others)) == (at + shift, at)
    else:
        rounds.at(settles)
        assert rounds.post(others).timestamp == settles
        assert (in_use(rounds), posted(rounds)) == (0.6, 0.7)


def test_post__of_several_times__is_refused(rounds: Committee, refused) -> None:
    """EQ-149 EQ-29: the first one's time is that of all, in a new round and in an open one."""
    rounds.warp(60)
    at = rounds.now
    truth, lie = rounds.sign(*[0.6] * 5, at=at), rounds.sign(*[0.6] * 5, at=at - 1)
    for mixed, found in (([*truth[:2], lie[2]], at - 1), ([lie[0], *truth[1:3]], at)):
        expected = (found, 2 * at - 1 - found)
        error = "VolatilityOracle__TimesDiffer"
        assert refused(error, rounds.oracle, lambda m=mixed: rounds.post(m)) == expected
    rounds.post(truth[:3])
    more = [*truth[:3], lie[3]]
    assert refused("VolatilityOracle__TimesDiffer", rounds.oracle, lambda: rounds.post(more)) == (at - 1, at)


def test_post__more_reports__begin_a_period_of_their_own(rounds: Committee, refused) -> None:
    """EQ-149: each correction can be answered for as long as the first post; at most N - M of them."""
    at = rounds.now
    reports = rounds.sign(*[0.6] * 5, at=at)
    rounds.post(reports[:3])
    for count in (4, 5):
        settles = settles_at(rounds)
        rounds.warp(settles - 2 - rounds.now)
        rounds.at(settles - 1)  # the last second
        assert rounds.post(reports[:count]).timestamp == settles - 1
        last = rounds.oracle.call("lastPost")
        assert (last.reportCount, last.settlesAt) == (count, settles - 1 + SETTLE)
        assert in_use(rounds) == 0.5
    assert refused(OPEN, rounds.oracle, lambda: rounds.post(reports)) == (at, 5, settles_at(rounds))
    rounds.warp(SETTLE)
    assert in_use(rounds) == 0.6


def test_post__as_its_round_ends__stands_against_more(rounds: Committee, refused) -> None:
    """EQ-149: from the second of its end on nothing is reopened."""
    at = rounds.now
    rounds.post(rounds.sign(*[0.6] * 3, at=at))
    rounds.warp(settles_at(rounds) - rounds.now)
    assert mined(rounds, "exposureData") == (0.6, at)
    later = rounds.sign(*[0.7] * 5, at=at)
    assert refused(NOT_NEWER, rounds.oracle, lambda: rounds.post(later)) == (at, at)
    assert in_use(rounds) == 0.6


def test_post__older_than_the_maximum_age__still_corrects(rounds: Committee, refused) -> None:
    """EQ-149 EQ-26: a lie is not safe because it was posted in the last second; a new round takes none."""
    at = rounds.now
    lies, truth = rounds.sign(LIE, LIE, at=at), rounds.sign(*[0.55] * 5, at=at)
    with_one = [*lies, truth[2]]
    rounds.warp(MAX_AGE - 1)
    rounds.at(at + MAX_AGE)
    rounds.post(with_one)
    for count, vol in ((4, LIE), (5, 0.55)):
        rounds.warp(SETTLE - 2)
        assert rounds.now > at + MAX_AGE
        rounds.post([*with_one, *truth[3:]][:count])
        assert posted(rounds) == vol
    rounds.warp(SETTLE)
    assert mined(rounds, "exposureData") == (0.55, at)
    old = rounds.sign(*[0.6] * 5, at=rounds.now - MAX_AGE - 1)
    refused("VolatilityOracle__ReportTooOld", rounds.oracle, lambda: rounds.post(old))


def test_first_post__until_it_has_settled__there_is_none(make_committee) -> None:
    """EQ-149: nothing is in use before, and no time either; its correction is free of any speed limit."""
    made = make_committee(params=settling(SETTLE))
    at = made.now
    made.post(made.sign(LIE, LIE, 0.5, at=at))
    for view in ("exposureData", "riskData"):
        assert mined(made, view) == (0, 0)
    assert made.oracle.call("reportTimes").volatilitiesAt == 0
    made.warp(SETTLE - 10)
    made.post(made.sign(LIE, LIE, 0.5, 0.5, 0.5, at=at))
    made.warp(SETTLE - 1)
    assert mined(made, "exposureData") == (0, 0)
    made.warp(1)
    assert mined(made, "exposureData") == (0.5, at)


def test_first_post__of_another_time__waits_too(make_committee, refused) -> None:
    """EQ-149: the very first round is one as well."""
    made = make_committee(params=settling(SETTLE))
    at = made.now
    made.post(made.sign(0.5, 0.5, 0.5, at=at))
    made.warp(60)
    more = made.sign(*[0.6] * 5)
    assert refused(OPEN, made.oracle, lambda: made.post(more)) == (at, 3, settles_at(made))


@pytest.mark.parametrize("period", [0, 3_600])
def test_set_params__settle_period__is_that_of_later_posts(rounds: Committee, refused, period: int) -> None:
    """EQ-149 EQ-38: what was posted settles when it was to settle, neither sooner nor later."""
    at = rounds.now
    reports = rounds.sign(*[0.9] * 5, at=at)
    rounds.post(reports[:3])
    settles = settles_at(rounds)
    rounds.oracle.send("setParams", settling(period), sender=rounds.owner)
    assert settles_at(rounds) == settles
    rounds.warp(settles - 1 - rounds.now)
    assert mined(rounds, "exposureData")[0] == 0.5
    rounds.warp(1)
    assert mined(rounds, "exposureData")[0] == 0.9
    refused(NOT_NEWER, rounds.oracle, lambda: rounds.post(reports))
    receipt = rounds.post(rounds.sign(1.0, 1.0, 1.0))
    assert settles_at(rounds) == receipt.timestamp + period
    assert in_use(rounds) == (0.9 if period else 1.0)


def test_set_params__settle_period_raised__unsettles_nothing(rounds: Committee, refused) -> None:
    """EQ-149 EQ-38: what is in use stays in use."""
    at = rounds.now
    rounds.post(rounds.sign(*[0.9] * 3, at=at))
    rounds.warp(SETTLE + 60)
    rounds.oracle.send("setParams", settling(3_600), sender=rounds.owner)
    assert mined(rounds, "exposureData") == (0.9, at)
    more = rounds.sign(*[0.6] * 5, at=at)
    refused(NOT_NEWER, rounds.oracle, lambda: rounds.post(more))


def test_set_params__in_an_open_round__a_correction_takes_the_new_period(rounds: Committee) -> None:
    """EQ-149 EQ-38: its period is its own, hence that of its second."""
    reports = rounds.sign(*[0.9] * 5)
    rounds.post(reports[:3])
    rounds.oracle.send("setParams", settling(60), sender=rounds.owner)
    receipt = rounds.post(reports[:4])
    assert settles_at(rounds) == receipt.timestamp + 60


def test_remove_signer__in_an_open_round__any_quorum_replaces_the_post(rounds: Committee, refused) -> None:
    """EQ-37 EQ-149: four posted, two of them liars: three are left, and are enough, of that time alone."""
    at = rounds.now
    lies, truth = rounds.sign(LIE, LIE, at=at), rounds.sign(*[0.55] * 5, at=at)
    rounds.post([*lies, *truth[2:4]])
    assert posted(rounds) == LIE
    settles = settles_at(rounds)
    for liar in rounds.signers[:2]:
        rounds.oracle.send("removeSigner", liar.address, sender=rounds.guardian)
    last = rounds.oracle.call("lastPost")
    assert (posted(rounds), last.observedAt, last.reportCount, last.settlesAt) == (LIE, at, 0, settles)
    assert in_use(rounds) == 0.5
    other = rounds.sign(*[0.55] * 5, at=at + 1)[2:]
    assert refused(OPEN, rounds.oracle, lambda: rounds.post(other)) == (at, 0, settles)
    gone = lambda: rounds.post([lies[1], *truth[2:]])  # noqa: E731
    assert refused("VolatilityOracle__NotSigner", rounds.oracle, gone) == (rounds.signers[1].address,)
    receipt = rounds.post(truth[2:])
    last = rounds.oracle.call("lastPost")
    assert (posted(rounds), last.reportCount) == (0.55, 3)
    assert last.settlesAt == receipt.timestamp + SETTLE
    again = lambda: rounds.post(truth[2:])  # noqa: E731
    assert refused(OPEN, rounds.oracle, again) == (at, 3, last.settlesAt)
    rounds.warp(SETTLE)
    assert in_use(rounds) == 0.55


def test_remove_signer__nobody_answers__the_post_settles_all_the_same(rounds: Committee) -> None:
    """EQ-37 EQ-149: a removal ends no round and prolongs none."""
    at = rounds.now
    rounds.post(rounds.sign(*[0.6] * 3, at=at))
    settles = settles_at(rounds)
    rounds.oracle.send("removeSigner", rounds.signers[4].address, sender=rounds.guardian)
    rounds.warp(settles - rounds.now)
    assert mined(rounds, "exposureData") == (0.6, at)


def test_remove_signer__once_settled__reopens_nothing(rounds: Committee, refused) -> None:
    """EQ-37 EQ-149: what the removed one helped to settle stays in use until there is newer."""
    at = rounds.now
    rounds.post(rounds.sign(*[0.6] * 3, at=at))
    rounds.warp(SETTLE)
    rounds.oracle.send("removeSigner", rounds.signers[0].address, sender=rounds.guardian)
    again = rounds.sign(*[0.9] * 5, at=at)[1:]
    refused(NOT_NEWER, rounds.oracle, lambda: rounds.post(again))
    assert in_use(rounds) == 0.6


def test_activate_signer__that_replaces_one__opens_the_post_to_any_quorum(rounds: Committee) -> None:
    """EQ-37 EQ-149: the one who is replaced has left as well."""
    new, old = Signer(b"\x42" * 32, rounds.domain), rounds.signers[0]
    rounds.oracle.send("proposeSigner", new.address, old.address, 3, sender=rounds.owner)
    rounds.warp(DELAY)
    reports = rounds.sign(*[0.9] * 5)
    rounds.post(reports[:4])
    rounds.oracle.send("activateSigner", new.address, sender=rounds.stranger)
    assert rounds.oracle.call("lastPost").reportCount == 0
    rounds.post(reports[1:4])
    assert rounds.oracle.call("lastPost").reportCount == 3


def test_activate_signer__that_joins__takes_nothing_from_the_post(rounds: Committee, refused) -> None:
    """EQ-37 EQ-149: nobody has left: it takes more reports, of which the new one's may be one."""
    new = Signer(b"\x42" * 32, rounds.domain)
    rounds.oracle.send("proposeSigner", new.address, "0x" + "0" * 40, 4, sender=rounds.owner)
    rounds.warp(DELAY)
    at = rounds.now
    reports = rounds.sign(*[0.9] * 5, at=at)
    rounds.post(reports[:4])
    rounds.oracle.send("activateSigner", new.address, sender=rounds.stranger)
    four = lambda: rounds.post(reports[1:])  # noqa: E731
    assert refused(OPEN, rounds.oracle, four) == (at, 4, settles_at(rounds))
    everybody = [*rounds.signers, new]
    every = [signer.sign_volatilities([0.9] * 3, at) for signer in everybody]
    order = sorted(range(6), key=lambda i: everybody[i].address.lower())
    rounds.post([every[i] for i in order])
    assert rounds.oracle.call("lastPost").reportCount == 6


def test_set_params__settle_period__at_most_an_hour(committee: Committee, refused) -> None:
    """EQ-38: a longer one would keep the truth out of use."""
    action = lambda: committee.oracle.send("setParams", settling(3_601), sender=committee.owner)  # noqa: E731
    assert refused("ParameterOutOfRange", committee.oracle, action)[1:] == (3_601, 0, 3_600)
