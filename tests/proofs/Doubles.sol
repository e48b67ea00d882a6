// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {IRiskGuard} from "../../contracts/interfaces/IRiskGuard.sol";
import {IRiskParityVault} from "../../contracts/interfaces/IRiskParityVault.sol";
import {IVolatilityOracle} from "../../contracts/interfaces/IVolatilityOracle.sol";
import {ILendingAccount} from "../../contracts/interfaces/ILendingAccount.sol";

/// @dev Doubles answer what a proof tells them to: any number, where the proof leaves it open.
contract Prices {
    function quote(address) external pure returns (IPriceOracle.Quote memory) {
        return IPriceOracle.Quote(1e18, 1e18, 1e18, 1e18);
    }

    function answers(address[] calldata tokens) external pure returns (uint256[] memory pricesWad) {
        pricesWad = new uint256[](tokens.length);
        for (uint256 i; i < tokens.length; ++i) pricesWad[i] = 1e18;
    }
}

contract Reports {
    uint64 public volatilitiesAt;
    uint64 public correlationsAt;
    bool public hasCoordinates;
    address[] private _assets;

    constructor(address[] memory assets_) {
        _assets = assets_;
    }

    function set(uint64 volatilitiesAt_, uint64 correlationsAt_, bool hasCoordinates_) external {
        (volatilitiesAt, correlationsAt, hasCoordinates) = (
            volatilitiesAt_,
            correlationsAt_,
            hasCoordinates_
        );
    }

    function reportTimes() external view returns (uint64, uint64, bool) {
        return (volatilitiesAt, correlationsAt, hasCoordinates);
    }

    function assets() external view returns (address[] memory) {
        return _assets;
    }

    function assetsHash() external view returns (bytes32) {
        return keccak256(abi.encode(_assets));
    }

    function realized() external view returns (Reports) {
        return this;
    }

    /// @dev Two assets without correlation, each half of the risk.
    function riskData() external view returns (IVolatilityOracle.RiskData memory data) {
        data.vols = data.coordinates = (uint256(1e8) << 32) | 1e8;
        data.budgets = (uint256(0.5e8) << 32) | 0.5e8;
        (data.volatilitiesAt, data.correlationsAt, data.n) = (volatilitiesAt, correlationsAt, 2);
    }
}

/// @dev One reserve for every token, and a health factor that is told.
contract Venue {
    uint256 public healthFactorWad = 2e18;
    address public cash;

    constructor(address cash_) {
        cash = cash_;
    }

    function set(uint256 healthWad) external {
        healthFactorWad = healthWad;
    }

    function debt() external pure returns (uint256) {
        return 1e18;
    }

    function borrowRateWad() external pure returns (uint256) {
        return 0;
    }

    function thresholdsWad(address[] calldata tokens) external pure returns (uint256[] memory wad) {
        wad = new uint256[](tokens.length);
        for (uint256 i; i < tokens.length; ++i) wad[i] = 0.8e18;
    }
}

/// @dev A vault of two tokens and the cash, all of its value in the first: an auction is always due.
contract Shelf {
    IRiskGuard public guard;
    address public lendingAccount;
    uint16 public basketVersion;
    uint256 public exchanges;
    address[] private _tokens;

    constructor(IRiskGuard guard_, address account, address[] memory tokens) {
        (guard, lendingAccount, _tokens) = (guard_, account, tokens);
    }

    function set(uint16 version) external {
        basketVersion = version;
    }

    function healthFactorWad() external view returns (uint256) {
        return Venue(lendingAccount).healthFactorWad();
    }

    function holdings() external view returns (address[] memory, uint256[] memory) {
        return (_tokens, new uint256[](3));
    }

    function portfolio() external view returns (IRiskParityVault.Portfolio memory book) {
        book.tokens = _tokens;
        (book.balances, book.valuesWad) = (new uint256[](3), new uint256[](3));
        book.quotes = new IPriceOracle.Quote[](3);
        for (uint256 i; i < 3; ++i) book.quotes[i] = IPriceOracle.Quote(1e18, 1e18, 1e18, 1e18);
        (book.balances[0], book.valuesWad[0]) = (4e18, 4e18);
        (book.debt, book.debtWad, book.navWad) = (1e18, 1e18, 3e18);
        book.basketVersion = basketVersion;
    }

    function exchange(address, address, uint256[] calldata, uint256, uint256, uint256) external {
        ++exchanges;
    }
}
