// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The one error of every bounded parameter
interface IParameters {
    /// @notice `value` for parameter `name` lies outside [min, max] (in the parameter's own unit): choose one inside.
    error ParameterOutOfRange(bytes32 name, uint256 value, uint256 min, uint256 max);
}
