/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Holds what a document shows against the class of this package that it says it shows. */
public final class DocumentedCode {

  private static final Path SOURCES =
      Path.of("src", "test", "java", "io", "lmcache4j", "tests", "docs");

  private DocumentedCode() {}

  /**
   * Fails unless the Java block behind {@code <!-- example: CLASS -->} is what stands between the
   * tags of that class.
   *
   * @param document from the repository's root
   * @param example the simple name of a class of this package
   */
  public static void assertShown(String document, String example) throws IOException {
    String marker = "<!-- example: " + example + " -->";
    // The module's folder is where Surefire runs.
    String text = Files.readString(Path.of("..").resolve(document));
    assertThat(text)
        .as("%s needs the line %s in front of a java block", document, marker)
        .contains(marker + "\n```java\n");
    Path source = SOURCES.resolve(example + ".java");
    assertThat(first(text, Pattern.quote(marker) + "\n```java\n(.*?)```"))
        .as("the java block behind %s is not the region of %s", marker, source)
        .isEqualTo(region(source));
  }

  /** What stands between the two tags, its indentation taken away. */
  private static String region(Path source) throws IOException {
    String lines = first(Files.readString(source), " *// tag::example\n(.*?)\n *// end::example\n");
    return lines.stripIndent() + "\n";
  }

  private static String first(String text, String regex) {
    Matcher m = Pattern.compile(regex, Pattern.DOTALL).matcher(text);
    assertThat(m.find()).as("nothing matches %s", regex).isTrue();
    return m.group(1);
  }
}
