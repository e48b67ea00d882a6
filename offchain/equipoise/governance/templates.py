"""The common changes, as calls and words; checked, so that nobody votes for what cannot be executed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from equipoise.client.contract import Contract
from equipoise.client.deployment import GOVERNANCE, Deployment
from equipoise.errors import InputError
from equipoise.governance.draft import Call, Draft
from equipoise.governance.parameters import PARAMETERS, Parameter, find_parameter
from equipoise.units import LANE_SCALE, Number, pack_budgets, unpack_lanes

__all__ = [
    "abdicate",
    "active_symbols",
    "budgets",
    "budgets_word",
    "change",
    "deposit_cap",
    "fees",
    "signer",
    "target_volatility",
    "token_of",
]

NOBODY = "0x" + "0" * 40
Struct = tuple[dict[str, Any], tuple[Any, ...], tuple[Any, ...]]
"""The struct that a setter takes, as it is now, and its arguments before and after it."""
MIN_BUDGET = 0.01


def budgets(deployment: Deployment, shares: Sequence[float]) -> Draft:
    """New risk budgets, in the order of the basket, summing to 1.

    Setting them clears the coordinates, so that the same proposal has the chain solve for new ones.
    """
    symbols = active_symbols(deployment)
    word = budgets_word(symbols, shares)
    oracle = deployment.volatility_oracle
    before = unpack_lanes(oracle.call("budgets"), len(symbols))
    after = unpack_lanes(word, len(symbols))
    if before == after:
        raise InputError(f"the budgets are {_percents(after)} already")
    calls = [Call(oracle, "setBudgets", (word,))]
    if oracle.call("riskData").coordinates:  # without correlations there is nothing to solve
        calls.append(Call(oracle, "solveCoordinates", ()))
    lines = [
        f"- {symbol}: {old / LANE_SCALE:.2%} -> {new / LANE_SCALE:.2%}"
        for symbol, old, new in zip(symbols, before, after, strict=True)
    ]
    return Draft(f"Risk budgets {_percents(after)}", tuple(calls), "\n".join(lines))


def active_symbols(deployment: Deployment) -> list[str]:
    """The oracle's assets in its order: the vault's, without those being retired."""
    known = {t.address: s for s, t in zip(deployment.symbols, deployment.tokens, strict=True)}
    return [known.get(token, token) for token in deployment.volatility_oracle.call("assets")]


def budgets_word(symbols: Sequence[str], shares: Sequence[float]) -> int:
    """The budgets of these assets as the chain takes them. Raises InputError for shares that cannot be."""
    if len(shares) != len(symbols):
        raise InputError(
            f"{len(shares)} budgets for {len(symbols)} assets: give one each of {', '.join(symbols)}"
        )
    for symbol, share in zip(symbols, shares, strict=True):
        if not share >= MIN_BUDGET:
            raise InputError(
                f"the budget of {symbol} is {share:g}; the least is {MIN_BUDGET:g}: remove the asset instead"
            )
    return pack_budgets(shares)


def _percents(lanes: Sequence[int]) -> str:
    return ", ".join(f"{lane / LANE_SCALE:.4g}" for lane in lanes)


def target_volatility(deployment: Deployment, value: float) -> Draft:
    """The volatility a year that the vault aims at."""
    return change(deployment, {"auction.targetVolatility": value})


def deposit_cap(deployment: Deployment, value: float) -> Draft:
    """The largest NAV that deposits may reach, in whole units of the cash token."""
    return change(deployment, {"vault.depositCap": value})


def fees(
    deployment: Deployment,
    entry: float | None = None,
    exit: float | None = None,
    management: float | None = None,
    performance: float | None = None,
    recipient: str | None = None,
) -> Draft:
    """Fees as fractions and who receives them; what is None stays."""
    given = {"entryFee": entry, "exitFee": exit, "managementFee": management, "performanceFee": performance}
    values = {f"vault.{name}": value for name, value in given.items() if value is not None}
    draft = change(deployment, values) if values else None
    if recipient is None:
        if draft is None:
            raise InputError("no fee is named: give at least one of entry, exit, management, performance")
        return draft
    vault = deployment.vault
    current = draft.calls[0].args[0] if draft else vault.call("fees")
    title = f"{draft.title}; fees go to {recipient}" if draft else f"Fees go to {recipient}"
    return Draft(title, (Call(vault, "setFees", (current, recipient)),), draft.text if draft else "")


def change(deployment: Deployment, values: Mapping[str, Number], token: str | None = None) -> Draft:
    """Any parameters, by key in people's units, in as few calls as there are setters.

    Parameters
    ----------
    values
        For example ``{"auction.targetVolatility": 0.12, "guard.deleverAfter": 172800}``.
    token
        Symbol (or "cash") for the parameters of a feed or of its pool.

    Raises
    ------
    InputError
        Unknown parameter, value outside its range (which depends on the others in its call), or as it is.
    """
    decimals = deployment.cash.call("decimals")
    groups: dict[tuple[str, str], dict[Parameter, int]] = defaultdict(dict)
    for key, value in values.items():
        parameter = find_parameter(key)
        if parameter.construction:
            raise InputError(f"{parameter.key} is fixed at construction; nobody can change it")
        if parameter.setter == "setBudgets":
            raise InputError("budgets are set all at once: use the template for budgets")
        groups[parameter.contract, parameter.setter][parameter] = parameter.raw(value, decimals)
    calls, lines = [], []
    for (contract, setter), wanted in groups.items():
        handle = handle_of(deployment, contract)
        call, before, after = _setter_call(deployment, handle, contract, setter, wanted, token)
        for parameter in wanted:
            old, new = before.get(parameter.name), after[parameter.name]
            _check_range(deployment, parameter, after)
            if old == new:
                raise InputError(f"{parameter.key} is {parameter.shown(new)} already")
            shown = "?" if old is None else _shown(parameter, old, decimals)
            lines.append(f"- {parameter.key}: {shown} -> {_shown(parameter, new, decimals)}")
        _check_others(deployment, contract, setter, after)
        calls.append(call)
    title = ", ".join(line.removeprefix("- ").partition(":")[0] for line in lines)
    if len(lines) == 1:
        title, lines = lines[0].removeprefix("- "), []
    return Draft(title, tuple(calls), "\n".join(lines))


def _shown(parameter: Parameter, raw: int, decimals: int) -> str:
    return f"{raw / 10**decimals:,.0f}" if parameter.unit == "cash" else parameter.shown(raw)


def _check_range(deployment: Deployment, parameter: Parameter, values: dict[str, int]) -> None:
    low, high = parameter.bounds(deployment, values)
    value = values[parameter.name]
    if not low <= value <= high:
        raise InputError(
            f"{parameter.key} is {parameter.shown(value)}; give {parameter.shown(low)} to "
            f"{parameter.shown(high)} ({parameter.unit})"
        )


def _check_others(deployment: Deployment, contract: str, setter: str, values: dict[str, int]) -> None:
    """A bound of another parameter may be the one that was changed."""
    for parameter in PARAMETERS:
        named = parameter.name in values and (parameter.contract, parameter.setter) == (contract, setter)
        if named and not parameter.construction:
            _check_range(deployment, parameter, values)


def _setter_call(
    deployment: Deployment,
    handle: Contract,
    contract: str,
    setter: str,
    wanted: Mapping[Parameter, int],
    token: str | None,
) -> tuple[Call, dict[str, int], dict[str, int]]:
    """The call that sets `wanted` and leaves the rest, with all values of the setter before and after."""
    names = {parameter.name: value for parameter, value in wanted.items()}
    if setter in _STRUCTS:
        struct, first, last = _STRUCTS[setter](deployment, handle, token)
        before = {name: value for name, value in struct.items() if isinstance(value, int)}
        return Call(handle, setter, (*first, {**struct, **names}, *last)), before, {**before, **names}
    [(name, value)] = names.items()
    getter = _GETTERS.get(setter, name)
    before = {name: int(handle.call(getter))}
    if setter == "raiseThreshold":
        count = len(handle.call("signers"))
        limits = {"majority": max(count // 2 + 1, before[name]), "count": count}
        return Call(handle, setter, (value,)), before, {**limits, name: value}
    return Call(handle, setter, (value,)), before, {name: value}


_GETTERS = {"updateDelay": "getMinDelay", "setLateQuorumVoteExtension": "lateQuorumVoteExtension"}
"""Where the view's name is not the parameter's."""


def _params(_deployment: Deployment, handle: Contract, _token: str | None) -> Struct:
    return handle.call("params")._asdict(), (), ()


def _fees(_deployment: Deployment, handle: Contract, _token: str | None) -> Struct:
    return handle.call("fees")._asdict(), (), (handle.call("feeRecipient"),)


def _feed(deployment: Deployment, handle: Contract, token: str | None) -> Struct:
    address = token_of(deployment, token)
    return {"token": address, **handle.call("feedOf", address)._asdict()}, (), ()


def _twap(deployment: Deployment, handle: Contract, token: str | None) -> Struct:
    address = token_of(deployment, token)
    struct = handle.call("twapOf", address)._asdict()
    if struct["pool"] == NOBODY:
        raise InputError(f"no pool checks the feed of {token}: there is no window or band to change")
    return struct, (address,), ()


_STRUCTS: dict[str, Callable[[Deployment, Contract, str | None], Struct]] = {
    "setParams": _params,
    "setFees": _fees,
    "setFeed": _feed,
    "setTwap": _twap,
}


def handle_of(deployment: Deployment, contract: str) -> Contract:
    """A contract of the deployment by its name there. Raises InputError for one that it does not have."""
    handle = getattr(deployment, contract, None)
    if not isinstance(handle, Contract):
        why = "it has no governance" if contract in GOVERNANCE else "correct the name"
        raise InputError(f"this deployment has no {contract!r}: {why}")
    return handle


def token_of(deployment: Deployment, symbol: str | None) -> str:
    """Address of a basket token, or of "cash". Raises InputError for an unknown symbol."""
    known = {s: t.address for s, t in zip(deployment.symbols, deployment.tokens, strict=True)}
    known["cash"] = deployment.cash.address
    if symbol not in known:
        raise InputError(f"{symbol!r} is no token of this vault; name one of {', '.join(known)}")
    return known[symbol]


def signer(
    deployment: Deployment, new: str | None = None, replaces: str | None = None, threshold: int | None = None
) -> Draft:
    """A signer comes, leaves, or takes another's place: anyone activates it `signerDelay` after execution."""
    oracle = deployment.volatility_oracle
    signers = {s.lower() for s in oracle.call("signers")}
    if new is None and replaces is None:
        raise InputError("name a signer that comes, or one that leaves")
    if new is not None and new.lower() in signers:
        raise InputError(f"{new} signs already")
    if replaces is not None and replaces.lower() not in signers:
        raise InputError(f"{replaces} is none of the signers {', '.join(sorted(signers))}")
    count = len(signers) + (new is not None) - (replaces is not None)
    needed = oracle.call("threshold") if threshold is None else threshold
    if not count // 2 + 1 <= needed <= count:
        raise InputError(
            f"a threshold of {needed} for {count} signers: give {count // 2 + 1} (a majority) to {count}"
        )
    days = oracle.call("params").signerDelay / 86_400
    words = [f"{new} signs" if new else "", f"{replaces} no more" if replaces else ""]
    title = f"Signers: {', '.join(filter(None, words))}; {needed} of {count}"
    call = Call(oracle, "proposeSigner", (new or NOBODY, replaces or NOBODY, needed))
    return Draft(title, (call,), f"Anyone may activate it {days:g} days after the execution.")


def abdicate(deployment: Deployment, contract: str, function: str) -> Draft:
    """Governance gives up a power over one of its contracts for ever."""
    if deployment.timelock is None:
        raise InputError("a plain address owns this vault: there is no timelock that could give up a power")
    target = handle_of(deployment, contract)
    if contract in GOVERNANCE:
        raise InputError(f"a power over the {contract} cannot be given up; name a contract that it owns")
    if not target.interface.has("transferOwnership"):
        raise InputError(f"nobody owns the {contract}: there is no power over it to give up")
    matching = [e for e in target.abi if e["type"] == "function" and e["name"] == function]
    if len(matching) != 1 or matching[0]["stateMutability"] in ("view", "pure"):
        raise InputError(f"the {contract} has no function {function!r} that changes anything")
    selector = target.interface.function(function, len(matching[0]["inputs"])).selector
    if deployment.timelock.call("abdicated", target.address, selector):
        raise InputError(f"{contract}.{function} was given up already")
    call = Call(deployment.timelock, "abdicate", (target.address, selector))
    title = f"Give up {contract}.{function} for ever"
    return Draft(title, (call,), f"With it the power to hand the {contract} to another owner.")
