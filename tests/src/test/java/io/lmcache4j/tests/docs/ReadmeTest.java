/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.cli.server.LocalRedis;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The README's code is code that runs. */
final class ReadmeTest {

  private static final String MARKER = "<!-- example: EmbeddingExample -->";

  /** The module's folder is where Surefire runs; the README stands beside it. */
  private static final Path README = Path.of("..", "README.md");

  private static final Path EXAMPLE =
      Path.of("src", "test", "java", "io", "lmcache4j", "tests", "docs", "EmbeddingExample.java");

  @Test
  void theExampleRuns() {
    try (LocalRedis redis = LocalRedis.start()) {
      assertThat(EmbeddingExample.roundTrip(redis.url())).isEqualTo(2 * 32 * 256 * 1024 * 2);
    }
  }

  @Test
  void theReadmeShowsTheExampleThatRuns() throws IOException {
    String readme = Files.readString(README);
    assertThat(readme)
        .as("README.md needs the line %s in front of a java block", MARKER)
        .contains(MARKER + "\n```java\n");
    assertThat(first(readme, Pattern.quote(MARKER) + "\n```java\n(.*?)```"))
        .as("the java block behind %s is not the region of %s", MARKER, EXAMPLE)
        .isEqualTo(region());
  }

  /** What stands between the two tags, its indentation taken away. */
  private static String region() throws IOException {
    String lines =
        first(Files.readString(EXAMPLE), " *// tag::example\n(.*?)\n *// end::example\n");
    return lines.stripIndent() + "\n";
  }

  private static String first(String text, String regex) {
    Matcher m = Pattern.compile(regex, Pattern.DOTALL).matcher(text);
    assertThat(m.find()).as("nothing matches %s", regex).isTrue();
    return m.group(1);
  }
}
