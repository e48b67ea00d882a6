"""What `ape run propose` does between showing and sending."""

from __future__ import annotations

import click
import pytest
from rich.console import Console

from equipoise.commands.govern import propose, tell
from equipoise.errors import InputError
from equipoise.governance import Support, templates
from tests.fixtures.governance import Governed


def test_propose__not_confirmed__shows_the_effect_and_sends_nothing(
    governed: Governed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-159: also where nobody is there to answer."""
    g = governed
    draft = templates.target_volatility(g.contracts, 0.12)

    def nobody(*_: object, **__: object) -> bool:
        raise click.Abort

    for answer in (lambda *_, **__: False, nobody):
        monkeypatch.setattr(click, "confirm", answer)
        console = Console(width=80, record=True, quiet=False, force_terminal=False)
        with console.capture() as shown, pytest.raises(InputError, match="not confirmed, nothing was sent"):
            propose(g.contracts, draft, g.alice, console=console)
        assert "auction.targetVolatility: 0.15 -> 0.12" in shown.get()
        assert "gas of its calls" in shown.get()
    assert g.governance.proposals() == []


def test_propose__confirmed__is_told_by_its_id_and_the_next_step(
    governed: Governed, monkeypatch: pytest.MonkeyPatch
) -> None:
    g = governed
    monkeypatch.setattr(click, "confirm", lambda *_, **__: True)
    console = Console(width=80, force_terminal=False)
    with console.capture() as shown:
        made = propose(g.contracts, templates.deposit_cap(g.contracts, 10**6), g.alice, console=console)
    assert made is not None
    assert str(made.id) in shown.get()
    assert "next: votes count from" in shown.get()

    g.to_vote(made)
    g.governance.vote(made, g.alice, Support.FOR)
    with console.capture() as shown:
        _, found = tell(g.contracts, "latest", console)
    assert found == made
    words = " ".join(shown.get().split())
    assert "vault.depositCap: 10,000,000 -> 1,000,000 (active)" in words
    assert "1. vault.setDepositCap(1000000000000)" in words
    assert "votes: against 0, for 39,980, abstain 0; quorum 9,99" in words
    assert "next: vote with `ape run vote`" in words


def test_propose__by_somebody_without_votes__is_refused_after_the_effect(governed: Governed) -> None:
    """EQ-153: whoever may not propose still sees what would happen."""
    g = governed
    console = Console(width=80, force_terminal=False)
    draft = templates.target_volatility(g.contracts, 0.12)
    with console.capture() as shown, pytest.raises(InputError, match="has 0 votes"):
        propose(g.contracts, draft, g.bob, console=console, yes=True)
    assert "target volatility" in shown.get()
    with console.capture():
        assert propose(g.contracts, draft, g.bob, console=console, simulate_only=True) is None
