/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import com.sun.jna.Function;
import com.sun.jna.FunctionMapper;
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * A loaded runtime library, and the calls of it that are made before it is known to be usable, or
 * that not every version has. Those are looked up one by one, since binding a class fails as a
 * whole when one symbol is missing.
 */
final class GpuLibrary {

  /**
   * {@code RTLD_NOW | RTLD_NODELETE}, local: every symbol is resolved now or the load fails, its
   * names stay its own, and it stays mapped even if JNA closes it. The runtime has threads.
   */
  private static final int OPEN_FLAGS = 0x1002;

  private static final int NAME_BYTES = 256;

  /** More than {@code sizeof(cudaDeviceProp)} of any version; the name comes first in each. */
  private static final int PROPERTIES_BYTES = 8192;

  private static final int BUS_ID_BYTES = 64;

  /** Whatever was loaded once: JNA closes a library when nothing refers to it. */
  private static final Set<NativeLibrary> KEPT =
      Collections.synchronizedSet(Collections.newSetFromMap(new IdentityHashMap<>()));

  private final NativeLibrary library;
  private final Path path;
  private final Dialect dialect;

  private GpuLibrary(NativeLibrary library, Path path, Dialect dialect) {
    this.library = library;
    this.path = path;
    this.dialect = dialect;
  }

  /**
   * Loads JNA's own library, which is what a JVM that denies native access refuses.
   *
   * @throws LinkageError if it cannot be loaded, or this is no 64-bit process
   */
  static void prepare() {
    // Where JNA cannot unpack itself it logs a stack trace before it throws; what it throws is
    // what is told.
    Logger jna = Logger.getLogger("com.sun.jna.Native");
    Level level = jna.getLevel();
    jna.setLevel(Level.OFF);
    try {
      if (Native.POINTER_SIZE != Long.BYTES || Native.SIZE_T_SIZE != Long.BYTES) {
        throw new UnsatisfiedLinkError("only 64-bit processes are supported");
      }
    } finally {
      jna.setLevel(level);
    }
  }

  /**
   * Loads a library.
   *
   * @throws LinkageError if it cannot be loaded
   */
  static GpuLibrary load(Path path, Dialect dialect) {
    FunctionMapper names = (nativeLibrary, method) -> dialect.symbol(method.getName());
    NativeLibrary library =
        NativeLibrary.getInstance(
            path.toString(),
            Map.of(
                Library.OPTION_OPEN_FLAGS,
                OPEN_FLAGS,
                Library.OPTION_FUNCTION_MAPPER,
                names,
                Library.OPTION_STRING_ENCODING,
                StandardCharsets.UTF_8.name()));
    KEPT.add(library);
    return new GpuLibrary(library, path, dialect);
  }

  Path path() {
    return path;
  }

  Dialect dialect() {
    return dialect;
  }

  /** The C names that must be there and are not. */
  List<String> missingSymbols() {
    List<String> missing = new ArrayList<>();
    for (String symbol : symbols(dialect)) {
      if (!has(symbol)) {
        missing.add(symbol);
      }
    }
    return missing;
  }

  /** The C names of all calls that must be there. */
  static List<String> symbols(Dialect dialect) {
    List<String> symbols = new ArrayList<>();
    for (Method method : NativeCalls.class.getDeclaredMethods()) {
      if (Modifier.isNative(method.getModifiers())) {
        symbols.add(dialect.symbol(method.getName()));
      }
    }
    symbols.add(dialect.symbol("runtimeVersion"));
    symbols.add(dialect.symbol("deviceCount"));
    Collections.sort(symbols);
    return symbols;
  }

  boolean has(String symbol) {
    try {
      library.getFunction(symbol);
      return true;
    } catch (UnsatisfiedLinkError e) {
      return false;
    }
  }

  private int call(String symbol, Object... arguments) {
    Function function = library.getFunction(symbol);
    return function.invokeInt(arguments);
  }

  int runtimeVersion(int[] version) {
    return call(dialect.symbol("runtimeVersion"), (Object) version);
  }

  int deviceCount(int[] count) {
    return call(dialect.symbol("deviceCount"), (Object) count);
  }

  /** The device's name; empty where it cannot be told. */
  String deviceName(int device) {
    // HIP's own call for it does not exist in CUDA's runtime; there the property struct has to do,
    // and in HIP that struct must not be used: its size and symbol changed between 5 and 6.
    byte[] name = new byte[dialect == Dialect.HIP ? NAME_BYTES : PROPERTIES_BYTES];
    int code;
    if (dialect == Dialect.HIP) {
      String symbol = "hipDeviceGetName";
      code = has(symbol) ? call(symbol, name, name.length, device) : HipErrors.UNKNOWN;
    } else {
      String symbol =
          has("cudaGetDeviceProperties_v2")
              ? "cudaGetDeviceProperties_v2"
              : "cudaGetDeviceProperties";
      code = has(symbol) ? call(symbol, name, device) : HipErrors.UNKNOWN;
    }
    return code == HipErrors.SUCCESS ? cut(name, NAME_BYTES) : "";
  }

  /** {@code dddd:bb:dd.f}; empty where it cannot be told. */
  String pciBusId(int device) {
    byte[] id = new byte[BUS_ID_BYTES];
    String symbol = dialect.symbol("pciBusId");
    return has(symbol) && call(symbol, id, id.length, device) == HipErrors.SUCCESS
        ? cut(id, id.length)
        : "";
  }

  /** HIP's names are known without asking; CUDA's are asked for. */
  String errorName(int code) {
    String symbol = dialect.symbol("errorName");
    if (dialect == Dialect.HIP || !has(symbol)) {
      return HipErrors.name(code);
    }
    return library.getFunction(symbol).invokeString(new Object[] {code}, false);
  }

  /** Makes this the library of {@link NativeCalls}. */
  void bind() {
    NativeCalls.bind(library);
  }

  private static String cut(byte[] text, int limit) {
    int end = 0;
    while (end < limit && text[end] != 0) {
      end++;
    }
    return new String(text, 0, end, StandardCharsets.UTF_8);
  }
}
