"""What ape refuses ends in one line."""

from __future__ import annotations

import click
import pytest
from ape.cli import ConnectedProviderCommand
from ape.exceptions import ProviderError
from click.testing import CliRunner

from equipoise.commands.ape import ApeCommand
from equipoise.errors import InputError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            ProviderError("Missing URI"),
            "error: Missing URI; name an endpoint by --network ECOSYSTEM:NETWORK:URL",
        ),
        (InputError("no\n such thing"), "error: no such thing\n"),
    ],
)
def test_invoke__refusal_of_ape_or_of_ours__is_one_line(
    monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    """EQ-174"""
    monkeypatch.setattr(ConnectedProviderCommand, "invoke", click.Command.invoke)

    @click.command(cls=ApeCommand)
    def refuse(**_: object) -> None:
        raise error

    result = CliRunner().invoke(refuse, [])
    assert result.exit_code == 2
    assert result.output.startswith(said)
    assert result.output.count("\n") == 1
