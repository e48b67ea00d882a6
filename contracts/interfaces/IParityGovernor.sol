// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IParameters} from "./IParameters.sol";

/// @title Votes of the vault's holders on what its timelock does
/// @notice OpenZeppelin's Governor (`propose`, `castVote`, `queue`, `execute`) on a clock of seconds. It counts what a
///         proposal needs in shares of the vault, whether wrapped for voting or not: who wraps alone does not rule.
interface IParityGovernor is IParameters {
    /// @param votingDelay Between proposal and snapshot of the votes {s} [1 hour, 14 days]
    /// @param votingPeriod Between snapshot and the end of the vote {s} [1 day, 30 days]
    /// @param lateQuorumExtension Least time to vote after the quorum is reached {s} [0, 7 days]
    /// @param proposalThresholdWad Votes that it takes to propose, as a fraction of the vault's supply {D18} [0.0001, 0.05]
    /// @param quorumWad For and abstaining votes that it takes to pass, as a fraction of the vault's supply when the
    ///        proposal was made {D18} [0.01, 0.5]
    struct Settings {
        uint48 votingDelay;
        uint32 votingPeriod;
        uint48 lateQuorumExtension;
        uint256 proposalThresholdWad;
        uint256 quorumWad;
    }

    event QuorumSet(uint256 oldQuorumWad, uint256 newQuorumWad);

    /// @notice The votes wrap `underlying`, not the vault.
    error ParityGovernor__NotTheVault(address vault, address underlying);
    /// @notice No proposal has its snapshot at `timepoint`, so no quorum is known for it.
    error ParityGovernor__NoProposalAt(uint256 timepoint);

    /// @notice Changes the quorum of proposals to come. Governance only.
    function setQuorum(uint256 newQuorumWad) external;

    /// @notice Quorum as a fraction of the vault's supply {D18}.
    function quorumWad() external view returns (uint256);

    /// @notice Votes that it takes to propose, as a fraction of the vault's supply {D18}.
    function proposalThresholdWad() external view returns (uint256);

    /// @notice Unix time at which a proposal was made, 0 without one. For and abstaining votes count no more than the voter
    ///         had just before.
    function proposedAt(uint256 proposalId) external view returns (uint256);
}
