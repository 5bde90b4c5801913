/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import com.sun.jna.Library;
import com.sun.jna.NativeLibrary;
import java.nio.file.Path;
import java.util.Map;

/**
 * What {@link RealLibraryTest} runs in a JVM of its own: a runtime is loaded once for a process's
 * life, and the search is to be seen to print nothing.
 */
final class RealLibraryMain {

  private RealLibraryMain() {}

  public static void main(String[] args) throws InterruptedException {
    switch (args[0]) {
      case "probe" -> probe();
      case "symbols" -> symbols(Path.of(args[1]));
      case "names" -> names(Path.of(args[1]));
      case "storm" -> storm(Path.of(args[1]));
      default -> throw new IllegalArgumentException(args[0]);
    }
  }

  private static void probe() {
    HipRuntime.probe().describe().forEach((name, value) -> System.out.println(name + "=" + value));
  }

  private static void symbols(Path file) {
    GpuLibrary library = GpuLibrary.load(file, Dialect.HIP);
    System.out.println("missing=" + library.missingSymbols());
    for (String optional : new String[] {"hipDeviceGetName", "hipDeviceGetPCIBusId"}) {
      System.out.println(optional + "=" + library.has(optional));
    }
  }

  private static void names(Path file) {
    NativeLibrary library =
        NativeLibrary.getInstance(file.toString(), Map.of(Library.OPTION_OPEN_FLAGS, 0x1002));
    for (int code : HipErrors.codes()) {
      String name = library.getFunction("hipGetErrorName").invokeString(new Object[] {code}, false);
      System.out.println(code + "=" + name);
    }
  }

  /** Every bound call, on eight threads, where there is no device: a code each time. */
  private static void storm(Path file) throws InterruptedException {
    GpuLibrary library = GpuLibrary.load(file, Dialect.HIP);
    JnaHipApi api = new JnaHipApi(library);
    Thread[] threads = new Thread[8];
    boolean[] sound = new boolean[threads.length];
    for (int t = 0; t < threads.length; t++) {
      int own = t;
      threads[t] =
          new Thread(
              () -> {
                boolean all = true;
                for (int i = 0; i < 20; i++) {
                  long[] out = {0xdead};
                  all &= api.hostMalloc(out, 4096, 0) != 0 && out[0] == 0xdead;
                  all &= api.malloc(out, 4096) != 0 && out[0] == 0xdead;
                  all &= api.streamCreate(out, 1) != 0 && out[0] == 0xdead;
                  all &= api.eventCreate(out, 3) != 0 && out[0] == 0xdead;
                  all &= api.memInfo(out, out) != 0 && out[0] == 0xdead;
                  all &= api.setDevice(0) != 0;
                  all &= api.memcpyAsync(1, 2, 3, 1, 0) != 0;
                  all &= api.memcpy2DAsync(1, 2, 3, 4, 1, 1, 1, 0) != 0;
                  all &= api.hostRegister(4096, 4096, 0) != 0;
                  all &= api.hostUnregister(4096) != 0;
                  all &= api.deviceName(0).isEmpty();
                  all &= api.pciBusId(0).isEmpty();
                }
                sound[own] = all;
              });
      threads[t].start();
    }
    for (int t = 0; t < threads.length; t++) {
      threads[t].join();
      System.out.println(sound[t]);
    }
  }
}
