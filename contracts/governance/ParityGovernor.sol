// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {GovernorPreventLateQuorum} from "@openzeppelin/contracts/governance/extensions/GovernorPreventLateQuorum.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorTimelockControl} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";
import {GovernorVotes} from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20Wrapper} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Wrapper.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IParityGovernor} from "../interfaces/IParityGovernor.sol";
import {Bounds} from "../math/Bounds.sol";
import {RiskTimelock} from "./RiskTimelock.sol";

/// @title OpenZeppelin's Governor, with what it takes to propose and to pass in shares of the vault
contract ParityGovernor is
    IParityGovernor,
    GovernorSettings,
    GovernorCountingSimple,
    GovernorVotes,
    GovernorTimelockControl,
    GovernorPreventLateQuorum
{
    uint256 private constant WAD = 1e18;

    IERC20 public immutable vault;

    /// @inheritdoc IParityGovernor
    uint256 public quorumWad;
    /// @inheritdoc IParityGovernor
    mapping(uint256 proposalId => uint256) public proposedAt;
    /// @dev By snapshot; at least 1 where there is a proposal.
    mapping(uint256 timepoint => uint256) private _quorums;

    constructor(
        IVotes votes,
        RiskTimelock timelock_,
        IERC20 vault_,
        Settings memory s
    )
        Governor("Parity Governor")
        GovernorSettings(s.votingDelay, s.votingPeriod, s.proposalThresholdWad)
        GovernorVotes(votes)
        GovernorTimelockControl(timelock_)
        GovernorPreventLateQuorum(s.lateQuorumExtension)
    {
        IERC20 underlying = ERC20Wrapper(address(votes)).underlying();
        if (underlying != vault_) revert ParityGovernor__NotTheVault(address(vault_), address(underlying));
        vault = vault_;
        _setQuorum(s.quorumWad);
    }

    // --------------------------------------------------------------- settings

    /// @inheritdoc IParityGovernor
    function setQuorum(uint256 newQuorumWad) external onlyGovernance {
        _setQuorum(newQuorumWad);
    }

    function _setQuorum(uint256 newQuorumWad) private {
        Bounds.check("quorumWad", newQuorumWad, 0.01e18, 0.5e18);
        emit QuorumSet(quorumWad, newQuorumWad);
        quorumWad = newQuorumWad;
    }

    function _setVotingDelay(uint48 newVotingDelay) internal override {
        Bounds.check("votingDelay", newVotingDelay, 1 hours, 14 days);
        super._setVotingDelay(newVotingDelay);
    }

    function _setVotingPeriod(uint32 newVotingPeriod) internal override {
        Bounds.check("votingPeriod", newVotingPeriod, 1 days, 30 days);
        super._setVotingPeriod(newVotingPeriod);
    }

    function _setLateQuorumVoteExtension(uint48 newVoteExtension) internal override {
        Bounds.check("lateQuorumExtension", newVoteExtension, 0, 7 days);
        super._setLateQuorumVoteExtension(newVoteExtension);
    }

    function _setProposalThreshold(uint256 newProposalThresholdWad) internal override {
        Bounds.check("proposalThresholdWad", newProposalThresholdWad, 0.0001e18, 0.05e18);
        super._setProposalThreshold(newProposalThresholdWad);
    }

    /// @inheritdoc IParityGovernor
    function proposalThresholdWad() public view returns (uint256) {
        return super.proposalThreshold();
    }

    // ---------------------------------------------------------------- propose

    /// @dev In votes; the base keeps the fraction.
    function proposalThreshold() public view override(Governor, GovernorSettings) returns (uint256) {
        return _ofSupply(proposalThresholdWad());
    }

    function _propose(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        string memory description,
        address proposer
    ) internal override returns (uint256 proposalId) {
        proposalId = super._propose(targets, values, calldatas, description, proposer);
        proposedAt[proposalId] = clock();
        uint256 snapshot = proposalSnapshot(proposalId);
        uint256 needed = Math.max(_ofSupply(quorumWad), 1);
        // the least of one second: a supply that was swelled around one proposal counts where nobody proposes without
        if (_quorums[snapshot] == 0 || needed < _quorums[snapshot]) _quorums[snapshot] = needed;
    }

    /// @dev Of all shares, but at least of those that were wrapped a moment ago: these cannot be redeemed for the length
    ///      of a transaction to make the supply look small.
    function _ofSupply(uint256 fractionWad) private view returns (uint256) {
        uint256 supply = Math.max(vault.totalSupply(), token().getPastTotalSupply(clock() - 1));
        return Math.mulDiv(supply, fractionWad, WAD, Math.Rounding.Ceil);
    }

    // ------------------------------------------------------------------- vote

    /// @dev At the snapshot of a proposal, as fixed when it was made.
    function quorum(uint256 timepoint) public view override returns (uint256 needed) {
        needed = _quorums[timepoint];
        if (needed == 0) revert ParityGovernor__NoProposalAt(timepoint);
    }

    /// @dev Shares that came after the proposal can stop it but not carry it: a purchase just before the snapshot, sold
    ///      just after, buys no change.
    function _countVote(
        uint256 proposalId,
        address account,
        uint8 support,
        uint256 totalWeight,
        bytes memory params
    ) internal override(Governor, GovernorCountingSimple) returns (uint256) {
        if (support != uint8(VoteType.Against))
            totalWeight = Math.min(totalWeight, token().getPastVotes(account, proposedAt[proposalId] - 1));
        return super._countVote(proposalId, account, support, totalWeight, params);
    }

    // ------------------------------------------------- what Solidity asks for

    function votingDelay() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.votingDelay();
    }

    function votingPeriod() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.votingPeriod();
    }

    function state(
        uint256 proposalId
    ) public view override(Governor, GovernorTimelockControl) returns (ProposalState) {
        return super.state(proposalId);
    }

    function proposalDeadline(
        uint256 proposalId
    ) public view override(Governor, GovernorPreventLateQuorum) returns (uint256) {
        return super.proposalDeadline(proposalId);
    }

    function proposalNeedsQueuing(
        uint256 proposalId
    ) public view override(Governor, GovernorTimelockControl) returns (bool) {
        return super.proposalNeedsQueuing(proposalId);
    }

    function _tallyUpdated(uint256 proposalId) internal override(Governor, GovernorPreventLateQuorum) {
        super._tallyUpdated(proposalId);
    }

    function _executor() internal view override(Governor, GovernorTimelockControl) returns (address) {
        return super._executor();
    }

    function _queueOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint48) {
        return super._queueOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _executeOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) {
        super._executeOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _cancel(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint256) {
        return super._cancel(targets, values, calldatas, descriptionHash);
    }
}
