"""The table of parameters in contracts/README.md: ``python -m equipoise.governance.table`` writes it anew."""

from __future__ import annotations

from pathlib import Path

from equipoise.client.artifacts import ROOT
from equipoise.errors import InputError
from equipoise.governance.parameters import PARAMETERS, Parameter

__all__ = ["README", "inserted", "main", "table"]

README = ROOT / "contracts" / "README.md"
BEGIN, END = "<!-- parameters: begin (python -m equipoise.governance.table) -->", "<!-- parameters: end -->"
_HEAD = ("parameter", "unit", "range", "default", "set by", "guardian, at once", "governance", "abdicable")


def _range(parameter: Parameter) -> str:
    words = f"{parameter.shown(parameter.low)} to {parameter.shown(parameter.high)}"
    if parameter.high_unlevered is None:
        return words
    return f"{words}; without a lending account to {parameter.shown(parameter.high_unlevered)}"


def _row(parameter: Parameter) -> tuple[str, ...]:
    default = "-" if parameter.default is None else parameter.shown(parameter.default)
    note = f" ({parameter.note})" if parameter.note else ""
    setter = "at construction, for ever" if parameter.construction else f"`{parameter.setter}`"
    return (
        f"`{parameter.key}`{note}",
        parameter.unit,
        _range(parameter),
        default,
        setter,
        parameter.tighter or "-",
        "never" if parameter.construction else "after the delay",
        "yes" if parameter.abdicable else "no",
    )


def table() -> str:
    """Markdown, one row a parameter in the order of the contracts."""
    rows = [_HEAD, tuple("---" for _ in _HEAD), *map(_row, PARAMETERS)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def inserted(text: str) -> str:
    """`text` with the table between its markers. Raises InputError when it has none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise InputError(
            f"{README} lacks the markers {BEGIN!r} and {END!r}: put them where the table belongs"
        )
    return f"{before}{begin}\n\n{table()}\n\n{end}{after}"


def main(path: Path = README) -> None:
    """Write the table anew."""
    path.write_text(inserted(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
