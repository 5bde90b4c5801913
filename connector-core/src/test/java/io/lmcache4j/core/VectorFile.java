/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** Golden vectors in {@code src/test/resources/vectors}; where they come from is in each file. */
public final class VectorFile {

  private VectorFile() {}

  /** Reads a file by its name without {@code .json}. */
  public static JsonNode read(String name) {
    String path = "/vectors/" + name + ".json";
    try (InputStream in = VectorFile.class.getResourceAsStream(path)) {
      return new ObjectMapper().readTree(Objects.requireNonNull(in, path));
    } catch (IOException e) {
      throw new UncheckedIOException(path, e);
    }
  }

  /** The {@code versions} of a file, oldest first. */
  public static Map<LmcacheVersion, JsonNode> versions(String name) {
    Map<LmcacheVersion, JsonNode> versions = new TreeMap<>();
    for (Map.Entry<String, JsonNode> version : read(name).get("versions").properties()) {
      versions.put(LmcacheVersion.parse(version.getKey()), version.getValue());
    }
    return versions;
  }
}
