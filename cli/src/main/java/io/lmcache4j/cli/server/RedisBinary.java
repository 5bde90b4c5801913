/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.server;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Finds a {@code redis-server} that can be run. */
final class RedisBinary {

  /** The servers (BSD-3) at the root of org.signal:embedded-redis 0.9.1. */
  private static final String EMBEDDED = "/redis-server-7.0.15-";

  private RedisBinary() {}

  /** Returns the one on the PATH, else the embedded one, unpacked into {@code dir}. */
  static Path find(@Nullable String searchPath, Path dir) throws IOException {
    Path installed = onPath(searchPath);
    return installed != null ? installed : unpack(dir);
  }

  private static @Nullable Path onPath(@Nullable String searchPath) {
    if (searchPath == null) {
      return null;
    }
    for (String entry : searchPath.split(File.pathSeparator, -1)) {
      Path candidate = Path.of(entry).resolve("redis-server");
      if (!entry.isEmpty() && Files.isRegularFile(candidate) && Files.isExecutable(candidate)) {
        return candidate;
      }
    }
    return null;
  }

  private static Path unpack(Path dir) throws IOException {
    String resource = EMBEDDED + platform(property("os.name"), property("os.arch"));
    try (InputStream in = RedisBinary.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new LocalRedisException(
            String.format(
                "there is no redis-server on the PATH, and none inside for %s on %s: install Redis,"
                    + " or give the URL of one that runs",
                property("os.name"), property("os.arch")));
      }
      Path binary = dir.resolve("redis-server");
      Files.copy(in, binary);
      Files.setPosixFilePermissions(binary, PosixFilePermissions.fromString("rwx------"));
      return binary;
    }
  }

  /** Returns the end of the resource's name, which may well name none. */
  static String platform(String osName, String osArch) {
    String os = osName.toLowerCase(Locale.ROOT);
    boolean arm = osArch.equals("aarch64") || osArch.equals("arm64");
    if (os.startsWith("mac")) {
      return arm ? "darwin-arm64" : "darwin-amd64";
    }
    return os.replace(' ', '-') + "-" + (arm ? "arm64" : osArch.equals("x86") ? "386" : osArch);
  }

  private static String property(String name) {
    return System.getProperty(name, "unknown");
  }
}
