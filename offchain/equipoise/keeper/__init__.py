"""The keeper: opens auctions and pulls the ripcord when the vault's rule allows it, and fills them."""

from equipoise.keeper.keeper import Fill, Keeper, Opportunity, RipcordFill

__all__ = ["Fill", "Keeper", "Opportunity", "RipcordFill"]
