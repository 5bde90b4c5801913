/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ways to come by host memory. */
abstract class SlabSource {

  private static final Logger log = LoggerFactory.getLogger(SlabSource.class);

  /** Mappings begin here instead of nowhere: {@code mmap}'s "any address". */
  private static final long ANYWHERE = 0;

  /** Whether the capacity may be made up of several pieces. */
  boolean isDivisible() {
    return true;
  }

  /**
   * Takes pinned memory.
   *
   * @throws HipException if the runtime refuses
   */
  abstract NativeSlab pinned(long bytes);

  /**
   * Takes the same without pinning it.
   *
   * @throws HostMemoryException if the system refuses
   */
  NativeSlab unpinned(long bytes) {
    long address = mapAnonymous(bytes);
    return new NativeSlab(address, bytes, false, () -> unmap(address, bytes));
  }

  private static long mapAnonymous(long bytes) {
    long address =
        Libc.mmap(ANYWHERE, bytes, Libc.PROT_READ_WRITE, Libc.MAP_PRIVATE_ANONYMOUS, -1, 0);
    if (address == Libc.MAP_FAILED) {
      throw new HostMemoryException("cannot map " + bytes + " bytes: " + Libc.lastError());
    }
    return address;
  }

  private static void unmap(long address, long bytes) {
    if (Libc.munmap(address, bytes) != 0) {
      log.warn("cannot unmap {} bytes: {}", bytes, Libc.lastError());
    }
  }

  /** Registers a mapping; gives it back if the runtime refuses. */
  private static NativeSlab register(HipDevice device, long address, long bytes, Runnable unmap) {
    HipApi api = device.api();
    int code = api.hostRegister(address, bytes, HipConstants.HOST_REGISTER_DEFAULT);
    if (code != HipErrors.SUCCESS) {
      unmap.run();
      throw api.failure(code, "hostRegister", " of " + bytes + " bytes");
    }
    return new NativeSlab(
        address,
        bytes,
        true,
        () -> {
          warn(api, api.hostUnregister(address), "hostUnregister");
          unmap.run();
        });
  }

  private static void warn(HipApi api, int code, String call) {
    if (code != HipErrors.SUCCESS) {
      log.warn("pinned memory: {}", api.failure(code, call, "").getMessage());
    }
  }

  /** The runtime's own allocator, which takes the NUMA node nearest to the current device. */
  static final class Malloc extends SlabSource {

    private final HipDevice device;

    Malloc(HipDevice device) {
      this.device = device;
    }

    @Override
    NativeSlab pinned(long bytes) {
      HipApi api = device.api();
      long[] address = new long[1];
      int code = api.hostMalloc(address, bytes, HipConstants.HOST_MALLOC_DEFAULT);
      if (code != HipErrors.SUCCESS) {
        throw api.failure(code, "hostMalloc", " of " + bytes + " bytes");
      }
      return new NativeSlab(
          address[0], bytes, true, () -> warn(api, api.hostFree(address[0]), "hostFree"));
    }
  }

  /** Anonymous pages bound to the device's NUMA node, registered. */
  static final class Numa extends SlabSource {

    private final HipDevice device;

    Numa(HipDevice device) {
      this.device = device;
    }

    @Override
    NativeSlab pinned(long bytes) {
      long address = mapAnonymous(bytes);
      bind(address, bytes);
      return register(device, address, bytes, () -> unmap(address, bytes));
    }

    private void bind(long address, long bytes) {
      // Before the pages exist: registering makes them, and then they come from the right node.
      if (device.numaNode().isPresent()) {
        int node = device.numaNode().getAsInt();
        if (!Libc.bindToNode(address, bytes, node)) {
          log.info("{}: pages cannot be bound to NUMA node {}: {}", device, node, Libc.lastError());
        }
      }
    }
  }

  /** One POSIX shared memory object, registered if there is a device. */
  static final class Shared extends SlabSource {

    private final @Nullable HipDevice device;
    private final String name;

    Shared(@Nullable HipDevice device, String name) {
      this.device = device;
      this.name = name;
    }

    /** The object is one mapping, whatever its size. */
    @Override
    boolean isDivisible() {
      return false;
    }

    @Override
    NativeSlab pinned(long bytes) {
      if (device == null) {
        throw new IllegalStateException("no device to pin for");
      }
      long address = map(bytes);
      return register(device, address, bytes, () -> unmapAndUnlink(address, bytes));
    }

    @Override
    NativeSlab unpinned(long bytes) {
      long address = map(bytes);
      return new NativeSlab(address, bytes, false, () -> unmapAndUnlink(address, bytes));
    }

    private long map(long bytes) {
      // An object of that name may be another server's pool, in use: never taken over.
      int fd = Libc.shmOpen(name, Libc.O_RDWR_CREAT_EXCL, Libc.OWNER_ONLY);
      if (fd < 0) {
        throw failure("cannot be created", Libc.lastError());
      }
      try {
        // Reserved now: writing to a page that /dev/shm has no room for ends the process.
        int full = Libc.posix_fallocate(fd, 0, bytes);
        if (full != 0) {
          throw failure("cannot hold " + bytes + " bytes", Libc.error(full));
        }
        long address = Libc.mmap(ANYWHERE, bytes, Libc.PROT_READ_WRITE, Libc.MAP_SHARED, fd, 0);
        if (address == Libc.MAP_FAILED) {
          throw failure("cannot be mapped", Libc.lastError());
        }
        return address;
      } catch (HostMemoryException e) {
        Libc.shmUnlink(name);
        throw e;
      } finally {
        Libc.close(fd);
      }
    }

    private HostMemoryException failure(String what, String why) {
      return new HostMemoryException("shared memory \"" + name + "\" " + what + ": " + why);
    }

    private void unmapAndUnlink(long address, long bytes) {
      unmap(address, bytes);
      if (Libc.shmUnlink(name) != 0) {
        log.warn("shared memory \"{}\" cannot be removed: {}", name, Libc.lastError());
      }
    }
  }
}
