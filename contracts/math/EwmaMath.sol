// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title Exponentially weighted variance of returns at irregular times
/// @notice variance = sum w_k r_k^2 year / t_k / sum w_k, w_k = (1 - 2^(-t_k / halfLife)) 2^(-age_k / halfLife): at a
/// constant volatility its mean is that volatility squared, whatever the spacing.
library EwmaMath {
    int256 private constant WAD = 1e18;
    int256 private constant LN_TWO_WAD = 693147180559945309;
    uint256 private constant YEAR = 365 days;
    /// @dev A move of so many standard deviations that the next print takes back by half is a bad print.
    uint256 private constant SPIKE_SIGMAS = 6;

    /// @notice One more return.
    /// @param variance So far {V}, any scale
    /// @param weightWad So far {D18} [0, 1e18]
    /// @param newSample r^2 year / t, in the scale of `variance`
    /// @param elapsed Time that the return weighs {s}
    /// @param halfLife {s} above 0
    /// @return newVariance {V}, rounded down
    /// @return newWeightWad {D18}
    /// @custom:requirement EQ-140
    function update(
        uint256 variance,
        uint256 weightWad,
        uint256 newSample,
        uint256 elapsed,
        uint256 halfLife
    ) internal pure returns (uint256 newVariance, uint256 newWeightWad) {
        int256 exponentWad = -(LN_TWO_WAD * int256(elapsed)) / int256(halfLife);
        uint256 keptWad = uint256(FixedPointMathLib.expWad(exponentWad));
        uint256 freshWad = uint256(WAD) - keptWad;
        uint256 oldWad = (weightWad * keptWad) / uint256(WAD);
        newWeightWad = oldWad + freshWad;
        newVariance = (variance * oldWad + newSample * freshWad) / newWeightWad;
    }

    /// @notice r^2 year / t {1e-12 / year}
    /// @param change Of the logarithm {1e-12}, |change| < 2^63
    /// @param elapsed {s} above 0
    function sample(int256 change, uint256 elapsed) internal pure returns (uint256) {
        return (uint256(change * change) * YEAR) / elapsed / 1e12;
    }

    /// @notice Whether a price went far away and came back: `first` is more than 6 standard deviations, and `second`
    ///         takes at least half of it back.
    /// @param first Change of the logarithm up to the print in question {1e-12}
    /// @param second Change after it {1e-12}
    /// @param elapsed Time of the first change {s}
    /// @param variance {1e-12 / year}
    /// @custom:requirement EQ-142
    function isSpike(
        int256 first,
        int256 second,
        uint256 elapsed,
        uint256 variance
    ) internal pure returns (bool) {
        if ((first > 0) == (second > 0)) return false;
        if (2 * FixedPointMathLib.abs(second) < FixedPointMathLib.abs(first)) return false;
        // first^2 {1e-24} against 36 variance t / year {1e-12}
        return uint256(first * first) / 1e12 > (SPIKE_SIGMAS ** 2 * variance * elapsed) / YEAR;
    }
}
