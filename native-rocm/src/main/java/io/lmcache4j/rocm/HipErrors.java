/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import java.util.Map;
import java.util.Set;

/**
 * Codes and names of {@code hipError_t} ({@code hip_runtime_api.h}, the same in HIP 5.2.3 and
 * 6.4.3). Kept here, so that an error has a name even where no library is loaded, and because
 * {@code hipGetErrorString} changed from names to sentences with 5.7.
 */
final class HipErrors {

  static final int SUCCESS = 0;
  static final int INVALID_VALUE = 1;
  static final int OUT_OF_MEMORY = 2;
  static final int NOT_INITIALIZED = 3;
  static final int DEINITIALIZED = 4;
  static final int INSUFFICIENT_DRIVER = 35;
  static final int NO_DEVICE = 100;
  static final int INVALID_DEVICE = 101;
  static final int ECC_NOT_CORRECTABLE = 214;
  static final int INVALID_HANDLE = 400;
  static final int NOT_READY = 600;
  static final int ILLEGAL_ADDRESS = 700;
  static final int LAUNCH_TIME_OUT = 702;
  static final int CONTEXT_IS_DESTROYED = 709;
  static final int LAUNCH_FAILURE = 719;
  static final int UNKNOWN = 999;

  private static final Map<Integer, String> NAMES =
      Map.ofEntries(
          Map.entry(SUCCESS, "Success"),
          Map.entry(INVALID_VALUE, "ErrorInvalidValue"),
          Map.entry(OUT_OF_MEMORY, "ErrorOutOfMemory"),
          Map.entry(NOT_INITIALIZED, "ErrorNotInitialized"),
          Map.entry(DEINITIALIZED, "ErrorDeinitialized"),
          Map.entry(5, "ErrorProfilerDisabled"),
          Map.entry(6, "ErrorProfilerNotInitialized"),
          Map.entry(7, "ErrorProfilerAlreadyStarted"),
          Map.entry(8, "ErrorProfilerAlreadyStopped"),
          Map.entry(9, "ErrorInvalidConfiguration"),
          Map.entry(12, "ErrorInvalidPitchValue"),
          Map.entry(13, "ErrorInvalidSymbol"),
          Map.entry(17, "ErrorInvalidDevicePointer"),
          Map.entry(21, "ErrorInvalidMemcpyDirection"),
          Map.entry(INSUFFICIENT_DRIVER, "ErrorInsufficientDriver"),
          Map.entry(52, "ErrorMissingConfiguration"),
          Map.entry(53, "ErrorPriorLaunchFailure"),
          Map.entry(98, "ErrorInvalidDeviceFunction"),
          Map.entry(NO_DEVICE, "ErrorNoDevice"),
          Map.entry(INVALID_DEVICE, "ErrorInvalidDevice"),
          Map.entry(200, "ErrorInvalidImage"),
          Map.entry(201, "ErrorInvalidContext"),
          Map.entry(202, "ErrorContextAlreadyCurrent"),
          Map.entry(205, "ErrorMapFailed"),
          Map.entry(206, "ErrorUnmapFailed"),
          Map.entry(207, "ErrorArrayIsMapped"),
          Map.entry(208, "ErrorAlreadyMapped"),
          Map.entry(209, "ErrorNoBinaryForGpu"),
          Map.entry(210, "ErrorAlreadyAcquired"),
          Map.entry(211, "ErrorNotMapped"),
          Map.entry(212, "ErrorNotMappedAsArray"),
          Map.entry(213, "ErrorNotMappedAsPointer"),
          Map.entry(ECC_NOT_CORRECTABLE, "ErrorECCNotCorrectable"),
          Map.entry(215, "ErrorUnsupportedLimit"),
          Map.entry(216, "ErrorContextAlreadyInUse"),
          Map.entry(217, "ErrorPeerAccessUnsupported"),
          Map.entry(218, "ErrorInvalidKernelFile"),
          Map.entry(219, "ErrorInvalidGraphicsContext"),
          Map.entry(300, "ErrorInvalidSource"),
          Map.entry(301, "ErrorFileNotFound"),
          Map.entry(302, "ErrorSharedObjectSymbolNotFound"),
          Map.entry(303, "ErrorSharedObjectInitFailed"),
          Map.entry(304, "ErrorOperatingSystem"),
          Map.entry(INVALID_HANDLE, "ErrorInvalidHandle"),
          Map.entry(401, "ErrorIllegalState"),
          Map.entry(500, "ErrorNotFound"),
          Map.entry(NOT_READY, "ErrorNotReady"),
          Map.entry(ILLEGAL_ADDRESS, "ErrorIllegalAddress"),
          Map.entry(701, "ErrorLaunchOutOfResources"),
          Map.entry(LAUNCH_TIME_OUT, "ErrorLaunchTimeOut"),
          Map.entry(704, "ErrorPeerAccessAlreadyEnabled"),
          Map.entry(705, "ErrorPeerAccessNotEnabled"),
          Map.entry(708, "ErrorSetOnActiveProcess"),
          Map.entry(CONTEXT_IS_DESTROYED, "ErrorContextIsDestroyed"),
          Map.entry(710, "ErrorAssert"),
          Map.entry(712, "ErrorHostMemoryAlreadyRegistered"),
          Map.entry(713, "ErrorHostMemoryNotRegistered"),
          Map.entry(LAUNCH_FAILURE, "ErrorLaunchFailure"),
          Map.entry(720, "ErrorCooperativeLaunchTooLarge"),
          Map.entry(801, "ErrorNotSupported"),
          Map.entry(900, "ErrorStreamCaptureUnsupported"),
          Map.entry(901, "ErrorStreamCaptureInvalidated"),
          Map.entry(902, "ErrorStreamCaptureMerge"),
          Map.entry(903, "ErrorStreamCaptureUnmatched"),
          Map.entry(904, "ErrorStreamCaptureUnjoined"),
          Map.entry(905, "ErrorStreamCaptureIsolation"),
          Map.entry(906, "ErrorStreamCaptureImplicit"),
          Map.entry(907, "ErrorCapturedEvent"),
          Map.entry(908, "ErrorStreamCaptureWrongThread"),
          Map.entry(910, "ErrorGraphExecUpdateFailure"),
          Map.entry(UNKNOWN, "ErrorUnknown"),
          Map.entry(1052, "ErrorRuntimeMemory"),
          Map.entry(1053, "ErrorRuntimeOther"));

  /** Codes after which the runtime has torn down what the process had on the device. */
  private static final Set<Integer> DEVICE_LOST =
      Set.of(
          DEINITIALIZED,
          ECC_NOT_CORRECTABLE,
          ILLEGAL_ADDRESS,
          LAUNCH_TIME_OUT,
          CONTEXT_IS_DESTROYED,
          LAUNCH_FAILURE,
          UNKNOWN);

  private HipErrors() {}

  /** Returns the code's name as {@code hipGetErrorName} has it. */
  static String name(int code) {
    return "hip" + NAMES.getOrDefault(code, "ErrorUnknown");
  }

  static boolean isDeviceLost(int code) {
    return DEVICE_LOST.contains(code);
  }

  /** All codes that have a name. */
  static Set<Integer> codes() {
    return NAMES.keySet();
  }
}
