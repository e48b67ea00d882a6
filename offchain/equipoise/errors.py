"""Named errors: everything that Equipoise refuses is an `EquipoiseError`, one line at the command line."""

from __future__ import annotations

__all__ = [
    "BudgetError",
    "ContractRevert",
    "EquipoiseError",
    "EstimationError",
    "InputError",
    "MarketDataError",
    "OracleError",
    "SolverError",
    "ToolchainError",
    "WorldError",
]


class EquipoiseError(Exception):
    """Base of every named error. The message says the value, the allowed range and the remedy."""


class InputError(EquipoiseError, ValueError):
    """An argument is outside its documented domain; nothing was changed."""


class MarketDataError(InputError):
    """A price file is unusable: gaps, duplicates, wrong values, unknown columns, too few rows, no order."""


class EstimationError(InputError):
    """An estimate cannot be made from these data."""


class SolverError(InputError):
    """A covariance or its budgets are invalid, or the solution failed its certificate."""


class OracleError(EquipoiseError):
    """A report was not signed, aggregated or published."""


class BudgetError(EquipoiseError):
    """A transaction was not sent: it would spend more than its limits allow."""


class ToolchainError(EquipoiseError):
    """A tool (compiler, anvil, node) is missing or not the pinned one."""


class WorldError(EquipoiseError):
    """The local chain did not start, stop, or do what was asked."""


class ContractRevert(EquipoiseError):
    """A contract refused a call by a custom error.

    Parameters
    ----------
    name
        Name of the custom error, e.g. ``VolatilityOracle__TooOld``.
    args
        Its decoded arguments, in order of declaration (also readable as ``revert.arguments``).
    contract
        Name of the contract that was called, empty when unknown.
    """

    def __init__(self, name: str, args: tuple[object, ...] = (), contract: str = "") -> None:
        self.name = name
        self.arguments = tuple(args)
        self.contract = contract
        where = f"{contract}: " if contract else ""
        super().__init__(f"{where}{name}({', '.join(map(_shown, self.arguments))})")

    def __reduce__(self) -> tuple[type[ContractRevert], tuple[str, tuple[object, ...], str]]:
        return (type(self), (self.name, self.arguments, self.contract))


def _shown(argument: object) -> str:
    """A bytes32 that holds a name, as Solidity pads it, reads as that name; other bytes as hex."""
    if not isinstance(argument, bytes):
        return str(argument)
    name = argument.rstrip(b"\0")
    return name.decode() if name and name.isascii() and name.decode().isprintable() else "0x" + argument.hex()
