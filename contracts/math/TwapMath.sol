// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title From Uniswap V3's tick accumulator to a price
library TwapMath {
    int256 private constant LN_TICK_WAD = 99995000333308; // ln 1.0001
    int256 private constant LN_TEN_WAD = 2302585092994045684;

    /// @notice Geometric mean price of a token over a window, in whole tokens of the other: 1.0001^tick, or its inverse.
    /// @dev The decimals go into the exponent, so that a small raw price loses no digits. Relative error under 1e-7
    ///      for prices from 1e-10 (the logarithm of a tick is cut at 1e-18, and times 887272 ticks).
    /// @param tickCumulativeDelta of the pool's accumulator over the window
    /// @param window {s} above 0
    /// @param baseIsToken0 whether the token that is priced is the pool's token0
    /// @param baseDecimals [0, 18]
    /// @param quoteDecimals [0, 18]
    /// @return priceWad {D18 quote / base}, rounded down
    /// @custom:requirement EQ-45
    function priceWad(
        int256 tickCumulativeDelta,
        uint256 window,
        bool baseIsToken0,
        uint256 baseDecimals,
        uint256 quoteDecimals
    ) internal pure returns (uint256) {
        int256 lnWad = (tickCumulativeDelta * LN_TICK_WAD) / int256(window);
        if (!baseIsToken0) lnWad = -lnWad;
        lnWad += (int256(baseDecimals) - int256(quoteDecimals)) * LN_TEN_WAD;
        return uint256(FixedPointMathLib.expWad(lnWad));
    }
}
