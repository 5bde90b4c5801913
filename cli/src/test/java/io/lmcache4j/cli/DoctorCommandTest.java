/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.redis.doctor.ProblemKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@SuppressWarnings("NullAway.Init") // Made before each test.
final class DoctorCommandTest {

  private LocalRedis redis;
  private SickCache cache;

  @BeforeEach
  void start() {
    redis = LocalRedis.start();
    cache = new SickCache(redis.url());
  }

  @AfterEach
  void stop() {
    cache.close();
    redis.close();
  }

  /** What was just written is no put under way in these tests. */
  private Run doctor(String... more) {
    List<String> args =
        new ArrayList<>(List.of("doctor", "--url", redis.url(), "--grace=1ms", "--rate=0"));
    args.addAll(List.of(more));
    return Run.of(args.toArray(String[]::new));
  }

  private static JsonNode json(String line) throws IOException {
    return new ObjectMapper().readTree(line);
  }

  @Test
  void aHealthyCacheHasNoProblemAndItsSizesAreTold() throws IOException {
    cache.healthy(40);
    Run run = doctor();
    assertThat(run.out())
        .contains("160 Redis keys")
        .contains("chunks and layers 80, models 1, 1 MiB")
        .contains("world size 2: 1 MiB, chunks 40, complete 40")
        .contains("nothing is wrong");
    assertThat(run.exitCode()).isZero();
    JsonNode world = json(doctor("--json").out()).get("models").get(0).get("worlds").get(0);
    assertThat(world.get("ranks").get(1).get("entries").longValue()).isEqualTo(40);
    assertThat(world.get("ranks").get(1).get("bytes").longValue()).isEqualTo(40 * 16_384);
    assertThat(world.get("ranks").get(1).get("memoryBytes").longValue())
        .isBetween(40 * 16_384L, 80 * 16_384L);
  }

  @Test
  void everyKindOfProblemIsFound() throws IOException {
    cache.everything();
    Run run = doctor("--json");
    System.out.println(doctor().out());
    JsonNode json = json(run.out());
    Set<String> kinds = new TreeSet<>();
    json.get("problems").forEach(problem -> kinds.add(problem.get("kind").textValue()));
    Set<String> known = new TreeSet<>();
    for (ProblemKind kind : ProblemKind.values()) {
      known.add(kind.name());
    }
    assertThat(kinds).isEqualTo(known);
    assertThat(run.exitCode()).isEqualTo(ExitCode.ABSENT);
    assertThat(json.get("otherKeys").longValue()).isEqualTo(1);
  }

  @Test
  void aPageIsWritten(@TempDir Path dir) throws IOException {
    cache.everything();
    Path page = dir.resolve("report.html");
    Run run = doctor("--report=" + page);
    assertThat(run.err()).contains("wrote " + page);
    Files.copy(
        page, Path.of("/tmp/report.html"), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    String html = Files.readString(page);
    assertThat(html.toLowerCase(Locale.ROOT)).doesNotContain("<script");
  }

  @ParameterizedTest
  @CsvSource({
    "--rate=-1, -1",
    "--scan-count=0, 10000",
    "--scan-count=10001, 10001",
    "--grace=0s, 0s"
  })
  void whatCannotBeIsRefused(String option, String said) {
    Run run = Run.of("doctor", "--url=redis://127.0.0.1:1", option);
    assertThat(run.err()).contains(said);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
  }
}
