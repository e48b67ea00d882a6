"""A proposal and its effect on a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from equipoise.client.deployment import Deployment
from equipoise.client.words import describe_call
from equipoise.governance.draft import Draft
from equipoise.governance.governor import Governance, Proposal, Support
from equipoise.governance.simulate import Effect
from equipoise.report import format as fmt

__all__ = ["print_draft", "print_effect", "print_proposal"]

_NONE = "-"


def print_draft(console: Console, deployment: Deployment, draft: Draft) -> None:
    """Title, text and calls, as they will stand on chain."""
    console.print(f"[bold]{draft.title}[/bold]", highlight=False)
    if draft.text:
        console.print(draft.text, highlight=False)
    words = [describe_call(deployment, call.target.address, call.data) for call in draft.calls]
    _print_calls(console, words)


def print_effect(console: Console, effect: Effect) -> None:
    """Two tables: each asset's budget and target, and the vault as a whole, before and after."""
    before, after = effect.before, effect.after
    assets = Table(box=box.SIMPLE, title="Executed on a fork, now", title_justify="left")
    assets.add_column("asset")
    for column in ("exposure", "budget", "then", "target", "then"):
        assets.add_column(column, justify="right")
    for symbol in dict.fromkeys([*before.budgets, *after.budgets]):
        values = [
            before.exposures.get(symbol),
            *(view.budgets.get(symbol) for view in (before, after)),
            *(view.targets.get(symbol) for view in (before, after)),
        ]
        assets.add_row(symbol, *(_percent(values[i]) for i in (0, 1, 2, 3, 4)))
    console.print(assets)

    whole = Table(box=box.SIMPLE, show_header=False)
    whole.add_column()
    whole.add_column(justify="right")
    whole.add_column(justify="right")
    whole.add_row("", "before", "after", style="bold")
    rows = [
        ("mode", before.mode, after.mode),
        ("leverage", _ratio(before.leverage), _ratio(after.leverage)),
        ("target leverage", _ratio(before.target_leverage), _ratio(after.target_leverage)),
        ("target volatility", _percent(before.target_volatility), _percent(after.target_volatility)),
        ("parity gap", _percent(before.parity_gap), _percent(after.parity_gap)),
        ("an auction may open", before.may_open, after.may_open),
    ]
    for row in rows:
        whole.add_row(*row)
    console.print(whole)
    console.print(f"gas of its calls: {fmt.gas(effect.gas_used)}", highlight=False)


def print_proposal(console: Console, governance: Governance, proposal: Proposal) -> None:
    """Where a proposal stands, what it calls, and what to do next."""
    state = governance.state(proposal).name.lower()
    console.print(f"[bold]{proposal.title}[/bold] ({state})", highlight=False)
    console.print(f"id {proposal.id}", highlight=False, soft_wrap=True)
    _print_calls(console, governance.words(proposal))
    votes = governance.governor.call("proposalVotes", proposal.id)
    quorum = governance.governor.call("quorum", proposal.snapshot)
    counted = dict(zip((Support.AGAINST, Support.FOR, Support.ABSTAIN), votes, strict=True))
    words = ", ".join(f"{support.name.lower()} {counted[support] / 1e18:,.6g}" for support in Support)
    console.print(f"votes: {words}; quorum {quorum / 1e18:,.6g}", highlight=False)
    console.print(f"next: {governance.next_step(proposal)}", highlight=False)


def _print_calls(console: Console, words: Sequence[str]) -> None:
    for i, call in enumerate(words):
        console.print(f"  {i + 1}. {call}", highlight=False, markup=False)


def _percent(value: float | None) -> str:
    return _NONE if value is None else fmt.percent(value)


def _ratio(value: float | None) -> str:
    return _NONE if value is None else fmt.ratio(value)
