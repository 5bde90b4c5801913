/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.OptionalInt;

/** Tells the NUMA node of a PCI device, as LMCache's {@code numa_mode: auto} does. */
final class NumaNodes {

  static final NumaNodes SYSTEM = new NumaNodes(Path.of("/sys/bus/pci/devices"));

  private final Path devices;

  NumaNodes(Path devices) {
    this.devices = devices;
  }

  /** The node; nothing where the machine has one only, or does not tell. */
  OptionalInt of(String busId) {
    if (busId.isEmpty()) {
      return OptionalInt.empty();
    }
    try {
      Path file = devices.resolve(busId.toLowerCase(Locale.ROOT)).resolve("numa_node");
      int node = Integer.parseInt(Files.readString(file).strip());
      return node < 0 ? OptionalInt.empty() : OptionalInt.of(node);
    } catch (IOException | RuntimeException e) {
      return OptionalInt.empty();
    }
  }
}
