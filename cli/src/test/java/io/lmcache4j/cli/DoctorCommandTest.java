/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.redis.doctor.DoctorOptions;
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
  void theHelpTellsTheDefaultsThatTheDoctorHas() {
    DoctorOptions defaults = DoctorOptions.defaults();
    assertThat(Run.of("doctor", "--help").out().replaceAll("\\s+", " "))
        .contains("no limit. Default: " + defaults.keysPerSecond() + ".")
        .contains("together. Default: " + defaults.scanCount() + ".")
        .contains("not removed. Default: " + defaults.grace().toSeconds() + "s.");
  }

  @Test
  void everyKindOfProblemIsFound() throws IOException {
    cache.everything();
    Run run = doctor("--json");
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
  void nothingOfAStrangersNameReachesTheTerminal() {
    cache.hostile();
    for (Run run : List.of(doctor(), doctor("--json"), doctor("--fix"))) {
      assertThat(run.out() + run.err()).contains("script").matches("(?s)[\\n -~]*");
    }
    assertThat(doctor().out()).contains("\\x1b[2J\\u{202e}$(id)");
  }

  @Test
  void thePageHoldsNothingThatANameCouldOpen(@TempDir Path dir) throws IOException {
    cache.everything();
    Path page = dir.resolve("report.html");
    Run run = doctor("--report=" + page);
    assertThat(run.err()).contains("wrote " + page);
    String html = Files.readString(page);
    assertThat(html)
        .contains("&lt;script&gt;document.title=&#39;owned&#39;&lt;/script&gt;\\x1b[2J\\u{202e}")
        .doesNotContain("\u001b")
        .doesNotContain("\u202e")
        .contains("default-src 'none'");
    assertThat(html.toLowerCase(Locale.ROOT))
        .doesNotContain("<script", "<link", "<img", "<iframe", "@import", "url(", "onload", "src=");
    // Every problem is on it, with its command.
    JsonNode problems = json(doctor("--json").out()).get("problems");
    assertThat(html.split("<article class=\"card problem", -1)).hasSize(problems.size() + 1);
    assertThat(html).contains("lmcache4j doctor --fix --url redis://127.0.0.1:" + redis.port());
    assertThat(Run.of("doctor", "--url", redis.url(), "--report=/nowhere/x.html").err())
        .contains("/nowhere/x.html: cannot be written");
  }

  @Test
  void fixSaysWhatItRemovesAndRemovesOnlyThat() {
    cache.healthy(3);
    String orphan = SickCache.key(2, 0, "a1") + "kv_bytes";
    cache.set(orphan, new byte[3000]);
    Run before = doctor();
    assertThat(before.exitCode()).isEqualTo(ExitCode.ABSENT);
    assertThat(before.out()).contains("WARNING orphan payload: 1").contains("--fix");
    assertThat(cache.has(orphan)).as("an examination changes nothing").isTrue();
    Run fix = doctor("--fix");
    assertThat(fix.err())
        .contains("removing orphan payload: 1 (")
        .contains("no reader will ever find them");
    assertThat(fix.out()).contains("removed orphan payload: 1 (2.9 KiB)");
    assertThat(fix.exitCode()).isZero();
    assertThat(cache.has(orphan)).isFalse();
    Run after = doctor("--fix");
    assertThat(after.out()).contains("chunks 3, complete 3").contains("removed nothing");
    assertThat(after.exitCode()).isZero();
  }

  @Test
  void fixWithJsonPrintsASecondLine() throws IOException {
    cache.set(SickCache.key(2, 0, "a1") + "kv_bytes", new byte[3000]);
    Run run = doctor("--fix", "--json");
    assertThat(run.lines()).hasSize(2);
    assertThat(json(run.lines().get(1)))
        .isEqualTo(
            json(
                "{\"removed\":[{\"kind\":\"ORPHAN_PAYLOAD\",\"count\":1,\"bytes\":3000}],"
                    + "\"spared\":0}"));
  }

  @Test
  void whatIsYoungerThanTheGraceIsNoProblem() {
    cache.set(SickCache.key(2, 0, "a1") + "kv_bytes", new byte[3000]);
    Run run = Run.of("doctor", "--url", redis.url(), "--grace=1h");
    assertThat(run.out()).contains("1 halves of chunks were written less than 3600 s ago");
    assertThat(run.exitCode()).isZero();
  }

  @Test
  void theNamesOfTheObjectAreThoseOfTheDocumentation() throws IOException {
    cache.everything();
    JsonNode json = json(doctor("--json").out());
    assertThat(json.fieldNames())
        .toIterable()
        .containsExactly(
            "examinedAt",
            "elapsedMillis",
            "url",
            "server",
            "keys",
            "otherKeys",
            "chunks",
            "bytes",
            "models",
            "ages",
            "problems",
            "notes",
            "ill");
    assertThat(json.get("server").fieldNames())
        .toIterable()
        .containsExactly("name", "masters", "usedBytes", "maxBytes", "policy", "evictedKeys");
    assertThat(json.get("models").get(0).fieldNames())
        .toIterable()
        .containsExactly("name", "bytes", "worlds");
    assertThat(json.get("models").get(0).get("worlds").get(0).fieldNames())
        .toIterable()
        .containsExactly("size", "bytes", "chunks", "complete", "ranks");
    assertThat(json.get("ages").fieldNames())
        .toIterable()
        .containsExactly("sampled", "buckets", "unavailable");
    JsonNode problem = json.get("problems").get(0);
    assertThat(problem.fieldNames())
        .toIterable()
        .containsExactly(
            "kind",
            "severity",
            "model",
            "summary",
            "count",
            "bytes",
            "examples",
            "remedy",
            "command");
    assertThat(problem.get("examples").get(0).fieldNames())
        .toIterable()
        .containsExactly("key", "detail");
    assertThat(json.get("ill").booleanValue()).isTrue();
  }

  @Test
  void aPolicyOfLfuHasNoAges() {
    cache.config("maxmemory", "100mb");
    cache.config("maxmemory-policy", "allkeys-lfu");
    cache.pair(SickCache.key(1, 0, 1));
    cache.set(SickCache.key(1, 0, 2) + "kv_bytes", new byte[10]);
    Run run = doctor("--fix");
    assertThat(run.out())
        .contains("last used: the server refuses OBJECT IDLETIME")
        .doesNotContain("no expiry")
        .contains("removed orphan payload: 1");
    assertThat(run.exitCode()).isZero();
  }

  @Test
  void chunksThatCannotBeEvictedShouldExpire() {
    cache.pair(SickCache.key(1, 0, 1));
    cache.config("maxmemory", "100mb");
    cache.config("maxmemory-policy", "volatile-lru");
    assertThat(doctor().out()).contains("WARNING no expiry: 1").contains("puts are refused once");
    cache.config("maxmemory-policy", "noeviction");
    assertThat(doctor().out()).contains("every put is refused");
    cache.config("maxmemory-policy", "allkeys-lru");
    assertThat(doctor().exitCode()).isZero();
  }

  @Test
  void aUserWhoMayReadKeysOnlyIsToldWhatIsNotKnown() {
    cache.pair(SickCache.key(1, 0, 1));
    cache.set(SickCache.key(1, 0, 2) + "kv_bytes", new byte[10]);
    cache.acl(
        "SETUSER",
        "reader",
        "on",
        ">pw",
        "~*",
        "+hello",
        "+ping",
        "+scan",
        "+exists",
        "+pttl",
        "+getrange",
        "+strlen",
        "+type");
    String url = "redis://reader:pw@127.0.0.1:" + redis.port();
    Run run = Run.of("doctor", "--url", url, "--grace=1ms");
    assertThat(run.out())
        .contains("policy unknown")
        .contains("the server does not tell its maxmemory-policy")
        .contains("last used: the server refuses OBJECT IDLETIME")
        .contains("WARNING orphan payload: 1")
        .doesNotContain(":pw@");
    Run fix = Run.of("doctor", "--url", url, "--grace=1ms", "--fix");
    assertThat(fix.exitCode()).isEqualTo(ExitCode.SERVER);
    assertThat(fix.err()).contains("NOPERM");
    assertThat(cache.has(SickCache.key(1, 0, 2) + "kv_bytes")).isTrue();
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
