/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

/**
 * The calls of a GPU runtime that this package makes, and no other. Addresses, sizes and handles
 * are {@code long}, flags and codes {@code int}; results come back in arrays of one element, which
 * a failed call leaves as they were. Each {@code int} method returns the call's own code.
 *
 * <p>The current device is a property of the calling thread and begins as device 0; {@link
 * #setDevice} is only called on threads that belong to this package.
 */
interface HipApi {

  /** The names of this runtime's functions and errors. */
  Dialect dialect();

  /** {@code hipRuntimeGetVersion}. */
  int runtimeVersion(int[] version);

  /** {@code hipGetDeviceCount}. */
  int deviceCount(int[] count);

  /** {@code hipSetDevice}, for the calling thread. */
  int setDevice(int device);

  /** The marketing name of a device; empty where the runtime does not tell. */
  String deviceName(int device);

  /** {@code hipDeviceGetPCIBusId}: {@code dddd:bb:dd.f}; empty where the runtime does not tell. */
  String pciBusId(int device);

  /** {@code hipMemGetInfo} of the current device. */
  int memInfo(long[] free, long[] total);

  /** {@code hipHostMalloc}. */
  int hostMalloc(long[] address, long bytes, int flags);

  /** {@code hipHostFree}; waits for every stream of the device. */
  int hostFree(long address);

  /** {@code hipHostRegister}. */
  int hostRegister(long address, long bytes, int flags);

  /** {@code hipHostUnregister}; waits for every stream of the device. */
  int hostUnregister(long address);

  /** {@code hipMalloc}, on the current device. */
  int malloc(long[] address, long bytes);

  /** {@code hipFree}; waits for every stream of the device. */
  int free(long address);

  /** {@code hipMemcpyAsync}. */
  int memcpyAsync(long to, long from, long bytes, int kind, long stream);

  /** {@code hipMemcpy2DAsync}: {@code height} rows of {@code width} bytes. */
  int memcpy2DAsync(
      long to,
      long toPitch,
      long from,
      long fromPitch,
      long width,
      long height,
      int kind,
      long stream);

  /** {@code hipStreamCreateWithFlags}, on the current device. */
  int streamCreate(long[] stream, int flags);

  /** {@code hipStreamDestroy}; the handle is dead afterwards, and using it is a crash in HIP 7. */
  int streamDestroy(long stream);

  /** {@code hipStreamSynchronize}. */
  int streamSynchronize(long stream);

  /** {@code hipEventCreateWithFlags}, on the current device. */
  int eventCreate(long[] event, int flags);

  /** {@code hipEventRecord}. */
  int eventRecord(long event, long stream);

  /** {@code hipEventSynchronize}. */
  int eventSynchronize(long event);

  /** {@code hipEventDestroy}. */
  int eventDestroy(long event);

  /** The name of a code. */
  String errorName(int code);

  /** Throws unless the code is 0; {@code call} is the method's name here. */
  default void check(int code, String call) {
    if (code != HipErrors.SUCCESS) {
      throw failure(code, call, "");
    }
  }

  /** An exception for a call that failed; {@code call} is the method's name here. */
  default HipException failure(int code, String call, String detail) {
    return new HipException(code, errorName(code), dialect().symbol(call), detail);
  }
}
