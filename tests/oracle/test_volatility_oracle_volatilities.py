"""Volatility reports: quorum, order, times, bounds, median and speed limit."""

from __future__ import annotations

import numpy as np
import pytest
from eth_keys import keys
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.oracle import Domain, Signer, VolatilityReport
from equipoise.oracle.payload import MAX_VOLATILITY, MIN_VOLATILITY

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
DAY = 86_400


def word(*lanes: int) -> int:
    return sum(lane << (32 * i) for i, lane in enumerate(lanes))


def raw(signer: Signer, vols: int, at: int) -> tuple[int, int, bytes, bytes]:
    """A signed report whose word need not make sense."""
    report = VolatilityReport(at, vols)
    return (at, vols, *signer._sign(report))


def test_postVolatilities__three_of_five__stores_the_median_and_its_time(committee):
    """EQ-28, EQ-29, EQ-39: per-asset median, the time of all reports, and an event with both."""
    at = committee.now - 30
    receipt = committee.post(committee.sign([0.5, 0.9, 0.2], [0.6, 0.1, 0.3], [0.4, 0.5, 0.9], at=at))
    assert committee.vols() == [50_000_000, 50_000_000, 30_000_000]
    data = committee.oracle.call("exposureData")
    assert data.volatilitiesAt == at
    event = committee.oracle.events(receipt, "VolatilitiesPosted")[0]
    assert (event.vols, event.medianVols, event.observedAt, event.reportCount) == (
        data.vols,
        data.vols,
        at,
        3,
    )
    assert committee.oracle.call("riskData").vols == data.vols


def test_postVolatilities__even_count__upper_median(committee):
    """EQ-28: of four values the third smallest counts, the side of less exposure."""
    committee.post(committee.sign(0.1, 0.4, 0.2, 0.3))
    assert committee.vols() == [30_000_000] * 3


@given(data=st.data(), count=st.integers(3, 7))
@settings(max_examples=40, deadline=None)
def test_postVolatilities__any_minority_lies__median_is_within_the_honest_range(make_committee, data, count):
    """EQ-28: while less than half of the reports lie, every median is between two honest values."""
    committee = make_committee(n=2, signers=7, threshold=4)
    count = max(count, 4)
    value = st.integers(10**5, 4 * 10**9)
    honest_count = count - data.draw(st.integers(0, (count - 1) // 2))
    honest = data.draw(st.lists(st.tuples(value, value), min_size=honest_count, max_size=honest_count))
    lies = data.draw(
        st.lists(
            st.tuples(*[st.one_of(st.just(10**5), st.just(4 * 10**9), value)] * 2),
            min_size=count - honest_count,
            max_size=count - honest_count,
        )
    )
    values = data.draw(st.permutations(honest + lies))
    now = committee.now
    committee.post([raw(s, word(*v), now) for s, v in zip(committee.signers, values, strict=False)])
    for i, median in enumerate(committee.vols()):
        assert min(h[i] for h in honest) <= median <= max(h[i] for h in honest)
        assert median == sorted(v[i] for v in values)[count // 2]


def test_postVolatilities__too_few_or_too_many__refused(committee, refused):
    """EQ-24: at least the threshold; never more than signers, as they must be distinct."""
    for count in (0, 1, 2):
        arguments = refused(
            "VolatilityOracle__QuorumNotReached",
            committee.oracle,
            lambda c=count: committee.post(committee.sign(*[0.5] * c)),
        )
        assert arguments == (count, 3)
    reports = committee.sign(*[0.5] * 5)
    refused(
        "VolatilityOracle__SignersNotAscending",
        committee.oracle,
        lambda: committee.post([*reports, reports[-1]]),
    )


def test_postVolatilities__twice_the_same_or_unordered__refused(committee, refused):
    """EQ-25: signers ascend strictly, so that nobody counts twice."""
    now = committee.now
    a, b, c = committee.sign(0.5, 0.6, 0.7, at=now)
    at = [signer.address for signer in committee.signers]
    pairs = {(0, 0): [a, a, b], (1, 1): [a, b, b], (1, 0): [b, a, c], (2, 1): [c, b, a]}
    for (before, after), reports in pairs.items():
        arguments = refused(
            "VolatilityOracle__SignersNotAscending", committee.oracle, lambda r=reports: committee.post(r)
        )
        assert [*map(str.lower, arguments)] == [at[before].lower(), at[after].lower()]
    twice = committee.signers[0].sign_volatilities([0.9] * 3, now)
    first = committee.signers[0].address
    arguments = refused(
        "VolatilityOracle__SignersNotAscending", committee.oracle, lambda: committee.post([a, twice, b])
    )
    assert arguments == (first, first)


def test_postVolatilities__stranger_signs__refused(committee, refused):
    """EQ-25: a signature of somebody else is named."""
    stranger = Signer(b"\x42" * 32, committee.domain)
    fake = stranger.sign_volatilities([0.5] * 3, committee.now)
    reports = sorted([*committee.sign(0.5, 0.5), fake], key=lambda r: r is fake)
    arguments = refused("VolatilityOracle__NotSigner", committee.oracle, lambda: committee.post(reports))
    assert arguments == (stranger.address,)


@pytest.mark.parametrize("where", ["assets", "chain", "oracle", "order of assets"])
def test_postVolatilities__meant_for_another_place__refused(committee, refused, where):
    """EQ-23: a report for other assets, another chain or another oracle recovers to no signer."""
    d = committee.domain
    elsewhere = {
        "assets": Domain(d.chain_id, d.oracle, (*d.assets[:2], d.oracle)),
        "chain": Domain(d.chain_id + 1, d.oracle, d.assets),
        "oracle": Domain(d.chain_id, d.assets[0], d.assets),
        "order of assets": Domain(d.chain_id, d.oracle, d.assets[::-1]),
    }[where]
    reports = []
    for signer in committee.signers[:3]:
        moved = Signer(signer.key, elsewhere)
        reports.append(moved.sign_volatilities([0.5] * 3, committee.now))
    refused("VolatilityOracle__NotSigner", committee.oracle, lambda: committee.post(reports))


def test_postVolatilities__one_bit_changed__refused(committee, refused):
    """EQ-23: every field is signed."""
    structs = [r.to_struct() for r in committee.sign(0.5, 0.5, 0.5)]
    for earlier, bit in ((1, 0), (0, 1)):
        changed = [(at - earlier, vols ^ bit, r, vs) for at, vols, r, vs in structs]
        post = lambda c=changed: committee.post(c)  # noqa: E731
        refused("VolatilityOracle__NotSigner", committee.oracle, post)


def test_postVolatilities__malleable_or_void_signature__refused(committee, refused):
    """EQ-25: the mirrored signature (n - s) and one that recovers to nobody are refused."""
    structs = [r.to_struct() for r in committee.sign(0.5, 0.5, 0.5)]
    at, vols, r, vs = structs[0]
    value = int.from_bytes(vs, "big")
    s = value & (2**255 - 1)
    mirrored = ORDER - s  # above half the order: sets bit 255 or not, either way not the same signer
    for high in (mirrored, (mirrored ^ 1 << 255) % 2**256):
        with pytest.raises(Exception, match=r"ECDSAInvalidSignature|NotSigner"):
            committee.post([(at, vols, r, high.to_bytes(32, "big")), *structs[1:]])
    refused(
        "ECDSAInvalidSignature",
        committee.oracle,
        lambda: committee.post([(at, vols, b"\0" * 32, b"\0" * 32), *structs[1:]]),
    )


def test_postVolatilities__future_old_or_replayed__refused(committee, refused, world):
    """EQ-26: not from the future, not older than the maximum age, newer than what is stored."""
    now = committee.now
    future = committee.sign(0.5, 0.5, 0.5, at=now + 1000)
    arguments = refused(
        "VolatilityOracle__ReportFromFuture", committee.oracle, lambda: committee.post(future)
    )
    assert arguments[0] == now + 1000
    old = committee.sign(0.5, 0.5, 0.5, at=now - 3700)
    arguments = refused("VolatilityOracle__ReportTooOld", committee.oracle, lambda: committee.post(old))
    assert (arguments[0], arguments[2]) == (now - 3700, 3600)

    reports = committee.sign(0.5, 0.5, 0.5, at=now)
    committee.post(reports)
    arguments = refused("VolatilityOracle__ReportNotNewer", committee.oracle, lambda: committee.post(reports))
    assert arguments == (now, now)
    world.warp(60)
    older = committee.sign(*[0.5] * 5, at=now - 1)
    arguments = refused("VolatilityOracle__ReportNotNewer", committee.oracle, lambda: committee.post(older))
    assert arguments == (now - 1, now)
    huge = committee.sign(0.5, 0.5, 0.5, at=2**64 - 1)
    refused("VolatilityOracle__ReportFromFuture", committee.oracle, lambda: committee.post(huge))


def test_postVolatilities__exactly_at_the_limits__accepted(committee, world):
    """EQ-26: the newest possible and the oldest possible observation count."""
    world.warp(4000)
    now = committee.now
    committee.post(committee.sign(0.5, 0.5, 0.5, at=now - 3590))
    committee.post(committee.sign(0.5, 0.5, 0.5, at=now))
    assert committee.oracle.call("exposureData").volatilitiesAt == now


@pytest.mark.parametrize(
    ("lanes", "name", "arguments"),
    [
        ((99_999, 10**8, 10**8), "VolatilityOracle__VolatilityOutOfRange", (0, 99_999, 10**5, 4 * 10**9)),
        ((10**8, 0, 10**8), "VolatilityOracle__VolatilityOutOfRange", (1, 0, 10**5, 4 * 10**9)),
        (
            (10**8, 10**8, 4 * 10**9 + 1),
            "VolatilityOracle__VolatilityOutOfRange",
            (2, 4 * 10**9 + 1, 10**5, 4 * 10**9),
        ),
        ((10**8, 10**8, 10**8, 1), "VolatilityOracle__UnusedLanesNotZero", None),
        ((10**8, 10**8, 10**8, 0, 0, 0, 0, 2**31), "VolatilityOracle__UnusedLanesNotZero", None),
    ],
)
def test_postVolatilities__lane_out_of_bounds__refused(committee, refused, lanes, name, arguments):
    """EQ-27: every lane of every report is within bounds, and nothing hides above them."""
    now = committee.now
    good = word(10**8, 10**8, 10**8)
    reports = [raw(s, w, now) for s, w in zip(committee.signers, (good, word(*lanes), good), strict=False)]
    got = refused(name, committee.oracle, lambda: committee.post(reports))
    assert arguments is None or got == arguments


def test_bounds__off_chain__are_the_contract_s(committee):
    """EQ-27: the Python package refuses what the chain refuses."""
    assert committee.oracle.call("MIN_VOLATILITY") == round(MIN_VOLATILITY * 10**8)
    assert committee.oracle.call("MAX_VOLATILITY") == round(MAX_VOLATILITY * 10**8)
    committee.post(committee.sign([MIN_VOLATILITY, MAX_VOLATILITY, 1.0], *[[1.0, MAX_VOLATILITY, 1.0]] * 2))
    assert committee.vols() == [10**8, 4 * 10**9, 10**8]


@given(
    days=st.floats(0.001, 7),
    old=st.floats(0.01, 30),
    new=st.floats(0.001, 30),
)
@settings(max_examples=40, deadline=None)
def test_postVolatilities__fall__at_most_the_speed_limit(make_committee, world, days, old, new):
    """EQ-30: a volatility rises at once and falls by at most 20 % of itself a day of observation time."""
    committee = make_committee(n=2)
    start = committee.now
    committee.post(committee.sign(old, old, old, at=start))
    world.warp(int(days * DAY) + 1)
    later = start + max(1, int(days * DAY))
    elapsed = later - start
    before = committee.vols()[0]
    world.warp(1)
    committee.post(committee.sign(new, new, new, at=max(later, committee.now - 3500)))
    elapsed = committee.oracle.call("exposureData").volatilitiesAt - start
    after, asked = committee.vols()[0], round(new * 10**8)
    least = before * max(0.0, 1 - 0.2 * elapsed / DAY)
    assert after >= asked
    assert after == asked or after == pytest.approx(least, abs=1.01)
    assert after >= least - 1e-6


def test_postVolatilities__fall_in_many_steps__no_faster(make_committee, world):
    """EQ-30: hourly posting falls no faster than the limit does in one step."""
    committee = make_committee(n=2)
    start = committee.now
    committee.post(committee.sign(1.0, 1.0, 1.0, at=start))
    for hour in range(1, 25):
        world.warp(3600)
        committee.post(committee.sign(0.01, 0.01, 0.01, at=start + 3600 * hour))
    assert 80_000_000 <= committee.vols()[0] < 83_000_000


def test_postVolatilities__vs_bit__selects_the_key(committee):
    """EQ-23: r and vs are the compact form of an ordinary recoverable signature."""
    report = VolatilityReport.of(np.full(3, 0.5), committee.now)
    digest = committee.domain.digest(report)
    signer = committee.signers[0]
    r, vs = signer._sign(report)
    value = int.from_bytes(vs, "big")
    signature = keys.Signature(vrs=(value >> 255, int.from_bytes(r, "big"), value & (2**255 - 1)))
    assert signature.recover_public_key_from_msg_hash(digest).to_checksum_address() == signer.address
