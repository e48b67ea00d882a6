"""What the shareholders decide: bounded parameters, proposals, their simulation, the way to execution."""

from equipoise.governance.draft import Call, Draft
from equipoise.governance.governor import Governance, Proposal, State, Support
from equipoise.governance.parameters import PARAMETERS, Parameter, find_parameter

__all__ = [
    "PARAMETERS",
    "Call",
    "Draft",
    "Governance",
    "Parameter",
    "Proposal",
    "State",
    "Support",
    "find_parameter",
]
