"""Runs the steps of a deployment, each once, whatever happened before."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from equipoise.client.chain import Chain, Receipt, RevertedCall, RpcError
from equipoise.client.config import DeploymentConfig
from equipoise.client.deploy.authority import check_authority
from equipoise.client.deploy.create2 import check_factory
from equipoise.client.deploy.head import HeadWatch
from equipoise.client.deploy.plan import Plan, make_plan
from equipoise.client.deploy.record import Record
from equipoise.client.deploy.steps import Step
from equipoise.client.deployment import CONTRACTS, GOVERNANCE, Deployment
from equipoise.errors import ContractRevert

__all__ = ["Progress", "StepReport", "deploy"]

PATIENCE_SECONDS = 30.0
"""How long a balanced endpoint may need until it knows what it has just mined."""


@dataclass(frozen=True)
class StepReport:
    """Where a deployment stands: step `number` (from 1) of `total` begins, is done, or was found done."""

    name: str
    number: int
    total: int
    state: Literal["begins", "done", "found"]
    receipt: Receipt | None = None


Progress = Callable[[StepReport], None]


def deploy(
    chain: Chain,
    deployer: str,
    config: DeploymentConfig,
    progress: Progress = lambda _: None,
    *,
    record: Record | None = None,
    watch: HeadWatch | None = None,
    patience: float = PATIENCE_SECONDS,
) -> Deployment:
    """Deploy and wire everything, then hand it to the owner; go on where an earlier run ended.

    Every step asks the chain first whether it is done. Ownership moves in two steps (Ownable2Step): a plain
    `config.owner` other than the deployer still has to call `acceptOwnership` on each owned contract; with
    `config.governance` the timelock has accepted, and the deployer has no power left.

    Parameters
    ----------
    record
        Where to note each step; complete only once the chain has confirmed who has which power.
    watch
        Asked before each transaction whether the node can be believed.
    patience
        Seconds to wait until the chain shows what a mined transaction did.

    Raises
    ------
    InputError, ContractRevert, RpcError
        Nothing is lost: the same call goes on.
    """
    check_factory(chain)
    plan = make_plan(chain, deployer, config)
    for number, step in enumerate(plan.steps, 1):
        place = step.name, number, len(plan.steps)
        if step.is_done():
            if record:
                record.note(step.name, None)
            progress(StepReport(*place, "found"))
            continue
        if watch:
            watch.check()
        progress(StepReport(*place, "begins"))
        receipt = _run(step, patience)
        if record:
            record.note(step.name, receipt)
        progress(StepReport(*place, "done", receipt))
    deployment = _handles(chain, config, plan)
    check_authority(deployment, deployer, config)
    if record:
        record.finish()
    return deployment


def _run(step: Step, patience: float) -> Receipt | None:
    """The step's receipt; None when somebody else's transaction did it first."""
    try:
        receipt = step.run()
    except (ContractRevert, RevertedCall):
        if (
            step.is_done()
        ):  # an earlier run's transaction, mined meanwhile, or a stranger's with the same code
            return None
        raise
    deadline = time.monotonic() + patience
    while not step.is_done():
        if time.monotonic() >= deadline:
            raise RpcError(
                f"{step.name}: the node says that {receipt.hash} was mined in block "
                f"{receipt.block_number}, and "
                "shows nothing of it: it lies about its head, or the block is gone. Nothing is lost: "
                "use another "
                "endpoint, and run the same command again"
            )
        time.sleep(min(0.5, patience))
    return receipt


def _handles(chain: Chain, config: DeploymentConfig, plan: Plan) -> Deployment:
    at = plan.addresses
    return Deployment.at(
        chain,
        {
            "contracts": {name: at[name] for name in CONTRACTS},
            "symbols": config.symbols,
            "pool_fees": [asset.pool_fee for asset in config.assets],
            "budgets": config.budgets,
            "tokens": [asset.token for asset in config.assets],
            "cash": config.cash.token,
            "account": at.get("account"),
            "governance": {name: at[name] for name in GOVERNANCE if name in at},
        },
    )
