"""Signers, relayers and users against the signed oracle: each a story with its profit and loss in USD."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from equipoise.errors import ContractRevert
from equipoise.oracle import Domain, Signer
from equipoise.oracle.payload import CorrelationReport, SignedVolatilities, VolatilityReport
from equipoise.oracle.publisher import Publisher
from equipoise.units import WAD, unpack_word8
from tests.fixtures.attacks import Ledger
from tests.fixtures.build import KEYS
from tests.fixtures.reports import SETTLE, author, nav, post, refused, settling, sign, worth
from tests.fixtures.system import MAX, System

DAY = 86_400
HIGH, LOW = 40.0, 0.001


@pytest.fixture
def s(make_system: Callable[..., System]) -> System:
    return settling(make_system)


# ------------------------------------------------------------------ forgeries


def test_replay__from_another_chain_vault_oracle_or_epoch__is_refused(s: System, attack: Ledger) -> None:
    """EQ-23 EQ-26: a signature is of one place and one time."""
    at, domain, lie = s.now(), s.signers[0].domain, [LOW] * 3
    places = {
        "chain": replace(domain, chain_id=domain.chain_id + 1),
        "oracle": replace(domain, oracle=s.vault.address),
        "vault with other assets": replace(domain, assets=(*domain.assets[:2], s.cash.address)),
        "vault in another order": replace(domain, assets=tuple(reversed(domain.assets))),
    }
    me, before = s.mallory, (worth(s, s.mallory), nav(s))
    for name, place in places.items():
        assert isinstance(place, Domain)
        elsewhere = [Signer(key, place).sign_volatilities(lie, at) for key in KEYS[:3]]
        ordered = [r.to_struct() for r in elsewhere]
        send = lambda o=ordered: s.volatility_oracle.send("postVolatilities", o, sender=me)  # noqa: E731
        assert refused(s, send) == "VolatilityOracle__NotSigner"
        attack(f"replay from another {name}", worth(s, me) - before[0], before[1] - nav(s))
    reports = sign(s, range(3), s.vols, at)
    post(s, reports, s.keeper)
    s.warp(SETTLE)
    assert refused(s, lambda: post(s, reports, me)) == "VolatilityOracle__ReportNotNewer"
    s.warp(3_600)
    old = sign(s, range(3), lie, at + SETTLE)
    s.warp(3_600)
    assert refused(s, lambda: post(s, old, me)) == "VolatilityOracle__ReportTooOld"
    attack("replay of an earlier epoch", worth(s, me) - before[0], before[1] - nav(s))


def test_fork__of_the_chain__has_signatures_of_its_own(s: System, attack: Ledger) -> None:
    """EQ-23: after a fork with another chain id, what was signed before is void there."""
    reports, before = sign(s, range(3), [LOW] * 3, s.now()), (worth(s, s.mallory), nav(s))
    here = s.chain.chain_id
    s.chain.request("anvil_setChainId", here + 7)
    try:
        assert refused(s, lambda: post(s, reports, s.mallory)) == "VolatilityOracle__NotSigner"
    finally:
        s.chain.request("anvil_setChainId", here)
    attack("fork of the chain", worth(s, s.mallory) - before[0], before[1] - nav(s))


ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def malleable(report: SignedVolatilities) -> SignedVolatilities:
    """The other signature of the same digest: s becomes n - s, the parity flips."""
    vs = int.from_bytes(report.vs, "big")
    other = ORDER - (vs & (2**255 - 1)) | (1 - (vs >> 255)) << 255
    return replace(report, vs=(other % 2**256).to_bytes(32, "big"))


FORGERIES: dict[str, Callable[[SignedVolatilities], SignedVolatilities]] = {
    "malleated": malleable,
    "zero": lambda r: replace(r, r=bytes(32), vs=bytes(32)),
    "all ones": lambda r: replace(r, r=b"\xff" * 32, vs=b"\xff" * 32),
    "of another word": lambda r: replace(r, report=replace(r.report, vols=r.report.vols ^ 1)),
    "of another time": lambda r: replace(r, report=replace(r.report, observed_at=r.report.observed_at - 1)),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forgery__of_one_signature__is_refused(s: System, attack: Ledger, forgery: str) -> None:
    """EQ-25: malformed and malleable signatures count for nobody."""
    honest = sorted(sign(s, range(3), s.vols, s.now()), key=lambda r: author(s, r).lower())
    forged = [honest[0], FORGERIES[forgery](honest[1]), honest[2]]
    before = worth(s, s.mallory), nav(s)
    structs = [r.to_struct() for r in forged]
    error = refused(s, lambda: s.volatility_oracle.send("postVolatilities", structs, sender=s.mallory))
    names = ("NotSigner", "SignersNotAscending", "TimesDiffer")
    assert error.startswith(("ECDSA", *(f"VolatilityOracle__{name}" for name in names)))
    attack(f"signature {forgery}", worth(s, s.mallory) - before[0], before[1] - nav(s))


def test_garbage__in_unused_lanes__is_refused_though_signed(s: System, attack: Ledger) -> None:
    """EQ-27: bits that the chain would ignore today could mean something tomorrow."""
    before, at = (worth(s, s.mallory), nav(s)), s.now()
    good = sign(s, range(3), s.vols, at)
    for lane in (3, 7):
        report = VolatilityReport(at, good[0].report.vols | 1 << (32 * lane))
        bad = SignedVolatilities(report, *s.signers[0].key.sign(s.signers[0].domain.digest(report)))
        error = refused(s, lambda b=bad: post(s, [b, *good[1:]], s.mallory))
        assert error == "VolatilityOracle__UnusedLanesNotZero"
    attack("garbage in unused lanes", worth(s, s.mallory) - before[0], before[1] - nav(s))


# ------------------------------------------------------------------ minority


@pytest.mark.parametrize("lie", [HIGH, LOW])
@pytest.mark.parametrize("who", ["all reports relayed", "their own relayer first"])
def test_minority__at_an_extreme__moves_nothing(s: System, attack: Ledger, lie: float, who: str) -> None:
    """EQ-28 EQ-149: M - 1 of N lie; their relayer posts them first; an honest relayer answers."""
    me, before, at = s.mallory, (worth(s, s.mallory), nav(s)), s.now()
    lies = sign(s, (0, 1), [lie] * 3, at)
    honest = [r for i in (2, 3, 4) for r in sign(s, (i,), np.array(s.vols) * (1 + 0.02 * (i - 3)), at)]
    if who == "their own relayer first":
        post(s, [*lies, honest[0]], me)
        assert not s.attempt(s.auction, "open", sender=me, unless=["RebalanceAuction__WithinBands"])
    post(s, [*lies, *honest], s.keeper)
    s.warp(SETTLE)
    used = unpack_word8(s.volatility_oracle.call("exposureData").vols, 3)
    words = [unpack_word8(r.report.vols, 3) for r in honest]
    assert (np.min(words, axis=0) <= used).all()
    assert (used <= np.max(words, axis=0)).all()
    s.attempt(s.auction, "open", sender=me, unless=["RebalanceAuction__WithinBands"])
    assert s.auction.call("riskState").reason == 0
    attack(f"M - 1 say {lie:.1%}, {who}", worth(s, me) - before[0], before[1] - nav(s))


def test_relayer__that_picks_among_honest_reports__gains_nothing(s: System, attack: Ledger) -> None:
    """EQ-28 EQ-149: highest three today, lowest three tomorrow, for a week: within the bands."""
    me = s.keeper
    before = worth(s, me), nav(s)
    opened = 0
    for day in range(7):
        at = s.now()
        reports = [r for i in range(5) for r in sign(s, (i,), np.array(s.vols) * (0.97 + 0.015 * i), at)]
        post(s, reports[:3] if day % 2 else reports[2:], me)
        s.warp(SETTLE)
        used = unpack_word8(s.volatility_oracle.call("exposureData").vols, 3)
        assert (np.abs(used / np.array(s.vols) - 1) <= 0.03 + 1e-6).all()
        opened += bool(s.attempt(s.auction, "open", sender=me, unless=["RebalanceAuction__WithinBands"]))
        s.warp(DAY - SETTLE)
    assert opened == 0
    attack("relayer picks M of N honest reports", worth(s, me) - before[0], before[1] - nav(s))


def test_clock__of_a_signer_skewed__hinders_nobody(s: System, attack: Ledger) -> None:
    """EQ-26 EQ-29: ahead or behind, its report is left out; with it none is taken, and nothing ages."""
    before, at = (worth(s, s.mallory), nav(s)), s.now()
    s.warp(3_500)
    for odd in (at + 7_200, at + 10):
        mixed = [*sign(s, (0,), s.vols, odd), *sign(s, (1, 2), s.vols, at + 3_400)]
        error = refused(s, lambda m=mixed: post(s, m, s.mallory))
        assert error in ("VolatilityOracle__TimesDiffer", "VolatilityOracle__ReportFromFuture")
    post(s, sign(s, (1, 2, 3), s.vols, at + 3_400), s.mallory)
    s.warp(SETTLE)
    assert s.volatility_oracle.call("reportTimes").volatilitiesAt == at + 3_400
    attack("a signer's clock skewed", worth(s, s.mallory) - before[0], before[1] - nav(s))


# ------------------------------------------------------------------ majority


def test_majority__for_a_week__takes_at_most_the_loss_budget_a_day(s: System, attack: Ledger) -> None:
    """EQ-84 EQ-30: M colluders, their relayer and a filler: twice the loss budget in any day."""
    me, budget = s.keeper, s.auction.call("params").lossBudgetWad / WAD
    extremes = ([HIGH, LOW, LOW], [LOW, HIGH, LOW], [LOW, LOW, HIGH])
    start, before = nav(s), worth(s, me)
    worst, last, reported = 0.0, start, np.array(s.vols)
    for day in range(7):
        at = s.now()
        floor = np.array(reported)
        post(s, sign(s, (0, 1, 2), extremes[day % 3], at), me)
        reported = unpack_word8(s.volatility_oracle.call("lastPost").vols, 3)
        assert (reported >= floor * 0.79).all(), "no volatility falls by more than a fifth a day"
        s.warp(SETTLE)
        if s.attempt(s.auction, "open", sender=me, unless=["RebalanceAuction__WithinBands"]):
            s.to_curve(0.991)
            drain(s, me)
        worst = max(worst, 1 - nav(s) / last)
        last = nav(s)
        s.warp(DAY - SETTLE - 1_800)
    assert 0 < worst <= 2 * budget
    bound = start * (1 - (1 - 2 * budget) ** 7)
    attack(
        "M colluders for a week, own filler",
        worth(s, me) - before,
        start - last,
        bound,
        "EQ-84: 2 budgets a day",
    )


def drain(s: System, who: str) -> None:
    """Bid for every lot at the price of this second until the loss budget says no, in halves."""
    pairs = [(t, s.cash) for t in s.tokens] + [(s.cash, t) for t in s.tokens]
    for sell, buy in pairs:
        for part in (1, 2, 4, 8, 16):
            try:
                lot = s.auction.call("quoteBid", sell, buy, MAX).sold
            except ContractRevert as revert:
                if revert.name != "RebalanceAuction__LossBudgetExceeded":
                    break
                lot = s.contracts.dashboard().balances[[*s.tokens, s.cash].index(sell)] // 4
            args = (s.auction.call("current").id, sell, buy, lot // part, MAX, who)
            unless = ["RebalanceAuction__" + e for e in ("LossBudgetExceeded", "ZeroAmount", "LotExceeded")]
            if lot // part and s.attempt(s.auction, "bid", *args, sender=who, unless=unless):
                break


def test_majority__with_false_correlations__takes_no_more(s: System, attack: Ledger) -> None:
    """EQ-32 EQ-84: co-signed matrices at the edge of what is positive definite, a new one each day."""
    me, budget = s.keeper, s.auction.call("params").lossBudgetWad / WAD
    start, before, last, worst = nav(s), worth(s, me), nav(s), 0.0
    for day in range(4):
        rho = 0.97 if day % 2 else -0.45
        matrix = np.eye(3)
        matrix[0, 1] = matrix[1, 0] = rho
        s.warp(60)
        report = CorrelationReport.of(matrix, s.now())
        signatures = [signer.cosign_correlations(report, matrix) for signer in s.signers[:3]]
        Publisher(s.volatility_oracle, me).post_correlations(report, signatures)
        s.post_volatilities()
        s.warp(SETTLE)
        if s.attempt(s.auction, "open", sender=me, unless=["RebalanceAuction__WithinBands"]):
            s.to_curve(0.991)
            drain(s, me)
        worst, last = max(worst, 1 - nav(s) / last), nav(s)
        s.warp(DAY - SETTLE - 1_800)
    assert 0 < worst <= 2 * budget
    bound = start * (1 - (1 - 2 * budget) ** 4)
    attack(
        "M colluders with false correlations",
        worth(s, me) - before,
        start - last,
        bound,
        "EQ-84: 2 budgets a day",
    )


def test_majority__of_the_keys_stolen__ends_with_the_guardian(s: System, attack: Ledger) -> None:
    """EQ-37: three removals and the oracle is silent: risk may only fall, and every exit works."""
    me, before = s.mallory, (worth(s, s.mallory), nav(s))
    for signer in s.signers[:3]:
        s.volatility_oracle.send("removeSigner", signer.address, sender=s.guardian)
    assert (
        refused(s, lambda: post(s, sign(s, (0, 1, 2), [LOW] * 3, s.now()), me))
        == "VolatilityOracle__NotSigner"
    )
    s.warp(5 * DAY)
    assert s.vault.call("mode") == 2
    s.vault.send("redeemInKind", s.shares(s.alice) // 2, s.alice, s.alice, [], sender=s.alice)
    attack("M keys stolen, guardian removes them", worth(s, me) - before[0], 0.0)


# ------------------------------------------------------------------ users


@pytest.mark.parametrize("factor", [0.8, 3.0])
def test_report__known_before_it_lands__is_worth_nothing(s: System, attack: Ledger, factor: float) -> None:
    """EQ-56: a report moves no price: who enters before and leaves after pays fees and spread."""
    me, before = s.mallory, worth(s, s.mallory)
    start = nav(s)
    shares = s.deposit(me, 20_000)
    s.post_volatilities([v * factor for v in s.vols])
    s.vault.send("redeem", min(shares, s.vault.call("maxRedeem", me)), me, me, sender=me)
    if s.shares(me):
        s.vault.send("redeemInKind", s.shares(me), me, me, [], sender=me)
    attack(f"deposit before a report of x {factor:g}", worth(s, me) - before, max(0.0, start - nav(s)))


def test_withholding__of_all_reports__only_shrinks_risk(s: System, attack: Ledger) -> None:
    """EQ-85 EQ-100: N - M + 1 refuse: nothing is bought, deposits close, exits stay, and nobody profits."""
    me, before = s.keeper, (worth(s, s.keeper), nav(s))
    s.warp(2 * DAY)
    assert s.vault.call("mode") == 1
    s.warp(3 * DAY)
    assert s.vault.call("mode") == 2
    s.attempt(s.auction, "open", sender=me, unless=["RebalanceAuction__WithinBands"])
    for token in s.tokens:
        args = (s.auction.call("current").id, s.cash, token, 10**6, MAX, me)
        with pytest.raises(ContractRevert):
            s.auction.send("bid", *args, sender=me)
    s.vault.send("redeemInKind", s.shares(s.alice) // 2, s.alice, s.alice, [], sender=s.alice)
    attack("reports withheld for five days", worth(s, me) - before[0], 0.0)
