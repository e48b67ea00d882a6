"""A user comes to the vault and does one step of the schedule."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.client.deployment import Deployment
from equipoise.simulation.actors import Step
from equipoise.units import from_token, to_token
from equipoise.world import World

__all__ = ["Visit", "visit"]

_STEP = 12  # seconds between transactions of the same chapter of a day


@dataclass(frozen=True)
class Visit:
    """What it was worth {USD} and what it cost {gas}."""

    usd: float
    gas: int


def visit(world: World, deployment: Deployment, user: str, step: Step) -> Visit | None:
    """Do the step from the unlocked account `user`; None where it has no shares for it.

    Raises ContractRevert where the vault refuses: no step of a schedule may be refused.
    """
    vault = deployment.vault
    world.warp(_STEP)
    if step.action == "deposit":
        amount = to_token(step.amount)
        world.fund("USDC", user, amount)
        deployment.cash.send("approve", vault.address, amount, sender=user)
        receipt = vault.send("deposit", amount, user, sender=user)
        return Visit(step.amount, receipt.gas_used)
    shares = vault.call("balanceOf", user) * round(step.amount * 100) // 100
    if step.action == "redeem":
        # a millionth less: interest until the transaction makes a share worth more of the same cash
        most = vault.call("maxRedeem", user)
        shares = min(shares, most - most // 10**6)
    if shares == 0:
        return None
    usd = from_token(vault.call("convertToAssets", shares))
    if step.action == "redeem":
        receipt = vault.send("redeem", shares, user, user, sender=user)
    elif step.action == "exit_in_kind":
        if debt := vault.call("previewRedeemInKind", shares).debtRepaid:
            # a day's interest more than is owed now
            world.fund("USDC", user, debt + debt // 1000 + 1)
            deployment.cash.send("approve", vault.address, debt + debt // 1000 + 1, sender=user)
        receipt = vault.send("redeemInKind", shares, user, user, [], sender=user)
    else:
        vault.send("approve", deployment.zap.address, shares, sender=user)
        least = int(vault.call("convertToAssets", shares) * 0.95)
        deadline = world.chain.timestamp() + 600
        receipt = deployment.zap.send(
            "exit", shares, least, list(deployment.pool_fees), [], user, deadline, sender=user
        )
    return Visit(usd, receipt.gas_used)
