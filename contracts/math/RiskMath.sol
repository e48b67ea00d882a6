// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {CorrelationMatrix} from "./CorrelationMatrix.sol";
import {Word8} from "./Word8.sol";

/// @title Risk of a portfolio: volatility, shares of variance, parity gap; the certificate of parity coordinates
/// @dev Correlations enter as integers of 1/32767, so that every C a below is exact.
library RiskMath {
    int256 private constant WAD = 1e18;
    int256 private constant ONE = CorrelationMatrix.ONE;

    /// @notice Risk of actual exposures: a_i = e_i vol_i, rc_i = a_i (C a)_i, share_i = rc_i / sum rc.
    /// @param exposuresWad {1} fraction of NAV for each asset, length n, [0, 1e26]
    /// @param vols WORD8 of volatilities
    /// @param correlations CORR, positive definite
    /// @param budgets WORD8 of risk budgets
    /// @param n number of assets [2, 8]
    /// @return volatilityWad {1/sqrt(year)} sqrt(a'Ca), rounded down
    /// @return sharesWad {1} each asset's share of variance, negative for a hedge; zeros for an empty portfolio
    /// @return parityGapWad {1} max |share_i - b_i|; 0 for an empty portfolio
    /// @custom:requirement EQ-4 EQ-5 EQ-6 EQ-13
    function riskState(
        uint256[] memory exposuresWad,
        uint256 vols,
        uint256[2] memory correlations,
        uint256 budgets,
        uint256 n
    ) internal pure returns (uint256 volatilityWad, int256[] memory sharesWad, uint256 parityGapWad) {
        int256[] memory a = new int256[](n);
        for (uint256 i; i < n; ++i) {
            a[i] = SafeCast.toInt128(SafeCast.toInt256((exposuresWad[i] * Word8.lane(vols, i)) / Word8.ONE));
        }
        // variance {1/year} in units of 1e-36 / 32767
        int256 variance;
        sharesWad = _correlate(a, correlations);
        for (uint256 i; i < n; ++i) variance += sharesWad[i] *= a[i];
        if (variance <= 0) return (0, new int256[](n), 0);
        volatilityWad = FixedPointMathLib.sqrt(uint256(variance / ONE));
        for (uint256 i; i < n; ++i) {
            int256 shareWad = (sharesWad[i] * WAD) / variance;
            sharesWad[i] = shareWad;
            uint256 gapWad = FixedPointMathLib.dist(shareWad, int256(Word8.laneWad(budgets, i)));
            if (gapWad > parityGapWad) parityGapWad = gapWad;
        }
    }

    /// @notice max |x_i (Cx)_i - b_i|, exact but for its final rounding up to 1e-18.
    /// @param coordinates WORD8 of parity coordinates x
    /// @custom:requirement EQ-7 EQ-8
    function certificateError(
        uint256 coordinates,
        uint256[2] memory correlations,
        uint256 budgets,
        uint256 n
    ) internal pure returns (uint256 errorWad) {
        unchecked {
            // x {1e-8}, Cx {1e-8 / 32767}, error {1e-16 / 32767}: below 2^100
            int256[] memory x = Word8.unpack(coordinates, n);
            int256[] memory cx = _correlate(x, correlations);
            int256 budgetUnit = int256(Word8.ONE) * ONE;
            for (uint256 i; i < n; ++i) {
                int256 difference = x[i] * cx[i] - int256(budgets & Word8.LANE_MASK) * budgetUnit;
                budgets >>= Word8.LANE_BITS;
                uint256 error = uint256(difference < 0 ? -difference : difference);
                if (error > errorWad) errorWad = error;
            }
            // {1e-16 / 32767} to {1e-18}
            return FixedPointMathLib.divUp(errorWad * 100, uint256(ONE));
        }
    }

    /// @dev C a in units of a / 32767. With |a_i| < 2^127 nothing overflows.
    function _correlate(
        int256[] memory a,
        uint256[2] memory correlations
    ) private pure returns (int256[] memory ca) {
        ca = new int256[](a.length);
        int256 one = ONE;
        uint256 pairsPerWord = CorrelationMatrix.PAIRS_PER_WORD;
        assembly ("memory-safe") {
            let last := add(a, shl(5, mload(a)))
            let offset := sub(ca, a)
            let word := mload(correlations)
            let pairs := 0
            for {
                let i := add(a, 32)
            } iszero(gt(i, last)) {
                i := add(i, 32)
            } {
                let ai := mload(i)
                let sum := add(mload(add(i, offset)), mul(one, ai))
                for {
                    let j := add(i, 32)
                } iszero(gt(j, last)) {
                    j := add(j, 32)
                } {
                    let rho := signextend(1, word)
                    sum := add(sum, mul(rho, mload(j)))
                    let target := add(j, offset)
                    mstore(target, add(mload(target), mul(rho, ai)))
                    word := shr(16, word)
                    pairs := add(pairs, 1)
                    if eq(pairs, pairsPerWord) {
                        word := mload(add(correlations, 32))
                    }
                }
                mstore(add(i, offset), sum)
            }
        }
    }
}
