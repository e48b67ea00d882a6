// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";

import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";

/// @title Who signs, and how that changes: in after a delay, out at once
/// @dev The threshold is stored where a report is checked against it, by the contract that inherits.
abstract contract SignerSet is IVolatilityOracle, Ownable2Step {
    using EnumerableSet for EnumerableSet.AddressSet;

    uint256 public constant MAX_SIGNERS = 32;

    /// @inheritdoc IVolatilityOracle
    address public guardian;
    EnumerableSet.AddressSet private _signers;
    mapping(address signer => Proposal) private _proposals;

    modifier onlyOwnerOrGuardian() {
        if (msg.sender != owner() && msg.sender != guardian) {
            revert VolatilityOracle__NotOwnerOrGuardian(msg.sender);
        }
        _;
    }

    function _initializeSigners(address guardian_, address[] memory signers_, uint256 threshold_) internal {
        _setGuardian(guardian_);
        for (uint256 i; i < signers_.length; ++i) _addSigner(signers_[i]);
        _checkThreshold(threshold_, signers_.length);
        _setThreshold(threshold_);
    }

    /// @inheritdoc IVolatilityOracle
    function proposeSigner(address signer, address replaces, uint256 newThreshold) external onlyOwner {
        Proposal memory pending = _proposals[signer];
        if (pending.readyAt != 0) revert VolatilityOracle__ProposalPending(signer, pending.readyAt);
        _checkChange(signer, replaces, newThreshold);
        uint256 readyAt = block.timestamp + _signerDelay();
        _proposals[signer] = Proposal(replaces, uint40(readyAt), uint8(newThreshold));
        emit SignerProposed(signer, replaces, newThreshold, readyAt);
    }

    /// @inheritdoc IVolatilityOracle
    function activateSigner(address signer) external {
        Proposal memory p = _pending(signer);
        if (block.timestamp < p.readyAt)
            revert VolatilityOracle__ProposalNotReady(p.readyAt, block.timestamp);
        // the set may have changed since it was proposed
        _checkChange(signer, p.replaces, p.threshold);
        delete _proposals[signer];
        if (p.replaces != address(0)) _removeSigner(p.replaces);
        if (signer != address(0)) _addSigner(signer);
        _setThreshold(p.threshold);
    }

    /// @inheritdoc IVolatilityOracle
    function cancelProposal(address signer) external onlyOwnerOrGuardian {
        _pending(signer);
        delete _proposals[signer];
        emit ProposalCancelled(signer);
    }

    /// @inheritdoc IVolatilityOracle
    function removeSigner(address signer) external onlyOwnerOrGuardian {
        _removeSigner(signer);
    }

    /// @inheritdoc IVolatilityOracle
    function raiseThreshold(uint256 newThreshold) external onlyOwner {
        if (newThreshold < threshold())
            revert VolatilityOracle__ThresholdOnlyRises(newThreshold, threshold());
        _checkThreshold(newThreshold, _signers.length());
        _setThreshold(newThreshold);
    }

    /// @inheritdoc IVolatilityOracle
    function setGuardian(address newGuardian) external onlyOwner {
        _setGuardian(newGuardian);
    }

    function _addSigner(address signer) private {
        if (signer == address(0)) revert VolatilityOracle__ZeroAddress("signer");
        if (!_signers.add(signer)) revert VolatilityOracle__DuplicateSigner(signer);
        if (_signers.length() > MAX_SIGNERS) {
            revert VolatilityOracle__SignerCountOutOfRange(_signers.length(), MAX_SIGNERS);
        }
        emit SignerAdded(signer);
    }

    function _removeSigner(address signer) private {
        if (!_signers.remove(signer)) revert VolatilityOracle__UnknownSigner(signer);
        _signerLeft();
        emit SignerRemoved(signer);
    }

    function _pending(address signer) private view returns (Proposal memory p) {
        p = _proposals[signer];
        if (p.readyAt == 0) revert VolatilityOracle__NoProposal(signer);
    }

    function _checkChange(address signer, address replaces, uint256 newThreshold) private view {
        uint256 count = _signers.length();
        if (replaces != address(0)) {
            if (!_signers.contains(replaces)) revert VolatilityOracle__UnknownSigner(replaces);
            --count;
        }
        if (signer != address(0)) {
            if (_signers.contains(signer)) revert VolatilityOracle__DuplicateSigner(signer);
            ++count;
        }
        _checkThreshold(newThreshold, count);
    }

    function _setThreshold(uint256 newThreshold) private {
        _storeThreshold(uint8(newThreshold));
        emit ThresholdSet(newThreshold);
    }

    /// @dev A majority, so that two quorums share a signer; at most all, so that a quorum can be reached.
    function _checkThreshold(uint256 value, uint256 count) private pure {
        uint256 majority = count / 2 + 1;
        if (value < majority || value > count) {
            revert VolatilityOracle__ThresholdOutOfRange(value, majority, count);
        }
    }

    function _setGuardian(address newGuardian) private {
        if (newGuardian == address(0)) revert VolatilityOracle__ZeroAddress("guardian");
        guardian = newGuardian;
        emit GuardianSet(newGuardian);
    }

    /// @inheritdoc IVolatilityOracle
    function signers() external view returns (address[] memory) {
        return _signers.values();
    }

    /// @inheritdoc IVolatilityOracle
    function isSigner(address account) public view returns (bool) {
        return _signers.contains(account);
    }

    /// @inheritdoc IVolatilityOracle
    function proposalOf(address signer) external view returns (Proposal memory) {
        return _proposals[signer];
    }

    /// @inheritdoc IVolatilityOracle
    function threshold() public view virtual returns (uint256);

    function _storeThreshold(uint8 newThreshold) internal virtual;

    function _signerLeft() internal virtual;

    function _signerDelay() internal view virtual returns (uint256);
}
