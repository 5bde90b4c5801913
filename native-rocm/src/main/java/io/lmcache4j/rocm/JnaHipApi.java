/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

/** The real library, through JNA. */
final class JnaHipApi implements HipApi {

  private final GpuLibrary library;

  /** Takes a library whose symbols are all there, and binds it. */
  JnaHipApi(GpuLibrary library) {
    this.library = library;
    library.bind();
  }

  @Override
  public Dialect dialect() {
    return library.dialect();
  }

  @Override
  public int runtimeVersion(int[] version) {
    return library.runtimeVersion(version);
  }

  @Override
  public int deviceCount(int[] count) {
    return library.deviceCount(count);
  }

  @Override
  public int setDevice(int device) {
    return NativeCalls.setDevice(device);
  }

  @Override
  public String deviceName(int device) {
    return library.deviceName(device);
  }

  @Override
  public String pciBusId(int device) {
    return library.pciBusId(device);
  }

  @Override
  public int memInfo(long[] free, long[] total) {
    return NativeCalls.memInfo(free, total);
  }

  @Override
  public int hostMalloc(long[] address, long bytes, int flags) {
    return NativeCalls.hostMalloc(address, bytes, flags);
  }

  @Override
  public int hostFree(long address) {
    return NativeCalls.hostFree(address);
  }

  @Override
  public int hostRegister(long address, long bytes, int flags) {
    return NativeCalls.hostRegister(address, bytes, flags);
  }

  @Override
  public int hostUnregister(long address) {
    return NativeCalls.hostUnregister(address);
  }

  @Override
  public int malloc(long[] address, long bytes) {
    return NativeCalls.malloc(address, bytes);
  }

  @Override
  public int free(long address) {
    return NativeCalls.free(address);
  }

  @Override
  public int memcpyAsync(long to, long from, long bytes, int kind, long stream) {
    return NativeCalls.memcpyAsync(to, from, bytes, kind, stream);
  }

  @Override
  public int memcpy2DAsync(
      long to,
      long toPitch,
      long from,
      long fromPitch,
      long width,
      long height,
      int kind,
      long stream) {
    return NativeCalls.memcpy2DAsync(to, toPitch, from, fromPitch, width, height, kind, stream);
  }

  @Override
  public int streamCreate(long[] stream, int flags) {
    return NativeCalls.streamCreate(stream, flags);
  }

  @Override
  public int streamDestroy(long stream) {
    return NativeCalls.streamDestroy(stream);
  }

  @Override
  public int streamSynchronize(long stream) {
    return NativeCalls.streamSynchronize(stream);
  }

  @Override
  public int eventCreate(long[] event, int flags) {
    return NativeCalls.eventCreate(event, flags);
  }

  @Override
  public int eventRecord(long event, long stream) {
    return NativeCalls.eventRecord(event, stream);
  }

  @Override
  public int eventSynchronize(long event) {
    return NativeCalls.eventSynchronize(event);
  }

  @Override
  public int eventDestroy(long event) {
    return NativeCalls.eventDestroy(event);
  }

  @Override
  public String errorName(int code) {
    return library.errorName(code);
  }
}
