// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IParameters} from "./IParameters.sol";

/// @title Owner of every contract: what governance decides waits here, may be vetoed, and then anybody executes it
/// @notice OpenZeppelin's TimelockController (roles, `schedule`, `cancel`, `execute`) with a bounded delay, a guardian
///         that can only veto, and powers that can be given up for ever.
interface IRiskTimelock is IParameters {
    /// @notice The timelock will never again execute a call of `selector` on `target`.
    event Abdicated(address indexed target, bytes4 indexed selector);

    error RiskTimelock__ZeroAddress();
    /// @notice The power to call `selector` on `target` was given up for ever.
    error RiskTimelock__PowerAbdicated(address target, bytes4 selector);
    /// @notice Only a power over a contract that the timelock owns can be given up; this one obeys `owner`.
    error RiskTimelock__NotOwner(address target, address owner);
    /// @notice Whoever accepts an ownership on offer would have the power still: withdraw the offer first.
    error RiskTimelock__OwnershipOnOffer(address target, address pendingOwner);
    /// @notice The operation only takes a veto away; no veto stops it.
    error RiskTimelock__BeyondVeto(bytes32 id);

    /// @notice Gives up the power to call `selector` on `target` for ever, and with it the power to hand `target` to
    ///         another owner. The timelock itself only: it takes a proposal.
    /// @param target An Ownable2Step contract that the timelock owns, without a pending owner
    /// @param selector Of any of its functions
    /// @custom:requirement EQ-154 An abdicated power MUST be gone for ever, whatever route a call takes.
    function abdicate(address target, bytes4 selector) external;

    /// @notice Accepts the ownership that was offered to the timelock. Anyone: it can only gain.
    /// @param owned Ownable2Step contracts whose pending owner is the timelock
    function acceptOwnership(address[] calldata owned) external;

    /// @notice Whether the timelock refuses to execute this call for ever.
    function abdicated(address target, bytes4 selector) external view returns (bool);

    /// @notice Whether a scheduled operation is one that only takes a veto away, so that `cancel` refuses it.
    function beyondVeto(bytes32 id) external view returns (bool);
}
