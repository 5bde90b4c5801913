/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.redis.ListedKey;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorException;
import io.lmcache4j.redis.RedisConnectorOptions;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.MethodSource;

/** Who logs in does so in every topology, and no password is to be found anywhere. */
@MethodSource("io.lmcache4j.tests.contract.Variant#all")
final class CredentialsTest extends Contract {

  private static final ChunkKey KEY = Samples.key(0x51);
  private static final String USER = "prefill";

  /** All that has a meaning in a URL, and what is not ASCII. */
  private static final String PASSWORD = "s3:cr/et@p?a#s%s+w&o=r d€";

  private static final String WRONG = "wr0ng:but/as@secret";

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  private static void hasNoSecret(String text) {
    for (String secret : List.of(PASSWORD, WRONG, encoded(PASSWORD), encoded(WRONG))) {
      assertThat(text).doesNotContain(secret);
    }
  }

  @AfterEach
  void everybodyMayComeInAgain() {
    raw.call("ACL", "DELUSER", USER);
    raw.call("CONFIG", "SET", "requirepass", "");
  }

  private void everythingWorksFor(RedisConnector connected) {
    assertThat(put(connected, KEY, Samples.METADATA, Samples.payload()))
        .isInstanceOf(PutOutcome.Stored.class);
    assertThat(bytesOf(connected.sync().get(KEY))).isEqualTo(Samples.payload());
    assertThat(connected.sync().exists(KEY)).isTrue();
    assertThat(connected.sync().inspect(KEY).problems()).isEmpty();
    assertThat(connected.sync().list()).containsExactly(new ListedKey(KEY.toString(), KEY));
    assertThat(connected.sync().remove(KEY)).isTrue();
    hasNoSecret(connected.toString() + connected.info());
  }

  @Test
  void aUserOfTheAccessListWithAnyPassword() {
    raw.call("ACL", "SETUSER", USER, "reset", "on", ">" + PASSWORD, "~*", "+@all");
    List<String> said;
    try (TalkativeLog log = new TalkativeLog()) {
      everythingWorksFor(
          open(options -> options.url(variant.urlAs(USER + ":" + encoded(PASSWORD)))));
      said = log.lines();
    }
    said.forEach(CredentialsTest::hasNoSecret);
  }

  @Test
  void thePasswordOfTheDefaultUser() {
    raw.call("CONFIG", "SET", "requirepass", PASSWORD);
    everythingWorksFor(open(options -> options.url(variant.urlAs(":" + encoded(PASSWORD)))));
    assertThat(refused(variant.url())).contains("NOAUTH");
    assertThat(refused(variant.urlAs(":" + encoded(WRONG)))).contains("WRONGPASS");
  }

  @Test
  void aWrongPasswordIsToldAndNotShown() {
    raw.call("ACL", "SETUSER", USER, "reset", "on", ">" + PASSWORD, "~*", "+@all");
    assertThat(refused(variant.urlAs(USER + ":" + encoded(WRONG))))
        .startsWith("cannot connect to " + variant.bareUrl().replaceFirst("://", "://***@"))
        .contains("WRONGPASS");
    assertThat(refused(variant.urlAs("nobody:" + encoded(WRONG)))).contains("WRONGPASS");
  }

  /** The message of opening, which fails; nothing that is said by the way is a secret. */
  private String refused(String url) {
    RedisConnectorOptions options =
        RedisConnectorOptions.builder(url).path(variant.path()).memory(memory).build();
    List<String> said;
    RedisConnectorException failure;
    try (TalkativeLog log = new TalkativeLog()) {
      failure =
          catchThrowableOfType(
              RedisConnectorException.class, () -> RedisConnector.open(options).close());
      said = log.lines();
    }
    assertThat(failure).isNotNull();
    StringWriter trace = new StringWriter();
    failure.printStackTrace(new PrintWriter(trace));
    hasNoSecret(trace.toString() + options);
    said.forEach(CredentialsTest::hasNoSecret);
    return String.valueOf(failure.getMessage());
  }
}
