/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorException;
import io.lmcache4j.redis.RedisConnectorOptions;
import io.lmcache4j.tests.servers.Certificates;
import io.lmcache4j.tests.servers.Program;
import io.lmcache4j.tests.servers.RawRedis;
import io.lmcache4j.tests.servers.SentinelServers;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Who is trusted, what is refused, and what the parameters of a URL change about it. */
final class TlsTest {

  private static final Program PROGRAM = Program.of(null);

  private final Certificates certificates = Certificates.ofThisRun();
  private final List<LocalRedis> servers = new ArrayList<>();

  @AfterEach
  void stop() {
    servers.forEach(LocalRedis::close);
  }

  private Program.Started start(Certificates.Pair pair, String... more) {
    Program.Started started =
        Program.start(
            PROGRAM.server(),
            1,
            ports -> {
              List<String> arguments = new ArrayList<>();
              arguments.addAll(certificates.arguments(ports.get(0), pair));
              arguments.addAll(List.of(more));
              return arguments;
            });
    servers.add(started.redis());
    return started;
  }

  private static String url(int port, String query) {
    return "rediss://127.0.0.1:" + port + query;
  }

  private String trusting() {
    return "?ssl_ca_certs=" + certificates.authority();
  }

  private static void works(String url) {
    works(url, RedisConnectorOptions.Path.AUTO);
  }

  private static void works(String url, RedisConnectorOptions.Path path) {
    try (DirectMemory memory = DirectMemory.create(1 << 20);
        RedisConnector connector =
            RedisConnector.open(
                RedisConnectorOptions.builder(url).path(path).memory(memory).build())) {
      try (KvChunk chunk =
          new KvChunk(
              Samples.key(1),
              Samples.METADATA,
              Objects.requireNonNull(memory.tryLease(Samples.BYTES)))) {
        chunk.payload().nio().put(Samples.payload());
        assertThat(connector.sync().put(chunk)).isInstanceOf(PutOutcome.Stored.class);
      }
      assertThat(Contract.bytesOf(connector.sync().get(Samples.key(1))))
          .isEqualTo(Samples.payload());
    }
  }

  private static String refused(String url) {
    RedisConnectorException failure =
        catchThrowableOfType(RedisConnectorException.class, () -> RedisConnector.open(url).close());
    assertThat(failure).isNotNull();
    return String.valueOf(failure.getMessage());
  }

  @Test
  void anAuthorityThatIsNotTrustedIsRefused() {
    int port = start(certificates.server()).ports().get(0);
    assertThat(refused(url(port, "")))
        .startsWith("cannot connect to rediss://127.0.0.1:" + port)
        .containsIgnoringCase("certification path");
    Certificates strangers = new Certificates();
    assertThat(refused(url(port, "?ssl_ca_certs=" + strangers.authority())))
        .containsIgnoringCase("path");
    works(url(port, trusting()));
    works(url(port, "?ssl_cert_reqs=none"));
  }

  @Test
  void aCertificateOfAnotherHostIsRefusedUnlessThatIsNotToBeLookedAt() {
    Certificates.Pair another = certificates.issue("another-host", "dns:another-host.invalid");
    int port = start(another).ports().get(0);
    assertThat(refused(url(port, trusting()))).contains("127.0.0.1");
    works(url(port, trusting() + "&ssl_check_hostname=false"));
  }

  @Test
  void aServerMayAskForTheClientsCertificate() {
    int port = start(certificates.server(), "--tls-auth-clients", "yes").ports().get(0);
    assertThat(refused(url(port, trusting()))).startsWith("cannot connect to rediss://");
    Certificates.Pair client = certificates.issue("client", "dns:client.invalid");
    works(
        url(
            port,
            trusting() + "&ssl_certfile=" + client.certificate() + "&ssl_keyfile=" + client.key()));
  }

  @Test
  void aServerThatSpeaksOtherwiseIsToldOf() {
    Program.Started started = start(certificates.server());
    String soon = "socket_connect_timeout=1";
    assertThat(refused(url(started.redis().port(), trusting() + "&" + soon)))
        .startsWith("cannot connect to rediss://127.0.0.1:" + started.redis().port());
    assertThat(refused("redis://127.0.0.1:" + started.ports().get(0) + "?" + soon))
        .startsWith("cannot connect to redis://127.0.0.1:" + started.ports().get(0));
  }

  @ParameterizedTest
  @EnumSource
  void sentinelAndItsMasterAreBothReachedOverTls(RedisConnectorOptions.Path path) {
    try (SentinelServers sentinel = SentinelServers.start(PROGRAM, true);
        RawRedis raw = sentinel.raw()) {
      String url =
          "redis-sentinel://"
              + sentinel.host()
              + "?ssl=true&ssl_ca_certs="
              + certificates.authority();
      works(url, path);
      raw.call("ACL", "SETUSER", "u", "reset", "on", ">p@ss:word", "~*", "+@all");
      works(url.replace("://", "://u:p%40ss%3Aword@"), path);
      assertThat(refused(url.replace("://", "://u:wrong-word@")))
          .contains("WRONGPASS")
          .doesNotContain("wrong-word");
      assertThat(refused("redis-sentinel://" + sentinel.host() + "?ssl=true"))
          .containsIgnoringCase("certification path");
    }
  }
}
