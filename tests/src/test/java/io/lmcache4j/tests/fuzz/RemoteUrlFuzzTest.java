/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.lmcache4j.redis.RemoteUrl;
import io.lmcache4j.redis.RemoteUrlException;

/** Any text as a URL, with a password planted in it that nobody may show. */
class RemoteUrlFuzzTest {

  private static final String PASSWORD = "hunter2";

  @FuzzTest
  void showsNoPassword(FuzzedDataProvider data) {
    String scheme = data.pickValue(new String[] {"redis", "unix", "rediss", "resp", ""});
    String user = data.consumeString(8);
    String before = data.consumeString(8);
    String after = data.consumeString(8);
    String rest = withoutPassword(data.consumeRemainingAsString());
    String credentials = user + ":" + before + PASSWORD + after + "@";
    boolean planted = !scheme.isEmpty();
    boolean swapped = rest.startsWith("/");
    String url =
        !planted
            ? rest
            : swapped ? credentials + scheme + ":/" + rest : scheme + "://" + credentials + rest;
    Allocation.isPaidFor(url.length(), 64, () -> RemoteUrl.parse(url));
    parse(url, planted);
  }

  /** What is left may be one again. */
  private static String withoutPassword(String text) {
    String left = text;
    while (left.contains(PASSWORD)) {
      left = left.replace(PASSWORD, "");
    }
    return left;
  }

  private static void parse(String url, boolean planted) {
    RemoteUrl parsed;
    try {
      parsed = RemoteUrl.parse(url);
    } catch (RemoteUrlException e) {
      if (planted) {
        assertThat(e.getMessage()).doesNotContain(PASSWORD);
      }
      return;
    }
    // Behind an "@" of the password's own, the grammar has it in the host or the path.
    if (planted
        && !parsed.nodes().toString().contains(PASSWORD)
        && !parsed.path().contains(PASSWORD)) {
      assertThat(parsed.toString()).doesNotContain(PASSWORD);
    }
    if (parsed.scheme() == RemoteUrl.Scheme.REDIS) {
      RemoteUrl shown = RemoteUrl.parse(parsed.toString());
      assertThat(shown.nodes()).isEqualTo(parsed.nodes());
      assertThat(shown.nodes()).allMatch(node -> node.port() >= 1 && node.port() <= 65535);
      assertThat(shown.database()).isEqualTo(parsed.database()).isNotNegative();
    }
    assertThat(RemoteUrl.parse(url)).isEqualTo(parsed).hasSameHashCodeAs(parsed);
  }
}
