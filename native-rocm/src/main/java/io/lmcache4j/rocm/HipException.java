/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import io.lmcache4j.core.LmcacheException;

/**
 * A call of the GPU runtime returned an error.
 *
 * <p>The code is that of the call itself. {@code hipGetLastError} is never asked: up to ROCm 6 it
 * tells of the previous call whatever it was, from 7 on of the last failure.
 */
public final class HipException extends LmcacheException {

  private static final long serialVersionUID = 1L;

  private final int code;
  private final String name;
  private final String call;

  HipException(int code, String name, String call) {
    this(code, name, call, "");
  }

  HipException(int code, String name, String call, String detail) {
    super(call + detail + " failed with " + code + " (" + name + ")");
    this.code = code;
    this.name = name;
    this.call = call;
  }

  /**
   * The {@code hipError_t} (or {@code cudaError_t}).
   *
   * @return a number, never 0
   */
  public int code() {
    return code;
  }

  /**
   * The code's name.
   *
   * @return for example {@code hipErrorOutOfMemory}; {@code hipErrorUnknown} for a number that has
   *     none
   */
  public String name() {
    return name;
  }

  /**
   * The call that failed.
   *
   * @return the C function's name
   */
  public String call() {
    return call;
  }

  /**
   * Whether the device is of no more use to this process, so that nothing on it can be retried.
   *
   * @return true after a page fault, a failed kernel, a memory error or a destroyed context
   */
  public boolean isDeviceLost() {
    return HipErrors.isDeviceLost(code);
  }
}
