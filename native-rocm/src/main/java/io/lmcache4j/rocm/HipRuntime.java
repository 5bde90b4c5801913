/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The GPU runtime of this process: found and loaded once, never unloaded.
 *
 * <p>{@code -Dlmcache4j.rocm=auto|off|required} says whether to look for it: {@code auto} uses what
 * is there, {@code off} touches nothing, {@code required} makes {@link #find} fail where there is
 * no device. {@code -Dlmcache4j.rocm.library=FILE} names the library, of either vendor; then no
 * other is tried.
 *
 * <p>On JDK 24 and newer JNA's own library is loaded with a warning on standard error, unless the
 * JVM was started with {@code --enable-native-access=ALL-UNNAMED}; nothing of JNA is touched before
 * a runtime library was found. Where native access is denied, the answer is {@link
 * HipAvailability.NoLibrary}.
 *
 * <p>Safe for use by many threads.
 */
public final class HipRuntime {

  /** System property: {@code auto}, {@code off} or {@code required}. */
  public static final String MODE_PROPERTY = "lmcache4j.rocm";

  /** System property: the library's file. */
  public static final String LIBRARY_PROPERTY = "lmcache4j.rocm.library";

  private final HipApi api;
  private final String version;
  private final Path library;
  private final List<HipDevice> devices;

  HipRuntime(HipApi api, String version, Path library, int deviceCount) {
    this(api, version, library, deviceCount, NumaNodes.SYSTEM);
  }

  HipRuntime(HipApi api, String version, Path library, int deviceCount, NumaNodes nodes) {
    this.api = api;
    this.version = version;
    this.library = library;
    List<HipDevice> found = new ArrayList<>(deviceCount);
    for (int device = 0; device < deviceCount; device++) {
      String busId = api.pciBusId(device);
      found.add(new HipDevice(api, device, api.deviceName(device), busId, nodes.of(busId)));
    }
    this.devices = List.copyOf(found);
  }

  /**
   * Looks for a runtime, the first time it is called. Never throws and never prints.
   *
   * @return what was found, the same for the rest of the process's life
   */
  public static HipAvailability probe() {
    return Once.ANSWER;
  }

  /**
   * The runtime, if there is one with a device.
   *
   * @return the runtime, or nothing
   * @throws HipUnavailableException if there is none and {@value #MODE_PROPERTY} is {@code
   *     required}
   */
  public static Optional<HipRuntime> find() {
    return find(probe(), System.getProperty(MODE_PROPERTY, "auto"));
  }

  static Optional<HipRuntime> find(HipAvailability answer, String mode) {
    if (answer instanceof HipAvailability.Available available) {
      return Optional.of(available.runtime());
    }
    if (mode.equals("required")) {
      Map<String, Object> fields = answer.describe();
      throw new HipUnavailableException(
          MODE_PROPERTY + "=required, and there is no device: " + fields.get("reason"));
    }
    return Optional.empty();
  }

  /**
   * Whose runtime this is.
   *
   * @return {@code hip} or {@code cuda}
   */
  public String api() {
    return api.dialect().id();
  }

  /**
   * The library's version.
   *
   * @return for example {@code 6.4.43484}
   */
  public String version() {
    return version;
  }

  /**
   * The library's file.
   *
   * @return its path, as it was found
   */
  public Path library() {
    return library;
  }

  /**
   * The devices that this process sees, of which {@code HIP_VISIBLE_DEVICES} may leave some out.
   *
   * @return in the runtime's order, at least one
   */
  public List<HipDevice> devices() {
    return devices;
  }

  @Override
  public String toString() {
    return api() + " " + version + " (" + library + ", " + devices.size() + " devices)";
  }

  /** The answer, computed by whoever asks first. */
  private static final class Once {

    static final HipAvailability ANSWER =
        new HipProbe(
                new LibraryFinder(Path.of("/"), System.getenv()),
                System.getProperty(MODE_PROPERTY, "auto"),
                System.getProperty(LIBRARY_PROPERTY, ""),
                System.getProperty("os.name", ""))
            .run();

    private Once() {}
  }
}
