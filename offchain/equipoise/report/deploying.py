"""A deployment on the terminal: what was found, each step with its gas, and what is left to do."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from equipoise.client.chain import Receipt
from equipoise.client.config import DeploymentConfig
from equipoise.client.deploy import StepReport
from equipoise.client.deploy.authority import OWNED
from equipoise.client.deployment import Deployment
from equipoise.client.preflight import Finding

__all__ = ["StepPrinter", "print_costs", "print_findings", "print_handover"]


def print_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Errors first, one a line."""
    styles = {"error": "red", "warning": "yellow"}
    for finding in sorted(findings, key=lambda found: found.level):
        label = f"[{styles[finding.level]}]{finding.level:>7}[/]"
        console.print(
            f"{label}  [bold]{finding.subject}[/]  {finding.message}", highlight=False, soft_wrap=True
        )


class StepPrinter:
    """A line for each step when it is done, and meanwhile which one is waited for.

    `receipts` holds (name of the step, receipt) of what was sent.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("")
        self.receipts: list[tuple[str, Receipt]] = []

    def __enter__(self) -> StepPrinter:
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def __call__(self, step: StepReport) -> None:
        place = f"{step.number:>2}/{step.total}"
        if step.state == "begins":
            self._status.update(f"{place}  {step.name} …")
        elif step.receipt is None:
            self._line(place, step.name, "already done", "")
        else:
            self.receipts.append((step.name, step.receipt))
            self._line(place, step.name, f"{step.receipt.gas_used:,} gas", step.receipt.hash)

    def _line(self, place: str, name: str, gas: str, transaction: str) -> None:
        short = f"  {transaction[:10]}…" if transaction else ""
        self._console.print(f"{place}  {name:<40} {gas:>15}{short}", highlight=False, soft_wrap=True)


def print_costs(console: Console, receipts: Sequence[tuple[str, Receipt]], gas_price: int) -> None:
    """Gas and cost of each step at `gas_price` {wei}, and their sum."""
    table = Table(title=f"Dry run at {gas_price / 1e9:.4g} gwei", title_justify="left")
    table.add_column("Step")
    table.add_column("Gas", justify="right")
    table.add_column("ETH", justify="right")
    for name, receipt in receipts:
        table.add_row(name, f"{receipt.gas_used:,}", f"{receipt.gas_used * gas_price / 1e18:.6f}")
    total = sum(receipt.gas_used for _, receipt in receipts)
    table.add_section()
    table.add_row("Total", f"{total:,}", f"{total * gas_price / 1e18:.6f}")
    console.print(table)


def _say(console: Console, line: str) -> None:
    """One line as it is, however narrow the terminal: addresses are copied."""
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def print_handover(console: Console, deployment: Deployment, config: DeploymentConfig) -> None:
    """Where everything is, and what the owner has to do."""
    _say(console, f"vault      {deployment.vault.address}")
    if deployment.timelock and deployment.governor and deployment.votes:
        _say(console, f"votes      {deployment.votes.address}")
        console.print(
            f"timelock   {deployment.timelock.address}  owns everything", highlight=False, soft_wrap=True
        )
        console.print(
            f"governor   {deployment.governor.address}  is all that may propose",
            highlight=False,
            soft_wrap=True,
        )
        return
    pending = [
        contract
        for name in OWNED
        if (contract := getattr(deployment, name)).call("owner").lower() != str(config.owner).lower()
    ]
    if pending:
        console.print(
            f"{config.owner} has to call acceptOwnership() on each of:", highlight=False, soft_wrap=True
        )
        for contract in pending:
            _say(console, f"  {contract.address}  {contract.name}")
