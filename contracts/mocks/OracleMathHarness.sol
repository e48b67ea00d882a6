// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EwmaMath} from "../math/EwmaMath.sol";
import {Float16} from "../math/Float16.sol";
import {FloorMath} from "../math/FloorMath.sol";
import {TwapMath} from "../math/TwapMath.sol";

/// @title The oracles' internal libraries as external functions, for tests
contract OracleMathHarness {
    function packDown16(uint256 value) external pure returns (uint16) {
        return Float16.packDown(value);
    }

    function packUp16(uint256 value) external pure returns (uint16) {
        return Float16.packUp(value);
    }

    function unpack16(uint16 code) external pure returns (uint256) {
        return Float16.unpack(code);
    }

    function twapPriceWad(
        int256 tickCumulativeDelta,
        uint256 window,
        bool baseIsToken0,
        uint256 baseDecimals,
        uint256 quoteDecimals
    ) external pure returns (uint256) {
        return TwapMath.priceWad(tickCumulativeDelta, window, baseIsToken0, baseDecimals, quoteDecimals);
    }

    function weights(
        uint256 weightWad,
        uint256 elapsed,
        uint256 halfLife
    ) external pure returns (uint256 oldWad, uint256 freshWad) {
        return EwmaMath.weights(weightWad, elapsed, halfLife);
    }

    function ewmaUpdate(
        uint256 vol,
        uint256 newSample,
        uint256 oldWad,
        uint256 freshWad,
        uint256 maxVol
    ) external pure returns (uint256) {
        return EwmaMath.update(vol, newSample, oldWad, freshWad, maxVol);
    }

    function isSpike(
        int256 first,
        int256 second,
        uint256 elapsed,
        uint256 variance
    ) external pure returns (bool) {
        return EwmaMath.isSpike(first, second, EwmaMath.sample(first, elapsed), variance);
    }

    function raised(
        uint256 vols,
        uint256 realised,
        uint256 fractionWad,
        uint256 n
    ) external pure returns (uint256) {
        return FloorMath.raised(vols, realised, fractionWad, n);
    }

    function scaled(
        uint256 vols,
        uint256 ratioWad,
        uint256 fractionWad,
        uint256 maxVol,
        uint256 n
    ) external pure returns (uint256) {
        return FloorMath.scaled(vols, ratioWad, fractionWad, maxVol, n);
    }

    function sample(int256 change, uint256 elapsed) external pure returns (uint256) {
        return EwmaMath.sample(change, elapsed);
    }
}
