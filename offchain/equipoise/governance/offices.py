"""Proposals that an incident ends with: unpause, another guardian, another feed."""

from __future__ import annotations

from eth_utils import is_address, keccak, to_checksum_address

from equipoise.client.config import AssetConfig
from equipoise.client.deployment import Deployment
from equipoise.errors import InputError
from equipoise.governance.draft import Call, Draft

__all__ = ["feed", "guardian", "remove_veto", "unpause"]

CANCELLER_ROLE = keccak(text="CANCELLER_ROLE")
"""TimelockController's role of who may cancel what waits."""


def unpause(deployment: Deployment) -> Draft:
    """Lift both pauses of the guard."""
    guard = deployment.guard
    paused = [kind for kind in ("increases", "deposits") if guard.call(f"{kind}Paused")]
    if not paused:
        raise InputError("neither increases nor deposits are paused: there is nothing to lift")
    return Draft(f"Lift the pause of {' and '.join(paused)}", (Call(guard, "unpause", ()),))


def guardian(deployment: Deployment, new: str, *, lift: bool = False) -> Draft:
    """Another guardian of guard, oracle and timelock; with `lift` the pauses of the old one are lifted too.

    The old one keeps its veto until `remove_veto`, which it cannot veto, and may veto this until then.
    """
    who = _address(new)
    holders = [deployment.guard, deployment.volatility_oracle]
    calls = [Call(c, "setGuardian", (who,)) for c in holders if c.call("guardian") != who]
    timelock = deployment.timelock
    if timelock is not None and not timelock.call("hasRole", CANCELLER_ROLE, who):
        calls.append(Call(timelock, "grantRole", (CANCELLER_ROLE, who)))
    if not calls:
        raise InputError(f"{who} is the guardian already")
    if lift:
        calls += unpause(deployment).calls
    return Draft(f"Guardian {who}{', and both pauses lifted' if lift else ''}", tuple(calls))


def remove_veto(deployment: Deployment, old: str) -> Draft:
    """Take the veto from a guardian: alone in its proposal, so that no veto stops it."""
    who, timelock = _address(old), deployment.timelock
    if timelock is None:
        raise InputError("this deployment has no timelock: nobody holds a veto")
    if not timelock.call("hasRole", CANCELLER_ROLE, who):
        raise InputError(f"{who} holds no veto")
    return Draft(f"No veto for {who}", (Call(timelock, "revokeRole", (CANCELLER_ROLE, who)),))


def feed(deployment: Deployment, asset: AssetConfig) -> Draft:
    """Another feed, or other bounds, of a token that is listed: all fields of `asset` count."""
    prices = deployment.price_oracle
    known = [token.address for token in (*deployment.tokens, deployment.cash)]
    if to_checksum_address(asset.token) not in known:
        raise InputError(f"{asset.token} is no token of this vault; add it by `ape run propose add`")
    now = prices.call("feedOf", asset.token).feed
    return Draft(
        f"Feed of {asset.symbol}: {now} -> {to_checksum_address(asset.feed)}",
        (Call(prices, "setFeed", (asset.listing(),)),),
        f"- heartbeat {asset.heartbeat} s, half spread {asset.half_spread_bps} bp\n"
        f"- bounds {asset.min_price:g} to {asset.max_price:g} USD",
    )


def _address(text: str) -> str:
    if not is_address(text) or not int(text, 16):
        raise InputError(f"{text!r} is no address of anybody; give 0x and 40 hex digits")
    return str(to_checksum_address(text))
