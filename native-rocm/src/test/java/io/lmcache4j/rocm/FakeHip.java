/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import com.sun.jna.Pointer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * A runtime in Java for states and errors, stricter than the real one: whatever HIP leaves
 * undefined, or answers with a crash, is a {@link #violations() violation} here. Device memory is
 * byte arrays at addresses that do not exist; host memory is real. A copy is done when somebody
 * waits for it and not before, so that what is reused too early is seen to be.
 */
final class FakeHip implements HipApi {

  private static final long DEVICE_BASE = 0x7f00_0000_0000_0000L;

  private final Dialect dialect;
  private final int devices;
  private final ThreadLocal<Integer> current = ThreadLocal.withInitial(() -> 0);
  private final List<String> violations = Collections.synchronizedList(new ArrayList<>());
  private final List<String> calls = Collections.synchronizedList(new ArrayList<>());

  private final TreeMap<Long, byte[]> deviceMemory = new TreeMap<>();
  private final Map<Long, Integer> deviceOf = new HashMap<>();
  private final TreeMap<Long, Long> pinned = new TreeMap<>();
  private final TreeMap<Long, Long> registered = new TreeMap<>();
  private final Map<Long, Stream> streams = new HashMap<>();
  private final Map<Long, Event> events = new HashMap<>();
  private final Set<Long> dead = new HashSet<>();
  private final Map<String, Fault> faults = new HashMap<>();
  private long nextAddress = DEVICE_BASE;
  private long nextHandle = 0x1000;
  private long pinnedLimit = Long.MAX_VALUE;
  private int lost;
  private @Nullable CountDownLatch gate;

  FakeHip() {
    this(Dialect.HIP, 1);
  }

  FakeHip(Dialect dialect, int devices) {
    this.dialect = dialect;
    this.devices = devices;
  }

  HipRuntime runtime() {
    return new HipRuntime(this, "6.4.0", Path.of("fake"), devices);
  }

  HipDevice device() {
    return runtime().devices().get(0);
  }

  /** What no caller may do. */
  List<String> violations() {
    return List.copyOf(violations);
  }

  /** The names of the calls made so far. */
  List<String> calls() {
    return List.copyOf(calls);
  }

  /** Makes the nth call from now on of a method return a code. */
  synchronized FakeHip fail(String call, int nth, int code) {
    faults.put(call, new Fault(nth, code));
    return this;
  }

  /** No copy ends until the latch is at 0. */
  synchronized void hold(CountDownLatch until) {
    gate = until;
  }

  synchronized void limitPinned(long bytes) {
    pinnedLimit = bytes;
  }

  /** Allocations, streams and events that nobody gave back. */
  synchronized Map<String, Integer> live() {
    return Map.of(
        "device", deviceMemory.size(),
        "pinned", pinned.size(),
        "registered", registered.size(),
        "streams", streams.size(),
        "events", events.size());
  }

  /** A copy of device memory. */
  synchronized byte[] peek(DeviceBuffer buffer) {
    byte[] bytes = deviceMemory.get(buffer.rawAddress());
    if (bytes == null) {
      throw new IllegalArgumentException(buffer + " is not allocated");
    }
    return bytes.clone();
  }

  synchronized void poke(DeviceBuffer buffer, byte[] content) {
    byte[] bytes = deviceMemory.get(buffer.rawAddress());
    if (bytes == null) {
      throw new IllegalArgumentException(buffer + " is not allocated");
    }
    System.arraycopy(content, 0, bytes, 0, content.length);
  }

  private int violation(int code, String what) {
    violations.add(what + " on " + Thread.currentThread().getName());
    return code;
  }

  /** Notes the call; returns what it is to fail with, or 0. */
  private int enter(String call) {
    calls.add(call);
    if (lost != 0) {
      return lost;
    }
    Fault fault = faults.get(call);
    if (fault != null && --fault.countdown == 0) {
      faults.remove(call);
      if (HipErrors.isDeviceLost(fault.code)) {
        lost = fault.code;
      }
      return fault.code;
    }
    return HipErrors.SUCCESS;
  }

  @Override
  public Dialect dialect() {
    return dialect;
  }

  @Override
  public int runtimeVersion(int[] version) {
    version[0] = 60_400_000;
    return HipErrors.SUCCESS;
  }

  @Override
  public int deviceCount(int[] count) {
    count[0] = devices;
    return HipErrors.SUCCESS;
  }

  @Override
  public synchronized int setDevice(int device) {
    int code = enter("setDevice");
    if (code != 0) {
      return code;
    }
    if (!Thread.currentThread().getName().startsWith("lmcache4j-gpu-")) {
      violation(0, "setDevice changes a caller's current device");
    }
    current.set(device);
    return device < devices ? HipErrors.SUCCESS : HipErrors.INVALID_DEVICE;
  }

  @Override
  public String deviceName(int device) {
    return "Fake " + device;
  }

  @Override
  public String pciBusId(int device) {
    return "0000:c" + device + ":00.0";
  }

  @Override
  public synchronized int memInfo(long[] free, long[] total) {
    int code = enter("memInfo");
    if (code == 0) {
      total[0] = 1000L * (current.get() + 1);
      free[0] = total[0] / 2;
    }
    return code;
  }

  @Override
  public synchronized int hostMalloc(long[] address, long bytes, int flags) {
    int code = enter("hostMalloc");
    if (code != 0) {
      return code;
    }
    long inUse = pinned.values().stream().mapToLong(Long::longValue).sum();
    if (bytes > pinnedLimit - inUse) {
      return HipErrors.OUT_OF_MEMORY;
    }
    address[0] = Libc.mmap(0, bytes, Libc.PROT_READ_WRITE, Libc.MAP_PRIVATE_ANONYMOUS, -1, 0);
    pinned.put(address[0], bytes);
    return 0;
  }

  @Override
  public synchronized int hostFree(long address) {
    int code = enter("hostFree");
    Long bytes = pinned.remove(address);
    if (bytes == null) {
      return violation(HipErrors.INVALID_VALUE, "hostFree of what is not pinned");
    }
    finishAll();
    Libc.munmap(address, bytes);
    return code;
  }

  @Override
  public synchronized int hostRegister(long address, long bytes, int flags) {
    int code = enter("hostRegister");
    if (code != 0) {
      return code;
    }
    if (registered.put(address, bytes) != null) {
      return violation(712, "hostRegister of what is registered");
    }
    return 0;
  }

  @Override
  public synchronized int hostUnregister(long address) {
    int code = enter("hostUnregister");
    if (pinned.containsKey(address)) {
      return violation(0, "hostUnregister of memory from hostMalloc");
    }
    if (registered.remove(address) == null) {
      return violation(713, "hostUnregister of what is not registered");
    }
    finishAll();
    return code;
  }

  @Override
  public synchronized int malloc(long[] address, long bytes) {
    int code = enter("malloc");
    if (code != 0) {
      return code;
    }
    if (bytes > 1 << 28) {
      return HipErrors.OUT_OF_MEMORY;
    }
    address[0] = nextAddress;
    nextAddress += (bytes + 0xfffff) & ~0xfffffL;
    byte[] memory = new byte[(int) bytes];
    Arrays.fill(memory, (byte) 0xdb);
    deviceMemory.put(address[0], memory);
    deviceOf.put(address[0], current.get());
    return 0;
  }

  @Override
  public synchronized int free(long address) {
    int code = enter("free");
    if (!deviceMemory.containsKey(address)) {
      return violation(HipErrors.INVALID_VALUE, "free of what is not allocated");
    }
    finishAll();
    deviceMemory.remove(address);
    return code;
  }

  @Override
  public int memcpyAsync(long to, long from, long bytes, int kind, long stream) {
    return memcpy("memcpyAsync", to, bytes, from, bytes, bytes, 1, kind, stream);
  }

  @Override
  public int memcpy2DAsync(
      long to, long toPitch, long from, long fromPitch, long width, long height, int kind, long s) {
    return memcpy("memcpy2DAsync", to, toPitch, from, fromPitch, width, height, kind, s);
  }

  private synchronized int memcpy(
      String call,
      long to,
      long toPitch,
      long from,
      long fromPitch,
      long width,
      long height,
      int kind,
      long stream) {
    int code = enter(call);
    if (code != 0) {
      return code;
    }
    Stream on = stream(stream, call);
    if (on == null) {
      return HipErrors.INVALID_HANDLE;
    }
    boolean toHost = kind == HipConstants.MEMCPY_DEVICE_TO_HOST;
    if (!toHost && kind != HipConstants.MEMCPY_HOST_TO_DEVICE) {
      return violation(21, call + " of kind " + kind);
    }
    long host = toHost ? to : from;
    long device = toHost ? from : to;
    long hostPitch = toHost ? toPitch : fromPitch;
    long devicePitch = toHost ? fromPitch : toPitch;
    Map.Entry<Long, byte[]> memory = deviceMemory.floorEntry(device);
    long deviceSpan = (height - 1) * devicePitch + width;
    if (memory == null || device - memory.getKey() > memory.getValue().length - deviceSpan) {
      return violation(HipErrors.INVALID_VALUE, call + " outside device memory");
    }
    if (deviceOf.getOrDefault(memory.getKey(), -1) != on.device) {
      violation(0, call + " on another device's stream");
    }
    byte[] bytes = memory.getValue();
    int offset = (int) (device - memory.getKey());
    Runnable copy =
        () -> {
          for (int row = 0; row < height; row++) {
            Pointer at = new Pointer(host + row * hostPitch);
            int deviceAt = offset + (int) (row * devicePitch);
            if (toHost) {
              at.write(0, bytes, deviceAt, (int) width);
            } else {
              at.read(0, bytes, deviceAt, (int) width);
            }
          }
        };
    if (isKnown(host, (height - 1) * hostPitch + width)) {
      on.pending.add(copy);
    } else {
      // Unpinned memory: the call comes back when the copy is over.
      finish(on);
      copy.run();
    }
    return 0;
  }

  /** Whether a range is within one allocation or one registration. */
  private boolean isKnown(long address, long bytes) {
    for (TreeMap<Long, Long> known : List.of(pinned, registered)) {
      Map.Entry<Long, Long> entry = known.floorEntry(address);
      if (entry != null && address < entry.getKey() + entry.getValue()) {
        if (address + bytes > entry.getKey() + entry.getValue()) {
          violation(0, "a copy spans two registrations");
        }
        return true;
      }
    }
    return false;
  }

  private @Nullable Stream stream(long handle, String call) {
    Stream stream = streams.get(handle);
    if (stream == null) {
      violation(0, call + (dead.contains(handle) ? " on a destroyed stream" : " on no stream"));
    } else if (stream.device != current.get()) {
      violation(0, call + " with device " + current.get() + " current, not " + stream.device);
    }
    return stream;
  }

  @Override
  public synchronized int streamCreate(long[] stream, int flags) {
    int code = enter("streamCreate");
    if (code != 0) {
      return code;
    }
    stream[0] = nextHandle++;
    streams.put(stream[0], new Stream(current.get()));
    return 0;
  }

  @Override
  public synchronized int streamDestroy(long stream) {
    int code = enter("streamDestroy");
    Stream destroyed = stream(stream, "streamDestroy");
    if (destroyed != null) {
      finish(destroyed);
      streams.remove(stream);
      dead.add(stream);
    }
    return code;
  }

  @Override
  public int streamSynchronize(long stream) {
    await();
    synchronized (this) {
      int code = enter("streamSynchronize");
      Stream waited = stream(stream, "streamSynchronize");
      if (waited != null) {
        finish(waited);
      }
      return code;
    }
  }

  @Override
  public synchronized int eventCreate(long[] event, int flags) {
    int code = enter("eventCreate");
    if (code != 0) {
      return code;
    }
    event[0] = nextHandle++;
    events.put(event[0], new Event());
    return 0;
  }

  @Override
  public synchronized int eventRecord(long event, long stream) {
    int code = enter("eventRecord");
    if (code != 0) {
      return code;
    }
    Event recorded = events.get(event);
    Stream on = stream(stream, "eventRecord");
    if (recorded == null || on == null) {
      return violation(HipErrors.INVALID_HANDLE, "eventRecord of no event");
    }
    recorded.stream = on;
    recorded.position = on.done + on.pending.size();
    return 0;
  }

  @Override
  public int eventSynchronize(long event) {
    await();
    synchronized (this) {
      int code = enter("eventSynchronize");
      Event waited = events.get(event);
      if (waited == null) {
        return violation(HipErrors.INVALID_HANDLE, "eventSynchronize of no event");
      }
      if (code == 0 && waited.stream != null) {
        while (waited.stream.done < waited.position) {
          waited.stream.doNext();
        }
      }
      return code;
    }
  }

  @Override
  public synchronized int eventDestroy(long event) {
    int code = enter("eventDestroy");
    if (events.remove(event) == null) {
      violation(0, "eventDestroy of no event");
    }
    return code;
  }

  @Override
  public String errorName(int code) {
    return HipErrors.name(code);
  }

  private void await() {
    CountDownLatch until;
    synchronized (this) {
      until = gate;
    }
    boolean interrupted = false;
    while (until != null) {
      try {
        until.await();
        until = null;
      } catch (InterruptedException e) {
        // No call of the runtime knows what an interrupt is.
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void finishAll() {
    streams.values().forEach(this::finish);
  }

  private void finish(Stream stream) {
    while (!stream.pending.isEmpty()) {
      stream.doNext();
    }
  }

  private static final class Stream {

    final int device;
    final Deque<Runnable> pending = new ArrayDeque<>();
    long done;

    Stream(int device) {
      this.device = device;
    }

    void doNext() {
      Runnable copy = pending.poll();
      if (copy != null) {
        copy.run();
      }
      done++;
    }
  }

  private static final class Event {

    @Nullable Stream stream;
    long position;
  }

  private static final class Fault {

    int countdown;
    final int code;

    Fault(int countdown, int code) {
      this.countdown = countdown;
      this.code = code;
    }
  }
}
