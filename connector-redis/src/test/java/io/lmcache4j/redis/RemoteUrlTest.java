/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class RemoteUrlTest {

  private static String passwordOf(RemoteUrl url) {
    char[] password = url.password();
    return password == null ? "none" : new String(password);
  }

  @ParameterizedTest
  @CsvSource({
    "redis://,                        localhost, 6379, 0",
    "redis://h,                       h,         6379, 0",
    "redis://h/,                      h,         6379, 0",
    "redis://h:1,                     h,         1,    0",
    "redis://h:65535/15,              h,         65535, 15",
    "redis://:7000,                   localhost, 7000, 0",
    "redis://127.0.0.1:6380/2?db=3,   127.0.0.1, 6380, 3",
    "redis://h?db=4,                  h,         6379, 4",
    "redis://[::1]:6380,              ::1,       6380, 0",
    "redis://[fe80::1],               fe80::1,   6379, 0",
    "redis://user:pw@my-redis.ns.svc, my-redis.ns.svc, 6379, 0",
  })
  void hostPortAndDatabaseHaveTheDefaultsOfRedisPy(
      String text, String host, int port, int database) {
    RemoteUrl url = RemoteUrl.parse(text);
    assertThat(url.scheme()).isEqualTo(RemoteUrl.Scheme.REDIS);
    assertThat(url.nodes().get(0).host()).isEqualTo(host);
    assertThat(url.nodes().get(0).port()).isEqualTo(port);
    assertThat(url.database()).isEqualTo(database);
  }

  @Test
  void aUnixSocketIsAPathAndADatabase() {
    RemoteUrl url = RemoteUrl.parse("unix://:pw@/run/a%20b/redis@1.sock?db=2");
    assertThat(url.scheme()).isEqualTo(RemoteUrl.Scheme.UNIX);
    assertThat(url.path()).isEqualTo("/run/a b/redis@1.sock");
    assertThat(url.database()).isEqualTo(2);
    assertThat(passwordOf(url)).isEqualTo("pw");
    assertThat(url).hasToString("unix://***@/run/a b/redis@1.sock?db=2");
  }

  @ParameterizedTest
  @CsvSource({
    "redis://h,              none,  none",
    "redis://:pw@h,          none,  pw",
    "redis://user@h,         user,  none",
    "redis://user:pw@h,      user,  pw",
    "redis://user:p:w@h,     user,  p:w",
    "redis://user:p@w@h,     user,  p@w",
    "redis://u%40x:%2F%3f%23%20+%C3%A9@h, u@x, '/?# +é'",
  })
  void credentialsArePercentDecoded(String text, String user, String password) {
    RemoteUrl url = RemoteUrl.parse(text);
    assertThat(url.user() == null ? "none" : url.user()).isEqualTo(user);
    assertThat(passwordOf(url)).isEqualTo(password);
  }

  @ParameterizedTest
  @CsvSource({
    "redis://h,                      redis://h:6379",
    "redis://user:secret@h:1/2,      redis://***@h:1/2",
    "redis://:secret@[::1]/,         redis://***@[::1]:6379",
    "unix://user:secret@/s,          unix://***@/s",
  })
  void printingShowsNoCredential(String text, String printed) {
    assertThat(RemoteUrl.parse(text)).hasToString(printed);
    assertThat(RedisConnectorOptions.of(text).toString())
        .contains(printed)
        .doesNotContain("secret");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "redis",
        "redis:",
        "redis:/h",
        "h:6379",
        "://h",
        "REDIS://h",
        "Redis://h",
        "http://h",
        "redis://h:0",
        "redis://h:65536",
        "redis://h:999999",
        "redis://h:x",
        "redis://h:-1",
        "redis://h/x",
        "redis://h/-1",
        "redis://h/99999999999",
        "redis://h?db=",
        "redis://h?db=x",
        "redis://h?db",
        "redis://h?socket_timeout=0",
        "redis://h?socket_timeout=x",
        "redis://h?max_connections=9",
        "redis://h?protocol=1",
        "redis://a:1,b:2",
        "redis://h?ssl_cert_reqs=none",
        "rediss://h?ssl_cert_reqs=perhaps",
        "rediss://h?ssl_check_hostname=perhaps",
        "rediss://h?ssl_certfile=/only/one/of/two",
        "redis-cluster://h:1/2",
        "redis-cluster://h:1?service_name=x",
        "resp://a:1,b:2",
        "valkey://h?layout=other",
        "redis://h#fragment",
        "redis://a:1:2",
        "redis://::1",
        "redis://%zz@h",
        "unix://relative",
        "unix://",
      })
  void whatIsMalformedIsRefusedWithTheUrl(String text) {
    assertThatThrownBy(() -> RemoteUrl.parse(text)).isInstanceOf(RemoteUrlException.class);
  }

  /** A pattern that read a text anew from each of its characters would be at this for minutes. */
  @ParameterizedTest
  @ValueSource(strings = {"?", "&", "=", "@", ":", "/", ",", "[", "%", "?=", "&=", "a@", "0:", "#"})
  void whatIsLongIsReadOnce(String piece) {
    String text = piece.repeat(100_000);
    for (String start : new String[] {"", "redis://", "redis://h?", "unix:///"}) {
      assertThat(read(start + text)).isNotEmpty();
      assertThatThrownBy(() -> RemoteUrl.parse(start + text + "#"))
          .isInstanceOf(RemoteUrlException.class);
    }
  }

  private static String read(String text) {
    try {
      return RemoteUrl.parse(text).toString();
    } catch (RemoteUrlException e) {
      return String.valueOf(e.getMessage());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "redis://user:hunter2-hunter2@h:x",
        "redis://user:hunter2-hunter2@h/x",
        "redis://user:hunter2-hunter2@h?db=x",
        "http://user:hunter2-hunter2@h",
        "user:hunter2-hunter2@h",
        "redis:user:hunter2-hunter2@h",
        "redis://:hunter2-hunter2%@h",
        // Passwords with characters that should have been percent-encoded.
        "redis://:hunter2/hunter2@h",
        "redis://:12/hunter2@h",
        "redis://:hunter2?hunter2@h",
        "redis://:12?hunter2=1@h",
        "redis://:12?db=hunter2@h",
        "redis://:hunter2#hunter2@h",
        "redis://:x@y/hunter2@h",
        "redis://:x@y?hunter2@h",
        "unix://:hunter2/hunter2@/run/redis.sock",
        // As redis-py takes them.
        "redis://h?password=hunter2",
        "redis://h?db=0&password=hunter2&username=x",
        "redis://h?username=hunter2",
        "redis://h??password=hunter2",
        // The host forgotten.
        "redis://user:hunter2",
        "redis://:hunter2/0",
        "user:hunter2",
      })
  void noMessageShowsACredential(String text) {
    assertThatThrownBy(() -> RemoteUrl.parse(text))
        .isInstanceOf(RemoteUrlException.class)
        .message()
        .doesNotContain("hunter2");
  }

  @Test
  void theParametersOfRedisPyAreRead() {
    RemoteUrl url =
        RemoteUrl.parse(
            "rediss://h:1/3?socket_timeout=1.5&socket_connect_timeout=0.25&protocol=2&client_name=c"
                + "&ssl_ca_certs=/ca.pem&ssl_certfile=/c.pem&ssl_keyfile=/k.pem"
                + "&ssl_check_hostname=False");
    assertThat(url.scheme()).isEqualTo(RemoteUrl.Scheme.REDISS);
    assertThat(url.timeout()).hasMillis(1500);
    assertThat(url.connectTimeout()).hasMillis(250);
    assertThat(url.protocol()).isEqualTo(2);
    assertThat(url.clientName()).isEqualTo("c");
    assertThat(url.database()).isEqualTo(3);
    assertThat(url.tls()).isEqualTo(new RemoteUrl.Tls(true, false, "/ca.pem", "/c.pem", "/k.pem"));
    RedisConnectorOptions options =
        RedisConnectorOptions.of("redis://h?socket_timeout=1.5&socket_connect_timeout=0.25");
    assertThat(options.timeout()).hasMillis(1500);
    assertThat(options.connectTimeout()).hasMillis(250);
  }

  @Test
  void certificatesAreVerifiedUnlessTheUrlSaysOtherwise() {
    assertThat(RemoteUrl.parse("rediss://h").tls())
        .isEqualTo(new RemoteUrl.Tls(true, true, null, null, null));
    assertThat(RemoteUrl.parse("rediss://h?ssl_cert_reqs=none").tls())
        .isEqualTo(new RemoteUrl.Tls(false, true, null, null, null));
    assertThat(RemoteUrl.parse("redis://h").tls()).isNull();
    assertThat(RemoteUrl.parse("redis-cluster://h:1?ssl=true").tls()).isNotNull();
  }

  @Test
  void sentinelsAndClustersHaveManyHosts() {
    RemoteUrl sentinel =
        RemoteUrl.parse("redis-sentinel://a:1,b/ignored", Map.of("REDIS_TIMEOUT", "2"));
    assertThat(sentinel.nodes())
        .containsExactly(new RemoteUrl.Node("a", 1), new RemoteUrl.Node("b", 26379));
    assertThat(sentinel.serviceName()).isEqualTo("redismaster");
    assertThat(sentinel.timeout()).hasSeconds(2);
    assertThat(sentinel.database()).isZero();
    assertThat(
            RemoteUrl.parse("redis-sentinel://a", Map.of("REDIS_SERVICE_NAME", "m")).serviceName())
        .isEqualTo("m");
    assertThat(RemoteUrl.parse("redis-sentinel://a?service_name=s").serviceName()).isEqualTo("s");
    assertThat(RemoteUrl.parse("redis-cluster://u:secret@a:1,b:2"))
        .hasToString("redis-cluster://***@a:1,b:2");
    assertThat(RemoteUrl.parse("valkey://a:1,b:2").isValkeyCluster()).isTrue();
    assertThat(RemoteUrl.parse("valkey://a:1?layout=pair").isValkeyPair()).isTrue();
  }

  @Test
  void theOffendingParameterIsNamed() {
    assertThatThrownBy(() -> RemoteUrl.parse("redis://h?db=1&ssl_cert_reqs=none"))
        .hasMessageContaining("ssl_cert_reqs");
  }

  @Test
  void urlsAreEqualWhenTheyMeanTheSame() {
    assertThat(RemoteUrl.parse("redis://:pw@localhost:6379/0"))
        .isEqualTo(RemoteUrl.parse("redis://:pw@"))
        .hasSameHashCodeAs(RemoteUrl.parse("redis://:pw@"))
        .isNotEqualTo(RemoteUrl.parse("redis://:other@"))
        .isNotEqualTo(RemoteUrl.parse("redis://u:pw@"))
        .isNotEqualTo(RemoteUrl.parse("redis://:pw@localhost/1"));
  }

  @Test
  void aPasswordThatIsHandedOutIsACopy() {
    RemoteUrl url = RemoteUrl.parse("redis://:pw@h");
    char[] taken = url.password();
    assertThat(taken).isNotNull();
    taken[0] = 'x';
    assertThat(passwordOf(url)).isEqualTo("pw");
  }
}
