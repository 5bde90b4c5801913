/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class GlobalOptionsTest {

  /** Nobody listens on port 1. */
  private static final String NOBODY = "redis://:s3cr3t@127.0.0.1:1";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "put", "get", "exists", "inspect", "ls", "rm", "reshard", "doctor", "keys", "demo", "info"
      })
  void everyCommandHasHelpAndVersionBeforeAndAfterIt(String command) {
    assertThat(Run.of(command, "--help").out()).startsWith("Usage: lmcache4j " + command);
    assertThat(Run.of(command, "--help").exitCode()).isZero();
    assertThat(Run.of(command, "--version").out()).startsWith("lmcache4j ");
    assertThat(Run.of("--help", command).out()).startsWith("Usage: lmcache4j");
    assertThat(Run.of("--help").out()).contains(command);
  }

  @Test
  void noCommandIsAUsageError() {
    Run run = Run.of();
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.bytes()).isEmpty();
    assertThat(run.err()).contains("a command is needed").contains("inspect");
  }

  @Test
  void theUrlIsTakenBeforeAndAfterTheCommand() {
    Run before = Run.of("--url", NOBODY, "ls");
    Run after = Run.of("ls", "--url=" + NOBODY);
    assertThat(before.exitCode()).isEqualTo(ExitCode.SERVER);
    assertThat(after).usingRecursiveComparison().isEqualTo(before);
    assertThat(before.err()).contains("127.0.0.1:1").doesNotContain("s3cr3t").hasLineCount(1);
  }

  @Test
  void theUrlIsThatOfLmcacheUnlessOneIsGiven() {
    Map<String, String> environment = Map.of("LMCACHE_REMOTE_URL", "redis://127.0.0.1:2");
    assertThat(Run.with(environment, "", "ls").err()).contains("127.0.0.1:2");
    assertThat(Run.with(environment, "", "ls", "--url", NOBODY).err()).contains("127.0.0.1:1");
  }

  @Test
  void aBrokenConfigurationIsABadInput() {
    Map<String, String> environment = Map.of("LMCACHE_CONFIG_FILE", "/nowhere/lmcache.yaml");
    Run run = Run.with(environment, "", "ls");
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("/nowhere/lmcache.yaml");
    assertThat(Run.with(environment, "", "ls", "--url", NOBODY).exitCode())
        .as("not looked at")
        .isEqualTo(ExitCode.SERVER);
  }

  @Test
  void onlyDebugShowsAStackTraceAndItIsMaskedToo() {
    assertThat(Run.of("ls", "--url", NOBODY).err()).doesNotContain("\tat ");
    assertThat(Run.of("ls", "--debug", "--url", NOBODY).err())
        .contains("\tat ")
        .doesNotContain("s3cr3t");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"--ur=redis://:s3cr3t@h", "redis://u:s3cr3t@h", "--json=redis://:s3cr3t@h"})
  void aUrlInTheWrongPlaceIsMasked(String argument) {
    Run run = Run.of("inspect", argument);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).doesNotContain("s3cr3t");
  }

  @Test
  void aModelThatBeginsLikeAnArgumentFileIsAModel() {
    Run run = Run.of("exists", "@model@1@0@ff@half", "--url", NOBODY);
    assertThat(run.exitCode()).isEqualTo(ExitCode.SERVER);
  }
}
