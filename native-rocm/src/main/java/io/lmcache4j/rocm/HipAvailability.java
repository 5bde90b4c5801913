/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What became of the search for a GPU runtime. */
public sealed interface HipAvailability {

  /**
   * The same as a map of strings, numbers, lists and maps, for a status page or a JSON object: its
   * {@code status} is {@code absent} with a {@code reason}, {@code unusable} with a {@code reason},
   * {@code api}, {@code version} and {@code library}, or {@code available} with {@code api}, {@code
   * version}, {@code library} and {@code devices}.
   *
   * @return the map, in that order
   */
  Map<String, Object> describe();

  /**
   * No library could be loaded, or none was to be.
   *
   * @param reason what was looked for and what was wrong with what was found
   */
  record NoLibrary(String reason) implements HipAvailability {

    @Override
    public Map<String, Object> describe() {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("status", "absent");
      fields.put("reason", reason);
      return fields;
    }
  }

  /**
   * A library was loaded and has no device to offer: there is none, its driver is missing, or this
   * process may not open it.
   *
   * @param code what {@code hipGetDeviceCount} returned; 0 when it found no device and no error
   * @param name the code's name
   * @param version the library's version, {@code unknown} if it does not tell
   * @param api {@code hip} or {@code cuda}
   * @param library the file
   */
  record Unusable(int code, String name, String version, String api, Path library)
      implements HipAvailability {

    @Override
    public Map<String, Object> describe() {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("status", "unusable");
      fields.put("reason", code == 0 ? "no device" : code + " (" + name + ")");
      fields.put("api", api);
      fields.put("version", version);
      fields.put("library", library.toString());
      return fields;
    }
  }

  /**
   * There is at least one device.
   *
   * @param runtime the runtime, for the rest of the process's life
   */
  record Available(HipRuntime runtime) implements HipAvailability {

    /**
     * The devices.
     *
     * @return in the runtime's order, at least one
     */
    public List<HipDevice> devices() {
      return runtime.devices();
    }

    @Override
    public Map<String, Object> describe() {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("status", "available");
      fields.put("api", runtime.api());
      fields.put("version", runtime.version());
      fields.put("library", runtime.library().toString());
      fields.put("devices", devices().stream().map(HipDevice::describe).toList());
      return fields;
    }
  }
}
