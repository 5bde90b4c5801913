/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;

/**
 * JNA's direct mapping of the calls that every supported library has. Bound once in the life of the
 * process, to the one library that turned out usable: loading two copies of a runtime is asking for
 * two of its thread pools over one device.
 *
 * <p>Direct mapping, for a call then costs about 0.2 µs and no garbage, where an interface mapping
 * costs 1.1 µs and boxes every argument. The C names come from the library's {@link Dialect}.
 */
final class NativeCalls {

  private NativeCalls() {}

  static void bind(NativeLibrary library) {
    Native.register(NativeCalls.class, library);
  }

  static native int setDevice(int device);

  static native int memInfo(long[] free, long[] total);

  static native int hostMalloc(long[] address, long bytes, int flags);

  static native int hostFree(long address);

  static native int hostRegister(long address, long bytes, int flags);

  static native int hostUnregister(long address);

  static native int malloc(long[] address, long bytes);

  static native int free(long address);

  static native int memcpyAsync(long to, long from, long bytes, int kind, long stream);

  static native int memcpy2DAsync(
      long to,
      long toPitch,
      long from,
      long fromPitch,
      long width,
      long height,
      int kind,
      long stream);

  static native int streamCreate(long[] stream, int flags);

  static native int streamDestroy(long stream);

  static native int streamSynchronize(long stream);

  static native int eventCreate(long[] event, int flags);

  static native int eventRecord(long event, long stream);

  static native int eventSynchronize(long event);

  static native int eventDestroy(long event);
}
