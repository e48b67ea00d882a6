"""What `ape run deploy` does, over any chain: look first, ask, deploy step by step, tell what is left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console

from equipoise.client.chain import Chain
from equipoise.client.config import DeploymentConfig
from equipoise.client.deploy import deploy
from equipoise.client.deploy.head import HeadWatch
from equipoise.client.deploy.pending import PATIENCE_SECONDS, wait_for_pending
from equipoise.client.deploy.plan import make_plan
from equipoise.client.deploy.record import Record
from equipoise.client.deployment import Deployment, deployment_path
from equipoise.client.preflight import Findings, inspect
from equipoise.errors import InputError
from equipoise.report.deploying import StepPrinter, print_costs, print_findings, print_handover
from equipoise.world.fork import Fork

__all__ = ["choose_config", "dry_run", "run"]


def choose_config(chain: Chain, source: str | None, recorded: bool) -> DeploymentConfig:
    """The configuration of the file, or the one with which the recorded deployment was begun.

    Raises InputError when neither or both are asked for.
    """
    if recorded == bool(source):
        raise InputError(
            "give --config FILE, or --recorded to go on with the recorded configuration, not both"
        )
    if source:
        return DeploymentConfig.from_yaml(source)
    path = deployment_path(chain.chain_id)
    record = Record.read(path)
    if record is None:
        raise InputError(f"there is no record at {path} to go on with; give --config FILE")
    return record.config


def run(
    chain: Chain,
    deployer: str,
    config: DeploymentConfig,
    *,
    console: Console,
    restart: bool = False,
    accept_warnings: bool = False,
    second: Chain | None = None,
    path: Path | None = None,
    patience: float = PATIENCE_SECONDS,
    before_sending: Callable[[], None] = lambda: None,
) -> tuple[Deployment, Record]:
    """Deploy `config`, or go on with it.

    Parameters
    ----------
    restart
        Leave a record of another configuration aside and begin anew.
    accept_warnings
        Do not ask about them.
    second
        Another endpoint of the same network, to compare heads with.
    path
        Of the record; scripts/deployments/<chain id>.json by default.
    patience
        Seconds to wait for the deployer's earlier transactions.
    before_sending
        Called once, when everything is checked: unlock the key there.
    """
    watch = HeadWatch(chain, second)
    watch.check()
    plan = make_plan(chain, deployer, config)
    record = Record.open(chain, deployer, config, plan, path=path, restart=restart)
    if record.complete:
        deployment = Deployment.load(chain, record.path)
        console.print(f"{record.path} is complete: nothing to do", highlight=False, soft_wrap=True)
        print_handover(console, deployment, config)
        return deployment, record
    with console.status("earlier transactions of the deployer are waited for …"):
        wait_for_pending(chain, deployer, patience)
    _decide(console, inspect(chain, deployer, config, plan), accept_warnings)
    before_sending()
    with StepPrinter(console) as printer:
        deployment = deploy(chain, deployer, config, printer, record=record, watch=watch)
    print_handover(console, deployment, config)
    console.print(f"addresses in {record.path}", highlight=False, soft_wrap=True)
    return deployment, record


def dry_run(
    chain: Chain, url: str, deployer: str, config: DeploymentConfig, *, console: Console
) -> list[tuple[str, int]]:
    """The same on a private fork of the network, with a deployer of means: (step, gas) of each.

    Nothing is sent to the network, and nothing is written down.
    """
    base_fee = chain.request("eth_getBlockByNumber", "latest", False).get("baseFeePerGas") or "0x0"
    with Fork(url) as fork:
        fork.fund(deployer)
        findings = inspect(fork.chain, deployer, config, make_plan(fork.chain, deployer, config))
        _decide(console, findings, accept_warnings=True)
        with StepPrinter(console) as printer:
            deploy(fork.chain, deployer, config, printer)
    print_costs(console, printer.receipts, int(base_fee, 16))
    return [(name, receipt.gas_used) for name, receipt in printer.receipts]


def _decide(console: Console, findings: Findings, accept_warnings: bool) -> None:
    """Raises InputError for errors, and for warnings that nobody accepts."""
    print_findings(console, findings)
    if findings.errors:
        subjects = ", ".join(dict.fromkeys(finding.subject for finding in findings.errors))
        raise InputError(
            f"{len(findings.errors)} errors ({subjects}), told above; nothing was sent: correct the "
            "configuration, "
            "then run this again"
        )
    if not findings.warnings or accept_warnings:
        return
    question = f"{len(findings.warnings)} warnings: go on?"
    try:
        accepted = click.confirm(question, default=False)
    except click.Abort:
        accepted = False  # nobody there to answer
    if not accepted:
        raise InputError("warnings not accepted, nothing was sent: correct them, or give --accept-warnings")
