/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import io.lmcache4j.rocm.HipAvailability.Available;
import io.lmcache4j.rocm.HipAvailability.NoLibrary;
import io.lmcache4j.rocm.HipAvailability.Unusable;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Searches, loads and asks. Of each vendor at most one library is asked: the first that loads. AMD
 * comes first; if it has no device to offer, NVIDIA's is tried, and if that has none either, AMD's
 * answer is the one that is told.
 */
final class HipProbe {

  private static final Set<String> MODES = Set.of("auto", "off", "required");

  private static final int MESSAGE_LINES = 2;

  private final LibraryFinder finder;
  private final String mode;
  private final String given;
  private final String system;

  HipProbe(LibraryFinder finder, String mode, String given, String system) {
    this.finder = finder;
    this.mode = mode;
    this.given = given;
    this.system = system;
  }

  HipAvailability run() {
    if (mode.equals("off")) {
      return new NoLibrary("switched off by " + HipRuntime.MODE_PROPERTY + "=off");
    }
    if (!MODES.contains(mode)) {
      return new NoLibrary(
          HipRuntime.MODE_PROPERTY + "=" + mode + " is none of auto, off and required");
    }
    if (!system.equals("Linux")) {
      return new NoLibrary("GPU runtimes are looked for on Linux only, and this is " + system);
    }
    try {
      return given.isEmpty() ? search() : open(Path.of(given), dialect(given));
    } catch (InvalidPathException e) {
      return new NoLibrary(HipRuntime.LIBRARY_PROPERTY + " is no path: " + e.getMessage());
    } catch (LinkageError | RuntimeException e) {
      // JDK 24 and newer: ExceptionInInitializerError around IllegalCallerException the first
      // time, NoClassDefFoundError later. And whatever else a foreign machine has in store.
      return new NoLibrary("native access failed: " + rootOf(e));
    }
  }

  private HipAvailability search() {
    List<String> reasons = new ArrayList<>();
    Unusable first = null;
    for (Dialect dialect : Dialect.values()) {
      for (Path file : finder.find(dialect)) {
        HipAvailability answer = open(file, dialect);
        if (answer instanceof Available) {
          return answer;
        }
        if (answer instanceof Unusable unusable) {
          first = first == null ? unusable : first;
          // Another copy would see the same devices, and two copies must not share a process.
          break;
        }
        reasons.add(((NoLibrary) answer).reason());
      }
    }
    if (first != null) {
      return first;
    }
    return new NoLibrary(
        reasons.isEmpty()
            ? "neither libamdhip64.so nor libcudart.so is on this machine"
            : String.join("; ", reasons));
  }

  private static HipAvailability open(Path file, Dialect dialect) {
    if (!Files.isReadable(file)) {
      return new NoLibrary(file + " cannot be read");
    }
    GpuLibrary.prepare();
    GpuLibrary library;
    try {
      library = GpuLibrary.load(file, dialect);
      List<String> missing = library.missingSymbols();
      if (!missing.isEmpty()) {
        return new NoLibrary(file + " lacks " + String.join(", ", missing));
      }
    } catch (LinkageError e) {
      return new NoLibrary(file + ": " + rootOf(e));
    }
    int[] version = new int[1];
    boolean told = library.runtimeVersion(version) == HipErrors.SUCCESS && version[0] != 0;
    String versionText = told ? dialect.version(version[0]) : "unknown";
    if (told && !dialect.isSupported(version[0])) {
      return new NoLibrary(file + " is version " + versionText + ", which is too old");
    }
    int[] count = new int[1];
    int code = library.deviceCount(count);
    if (code != HipErrors.SUCCESS || count[0] <= 0) {
      return new Unusable(code, library.errorName(code), versionText, dialect.id(), file);
    }
    return new Available(new HipRuntime(new JnaHipApi(library), versionText, file, count[0]));
  }

  /** A library that was named by the user is told by its name, and is AMD's if in doubt. */
  private static Dialect dialect(String file) {
    @Nullable Path name = Path.of(file).getFileName();
    return name != null && name.toString().startsWith(Dialect.CUDA.library())
        ? Dialect.CUDA
        : Dialect.HIP;
  }

  private static String rootOf(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
    }
    // JNA's messages are a line for each place it looked at, many of them equal.
    String message = root.getMessage() == null ? "" : root.getMessage();
    return root.getClass().getSimpleName()
        + message
            .lines()
            .distinct()
            .limit(MESSAGE_LINES)
            .collect(Collectors.joining(" ", ": ", ""));
  }
}
