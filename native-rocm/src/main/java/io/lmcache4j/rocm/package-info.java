/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Pinned host memory and copies between it and a GPU, through AMD's HIP runtime (or NVIDIA's, which
 * has the same calls under other names).
 *
 * <h2>From device to Redis</h2>
 *
 * <p>A chunk on its way out is copied once by the GPU's own copy engine into a lease of {@link
 * io.lmcache4j.rocm.PinnedMemory}, and the socket writes from that lease; on its way in the socket
 * reads into a lease and the copy engine does the rest. {@link io.lmcache4j.rocm.GpuChunks}
 * overlaps the two halves over a batch, {@link io.lmcache4j.rocm.CopyEngine} is the copying alone.
 *
 * <h2>What holds</h2>
 *
 * <ul>
 *   <li>Host bytes belong to a lease and device bytes to a {@link io.lmcache4j.rocm.DeviceBuffer};
 *       a copy holds references to both from the moment it is asked for until the device's event
 *       says that it is over, whatever becomes of the future that was handed out.
 *   <li>Sizes and ranges are checked in Java before any call. A GPU page fault ends the process
 *       with {@code abort()}; no error code comes back that could be handled.
 *   <li>A chunk's host bytes are in one registration. Copies that span two are refused by HIP.
 *   <li>Calls that depend on the current device, a property of the thread, are made on threads of
 *       this package's own, never on the caller's: neither is the caller's current device changed,
 *       nor does a virtual thread change its carrier between two calls.
 *   <li>Pinned memory is taken when it is created and given back when it is closed. {@code
 *       hipHostFree} waits for every stream of the device, so nothing is freed in between.
 * </ul>
 */
@NullMarked
package io.lmcache4j.rocm;

import org.jspecify.annotations.NullMarked;
