// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

import {IRiskTimelock} from "../interfaces/IRiskTimelock.sol";
import {Bounds} from "../math/Bounds.sol";

/// @title Delay, veto and abdication
contract RiskTimelock is IRiskTimelock, TimelockController {
    uint256 private constant MIN_DELAY = 1 days;
    uint256 private constant MAX_DELAY = 30 days;

    /// @dev In place of the base's own, which knows no bounds.
    uint256 private _delay;

    /// @inheritdoc IRiskTimelock
    mapping(address target => mapping(bytes4 selector => bool)) public abdicated;
    /// @inheritdoc IRiskTimelock
    mapping(bytes32 id => bool) public beyondVeto;

    modifier onlySelf() {
        if (msg.sender != address(this)) revert TimelockUnauthorizedCaller(msg.sender);
        _;
    }

    /// @param minDelay Between a decision and its execution {s} [1 day, 30 days]
    /// @param guardian May veto; the zero address: nobody may
    /// @param admin Grants the proposer's role, then renounces its own
    constructor(
        uint256 minDelay,
        address guardian,
        address admin
    ) TimelockController(minDelay, new address[](0), _anyone(), admin) {
        if (admin == address(0)) revert RiskTimelock__ZeroAddress();
        _setDelay(minDelay);
        if (guardian != address(0)) _grantRole(CANCELLER_ROLE, guardian);
    }

    /// @dev The open role of TimelockController.
    function _anyone() private pure returns (address[] memory executors) {
        executors = new address[](1);
    }

    // ------------------------------------------------------------------ delay

    function getMinDelay() public view override returns (uint256) {
        return _delay;
    }

    function updateDelay(uint256 newDelay) external override onlySelf {
        emit MinDelayChange(_delay, newDelay);
        _setDelay(newDelay);
    }

    function _setDelay(uint256 newDelay) private {
        Bounds.check("delay", newDelay, MIN_DELAY, MAX_DELAY);
        _delay = newDelay;
    }

    // ------------------------------------------------------------------- veto

    function schedule(
        address target,
        uint256 value,
        bytes calldata data,
        bytes32 predecessor,
        bytes32 salt,
        uint256 delay
    ) public override {
        super.schedule(target, value, data, predecessor, salt, delay);
        if (_onlyTakesVeto(target, data))
            beyondVeto[hashOperation(target, value, data, predecessor, salt)] = true;
    }

    function scheduleBatch(
        address[] calldata targets,
        uint256[] calldata values,
        bytes[] calldata payloads,
        bytes32 predecessor,
        bytes32 salt,
        uint256 delay
    ) public override {
        super.scheduleBatch(targets, values, payloads, predecessor, salt, delay);
        if (targets.length == 1 && _onlyTakesVeto(targets[0], payloads[0]))
            beyondVeto[hashOperationBatch(targets, values, payloads, predecessor, salt)] = true;
    }

    /// @dev Else a guardian could keep its office for ever. Its successor takes another operation, which can be vetoed.
    function cancel(bytes32 id) public override {
        if (beyondVeto[id]) revert RiskTimelock__BeyondVeto(id);
        super.cancel(id);
    }

    function _onlyTakesVeto(address target, bytes calldata data) private view returns (bool) {
        return
            target == address(this) &&
            data.length >= 36 &&
            bytes4(data) == IAccessControl.revokeRole.selector &&
            bytes32(data[4:]) == CANCELLER_ROLE;
    }

    // -------------------------------------------------------------- ownership

    /// @inheritdoc IRiskTimelock
    function acceptOwnership(address[] calldata owned) external {
        for (uint256 i; i < owned.length; ++i) Ownable2Step(owned[i]).acceptOwnership();
    }

    /// @inheritdoc IRiskTimelock
    function abdicate(address target, bytes4 selector) external onlySelf {
        address owner = Ownable2Step(target).owner();
        if (owner != address(this)) revert RiskTimelock__NotOwner(target, owner);
        address pendingOwner = Ownable2Step(target).pendingOwner();
        if (pendingOwner != address(0)) revert RiskTimelock__OwnershipOnOffer(target, pendingOwner);
        _abdicate(target, selector);
        _abdicate(target, Ownable.transferOwnership.selector);
        _abdicate(target, Ownable.renounceOwnership.selector);
    }

    function _abdicate(address target, bytes4 selector) private {
        if (abdicated[target][selector]) return;
        abdicated[target][selector] = true;
        emit Abdicated(target, selector);
    }

    /// @dev Every call that the timelock makes but `acceptOwnership` passes here, nested ones too.
    function _execute(address target, uint256 value, bytes calldata data) internal override {
        bytes4 selector = bytes4(data);
        if (abdicated[target][selector]) revert RiskTimelock__PowerAbdicated(target, selector);
        super._execute(target, value, data);
    }
}
