// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {Word8} from "./Word8.sol";

/// @title From parity coordinates to target exposures
/// @notice exposure_i = targetVol * x_i / vol_i, a fraction of NAV; all scaled down where they exceed the leverage cap.
library ExposureMath {
    uint256 private constant WAD = 1e18;

    /// @notice Target exposures, every one rounded down, so that their sum never exceeds `maxLeverageWad`.
    /// @param vols WORD8 of volatilities, used lanes nonzero (a zero lane panics with a division by zero)
    /// @param coordinates WORD8 of parity coordinates
    /// @param n number of assets [2, 8]
    /// @param targetVolWad target volatility {1/sqrt(year)} [0, 1e20]
    /// @param maxLeverageWad cap of the exposures' sum {1} [0, 1e20]
    /// @return exposuresWad {1} fraction of NAV for each asset
    /// @return leverageWad {1} their sum
    /// @return scaleWad {1} min(1, maxLeverage / uncapped leverage): the portfolio aims at targetVol * scale
    /// @custom:requirement EQ-10 EQ-11 EQ-12
    function targets(
        uint256 vols,
        uint256 coordinates,
        uint256 n,
        uint256 targetVolWad,
        uint256 maxLeverageWad
    ) internal pure returns (uint256[] memory exposuresWad, uint256 leverageWad, uint256 scaleWad) {
        exposuresWad = new uint256[](n);
        uint256 uncappedWad;
        for (uint256 i; i < n; ++i) {
            uncappedWad += exposuresWad[i] =
                (targetVolWad * Word8.lane(coordinates, i)) / Word8.lane(vols, i);
        }
        if (uncappedWad <= maxLeverageWad) return (exposuresWad, uncappedWad, WAD);
        for (uint256 i; i < n; ++i) {
            leverageWad += exposuresWad[i] = (exposuresWad[i] * maxLeverageWad) / uncappedWad;
        }
        scaleWad = FixedPointMathLib.divWad(maxLeverageWad, uncappedWad);
    }

    /// @notice The same as WORD8, rounded down once more to 1e-8.
    /// @custom:requirement EQ-11
    function targetsWord(
        uint256 vols,
        uint256 coordinates,
        uint256 n,
        uint256 targetVolWad,
        uint256 maxLeverageWad
    ) internal pure returns (uint256 exposures) {
        (uint256[] memory exposuresWad, , ) = targets(vols, coordinates, n, targetVolWad, maxLeverageWad);
        return Word8.packDown(exposuresWad);
    }

    /// @notice Scales exposures down to a lower cap.
    /// @param exposuresWad changed in place
    /// @param leverageWad their sum
    /// @return leverageWad_ the new sum, at most `capWad`
    /// @return scaleWad by how much {1}, 1e18 where the cap does not bind
    /// @custom:requirement EQ-17
    function capped(
        uint256[] memory exposuresWad,
        uint256 leverageWad,
        uint256 capWad
    ) internal pure returns (uint256 leverageWad_, uint256 scaleWad) {
        if (leverageWad <= capWad) return (leverageWad, WAD);
        for (uint256 i; i < exposuresWad.length; ++i) {
            leverageWad_ += exposuresWad[i] = (exposuresWad[i] * capWad) / leverageWad;
        }
        scaleWad = FixedPointMathLib.divWad(capWad, leverageWad);
    }
}
