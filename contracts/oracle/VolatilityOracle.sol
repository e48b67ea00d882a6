// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {IRealizedVolatility} from "../interfaces/IRealizedVolatility.sol";
import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";
import {Bounds} from "../math/Bounds.sol";
import {CoordinateSolver} from "../math/CoordinateSolver.sol";
import {CorrelationMatrix} from "../math/CorrelationMatrix.sol";
import {FloorMath} from "../math/FloorMath.sol";
import {RiskMath} from "../math/RiskMath.sol";
import {Word8} from "../math/Word8.sol";
import {SignerSet} from "./SignerSet.sol";

/// @title Signed volatilities and correlations, verified parity coordinates
/// @dev A report for other assets, another chain or another oracle has another digest, so that its signature
/// recovers to some address that is no signer. A replay fails because observation times must rise.
contract VolatilityOracle is SignerSet, EIP712 {
    /// @dev What verified coordinates may be had from. An identity matrix is zeros, and so is no matrix.
    enum Basis {
        Nothing,
        Correlations,
        Coordinates
    }

    /// @dev One slot: all that a report is checked against but the assets. Fractions in 1e-7.
    struct State {
        uint32 volatilitiesAt;
        uint32 correlationsAt;
        uint32 settledAt;
        uint32 settlesAt;
        uint8 threshold;
        uint8 reportCount;
        uint8 latest;
        Basis basis;
        uint24 maxReportAge;
        uint16 settlePeriod;
        uint24 maxFallPerDay;
        uint24 eigenvalueFloor;
        uint8 n;
    }

    /// @dev One slot: what only governance and the targets read.
    struct Floors {
        uint64 floorFractionWad;
        uint64 parityFractionWad;
        uint32 signerDelay;
    }

    uint256 public constant MIN_ASSETS = 2;
    uint256 public constant MAX_ASSETS = 8;
    /// @notice {1e-8 / sqrt(year)} 0.1 %
    uint256 public constant MIN_VOLATILITY = 1e5;
    /// @notice {1e-8 / sqrt(year)} 4000 %
    uint256 public constant MAX_VOLATILITY = 4e9;
    /// @notice {1e-8} 1 %
    uint256 public constant MIN_BUDGET = 1e6;
    /// @notice Largest accepted max |x_i (Cx)_i - b_i|.
    uint256 public constant CERTIFICATE_TOLERANCE_WAD = 1e12;

    bytes32 public constant VOLATILITY_REPORT_TYPEHASH =
        keccak256("VolatilityReport(bytes32 assetsHash,uint64 observedAt,uint256 vols)");
    bytes32 public constant CORRELATION_REPORT_TYPEHASH =
        keccak256("CorrelationReport(bytes32 assetsHash,uint64 observedAt,uint256[2] correlations)");

    uint256 private constant WAD = 1e18;
    uint256 private constant FRACTION_TO_WAD = 1e11;

    /// @inheritdoc IVolatilityOracle
    IRealizedVolatility public immutable realized;

    State private _state;
    /// @inheritdoc IVolatilityOracle
    bytes32 public assetsHash;
    Floors private _floors;
    /// @dev The latest post, at `latest`, and the one before it that had settled: what falls are measured from, and what is
    ///      in use until the latest has settled too. A post writes one of the two slots only.
    uint256[2] private _posts;
    uint256 private _coordinates;
    uint256[2] private _correlations;
    /// @inheritdoc IVolatilityOracle
    uint256 public budgets;
    address[] private _assets;

    constructor(
        address owner_,
        address guardian_,
        IRealizedVolatility realized_,
        address[] memory assets_,
        uint256 budgets_,
        address[] memory signers_,
        uint256 threshold_,
        Params memory params_
    ) EIP712("Equipoise VolatilityOracle", "1") Ownable(owner_) {
        if (address(realized_) == address(0)) revert VolatilityOracle__ZeroAddress("realized");
        realized = realized_;
        _setBasket(assets_, budgets_);
        _setParams(params_);
        _initializeSigners(guardian_, signers_, threshold_);
    }

    // ---- governance

    /// @inheritdoc IVolatilityOracle
    function setBasket(address[] calldata newAssets, uint256 newBudgets) external onlyOwner {
        _setBasket(newAssets, newBudgets);
        delete _posts;
        delete _correlations;
        delete _coordinates;
        // Values are of other lanes; times stay: silence still delevers, and no report returns with its basket. A post that
        // had not settled never will. With nothing posted there is nothing to measure a fall from.
        State storage state = _state;
        state.settledAt = state.volatilitiesAt;
        (state.settlesAt, state.reportCount, state.basis) = (0, 0, Basis.Nothing);
        emit CoordinatesCleared();
    }

    function _setBasket(address[] memory newAssets, uint256 newBudgets) private {
        uint256 n = newAssets.length;
        if (n < MIN_ASSETS || n > MAX_ASSETS) {
            revert VolatilityOracle__AssetCountOutOfRange(n, MIN_ASSETS, MAX_ASSETS);
        }
        for (uint256 i; i < n; ++i) {
            if (newAssets[i] == address(0)) revert VolatilityOracle__ZeroAddress("asset");
            for (uint256 j; j < i; ++j) {
                if (newAssets[i] == newAssets[j]) revert VolatilityOracle__DuplicateAsset(newAssets[i]);
            }
        }
        _checkBudgets(newBudgets, n);
        bytes32 newHash = keccak256(abi.encode(newAssets));
        _state.n = uint8(n);
        _assets = newAssets;
        assetsHash = newHash;
        budgets = newBudgets;
        emit BasketSet(newAssets, newBudgets, newHash);
    }

    /// @inheritdoc IVolatilityOracle
    function setBudgets(uint256 newBudgets) external onlyOwner {
        State storage state = _state;
        _checkBudgets(newBudgets, state.n);
        budgets = newBudgets;
        _coordinates = 0;
        if (state.basis == Basis.Coordinates) state.basis = Basis.Correlations;
        emit BudgetsSet(newBudgets);
        emit CoordinatesCleared();
    }

    /// @inheritdoc IVolatilityOracle
    function setParams(Params calldata newParams) external onlyOwner {
        _setParams(newParams);
    }

    function _setParams(Params memory p) private {
        Bounds.check("maxReportAge", p.maxReportAge, 1 minutes, 1 days);
        Bounds.check("maxFallPerDayWad", p.maxFallPerDayWad, 0.01e18, WAD);
        Bounds.check("eigenvalueFloorWad", p.eigenvalueFloorWad, 0.002e18, 0.5e18);
        Bounds.check("floorFractionWad", p.floorFractionWad, 0, WAD);
        Bounds.check("parityFractionWad", p.parityFractionWad, 0, WAD);
        // no report is accepted that old: what a signer signed before it was removed is dead when it returns
        Bounds.check("signerDelay", p.signerDelay, 1 days, 30 days);
        _floors = Floors(p.floorFractionWad, p.parityFractionWad, p.signerDelay);
        Bounds.check("settlePeriod", p.settlePeriod, 0, 1 hours);
        _state.maxReportAge = uint24(p.maxReportAge);
        _state.settlePeriod = uint16(p.settlePeriod);
        _state.maxFallPerDay = uint24(p.maxFallPerDayWad / FRACTION_TO_WAD);
        _state.eigenvalueFloor = uint24(p.eigenvalueFloorWad / FRACTION_TO_WAD);
        emit ParamsSet(p);
    }

    function _checkBudgets(uint256 word, uint256 n) private pure {
        if (!Word8.unusedLanesAreZero(word, n)) revert VolatilityOracle__UnusedLanesNotZero(word);
        uint256 sum;
        for (uint256 i; i < n; ++i) {
            uint256 lane = Word8.lane(word, i);
            if (lane < MIN_BUDGET) revert VolatilityOracle__BudgetOutOfRange(i, lane, MIN_BUDGET, Word8.ONE);
            sum += lane;
        }
        if (sum != Word8.ONE) revert VolatilityOracle__BudgetSumInvalid(sum, Word8.ONE);
    }

    // ---- volatilities

    /// @inheritdoc IVolatilityOracle
    function postVolatilities(SignedVolatilities[] calldata reports) external {
        State memory state = _state;
        uint256 count = reports.length;
        _checkQuorum(count, state.threshold);
        uint256 observedAt = reports[0].observedAt;
        if (_isSettled(state)) {
            (state.settledAt, state.latest) = (state.volatilitiesAt, 1 - state.latest);
            _checkTime(observedAt, state.settledAt, state.maxReportAge);
        } else if (observedAt != state.volatilitiesAt || count <= state.reportCount) {
            // reports of the round's time do not grow too old for it: else a lie would be safe once the truth is
            revert VolatilityOracle__RoundOpen(state.volatilitiesAt, state.reportCount, state.settlesAt);
        }

        uint256 medianVols = _median(_verified(reports, observedAt, state.n), state.n);
        uint256 vols = state.settledAt == 0
            ? medianVols
            : _limitFall(
                medianVols,
                _posts[1 - state.latest],
                observedAt - state.settledAt,
                state.maxFallPerDay * FRACTION_TO_WAD,
                state.n
            );
        _posts[state.latest] = vols;
        State storage stored = _state;
        stored.volatilitiesAt = uint32(observedAt);
        stored.settledAt = state.settledAt;
        stored.settlesAt = uint32(block.timestamp + state.settlePeriod);
        stored.reportCount = uint8(count);
        stored.latest = state.latest;
        emit ReportsPosted(reports);
        emit VolatilitiesPosted(vols, medianVols, uint64(observedAt), count);
    }

    /// @dev The signed words, all of one time.
    function _verified(
        SignedVolatilities[] calldata reports,
        uint256 observedAt,
        uint256 n
    ) private view returns (uint256[] memory words) {
        address signer;
        bytes32 assetsHash_ = assetsHash;
        words = new uint256[](reports.length);
        for (uint256 i; i < words.length; ++i) {
            SignedVolatilities calldata report = reports[i];
            if (report.observedAt != observedAt)
                revert VolatilityOracle__TimesDiffer(report.observedAt, observedAt);
            uint256 word = report.vols;
            bytes32 structHash = keccak256(
                abi.encode(VOLATILITY_REPORT_TYPEHASH, assetsHash_, observedAt, word)
            );
            signer = _recoverSigner(structHash, report.r, report.vs, signer);
            if (!Word8.unusedLanesAreZero(word, n)) revert VolatilityOracle__UnusedLanesNotZero(word);
            words[i] = word;
        }
    }

    /// @dev Anyone may post, and chooses which reports: while a post has not settled, whoever has more of them corrects it,
    /// and each correction has a period of its own to be answered in, at most one a signer beyond the quorum. Whoever
    /// adds what has been posted to what honest signers say has the last word, and the median is honest.
    function _isSettled(State memory state) private view returns (bool) {
        return block.timestamp >= state.settlesAt;
    }

    /// @dev Observation time of what is in use: a post makes nothing young before it has settled.
    function _inUseAt(State memory state) private view returns (uint64) {
        return _isSettled(state) ? state.volatilitiesAt : state.settledAt;
    }

    /// @dev The middle of each lane, the upper middle for an even count: the side of less exposure. While less than
    /// half of the words lie, it is between two honest ones. All lanes of all words must be within bounds.
    function _median(uint256[] memory words, uint256 n) private pure returns (uint256 medians) {
        uint256[] memory sorted = new uint256[](words.length);
        uint256 middle = words.length / 2;
        unchecked {
            for (uint256 i; i < n; ++i) {
                uint256 shift = Word8.LANE_BITS * i;
                (uint256 least, uint256 greatest) = _sortLane(words, shift, sorted);
                if (least < MIN_VOLATILITY || greatest > MAX_VOLATILITY) {
                    revert VolatilityOracle__VolatilityOutOfRange(
                        i,
                        least < MIN_VOLATILITY ? least : greatest,
                        MIN_VOLATILITY,
                        MAX_VOLATILITY
                    );
                }
                medians |= sorted[middle] << shift;
            }
        }
    }

    /// @dev Insertion sort of one lane of all words into `sorted`, ascending; the first and the last of them.
    function _sortLane(
        uint256[] memory words,
        uint256 shift,
        uint256[] memory sorted
    ) private pure returns (uint256 least, uint256 greatest) {
        uint256 mask = Word8.LANE_MASK;
        assembly ("memory-safe") {
            let first := add(sorted, 32)
            let size := shl(5, mload(words))
            for {
                let offset := 0
            } lt(offset, size) {} {
                let slot := add(first, offset)
                offset := add(offset, 32)
                let value := and(shr(shift, mload(add(words, offset))), mask)
                for {} gt(slot, first) {} {
                    let below := sub(slot, 32)
                    let other := mload(below)
                    if iszero(gt(other, value)) {
                        break
                    }
                    mstore(slot, other)
                    slot := below
                }
                mstore(slot, value)
            }
            least := mload(first)
            greatest := mload(add(sorted, size))
        }
    }

    /// @dev max(new, old * (1 - rate * elapsed)), lane by lane, the limit rounded up.
    function _limitFall(
        uint256 newVols,
        uint256 oldVols,
        uint256 elapsed,
        uint256 maxFallPerDayWad,
        uint256 n
    ) private pure returns (uint256 vols) {
        uint256 keptWad = FixedPointMathLib.zeroFloorSub(WAD, (maxFallPerDayWad * elapsed) / 1 days);
        unchecked {
            for (uint256 shift; shift < Word8.LANE_BITS * n; shift += Word8.LANE_BITS) {
                uint256 value = (newVols >> shift) & Word8.LANE_MASK;
                uint256 least = (((oldVols >> shift) & Word8.LANE_MASK) * keptWad + WAD - 1) / WAD;
                vols |= (value < least ? least : value) << shift;
            }
        }
    }

    // ---- correlations and coordinates

    /// @inheritdoc IVolatilityOracle
    function postCorrelations(
        CorrelationReport calldata report,
        Signature[] calldata signatures,
        uint256 coordinates
    ) external {
        State memory state = _state;
        uint256[2] memory correlations = report.correlations;
        _checkQuorum(signatures.length, state.threshold);
        _checkTime(report.observedAt, state.correlationsAt, state.maxReportAge);
        if (!CorrelationMatrix.unusedLanesAreZero(correlations, state.n)) {
            revert VolatilityOracle__UnusedLanesNotZero(
                correlations[1] == 0 ? correlations[0] : correlations[1]
            );
        }
        bytes32 structHash = keccak256(
            abi.encode(
                CORRELATION_REPORT_TYPEHASH,
                assetsHash,
                report.observedAt,
                keccak256(abi.encode(correlations))
            )
        );
        address signer;
        for (uint256 i; i < signatures.length; ++i) {
            signer = _recoverSigner(structHash, signatures[i].r, signatures[i].vs, signer);
        }
        (bool accepted, uint256 index, int256 pivotWad) = CorrelationMatrix.eigenvaluesAbove(
            correlations,
            state.n,
            state.eigenvalueFloor * FRACTION_TO_WAD
        );
        if (!accepted) {
            revert VolatilityOracle__NotPositiveDefinite(
                index,
                pivotWad,
                state.eigenvalueFloor * FRACTION_TO_WAD
            );
        }

        _correlations = correlations;
        _state.correlationsAt = uint32(report.observedAt);
        emit CorrelationsPosted(correlations, report.observedAt, signatures.length);
        _storeCoordinates(coordinates, correlations, false);
    }

    /// @inheritdoc IVolatilityOracle
    function postCoordinates(uint256 coordinates) external {
        if (coordinates == 0) revert VolatilityOracle__CoordinateZero(0);
        _storeCoordinates(coordinates, _loadCorrelations(), true);
    }

    /// @inheritdoc IVolatilityOracle
    function solveCoordinates() external {
        _storeCoordinates(0, _loadCorrelations(), true);
    }

    function _loadCorrelations() private view returns (uint256[2] memory) {
        if (_state.basis == Basis.Nothing) revert VolatilityOracle__NoCorrelations();
        return _correlations;
    }

    /// @dev Verifies and stores; 0 stands for "solve". Coordinates that hold already are replaced by better ones
    /// only, so that nobody can move the targets to and fro within the tolerance.
    function _storeCoordinates(
        uint256 coordinates,
        uint256[2] memory correlations,
        bool currentHolds
    ) private {
        State storage state = _state;
        uint256 n = state.n;
        uint256 budgets_ = budgets;
        if (coordinates == 0) coordinates = CoordinateSolver.solve(correlations, budgets_, n);
        if (!Word8.unusedLanesAreZero(coordinates, n)) {
            revert VolatilityOracle__UnusedLanesNotZero(coordinates);
        }
        for (uint256 i; i < n; ++i) {
            if (Word8.lane(coordinates, i) == 0) revert VolatilityOracle__CoordinateZero(i);
        }
        uint256 errorWad = RiskMath.certificateError(coordinates, correlations, budgets_, n);
        if (errorWad > CERTIFICATE_TOLERANCE_WAD) {
            revert VolatilityOracle__CertificateFailed(errorWad, CERTIFICATE_TOLERANCE_WAD);
        }
        uint256 current = _coordinates;
        if (currentHolds && current != 0) {
            uint256 currentErrorWad = RiskMath.certificateError(current, correlations, budgets_, n);
            if (errorWad >= currentErrorWad) {
                revert VolatilityOracle__CoordinatesNotBetter(errorWad, currentErrorWad);
            }
        }
        _coordinates = coordinates;
        if (state.basis != Basis.Coordinates) state.basis = Basis.Coordinates;
        emit CoordinatesPosted(coordinates, errorWad);
    }

    // ---- what every signed report is checked for

    function _checkQuorum(uint256 count, uint256 need) private pure {
        if (count < need) revert VolatilityOracle__QuorumNotReached(count, need);
    }

    function _checkTime(uint256 observedAt, uint256 storedAt, uint256 maxReportAge) private view {
        if (observedAt > block.timestamp) {
            revert VolatilityOracle__ReportFromFuture(observedAt, block.timestamp);
        }
        if (observedAt + maxReportAge < block.timestamp) {
            revert VolatilityOracle__ReportTooOld(observedAt, block.timestamp, maxReportAge);
        }
        if (observedAt <= storedAt) revert VolatilityOracle__ReportNotNewer(observedAt, storedAt);
    }

    /// @dev A strictly ascending order makes the signers distinct, so that there are never more reports than signers.
    function _recoverSigner(
        bytes32 structHash,
        bytes32 r,
        bytes32 vs,
        address previous
    ) private view returns (address signer) {
        signer = ECDSA.recover(_hashTypedDataV4(structHash), r, vs);
        if (!isSigner(signer)) revert VolatilityOracle__NotSigner(signer);
        if (signer <= previous) revert VolatilityOracle__SignersNotAscending(previous, signer);
    }

    // ---- views

    /// @inheritdoc IVolatilityOracle
    function riskData() external view returns (RiskData memory) {
        State memory state = _state;
        (, uint256 vols) = _volatilitiesInUse(state);
        return
            RiskData({
                vols: vols,
                volatilitiesAt: _inUseAt(state),
                correlationsAt: state.correlationsAt,
                correlations: _correlations,
                coordinates: _coordinates,
                budgets: budgets,
                n: state.n
            });
    }

    /// @inheritdoc IVolatilityOracle
    function exposureData()
        external
        view
        returns (uint256 vols, uint256 coordinates, uint64 volatilitiesAt, uint64 correlationsAt, uint8 n)
    {
        State memory state = _state;
        (, vols) = _volatilitiesInUse(state);
        return (vols, _coordinates, _inUseAt(state), state.correlationsAt, state.n);
    }

    /// @inheritdoc IVolatilityOracle
    function parityPortfolio() external view returns (uint256 vols, uint256 coordinates) {
        (vols, ) = _volatilitiesInUse(_state);
        return (vols, _coordinates);
    }

    /// @inheritdoc IVolatilityOracle
    function reportedVolatilities() external view returns (uint256) {
        return _reported(_state);
    }

    function _reported(State memory state) private view returns (uint256) {
        return _posts[_isSettled(state) ? state.latest : 1 - state.latest];
    }

    /// @inheritdoc IVolatilityOracle
    function lastPost()
        external
        view
        returns (uint256 vols, uint64 observedAt, uint256 reportCount, uint256 settlesAt)
    {
        State memory state = _state;
        return (_posts[state.latest], state.volatilitiesAt, state.reportCount, state.settlesAt);
    }

    function _storeThreshold(uint8 newThreshold) internal override {
        _state.threshold = newThreshold;
    }

    /// @dev An unsettled post may count one who has left, and so many may not be left: any quorum replaces it.
    function _signerLeft() internal override {
        _state.reportCount = 0;
    }

    function _signerDelay() internal view override returns (uint256) {
        return _floors.signerDelay;
    }

    /// @dev Nothing reported stays nothing: a floor alone is no report.
    function _volatilitiesInUse(State memory state) private view returns (uint256 raised, uint256 scaled) {
        uint256 vols = _reported(state);
        if (vols == 0) return (0, 0);
        Floors memory f = _floors;
        (uint256 realisedVols, uint256 ratioWad) = realized.floors();
        raised = realisedVols == 0 ? vols : FloorMath.raised(vols, realisedVols, f.floorFractionWad, state.n);
        scaled = FloorMath.scaled(raised, ratioWad, f.parityFractionWad, MAX_VOLATILITY, state.n);
    }

    /// @inheritdoc IVolatilityOracle
    function reportTimes()
        external
        view
        returns (uint64 volatilitiesAt, uint64 correlationsAt, bool hasCoordinates)
    {
        State memory state = _state;
        return (_inUseAt(state), state.correlationsAt, state.basis == Basis.Coordinates);
    }

    /// @inheritdoc IVolatilityOracle
    function assets() external view returns (address[] memory) {
        return _assets;
    }

    /// @inheritdoc IVolatilityOracle
    function threshold() public view override returns (uint256) {
        return _state.threshold;
    }

    /// @inheritdoc IVolatilityOracle
    function params() external view returns (Params memory) {
        State memory state = _state;
        Floors memory f = _floors;
        return
            Params(
                state.maxReportAge,
                state.settlePeriod,
                uint64(state.maxFallPerDay * FRACTION_TO_WAD),
                uint64(state.eigenvalueFloor * FRACTION_TO_WAD),
                f.floorFractionWad,
                f.parityFractionWad,
                f.signerDelay
            );
    }
}
