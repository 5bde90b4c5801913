/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.core.LmcacheVersion;
import java.util.Objects;
import picocli.CommandLine.IVersionProvider;

/** What this build is. */
final class Version implements IVersionProvider {

  /** The version in the jar's manifest. */
  static String ofThis() {
    String version = Version.class.getPackage().getImplementationVersion();
    return Objects.requireNonNullElse(version, "(not run from its jar)");
  }

  static String ofJava() {
    return System.getProperty("java.version") + " (" + System.getProperty("java.vendor") + ")";
  }

  static String ofSystem() {
    return System.getProperty("os.name")
        + " "
        + System.getProperty("os.version")
        + " "
        + System.getProperty("os.arch");
  }

  @Override
  public String[] getVersion() {
    return new String[] {
      "lmcache4j " + ofThis(),
      "on the wire as LMCache " + LmcacheVersion.CURRENT,
      "Java " + ofJava() + ", " + ofSystem(),
    };
  }
}
