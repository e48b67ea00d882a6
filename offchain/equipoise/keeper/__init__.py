"""The keeper: opens auctions and pulls the ripcord when the vault's rule allows it, and fills them."""

from equipoise.keeper.fills import Fill, RipcordFill
from equipoise.keeper.keeper import Keeper
from equipoise.keeper.lots import Opportunity

__all__ = ["Fill", "Keeper", "Opportunity", "RipcordFill"]
