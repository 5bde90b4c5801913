/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.stream.StreamSupport;

/** Files of what real LMCache wrote and did; their field {@code source} says which, and how. */
final class Vectors {

  private Vectors() {}

  /**
   * Reads.
   *
   * @param path of the array: names of fields, the outermost first
   */
  static List<JsonNode> rows(String file, String... path) {
    try (InputStream in = Vectors.class.getResourceAsStream("/vectors/" + file)) {
      if (in == null) {
        throw new IllegalStateException("no vectors/" + file);
      }
      JsonNode at = new ObjectMapper().readTree(in);
      for (String field : path) {
        at = at.get(field);
      }
      return list(at);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static List<JsonNode> list(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).toList();
  }
}
