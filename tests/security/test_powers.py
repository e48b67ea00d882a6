"""Every state-changing function of a live, governed, levered deployment, tried by every role."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from equipoise.client.artifacts import load_artifact
from equipoise.client.deployment import ACCOUNT, CONTRACTS, GOVERNANCE
from equipoise.units import DAY
from tests.fixtures.governance import Governed
from tests.fixtures.privileges import Powers, admitted, state_changing

OWNABLE = {"timelock": "transferOwnership renounceOwnership", "nobody": "acceptOwnership"}
TOKEN = "approve transfer transferFrom"

# contract -> who -> functions; a new function must be judged here before the test passes
POWERS: dict[str, dict[str, str]] = {
    "vault": {
        "anyone": f"deposit mint withdraw redeem redeemInKind accrueFees {TOKEN}",
        "auction": "exchange",
        "guardian, timelock": "setDepositCap",
        "timelock": f"setFees setBasket {OWNABLE['timelock']}",
        "nobody": f"setAuction {OWNABLE['nobody']}",
    },
    "auction": {
        "anyone": "open bid bidBasket ripcord",
        "guardian, timelock": "setParams",
        **OWNABLE,
    },
    "guard": {
        "guardian, timelock": "pauseIncreases pauseDeposits",
        "timelock": f"unpause setParams setGuardian {OWNABLE['timelock']}",
        "nobody": OWNABLE["nobody"],
    },
    "volatility_oracle": {
        "anyone": "postVolatilities postCorrelations postCoordinates solveCoordinates activateSigner",
        "guardian, timelock": "removeSigner cancelProposal",
        "timelock": "setBudgets setBasket setParams setGuardian proposeSigner raiseThreshold "
        + OWNABLE["timelock"],
        "nobody": OWNABLE["nobody"],
    },
    "realized_volatility": {
        "anyone": "poke pokeParity",
        "timelock": f"setParams setBasket {OWNABLE['timelock']}",
        "nobody": f"setVolatilityOracle {OWNABLE['nobody']}",
    },
    "price_oracle": {"timelock": f"setFeed setTwap {OWNABLE['timelock']}", "nobody": OWNABLE["nobody"]},
    "account": {
        "anyone": "dropCollateral useAsCollateral",
        "vault": "supply withdraw release borrow repay list",
        "nobody": "bind",
    },
    "filler": {"anyone": "fill fillBasket", "nobody": "uniswapV3SwapCallback"},
    "zap": {"anyone": "exit", "nobody": "executeOperation"},
    "lens": {},
    "votes": {"anyone": f"depositFor withdrawTo delegate delegateBySig permit {TOKEN}"},
    "timelock": {
        "anyone": "execute executeBatch acceptOwnership renounceRole "
        "onERC721Received onERC1155Received onERC1155BatchReceived",
        "governor": "schedule scheduleBatch",
        "guardian": "cancel",
        "timelock": "updateDelay abdicate grantRole revokeRole",
    },
    "governor": {
        "anyone": "castVote castVoteWithReason castVoteWithReasonAndParams castVoteBySig "
        "castVoteWithReasonAndParamsBySig queue execute cancel",
        "holder": "propose",
        "timelock": "setVotingDelay setVotingPeriod setLateQuorumVoteExtension setProposalThreshold "
        "setQuorum updateTimelock relay",
        "nobody": "onERC721Received onERC1155Received onERC1155BatchReceived",
    },
}
EVERYTHING = {**CONTRACTS, "account": ACCOUNT, **GOVERNANCE}


def judged() -> dict[str, str]:
    """``contract.function`` -> who."""
    return {
        f"{contract}.{function}": who
        for contract, table in POWERS.items()
        for who, functions in table.items()
        for function in functions.split()
    }


def telling_arguments(g: Governed) -> dict[str, Callable[[str], tuple[Any, ...]]]:
    """Where plain arguments would not show who may: a guardian tightens, one renounces one's own role."""
    lower = g.auction.call("params")
    lower = lower._replace(targetVolatilityWad=lower.targetVolatilityWad - 1)
    cap = g.vault.call("depositCap") - 1
    return {
        "auction.setParams": lambda sender: (lower,),
        "vault.setDepositCap": lambda sender: (cap,),
        "timelock.renounceRole": lambda sender: (b"\0" * 32, sender),
    }


def when(who: str, delay: int) -> str:
    """After which delay somebody can do it."""
    if who in ("anyone", "auction", "vault", "guardian"):
        return "at once"
    if who == "nobody":
        return "never again, or only in a call of its own"
    if who == "holder":
        return "at once, with 1 % of the shares wrapped"
    if who == "governor":
        return "when a vote has passed"
    later = f"a passed vote, then {delay / DAY:g} days"
    return f"at once to tighten; else {later}" if "guardian" in who else later


def test_functions__of_every_contract__are_judged() -> None:
    """EQ-62, EQ-156: the ABIs have no lever that the list lacks, and the list none that they lack."""
    found = {
        f"{contract}.{e['name']}"
        for contract, name in EVERYTHING.items()
        for e in load_artifact(name).abi
        if e["type"] == "function" and e["stateMutability"] in ("nonpayable", "payable")
    }
    assert found == set(judged())


def test_functions__tried_by_every_role__admit_whom_the_list_says(
    governed_levered: Governed, powers: Powers
) -> None:
    """EQ-62, EQ-156: who can call each privileged function, and after which delay."""
    g = governed_levered
    roles = {
        "stranger": g.mallory,
        "deployer": g.owner,
        "holder": g.alice,
        "guardian": g.guardian,
        "auction": g.auction.address,
        "vault": g.vault.address,
        "governor": g.governor.address,
        "timelock": g.timelock.address,
    }
    telling = telling_arguments(g)
    found = {}
    for attribute in EVERYTHING:
        contract = getattr(g.contracts, attribute)
        for entry in state_changing(contract):
            name = f"{attribute}.{entry['name']}"
            may = admitted(contract, entry, roles, telling.get(name))
            found[name] = "anyone" if len(may) == len(roles) else ", ".join(may) or "nobody"
    assert found == judged()
    delay = g.timelock.call("getMinDelay")
    rows = [(name, who, when(who, delay)) for name, who in found.items() if who != "anyone"]
    powers(sorted(rows, key=lambda row: (row[1], row[0])))


def test_guardian__loosening__is_the_timelocks_alone(governed_levered: Governed) -> None:
    """EQ-101: each of its powers, turned the other way."""
    g = governed_levered
    params = g.auction.call("params")
    higher = params._replace(targetVolatilityWad=params.targetVolatilityWad + 1)
    unauthorised = "OwnableUnauthorizedAccount"
    g.system.refuses(unauthorised, g.auction, "setParams", higher, sender=g.guardian)
    cap = g.vault.call("depositCap") + 1
    g.system.refuses(unauthorised, g.vault, "setDepositCap", cap, sender=g.guardian)
    g.guard.send("pauseIncreases", sender=g.guardian)
    g.system.refuses(unauthorised, g.guard, "unpause", sender=g.guardian)
