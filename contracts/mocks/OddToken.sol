// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

/// @title A token with every vice, each switched on by a test: blocklist, fee, false, silence, callbacks
/// @dev Not ERC20 by inheritance: `transfer` must be able to return nothing at all.
contract OddToken is IERC20Errors {
    enum Answer {
        True,
        False,
        Nothing
    }

    string public symbol;
    uint8 public immutable decimals;
    uint256 public totalSupply;
    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;
    mapping(address account => bool) public blocked;
    /// @notice Part of every transfer that vanishes on the way {1e-4}.
    uint256 public feeBps;
    Answer public answer;

    /// @notice Call made in the middle of every transfer, before the balances move, and what became of it.
    address public hookTarget;
    bytes public hookData;
    bool public hookCalled;
    bool public hookSucceeded;
    bytes public hookResult;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    error OddToken__Blocked(address account);

    constructor(string memory symbol_, uint8 decimals_) {
        symbol = symbol_;
        decimals = decimals_;
    }

    function name() external view returns (string memory) {
        return symbol;
    }

    function mint(address to, uint256 value) external {
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function setBlocked(address account, bool isBlocked) external {
        blocked[account] = isBlocked;
    }

    function setFeeBps(uint256 newFeeBps) external {
        feeBps = newFeeBps;
    }

    function setAnswer(Answer newAnswer) external {
        answer = newAnswer;
    }

    function setHook(address target, bytes calldata data) external {
        (hookTarget, hookData, hookCalled) = (target, data, false);
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        return _move(msg.sender, to, value);
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed < value) revert ERC20InsufficientAllowance(msg.sender, allowed, value);
        if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - value;
        return _move(from, to, value);
    }

    function _move(address from, address to, uint256 value) private returns (bool) {
        if (blocked[from]) revert OddToken__Blocked(from);
        if (blocked[to]) revert OddToken__Blocked(to);
        if (answer == Answer.False) return false;
        _callHook();
        uint256 balance = balanceOf[from];
        if (balance < value) revert ERC20InsufficientBalance(from, balance, value);
        balanceOf[from] = balance - value;
        balanceOf[to] += value - (value * feeBps) / 10_000;
        emit Transfer(from, to, value);
        if (answer == Answer.True) return true;
        assembly ("memory-safe") {
            return(0, 0)
        }
    }

    function _callHook() private {
        if (hookTarget == address(0) || hookCalled) return;
        hookCalled = true;
        // solhint-disable-next-line avoid-low-level-calls
        (hookSucceeded, hookResult) = hookTarget.call(hookData);
    }
}
