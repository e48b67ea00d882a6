// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IParameters} from "../interfaces/IParameters.sol";

/// @title The one check of every bounded parameter
library Bounds {
    /// @notice Reverts with IParameters.ParameterOutOfRange unless min <= value <= max.
    /// @param name The parameter as its setter names it
    /// @param value In the parameter's own unit, like both bounds
    function check(bytes32 name, uint256 value, uint256 min, uint256 max) internal pure {
        if (value < min || value > max) revert IParameters.ParameterOutOfRange(name, value, min, max);
    }
}
