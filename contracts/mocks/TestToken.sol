// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title An ERC-20 with any decimals, minted by its owner; never deployed outside a local chain
contract TestToken is ERC20, Ownable {
    uint8 private immutable _decimals;

    /// @param tokenDecimals Decimals of the token [0, 18]
    /// @param owner_ Who may mint
    constructor(
        string memory name_,
        string memory symbol_,
        uint8 tokenDecimals,
        address owner_
    ) ERC20(name_, symbol_) Ownable(owner_) {
        _decimals = tokenDecimals;
    }

    /// @notice Creates tokens out of nothing.
    /// @param amount {token's own decimals}
    function mint(address to, uint256 amount) external onlyOwner {
        _mint(to, amount);
    }

    /// @inheritdoc ERC20
    function decimals() public view override returns (uint8) {
        return _decimals;
    }
}
