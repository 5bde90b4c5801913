/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import org.jspecify.annotations.Nullable;

/** The few calls of Linux's C library that {@link PinnedMemory} needs, with 64-bit lengths. */
final class Libc {

  static final int PROT_READ_WRITE = 1 | 2;
  static final int MAP_SHARED = 1;
  static final int MAP_PRIVATE_ANONYMOUS = 2 | 0x20;
  static final long MAP_FAILED = -1;
  static final int O_RDWR_CREAT_EXCL = 2 | 0x40 | 0x80;
  static final int OWNER_ONLY = 0600;

  private static final int MPOL_BIND = 2;

  /** {@code MPOL_MF_STRICT | MPOL_MF_MOVE}. */
  private static final int STRICT_MOVE = 1 | 2;

  /** Bits of the node mask; Linux is built for 1024 nodes at most. */
  private static final int NODES = 1024;

  private static final long MBIND_X86_64 = 237;
  private static final long MBIND_AARCH64 = 235;

  static {
    // shm_open is in libc since glibc 2.34, and in librt before.
    NativeLibrary c = NativeLibrary.getInstance("c");
    Native.register(Libc.class, c);
    Native.register(Shm.class, hasShm(c) ? c : NativeLibrary.getInstance("rt"));
  }

  private Libc() {}

  private static boolean hasShm(NativeLibrary library) {
    try {
      library.getFunction("shm_open");
      return true;
    } catch (UnsatisfiedLinkError e) {
      return false;
    }
  }

  static native long mmap(long address, long bytes, int protection, int flags, int fd, long offset);

  static native int munmap(long address, long bytes);

  static native int close(int fd);

  /** Returns the error itself instead of setting {@code errno}. */
  static native int posix_fallocate(int fd, long offset, long bytes);

  private static native long syscall(
      long number, long start, long bytes, long mode, long[] nodes, long maxNode, long flags);

  private static native @Nullable String strerror(int errno);

  static int shmOpen(String name, int flags, int mode) {
    return Shm.shm_open(name, flags, mode);
  }

  static int shmUnlink(String name) {
    return Shm.shm_unlink(name);
  }

  /** Binds pages to a NUMA node; false if the kernel, or a container's rules, did not allow it. */
  static boolean bindToNode(long address, long bytes, int node) {
    long number =
        switch (System.getProperty("os.arch", "")) {
          case "amd64" -> MBIND_X86_64;
          case "aarch64" -> MBIND_AARCH64;
          default -> -1;
        };
    if (number < 0 || node >= NODES) {
      return false;
    }
    long[] mask = new long[NODES / Long.SIZE];
    mask[node / Long.SIZE] = 1L << (node % Long.SIZE);
    return syscall(number, address, bytes, MPOL_BIND, mask, NODES, STRICT_MOVE) == 0;
  }

  /** What the last call of this thread that failed set {@code errno} to, in words. */
  static String lastError() {
    return error(Native.getLastError());
  }

  static String error(int errno) {
    return strerror(errno) + " (errno " + errno + ")";
  }

  private static final class Shm {

    private Shm() {}

    static native int shm_open(String name, int flags, int mode);

    static native int shm_unlink(String name);
  }
}
