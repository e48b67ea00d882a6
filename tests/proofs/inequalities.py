"""What halmos cannot decide, proven by z3 over the reals: products of shares and values, fees included.

A quotient rounded down is any number at most the exact one, so each claim holds for every rounding in the
vault's favour and for numbers of any size. It is about the formulas, not the bytecode: that the contracts
round so is for tests/conformance. With its premise weakened, by a unit of rounding or so, a claim must have
a counterexample. Run by the environment of `make prove`, which has z3.
"""

from __future__ import annotations

import sys

import z3

a, S, A, B, s, out, f, g = z3.Reals("a S A B s out f g")
C, D, d, phi = z3.Reals("C D d phi")
"""Assets, supply, NAV at ask and at bid (with their virtual parts), shares, assets out, entry and exit fee;
collateral, debt, discount, fraction sold."""

POSITIVE = [a > 0, S > 0, B > 0, s > 0, out >= 0]
FEES = [f >= 0, f < 1, g >= 0, g < 1]
SPREAD = [B <= A]
MINTED = [s * A <= a * (1 - f) * S]
BURNT = [s < S, out * S <= s * B * (1 - g)]
REDEEMED = [out * (S + s) <= s * (B + a) * (1 - g)]
UNIT = 1
RIPCORD = [D > 0, D < C, phi > 0, phi < 1, d >= 0]

CLAIMS: dict[str, tuple[list[z3.BoolRef], z3.BoolRef, list[z3.BoolRef]]] = {
    "EQ-57 deposit (or mint), then redeem (or withdraw) at once: no more than was paid": (
        POSITIVE + FEES + SPREAD + MINTED + REDEEMED,
        out <= a,
        POSITIVE + FEES + SPREAD + [s * A <= (a * (1 - f) * S) + UNIT * A] + REDEEMED,
    ),
    "EQ-56 the same needs a bid of at most the ask": (
        POSITIVE + FEES + SPREAD + MINTED + REDEEMED,
        out <= a,
        POSITIVE + FEES + MINTED + REDEEMED,
    ),
    "EQ-58 deposit: nobody else's part of the NAV at ask falls": (
        [*POSITIVE, A > 0, *FEES, *MINTED],
        (A + a) * S >= A * (S + s),
        [*POSITIVE, A > 0, *FEES, s * A <= a * S + UNIT * A],
    ),
    "EQ-58 redeem: nobody else's part of the NAV at bid falls": (
        POSITIVE + FEES + BURNT,
        (B - out) * S >= B * (S - s),
        [*POSITIVE, *FEES, s < S, out * S <= s * B + UNIT * S],
    ),
    "EQ-57 deposit, then an exit in kind: no more value at ask than was paid": (
        [*POSITIVE, A > 0, *FEES, *MINTED, out * (S + s) <= s * (A + a) * (1 - g)],
        out <= a,
        [*POSITIVE, A > 0, *FEES, *MINTED, out * (S + s) <= s * (A + a) + UNIT * (S + s)],
    ),
    "EQ-133 ripcord: every sale lowers debt over collateral": (
        [*RIPCORD, 2 * d * C <= C - D],
        (D - phi * C * (1 - d)) * C < D * C * (1 - phi),
        [*RIPCORD, d * C <= C - D],
    ),
    "EQ-53 fee shares m of f S / (1 - f): the recipient owns at most f of all": (
        [S > 0, *FEES, s >= 0, s * (1 - f) <= S * f],
        s <= f * (S + s),
        [S > 0, *FEES, s >= 0, s * (1 - f) <= S * f + UNIT * (1 - f)],
    ),
}


NAMES = {"unsat": "proven", "sat": "refuted", "unknown": "undecided"}


def decide(premises: list[z3.BoolRef], claim: z3.BoolRef) -> z3.CheckSatResult:
    """unsat: the premises imply the claim."""
    solver = z3.SolverFor("QF_NRA")
    solver.set("timeout", 60_000)
    solver.add(*premises, z3.Not(claim))
    return solver.check()


def main() -> int:
    failures = 0
    for name, (premises, claim, weakened) in CLAIMS.items():
        proven, refuted = decide(premises, claim), decide(weakened, claim)
        print(f"z3: {name}: {NAMES[str(proven)]}; weakened: {NAMES[str(refuted)]}")
        failures += (proven != z3.unsat) + (refuted != z3.sat)
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
