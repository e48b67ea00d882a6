"""The keeper: opens auctions when the vault's own rule allows it and fills them without capital."""

from equipoise.keeper.keeper import Fill, Keeper, Opportunity

__all__ = ["Fill", "Keeper", "Opportunity"]
