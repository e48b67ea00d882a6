"""What holding a configuration against a chain has found, all of it at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from equipoise.errors import InputError

__all__ = ["Finding", "Findings", "refuse"]


@dataclass(frozen=True)
class Finding:
    """An error stops a deployment; a warning asks for a decision. `subject` names the key it is about."""

    level: Literal["error", "warning"]
    subject: str
    message: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.message}"


class Findings(list[Finding]):
    """A list that is filled as one looks."""

    def error(self, subject: str, message: str) -> None:
        self.append(Finding("error", subject, message))

    def warning(self, subject: str, message: str) -> None:
        self.append(Finding("warning", subject, message))

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self if finding.level == "error"]

    @property
    def warnings(self) -> list[Finding]:
        return [finding for finding in self if finding.level == "warning"]


def refuse(findings: Sequence[Finding]) -> None:
    """Raises InputError with every error among the findings, if there is one."""
    errors = [str(finding) for finding in findings if finding.level == "error"]
    if errors:
        raise InputError(
            f"{len(errors)} errors in the configuration, nothing was sent: {'; '.join(errors)}. Correct them "
            "and run this again"
        )
