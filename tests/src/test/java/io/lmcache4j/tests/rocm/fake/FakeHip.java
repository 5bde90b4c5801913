/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.rocm.fake;

import com.sun.jna.FunctionMapper;
import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import io.lmcache4j.rocm.DeviceBuffer;
import io.lmcache4j.rocm.HipDevice;
import io.lmcache4j.rocm.HipRuntime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Steers the fake runtime of this process: {@code tests/native/fakehip_control.h}, by the names
 * that it has there.
 */
final class FakeHip {

  /** What is in fresh device memory. */
  static final byte POISON = (byte) 0xDB;

  static final int OUT_OF_MEMORY = 2;
  static final int LAUNCH_FAILURE = 719;

  /** Instead of a call: a copy that runs, and takes the device with it. */
  static final String RUNNING_COPY = "copy";

  private static final int RTLD_NOW_NODELETE = 0x1002;
  private static final int COPY_BYTES = 72;

  private static @Nullable FakeHip installed;

  private final Control control;

  private FakeHip(Control control) {
    this.control = control;
  }

  /** Makes the fake, as ROCm 6 has it, this process's runtime. */
  static synchronized FakeHip install() {
    if (installed == null) {
      String file = NativeBuild.library(6).toString();
      System.setProperty(HipRuntime.LIBRARY_PROPERTY, file);
      FunctionMapper names = (library, method) -> "fakehip_" + method.getName();
      Map<String, Object> options =
          Map.of(
              Library.OPTION_FUNCTION_MAPPER, names, Library.OPTION_OPEN_FLAGS, RTLD_NOW_NODELETE);
      installed = new FakeHip(Native.load(file, Control.class, options));
    }
    return installed;
  }

  /** A device of the runtime. */
  HipDevice device(int index) {
    return HipRuntime.find().orElseThrow().devices().get(index);
  }

  void set(String setting, long value) {
    if (control.set(setting, value) != 0) {
      throw new IllegalArgumentException(setting + " cannot be " + value);
    }
  }

  /** The nth call from now answers a code. */
  void inject(String call, long nth, int code) {
    control.inject(call, nth, code);
  }

  /** Every call from now answers a code. */
  void injectAlways(String call, int code) {
    control.inject(call, 0, code);
  }

  void heal() {
    control.heal();
  }

  void hold() {
    control.hold();
  }

  void let(long copies) {
    control.let(copies);
  }

  void release() {
    control.release();
  }

  long calls(String function) {
    return control.calls(function);
  }

  long count(String counter) {
    long value = control.count(counter);
    if (value < 0) {
      throw new IllegalArgumentException("no counter " + counter);
    }
    return value;
  }

  List<String> violations() {
    List<String> all = new ArrayList<>();
    for (String text = control.violation(0); text != null; text = control.violation(all.size())) {
      all.add(text);
    }
    return all;
  }

  /** The device that was current when the memory at an address was taken; -1 if it is unknown. */
  int deviceOf(long address) {
    return control.device_of(new Pointer(address));
  }

  /** What the device holds at this moment. */
  byte[] peek(DeviceBuffer buffer, long offset, int length) {
    byte[] bytes = new byte[length];
    if (control.peek(bytes, new Pointer(buffer.address() + offset), length) != 0) {
      throw new IndexOutOfBoundsException(length + " bytes at " + offset + " of " + buffer);
    }
    return bytes;
  }

  /** Changes what the device holds, without a copy. */
  void poke(DeviceBuffer buffer, long offset, byte[] bytes) {
    if (control.poke(new Pointer(buffer.address() + offset), bytes, bytes.length) != 0) {
      throw new IndexOutOfBoundsException(bytes.length + " bytes at " + offset + " of " + buffer);
    }
  }

  /** The copies that were run since the log was cleared, in the order of their completion. */
  List<Copied> log() {
    List<Copied> all = new ArrayList<>();
    try (Memory copy = new Memory(COPY_BYTES)) {
      while (control.log(all.size(), copy) == 0) {
        all.add(
            new Copied(
                copy.getLong(0),
                copy.getLong(8),
                copy.getLong(16),
                copy.getLong(24),
                copy.getLong(40),
                copy.getLong(48),
                copy.getInt(56),
                copy.getInt(60),
                copy.getInt(64)));
      }
    }
    return all;
  }

  void clearLog() {
    control.log_clear();
  }

  /**
   * A copy that a device ran. Times are those of {@link System#nanoTime}, which on Linux is the
   * clock that the fake reads.
   */
  record Copied(
      long stream,
      long to,
      long from,
      long bytes,
      long startedNanos,
      long endedNanos,
      int device,
      int direction,
      int code) {}

  /** The exported functions, without their prefix. */
  interface Control extends Library {

    int set(String setting, long value);

    void inject(String call, long nth, int code);

    void heal();

    void hold();

    void let(long count);

    void release();

    long calls(String function);

    long count(String counter);

    @Nullable String violation(long index);

    int peek(byte[] out, Pointer address, long size);

    int poke(Pointer address, byte[] in, long size);

    int device_of(Pointer address);

    int log(long index, Memory copy);

    void log_clear();
  }
}
