/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop.differential;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lmcache4j.tests.interop.Json;
import io.lmcache4j.tests.interop.differential.Differential.Case;
import io.lmcache4j.tests.interop.differential.Differential.Finding;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Findings as files, which every build replays without Python. */
final class VectorFiles {

  /** Below the root of the repository. */
  static final String FOLDER = "tests/src/test/resources/vectors/differential";

  private VectorFiles() {}

  /**
   * One file.
   *
   * @param replies what LMCache answered
   * @param expected the verdict's name; null for a failure, which may become anything else
   */
  record Vector(String name, Case input, List<JsonNode> replies, @Nullable String expected) {}

  static void write(Path repository, String name, Finding finding, String source) {
    ObjectNode file =
        Json.object(
            "source",
            source,
            "kind",
            finding.input().kind(),
            "input",
            finding.input().input(),
            "lmcache",
            finding.replies(),
            "expected",
            finding.verdict().isFailure() ? null : finding.verdict().name());
    try {
      Path folder = Files.createDirectories(repository.resolve(FOLDER));
      Files.writeString(folder.resolve(name + ".json"), Json.pretty(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static List<Vector> readAll(Path repository) {
    List<Vector> vectors = new ArrayList<>();
    try (Stream<Path> files = Files.list(repository.resolve(FOLDER))) {
      for (Path file : files.sorted().toList()) {
        JsonNode read = Json.parse(Files.readString(file));
        List<JsonNode> replies = new ArrayList<>();
        read.get("lmcache").forEach(replies::add);
        Case input = new Case(read.get("kind").textValue(), (ObjectNode) read.get("input"));
        vectors.add(
            new Vector(
                file.getFileName().toString(), input, replies, read.get("expected").textValue()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return vectors;
  }
}
