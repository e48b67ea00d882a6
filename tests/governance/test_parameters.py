"""The list of parameters against the contracts: what each setter takes and refuses, and how it says so."""

from __future__ import annotations

from typing import Any

import pytest

from equipoise.client.contract import Contract
from equipoise.client.options import GovernanceConfig
from equipoise.errors import ContractRevert
from equipoise.governance import PARAMETERS, Parameter
from equipoise.units import LANE_SCALE, WAD
from tests.fixtures.governance import Governed
from tests.fixtures.levered import Levered
from tests.fixtures.privileges import ACCESS
from tests.fixtures.system import artifact_contract

SETTABLE = [p for p in PARAMETERS if not p.construction]
# what a setter checks after the range: the range itself was passed
LATER = {
    "setFeed": {"PriceOracle__PriceOutOfBounds"},  # the price now
    "setTwap": {"NoReason"},  # the impostor is no pool of this token
}


def group(parameter: Parameter) -> list[Parameter]:
    return [p for p in PARAMETERS if (p.contract, p.setter) == (parameter.contract, parameter.setter)]


def present(g: Governed, parameter: Parameter) -> tuple[dict[str, Any], list[Any], list[Any]]:
    """The setter's struct as it is, with what comes before and after it among the arguments."""
    contract = getattr(g.contracts, parameter.contract)
    match parameter.setter:
        case "setParams":
            return contract.call("params")._asdict(), [], []
        case "setFees":
            return contract.call("fees")._asdict(), [], [g.treasury]
        case "setFeed":
            return {"token": g.tokens[0].address, **contract.call("feedOf", g.tokens[0])._asdict()}, [], []
        case "setTwap":
            return {"pool": g.impostor.address, "window": 600, "bandBps": 1_000}, [g.tokens[0].address], []
    return {}, [], []


def arguments(g: Governed, parameter: Parameter, value: int) -> tuple[list[Any], dict[str, int]]:
    """The call that sets one parameter, and all values in it: those that its bounds name make room."""
    if parameter.setter == "setBudgets":
        rest = LANE_SCALE - value
        lanes = [value, rest // 2, rest - rest // 2] if rest >= 0 else [value, 0, 0]
        return [sum(lane << (32 * i) for i, lane in enumerate(lanes))], {parameter.name: value}
    if parameter.setter == "raiseThreshold":
        count = len(g.volatility_oracle.call("signers"))
        return [value], {"majority": count // 2 + 1, "count": count, parameter.name: value}
    struct, first, last = present(g, parameter)
    if not struct:
        return [value], {parameter.name: value}
    struct[parameter.name] = value
    for other in group(parameter):  # in the struct's order, each bounded by one before
        if isinstance(other.low, str) and other.name != parameter.name:
            struct[other.name] = max(struct[other.name], struct[other.low])
    if parameter.name == "maxPriceWad":
        struct["minPriceWad"] = max(1, min(struct["minPriceWad"], value - 1))
    return [*first, struct, *last], struct


def answer(g: Governed, parameter: Parameter, value: int, sender: str = "") -> ContractRevert | None:
    """What the setter says, to the owner by default; nothing is changed."""
    contract: Contract = getattr(g.contracts, parameter.contract)
    args, _ = arguments(g, parameter, value)
    try:
        contract.call(parameter.setter, *args, sender=sender or g.timelock.address)
    except ContractRevert as revert:
        return revert
    return None


def bounds(g: Governed, parameter: Parameter) -> tuple[int, int]:
    middle = parameter.low if isinstance(parameter.low, int) else 0
    _, values = arguments(g, parameter, middle)
    for p in group(parameter):  # the present value of what a bound names
        if isinstance(p.low, str) and p is parameter and p.low in present(g, p)[0]:
            values[p.low] = present(g, p)[0][p.low]
    return parameter.bounds(g.contracts, values)


OWN = [p for p in SETTABLE if p.contract not in ("governor",)]


@pytest.mark.parametrize("parameter", OWN, ids=lambda p: p.key)
def test_setter__at_its_bounds_and_beyond__takes_and_refuses_by_name(
    governed: Governed, parameter: Parameter
) -> None:
    """EQ-158: the table tells the truth about the contract."""
    g = governed
    low, high = bounds(g, parameter)
    for value in (low, high):
        if parameter.setter == "setBudgets" and value == high:
            continue  # one asset alone: the others would be under their own bound
        said = answer(g, parameter, value)
        assert said is None or said.name in LATER.get(parameter.setter, ()), said
    for value in (low - 1, high + 1):
        if value < 0:
            continue
        said = answer(g, parameter, value)
        assert said is not None
        lowered = parameter.setter == "raiseThreshold" and value < low
        assert said.name == ("VolatilityOracle__ThresholdOnlyRises" if lowered else parameter.error), said
        if parameter.error == "ParameterOutOfRange":
            name, given, *found = said.arguments
            assert isinstance(name, bytes)
            assert name.rstrip(b"\0").decode() == parameter.name
            assert (given, tuple(found)) == (value, (low, high))


@pytest.mark.parametrize("parameter", [p for p in SETTABLE if p.contract == "governor"], ids=lambda p: p.key)
def test_governor__at_its_bounds_and_beyond__takes_and_refuses_by_name(
    governed: Governed, parameter: Parameter
) -> None:
    """EQ-155, EQ-158: its setters obey only its own proposals; its constructor checks the same ranges."""
    g = governed
    names = [p.name for p in PARAMETERS if p.contract == "governor"]
    low, high = parameter.bounds(g.contracts, {})

    def build(value: int) -> ContractRevert | None:
        settings = list(GovernanceConfig().settings())
        settings[names.index(parameter.name)] = value
        try:
            artifact_contract(
                g.chain, "ParityGovernor", g.votes, g.timelock, g.vault, tuple(settings), sender=g.keeper
            )
        except ContractRevert as revert:
            return revert
        return None

    assert build(low) is build(high) is None
    for value in (low - 1, high + 1):
        if value < 0:
            continue
        said = build(value)
        assert said is not None
        assert said.name == "ParameterOutOfRange"
        assert said.arguments[0] == parameter.name.encode().ljust(32, b"\0")
        assert said.arguments[1:] == (value, low, high)


def value_now(g: Governed, parameter: Parameter) -> int:
    struct, _, _ = present(g, parameter)
    if struct:
        return int(struct[parameter.name])
    if parameter.setter == "setBudgets":
        return LANE_SCALE // 3
    views = {"delay": "getMinDelay", "lateQuorumExtension": "lateQuorumVoteExtension"}
    return int(getattr(g.contracts, parameter.contract).call(views.get(parameter.name, parameter.name)))


@pytest.mark.parametrize("parameter", SETTABLE, ids=lambda p: p.key)
def test_guardian__a_step_either_way__may_what_the_list_says(
    governed: Governed, parameter: Parameter
) -> None:
    """EQ-101, EQ-158: who may tighten at once, and in which direction."""
    g = governed
    for step, direction in ((-1, "lower"), (1, "higher")):
        value = value_now(g, parameter) + step
        if value < 0:
            continue
        said = answer(g, parameter, value, sender=g.guardian)
        assert said is None or said.name in ACCESS, said
        assert (said is None) == (parameter.tighter == direction), direction


@pytest.mark.parametrize("name", ["gracePeriod", "blockTime"])
def test_constructor__of_the_price_oracle__keeps_what_is_fixed_in_range(
    governed: Governed, name: str
) -> None:
    """EQ-158: what nobody can change later."""
    g = governed
    [parameter] = [p for p in PARAMETERS if p.name == name]
    low, high = parameter.bounds(g.contracts, {})
    for value, refused in ((low, False), (high, False), (low - 1, True), (high + 1, True)):
        if value < 0:
            continue
        chain = {"sequencerFeed": "0x" + "0" * 40, "gracePeriod": 3_600, "blockTime": 12, name: value}
        if not refused:
            artifact_contract(g.chain, "PriceOracle", g.owner, chain, [], sender=g.owner)
            continue
        with pytest.raises(ContractRevert) as caught:
            artifact_contract(g.chain, "PriceOracle", g.owner, chain, [], sender=g.owner)
        assert caught.value.arguments == (name.encode().ljust(32, b"\0"), value, low, high)


def test_max_leverage__with_a_lending_account__is_bounded_by_four(lending: Levered) -> None:
    """EQ-158: the one range that depends on the deployment."""
    s = lending
    [parameter] = [p for p in PARAMETERS if p.name == "maxLeverageWad"]
    assert parameter.bounds(s.contracts, {})[1] == 4 * WAD
    params = s.auction.call("params")
    s.auction.call("setParams", params._replace(maxLeverageWad=4 * WAD), sender=s.owner)
    with pytest.raises(ContractRevert) as caught:
        s.auction.call("setParams", params._replace(maxLeverageWad=4 * WAD + 1), sender=s.owner)
    assert caught.value.arguments[2:] == (WAD // 10, 4 * WAD)


def test_list__of_parameters__misses_none_of_the_contracts_checks() -> None:
    """EQ-158: every name that `Bounds.check` is called with stands in the list."""
    import re

    from equipoise.client.artifacts import ROOT

    checked: set[str] = set()
    for path in (ROOT / "contracts").rglob("*.sol"):
        checked |= set(re.findall(r'Bounds\.check\(\s*"(\w+)"', path.read_text()))
    # read from a feed and a token at listing, chosen by nobody
    assert checked - {"feedDecimals", "tokenDecimals"} <= {p.name for p in PARAMETERS}
    assert len(checked) > 40
