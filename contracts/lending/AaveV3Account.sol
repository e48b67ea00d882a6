// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {IAavePool} from "../interfaces/external/IAaveV3.sol";
import {ILendingAccount} from "../interfaces/ILendingAccount.sol";
import {IRiskParityVault} from "../interfaces/IRiskParityVault.sol";

/// @title A vault's collateral and debt at Aave V3
/// @dev Quantities are Aave's own: a liquidation takes from them and interest adds to them, and no copy of ours can
///      be wrong. aTokens that a stranger sends here are a gift to the holders, worth what they are worth.
contract AaveV3Account is ILendingAccount {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev One slot. `idle` is what Aave did not take.
    struct Reserve {
        address aToken;
        uint96 idle;
    }

    uint256 private constant VARIABLE_RATE = 2;
    uint256 private constant BPS_TO_WAD = 1e14;
    uint256 private constant RAY_TO_WAD = 1e9;
    uint256 private constant MIN_HEALTH_WAD = 1.3e18;
    /// @dev Part of the health factor that a collateral may carry to be dropped below that: it must not lock the others.
    uint256 private constant SMALL = 20;
    /// @dev But none that keeps a liquidation away; below that only what carries next to nothing.
    uint256 private constant LEAST_HEALTH_WAD = 1.05e18;
    uint256 private constant NEXT_TO_NOTHING = 1000;
    uint256 private constant ACTIVE = 1 << 56;
    uint256 private constant FROZEN_OR_PAUSED = (1 << 57) | (1 << 60);

    IAavePool public immutable pool;
    IERC20 private immutable _cash;
    IERC20 private immutable _debtToken;

    /// @inheritdoc ILendingAccount
    address public vault;
    mapping(address token => Reserve) private _reserves;

    modifier onlyVault() {
        if (msg.sender != vault) revert LendingAccount__OnlyVault(msg.sender);
        _;
    }

    /// @param basket Tokens that may be supplied; the cash that is borrowed is listed by itself
    constructor(IAavePool pool_, IERC20 cash_, address[] memory basket) {
        if (address(pool_) == address(0) || address(cash_) == address(0))
            revert LendingAccount__ZeroAddress();
        pool = pool_;
        _cash = cash_;
        _debtToken = IERC20(_list(pool_, cash_).variableDebtTokenAddress);
        for (uint256 i; i < basket.length; ++i) _list(pool_, IERC20(basket[i]));
    }

    /// @dev Aave pulls what it is given, and this account holds nothing else of it: the approval has no end.
    function _list(IAavePool pool_, IERC20 token) private returns (IAavePool.ReserveData memory reserve) {
        reserve = pool_.getReserveData(address(token));
        if (reserve.aTokenAddress == address(0)) revert LendingAccount__NotListed(address(token));
        _reserves[address(token)].aToken = reserve.aTokenAddress;
        token.forceApprove(address(pool_), type(uint256).max);
    }

    /// @inheritdoc ILendingAccount
    function bind() external {
        if (vault != address(0)) revert LendingAccount__AlreadyBound(vault);
        vault = msg.sender;
        emit Bound(msg.sender);
    }

    /// @inheritdoc ILendingAccount
    function list(address token) external onlyVault {
        address aToken = _list(pool, IERC20(token)).aTokenAddress;
        if (IERC20(aToken).balanceOf(address(this)) != 0) _back(token);
    }

    /// @dev Aave does so by itself only with a first supply, and a gift that enabled nothing would have been the first.
    function _back(address token) private {
        try pool.setUserUseReserveAsCollateral(token, true) {
            return;
        } catch (bytes memory reason) {
            emit NoCollateral(token, reason);
        }
    }

    // ------------------------------------------------------------- collateral

    /// @inheritdoc ILendingAccount
    function supply(address token, uint256 amount) external onlyVault {
        Reserve storage reserve = _reserves[token];
        uint256 total = reserve.idle + amount;
        uint256 held = IERC20(token).balanceOf(address(this));
        if (held < total) revert LendingAccount__NotBacked(token, total, held);
        try pool.supply(token, total, address(this), 0) {
            if (reserve.idle != 0) reserve.idle = 0;
            _back(token);
        } catch (bytes memory reason) {
            reserve.idle = total.toUint96();
            emit KeptIdle(token, amount, reason);
        }
    }

    /// @inheritdoc ILendingAccount
    function withdraw(address token, uint256 amount, address to) external onlyVault {
        uint256 rest = _payIdle(token, amount, to);
        if (rest == 0) return;
        try pool.withdraw(token, rest, to) {
            return;
        } catch (bytes memory reason) {
            revert LendingAccount__Refused("withdraw", token, rest, reason);
        }
    }

    /// @inheritdoc ILendingAccount
    function release(address token, uint256 amount, address to) external onlyVault {
        uint256 rest = _payIdle(token, amount, to);
        if (rest == 0) return;
        try pool.withdraw(token, rest, to) {
            return;
        } catch (bytes memory reason) {
            try IERC20(_reserves[token].aToken).transfer(to, rest) returns (bool sent) {
                if (!sent) revert LendingAccount__Refused("release", token, rest, reason);
                emit PaidInReceipts(token, rest, to, reason);
            } catch (bytes memory second) {
                revert LendingAccount__Refused("release", token, rest, second);
            }
        }
    }

    /// @dev Pays from what is idle first, and returns what is left to pay.
    function _payIdle(address token, uint256 amount, address to) private returns (uint256 rest) {
        uint256 idle = _reserves[token].idle;
        if (idle == 0) return amount;
        uint256 paid = amount < idle ? amount : idle;
        _reserves[token].idle = uint96(idle - paid);
        IERC20(token).safeTransfer(to, paid);
        return amount - paid;
    }

    /// @inheritdoc ILendingAccount
    function dropCollateral(address token) external {
        bool held = _isHeld(token);
        uint256 ltvWad = (pool.getConfiguration(token).data & 0xFFFF) * BPS_TO_WAD;
        if (held && ltvWad != 0) revert LendingAccount__NotZeroLtv(token, ltvWad);
        uint256 beforeWad = _healthOrMax();
        try pool.setUserUseReserveAsCollateral(token, false) {
            // what is none of the vault's must not be counted on, and its price must not be needed: only Aave's own limit holds
            if (!held) return;
            uint256 healthWad = healthFactorWad();
            uint256 leastWad = FixedPointMathLib.clamp(
                beforeWad - beforeWad / SMALL,
                FixedPointMathLib.min(LEAST_HEALTH_WAD, beforeWad - beforeWad / NEXT_TO_NOTHING),
                MIN_HEALTH_WAD
            );
            if (healthWad < leastWad) revert LendingAccount__HealthTooLow(healthWad, leastWad);
        } catch (bytes memory reason) {
            revert LendingAccount__Refused("dropCollateral", token, 0, reason);
        }
    }

    /// @inheritdoc ILendingAccount
    function useAsCollateral(address token) external {
        if (!_isHeld(token)) revert LendingAccount__NotHeld(token);
        try pool.setUserUseReserveAsCollateral(token, true) {
            return;
        } catch (bytes memory reason) {
            revert LendingAccount__Refused("useCollateral", token, 0, reason);
        }
    }

    /// @dev The maximum where the venue cannot tell, as where a token has no price that may be dropped for that very reason.
    function _healthOrMax() private view returns (uint256) {
        try this.healthFactorWad() returns (uint256 toldWad) {
            return toldWad;
        } catch {
            return type(uint256).max;
        }
    }

    /// @dev Whether the vault's book has it as an asset; anybody may give any other reserve, and Aave takes it for collateral.
    function _isHeld(address token) private view returns (bool) {
        (address[] memory tokens, ) = IRiskParityVault(vault).holdings();
        for (uint256 i; i + 1 < tokens.length; ++i) if (tokens[i] == token) return true;
        return false;
    }

    // ------------------------------------------------------------------- debt

    /// @inheritdoc ILendingAccount
    function borrow(uint256 amount) external onlyVault {
        try pool.borrow(address(_cash), amount, VARIABLE_RATE, 0, address(this)) {
            _cash.safeTransfer(msg.sender, amount);
        } catch (bytes memory reason) {
            revert LendingAccount__Refused("borrow", address(_cash), amount, reason);
        }
    }

    /// @inheritdoc ILendingAccount
    function repay(uint256 amount) external onlyVault {
        try pool.repay(address(_cash), amount, VARIABLE_RATE, address(this)) {
            return;
        } catch (bytes memory reason) {
            revert LendingAccount__Refused("repay", address(_cash), amount, reason);
        }
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc ILendingAccount
    function position(
        address[] calldata tokens
    ) external view returns (uint256[] memory balances, uint256 debt_) {
        balances = new uint256[](tokens.length);
        for (uint256 i; i + 1 < tokens.length; ++i) {
            Reserve memory reserve = _reserves[tokens[i]];
            balances[i] = IERC20(reserve.aToken).balanceOf(address(this)) + reserve.idle;
        }
        return (balances, debt());
    }

    /// @inheritdoc ILendingAccount
    function debt() public view returns (uint256) {
        return _debtToken.balanceOf(address(this));
    }

    /// @inheritdoc ILendingAccount
    function healthFactorWad() public view returns (uint256) {
        try pool.getUserAccountData(address(this)) returns (
            uint256,
            uint256,
            uint256,
            uint256,
            uint256,
            uint256 told
        ) {
            return told;
        } catch (bytes memory reason) {
            revert LendingAccount__NoHealthFactor(reason);
        }
    }

    /// @inheritdoc ILendingAccount
    function thresholdsWad(address[] calldata tokens) external view returns (uint256[] memory result) {
        result = new uint256[](tokens.length);
        for (uint256 i; i < tokens.length; ++i) {
            uint256 config = pool.getConfiguration(tokens[i]).data;
            bool backs = config & 0xFFFF != 0 && config & ACTIVE != 0 && config & FROZEN_OR_PAUSED == 0;
            if (backs) result[i] = ((config >> 16) & 0xFFFF) * BPS_TO_WAD;
        }
    }

    /// @inheritdoc ILendingAccount
    function borrowRateWad() external view returns (uint256) {
        return pool.getReserveData(address(_cash)).currentVariableBorrowRate / RAY_TO_WAD;
    }

    /// @inheritdoc ILendingAccount
    function liquidity(address token) external view returns (uint256) {
        return IERC20(token).balanceOf(_reserves[token].aToken);
    }

    /// @inheritdoc ILendingAccount
    function lists(address token) external view returns (bool) {
        return _reserves[token].aToken != address(0);
    }

    /// @inheritdoc ILendingAccount
    function cash() external view returns (address) {
        return address(_cash);
    }
}
