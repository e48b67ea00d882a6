// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title Exponentially weighted variance of returns at irregular times
/// @notice variance = sum w_k r_k^2 year / t_k / sum w_k, w_k = (1 - 2^(-t_k / halfLife)) 2^(-age_k / halfLife): at a
/// constant volatility its mean is that volatility squared, whatever the spacing. Volatilities are whole numbers of any
/// unit v. Nothing here overflows in the ranges given, so nothing is checked: a poke of eight assets is paid every hour.
library EwmaMath {
    uint256 private constant WAD = 1e18;
    int256 private constant LN_TWO_WAD = 693147180559945309;
    uint256 private constant YEAR = 365 days;
    /// @dev A move of so many standard deviations that the next print takes back by half is a bad print.
    uint256 private constant SPIKE_VARIANCES = 36;

    /// @notice What a time does to weights, the same for all assets.
    /// @param weightWad So far {D18} [0, 1e18]
    /// @param elapsed Time that the new return weighs {s} [1, 2^32)
    /// @param halfLife {s} [1, 2^32)
    /// @return oldWad What is left of `weightWad` {D18}
    /// @return freshWad Weight of the new return {D18}; their sum is the new weight
    /// @custom:requirement EQ-140
    function weights(
        uint256 weightWad,
        uint256 elapsed,
        uint256 halfLife
    ) internal pure returns (uint256 oldWad, uint256 freshWad) {
        unchecked {
            int256 exponentWad = -(LN_TWO_WAD * int256(elapsed)) / int256(halfLife);
            uint256 keptWad = uint256(FixedPointMathLib.expWad(exponentWad));
            return ((weightWad * keptWad) / WAD, WAD - keptWad);
        }
    }

    /// @notice The root of the weighted mean, rounded down.
    /// @param vol So far {v} [0, maxVol]
    /// @param newSample {v^2}
    /// @param maxVol Largest result {v} below 2^64
    /// @custom:requirement EQ-140
    function update(
        uint256 vol,
        uint256 newSample,
        uint256 oldWad,
        uint256 freshWad,
        uint256 maxVol
    ) internal pure returns (uint256) {
        unchecked {
            uint256 capped = FixedPointMathLib.min(newSample, maxVol * maxVol);
            return FixedPointMathLib.sqrt((vol * vol * oldWad + capped * freshWad) / (oldWad + freshWad));
        }
    }

    /// @notice r^2 year / t
    /// @param change r, of the logarithm, in a unit whose square is the result's; |change| < 2^80
    /// @param elapsed {s} [1, 2^32)
    function sample(int256 change, uint256 elapsed) internal pure returns (uint256) {
        unchecked {
            return (uint256(change * change) * YEAR) / elapsed;
        }
    }

    /// @notice Whether a price went far away and came back: `first` is more than 6 standard deviations, and `second`
    ///         takes at least half of it back.
    /// @param first Change of the logarithm up to the print in question
    /// @param second Change after it
    /// @param firstSample `sample` of the first
    /// @param variance The usual one, in the unit of `firstSample`
    /// @custom:requirement EQ-142
    function isSpike(
        int256 first,
        int256 second,
        uint256 firstSample,
        uint256 variance
    ) internal pure returns (bool) {
        unchecked {
            if (firstSample <= SPIKE_VARIANCES * variance || (first > 0) == (second > 0)) return false;
            return 2 * FixedPointMathLib.abs(second) >= FixedPointMathLib.abs(first);
        }
    }
}
