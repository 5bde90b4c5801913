/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

/**
 * The numbers of {@code hip_runtime_api.h} that calls are given, equal in HIP 5, 6 and 7 and in the
 * CUDA runtime. {@code tests/native/binding_check.c} compares each with AMD's headers.
 */
final class HipConstants {

  /** {@code hipMemcpyHostToDevice}. */
  static final int MEMCPY_HOST_TO_DEVICE = 1;

  /** {@code hipMemcpyDeviceToHost}. */
  static final int MEMCPY_DEVICE_TO_HOST = 2;

  /**
   * {@code hipHostMallocDefault}: coherent memory. {@code Portable} alone is not, and what a copy
   * wrote to memory that is not coherent is seen only after a synchronisation of the whole stream.
   */
  static final int HOST_MALLOC_DEFAULT = 0;

  /** {@code hipHostRegisterDefault}. */
  static final int HOST_REGISTER_DEFAULT = 0;

  /** {@code hipStreamNonBlocking}: does not wait for the null stream of whoever else uses it. */
  static final int STREAM_NON_BLOCKING = 1;

  /** {@code hipEventBlockingSync}: whoever waits for the event sleeps instead of spinning. */
  static final int EVENT_BLOCKING_SYNC = 1;

  /** {@code hipEventDisableTiming}. */
  static final int EVENT_DISABLE_TIMING = 2;

  /** The largest pitch of a 2D copy, {@code INT32_MAX} in HIP as in CUDA. */
  static final long MAX_PITCH = Integer.MAX_VALUE;

  private HipConstants() {}
}
