/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lmcache4j.cli.server.LocalRedis;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The page in a browser. What needs none is in {@link DoctorCommandTest}; without a Chromium on the
 * PATH this is skipped, and says so.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("NullAway.Init") // Made before the first test.
final class DoctorPageTest {

  @TempDir private static Path dir;

  private Chromium chromium;
  private Path page;

  @BeforeAll
  void open() throws IOException, InterruptedException {
    Optional<Path> program = Chromium.find();
    assumeTrue(
        program.isPresent(),
        "no chromium, chromium-browser or google-chrome on the PATH: the page was looked at in no"
            + " browser");
    page = Files.createDirectory(dir.resolve("page")).resolve("report.html");
    try (LocalRedis redis = LocalRedis.start();
        SickCache cache = new SickCache(redis.url())) {
      cache.everything();
      Run.of("doctor", "--url", redis.url(), "--grace=1ms", "--report=" + page);
    }
    chromium = Chromium.start(program.get(), Files.createDirectory(dir.resolve("profile")));
  }

  @AfterAll
  void close() {
    if (chromium != null) {
      chromium.close();
    }
  }

  @ParameterizedTest
  @CsvSource({"1200, false", "1200, true", "390, false", "390, true", "320, false"})
  void itFitsTheScreenAndIsReadableInItsColours(int width, boolean dark)
      throws InterruptedException {
    chromium.show(width, 900, dark);
    chromium.open(page);
    assertThat(chromium.evaluate("innerWidth").intValue()).isEqualTo(width);
    assertThat(chromium.evaluate("document.documentElement.scrollWidth").intValue())
        .as("nothing sticks out at the side")
        .isLessThanOrEqualTo(width);
    assertThat(chromium.evaluate("document.querySelectorAll('.problem').length").intValue())
        .isGreaterThan(15);
    assertThat(
            chromium
                .evaluate(
                    "Math.max(...[...document.querySelectorAll('.fill')]"
                        + ".map(bar => bar.getBoundingClientRect().width))")
                .doubleValue())
        .isGreaterThan(30);
    for (String what :
        new String[] {"body", ".error.pill", ".warning.pill", ".hint.pill", ".soft"}) {
      assertThat(chromium.evaluate(contrast(what)).doubleValue())
          .as("contrast of %s", what)
          .isGreaterThanOrEqualTo(4.5);
    }
    double light =
        chromium
            .evaluate("{" + LUMINANCE + "luminance(background(document.body)); }")
            .doubleValue();
    assertThat(light < 0.5).isEqualTo(dark);
  }

  @Test
  void noNameHasBecomeAnElementAndNothingIsFetched() throws InterruptedException {
    chromium.open(page);
    assertThat(chromium.evaluate("document.title").textValue()).isEqualTo("lmcache4j doctor");
    assertThat(chromium.evaluate("document.scripts.length").intValue()).isZero();
    assertThat(chromium.evaluate("performance.getEntriesByType('resource').length").intValue())
        .isZero();
    assertThat(
            chromium
                .evaluate(
                    "[...document.querySelectorAll('code')].filter(c => c.children.length).length")
                .intValue())
        .isZero();
    assertThat(chromium.evaluate("document.body.innerText").textValue())
        .contains("<script>document.title='owned'</script>");
  }

  /** As WCAG 2 defines it. */
  private static final String LUMINANCE =
      """
      const parts = colour => colour.match(/[0-9.]+/g).map(Number);
      const background = element => {
        for (let e = element; e; e = e.parentElement) {
          const its = getComputedStyle(e).backgroundColor;
          if (parts(its)[3] !== 0) return its;
        }
        return 'rgb(255, 255, 255)';
      };
      const luminance = colour => {
        const [r, g, b] = parts(colour).map(c => c / 255)
            .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      """;

  private static String contrast(String selector) {
    return "{"
        + LUMINANCE
        + """
        const element = document.querySelector('%s');
        const both = [getComputedStyle(element).color, background(element)].map(luminance);
        (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
        }
        """
            .formatted(selector);
  }
}
