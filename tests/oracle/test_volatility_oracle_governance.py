"""Construction, budgets, signers, parameters: who may set what, within which bounds."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.errors import ContractRevert
from equipoise.oracle import Signer
from equipoise.units import pack_budgets
from tests.oracle.conftest import PARAMS, WAD, ZERO

A, B, C = ("0x" + f"{i:040x}" for i in (0xA0, 0xA1, 0xA2))
DELAY = 2 * 86_400


def lanes(*values: int) -> int:
    return sum(v << (32 * i) for i, v in enumerate(values))


def role(name: str) -> tuple[bytes]:
    """What an error says of an address that is none."""
    return (name.encode().ljust(32, b"\0"),)


REFUSED_AT_BIRTH = {
    "one asset": ({"assets": [A]}, "VolatilityOracle__AssetCountOutOfRange", (1, 2, 8)),
    "nine assets": (
        {"assets": ["0x" + f"{i:040x}" for i in range(1, 10)]},
        "VolatilityOracle__AssetCountOutOfRange",
        (9, 2, 8),
    ),
    "zero asset": ({"assets": [A, ZERO, C]}, "VolatilityOracle__ZeroAddress", role("asset")),
    "twice the same asset": ({"assets": [A, B, A]}, "VolatilityOracle__DuplicateAsset", (A,)),
    "zero owner": ({"owner": ZERO}, "OwnableInvalidOwner", None),
    "no realised volatility": ({"realized": ZERO}, "VolatilityOracle__ZeroAddress", role("realized")),
    "zero guardian": ({"guardian": ZERO}, "VolatilityOracle__ZeroAddress", role("guardian")),
    "zero signer": ({"signers": [A, ZERO, C]}, "VolatilityOracle__ZeroAddress", role("signer")),
    "twice the same signer": ({"signers": [A, B, B]}, "VolatilityOracle__DuplicateSigner", (B,)),
    "no signer": ({"signers": [], "threshold": 0}, "VolatilityOracle__ThresholdOutOfRange", (0, 1, 0)),
    "too many signers": (
        {"signers": ["0x" + f"{i:040x}" for i in range(1, 34)], "threshold": 17},
        "VolatilityOracle__SignerCountOutOfRange",
        (33, 32),
    ),
    "half is no majority": (
        {"signers": [A, B, C, "0x" + "11" * 20], "threshold": 2},
        "VolatilityOracle__ThresholdOutOfRange",
        (2, 3, 4),
    ),
    "more than all": ({"threshold": 6}, "VolatilityOracle__ThresholdOutOfRange", (6, 3, 5)),
    "budget below 1 %": (
        {"budgets": lanes(999_999, 50_000_000, 49_000_001)},
        "VolatilityOracle__BudgetOutOfRange",
        (0, 999_999, 10**6, 10**8),
    ),
    "budget missing": (
        {"budgets": lanes(50_000_000, 50_000_000)},
        "VolatilityOracle__BudgetOutOfRange",
        (2, 0, 10**6, 10**8),
    ),
    "budgets above one": (
        {"budgets": lanes(33_333_334, 33_333_334, 33_333_333)},
        "VolatilityOracle__BudgetSumInvalid",
        (100_000_001, 10**8),
    ),
    "budget of no asset": (
        {"budgets": lanes(40_000_000, 30_000_000, 30_000_000, 1)},
        "VolatilityOracle__UnusedLanesNotZero",
        None,
    ),
}


@pytest.mark.parametrize("case", REFUSED_AT_BIRTH)
def test_constructor__wrong_argument__refused_by_name(deploy_oracle, case):
    """EQ-20, EQ-21, EQ-22: assets, budgets and signers are checked at construction."""
    replaced, name, arguments = REFUSED_AT_BIRTH[case]
    with pytest.raises(ContractRevert) as revert:
        deploy_oracle(**replaced)
    assert revert.value.name == name
    if arguments is not None:
        assert tuple(str(a).lower() for a in revert.value.arguments) == tuple(map(str, arguments))


@pytest.mark.parametrize(
    ("field", "position", "lowest", "highest"),
    [
        ("maxReportAge", 0, 60, 86_400),
        ("maxFallPerDayWad", 2, WAD // 100, WAD),
        ("eigenvalueFloorWad", 3, 2 * WAD // 1000, WAD // 2),
        ("signerDelay", 6, 86_400, 30 * 86_400),
    ],
)
def test_setParams__bounds__held(committee, refused, field, position, lowest, highest):
    """EQ-38: parameters stay in their bounds and only the owner sets them."""
    oracle, owner = committee.oracle, committee.owner
    for wrong in (lowest - 1, highest + 1):
        params = list(PARAMS)
        params[position] = wrong
        arguments = refused(
            "ParameterOutOfRange", oracle, lambda p=params: oracle.send("setParams", p, sender=owner)
        )
        assert arguments[0].rstrip(b"\0") == field.encode()
        assert arguments[1:] == (wrong, lowest, highest)
    for right in (lowest, highest):
        params = list(PARAMS)
        params[position] = right
        receipt = oracle.send("setParams", params, sender=owner)
        assert tuple(oracle.call("params")) == tuple(params)
        assert tuple(oracle.events(receipt, "ParamsSet")[0].params) == tuple(params)


@pytest.mark.parametrize("position", [4, 5])
def test_setParams__floor_fraction__at_most_one(committee, refused, position):
    """EQ-38: a floor is never above what was realised."""
    params = list(PARAMS)
    params[position] = WAD + 1
    action = lambda: committee.oracle.send("setParams", params, sender=committee.owner)  # noqa: E731
    assert refused("ParameterOutOfRange", committee.oracle, action)[1:] == (WAD + 1, 0, WAD)
    for right in (0, WAD):
        params[position] = right
        committee.oracle.send("setParams", params, sender=committee.owner)
        assert tuple(committee.oracle.call("params")) == tuple(params)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("setParams", (PARAMS,)),
        ("setBudgets", (lanes(40_000_000, 30_000_000, 30_000_000),)),
        ("proposeSigner", (A, ZERO, 4)),
        ("raiseThreshold", (4,)),
        ("setGuardian", (A,)),
        ("transferOwnership", (A,)),
    ],
)
def test_owner_functions__anybody_else__refused(committee, refused, function, arguments):
    """EQ-36, EQ-37, EQ-38: only the owner sets budgets, signers, threshold, guardian and parameters."""
    for sender in (committee.stranger, committee.guardian):
        refused(
            "OwnableUnauthorizedAccount",
            committee.oracle,
            lambda s=sender: committee.oracle.send(function, *arguments, sender=s),
        )


def test_removeSigner__guardian__at_once(committee, refused):
    """EQ-37: the guardian removes signers at once, the threshold stays."""
    oracle, signers = committee.oracle, [s.address for s in committee.signers]
    refused(
        "VolatilityOracle__NotOwnerOrGuardian",
        oracle,
        lambda: oracle.send("removeSigner", signers[0], sender=committee.stranger),
    )
    for signer in signers[:2]:
        receipt = oracle.send("removeSigner", signer, sender=committee.guardian)
        assert oracle.events(receipt, "SignerRemoved")[0].signer == signer
        assert not oracle.call("isSigner", signer)
    assert (oracle.call("threshold"), set(oracle.call("signers"))) == (3, set(signers[2:]))
    refused(
        "VolatilityOracle__UnknownSigner",
        oracle,
        lambda: oracle.send("removeSigner", signers[0], sender=committee.owner),
    )


def test_removeSigner__below_the_threshold__halts(committee, refused):
    """EQ-37: with fewer signers than the threshold nothing passes, until the delay is over."""
    oracle = committee.oracle
    for signer in committee.signers[:3]:
        oracle.send("removeSigner", signer.address, sender=committee.guardian)
    left = committee.signers[3:]
    reports = [s.sign_volatilities([0.5] * 3, committee.now) for s in left]
    error = "VolatilityOracle__QuorumNotReached"
    assert refused(error, oracle, lambda: committee.post(reports)) == (2, 3)
    error = "VolatilityOracle__ThresholdOnlyRises"
    assert refused(error, oracle, lambda: oracle.send("raiseThreshold", 2, sender=committee.owner)) == (2, 3)
    oracle.send("proposeSigner", ZERO, ZERO, 2, sender=committee.owner)
    committee.warp(DELAY)
    oracle.send("activateSigner", ZERO, sender=committee.stranger)
    committee.post([s.sign_volatilities([0.5] * 3, committee.now) for s in left])
    assert oracle.call("threshold") == 2


def test_removeSigner__report_of_the_removed__no_longer_counts(committee, refused):
    """EQ-37: a removed signer's signature is nobody's."""
    reports = committee.sign(0.5, 0.5, 0.5)
    gone = committee.signers[1].address
    committee.oracle.send("removeSigner", gone, sender=committee.guardian)
    assert refused("VolatilityOracle__NotSigner", committee.oracle, lambda: committee.post(reports)) == (
        gone,
    )


def test_proposeSigner__with_its_delay__comes_with_a_majority(committee, refused):
    """EQ-37: a new signer waits for the delay, and comes with a threshold that is still a majority."""
    oracle, owner = committee.oracle, committee.owner

    def propose(signer=A, replaces=ZERO, threshold=4):
        return oracle.send("proposeSigner", signer, replaces, threshold, sender=owner)

    for wrong in (0, 3, 7, 256 + 4):
        error = "VolatilityOracle__ThresholdOutOfRange"
        assert refused(error, oracle, lambda w=wrong: propose(threshold=w)) == (wrong, 4, 6)
    error = "VolatilityOracle__DuplicateSigner"
    refused(error, oracle, lambda: propose(committee.signers[0].address))
    refused("VolatilityOracle__UnknownSigner", oracle, lambda: propose(replaces=B, threshold=3))

    receipt = propose()
    ready = receipt.timestamp + DELAY
    assert tuple(oracle.call("proposalOf", A)) == (ZERO, ready, 4)
    assert tuple(oracle.events(receipt, "SignerProposed")[0])[2:] == (4, ready)
    refused("VolatilityOracle__ProposalPending", oracle, propose)
    activate = lambda: oracle.send("activateSigner", A, sender=committee.stranger)  # noqa: E731
    assert refused("VolatilityOracle__ProposalNotReady", oracle, activate)[0] == ready
    assert not oracle.call("isSigner", A)
    committee.warp(DELAY)
    receipt = activate()
    assert (oracle.call("threshold"), oracle.call("isSigner", A)) == (4, True)
    assert oracle.events(receipt, "ThresholdSet")[0].threshold == 4
    refused("VolatilityOracle__NoProposal", oracle, activate)


def test_proposeSigner__that_replaces__rotates_a_key(committee, refused):
    """EQ-37: the old key counts until the new one does; a report that it signed before is dead."""
    oracle, old = committee.oracle, committee.signers[0]
    new = Signer(b"\x42" * 32, committee.domain)
    oracle.send("proposeSigner", new.address, old.address, 3, sender=committee.owner)
    committee.post(committee.sign(0.5, 0.5, 0.5))
    committee.warp(DELAY)
    at = committee.now
    reports = committee.sign(0.6, 0.6, 0.6, at=at)
    oracle.send("activateSigner", new.address, sender=committee.stranger)
    error = "VolatilityOracle__NotSigner"
    assert refused(error, oracle, lambda: committee.post(reports)) == (old.address,)
    mixed = [reports[1], reports[2], new.sign_volatilities([0.6] * 3, at)]
    order = [*(s.address for s in committee.signers[1:3]), new.address]
    committee.post([r for _, r in sorted(zip(order, mixed, strict=True), key=lambda pair: pair[0].lower())])
    assert len(oracle.call("signers")) == 5


def test_removed_signer__that_returns__has_nothing_left_to_replay(committee, refused):
    """EQ-37: the delay is at least as long as any report may be old."""
    oracle, gone = committee.oracle, committee.signers[0]
    reports = committee.sign(0.5, 0.5, 0.5)
    oracle.send("removeSigner", gone.address, sender=committee.guardian)
    oracle.send("proposeSigner", gone.address, ZERO, 3, sender=committee.owner)
    committee.warp(DELAY)
    oracle.send("activateSigner", gone.address, sender=committee.stranger)
    refused("VolatilityOracle__ReportTooOld", oracle, lambda: committee.post(reports))


def test_cancelProposal__guardian__before_it_counts(committee, refused):
    """EQ-37: owner or guardian withdraws a proposal; a stranger does not."""
    oracle = committee.oracle
    for canceller in (committee.guardian, committee.owner):
        oracle.send("proposeSigner", A, ZERO, 4, sender=committee.owner)
        refused(
            "VolatilityOracle__NotOwnerOrGuardian",
            oracle,
            lambda: oracle.send("cancelProposal", A, sender=committee.stranger),
        )
        receipt = oracle.send("cancelProposal", A, sender=canceller)
        assert oracle.events(receipt, "ProposalCancelled")[0].signer.lower() == A
        committee.warp(DELAY)
        refused(
            "VolatilityOracle__NoProposal",
            oracle,
            lambda: oracle.send("activateSigner", A, sender=committee.owner),
        )


def test_activateSigner__after_the_set_changed__is_judged_again(committee, refused):
    """EQ-37: a proposal that made a majority when it was made need not make one when it is due."""
    oracle, owner = committee.oracle, committee.owner
    oracle.send("proposeSigner", A, committee.signers[0].address, 3, sender=owner)
    oracle.send("proposeSigner", B, ZERO, 4, sender=owner)
    oracle.send("removeSigner", committee.signers[0].address, sender=committee.guardian)
    oracle.send("removeSigner", committee.signers[1].address, sender=committee.guardian)
    oracle.send("removeSigner", committee.signers[2].address, sender=committee.guardian)
    committee.warp(DELAY)
    activate = lambda who: oracle.send("activateSigner", who, sender=owner)  # noqa: E731
    refused("VolatilityOracle__UnknownSigner", oracle, lambda: activate(A))
    refused("VolatilityOracle__ThresholdOutOfRange", oracle, lambda: activate(B))


def test_raiseThreshold__owner__up_to_all(committee, refused):
    """EQ-37: at once, since it only tightens."""
    oracle, owner = committee.oracle, committee.owner
    for wrong in (6, 256, 259):
        arguments = refused(
            "VolatilityOracle__ThresholdOutOfRange",
            oracle,
            lambda w=wrong: oracle.send("raiseThreshold", w, sender=owner),
        )
        assert arguments == (wrong, 3, 5)
    oracle.send("raiseThreshold", 5, sender=owner)
    arguments = refused(
        "VolatilityOracle__QuorumNotReached", oracle, lambda: committee.post(committee.sign(0.5, 0.5, 0.5))
    )
    assert arguments == (3, 5)


def test_setGuardian__owner__replaces(committee, refused):
    """EQ-37: the old guardian's power ends with the setting of the new one."""
    oracle = committee.oracle
    refused(
        "VolatilityOracle__ZeroAddress",
        oracle,
        lambda: oracle.send("setGuardian", ZERO, sender=committee.owner),
    )
    oracle.send("setGuardian", committee.stranger, sender=committee.owner)
    refused(
        "VolatilityOracle__NotOwnerOrGuardian",
        oracle,
        lambda: oracle.send("removeSigner", committee.signers[0].address, sender=committee.guardian),
    )
    oracle.send("removeSigner", committee.signers[0].address, sender=committee.stranger)


def test_ownership__two_steps__so_that_none_is_lost(committee):
    """EQ-38: ownership moves when the new owner accepts it."""
    oracle = committee.oracle
    oracle.send("transferOwnership", committee.stranger, sender=committee.owner)
    assert oracle.call("owner").lower() == committee.owner.lower()
    oracle.send("acceptOwnership", sender=committee.stranger)
    assert oracle.call("owner").lower() == committee.stranger.lower()


def test_views__after_construction__say_what_was_given(committee):
    """EQ-39: views tell what was given, and zeros where nothing was posted."""
    oracle = committee.oracle
    data = oracle.call("riskData")
    assert (data.vols, data.volatilitiesAt, data.correlationsAt, data.coordinates) == (0, 0, 0, 0)
    assert list(data.correlations) == [0, 0]
    assert (data.n, data.budgets) == (3, pack_budgets(np.full(3, 1 / 3)))
    assert oracle.call("budgets") == data.budgets
    assert [a.lower() for a in oracle.call("assets")] == [A, B, C]
    assert tuple(oracle.call("exposureData")) == (0, 0, 0, 0, 3)
    assert oracle.call("guardian").lower() == committee.guardian.lower()
    assert set(oracle.call("signers")) == {s.address for s in committee.signers}
