/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import io.lmcache4j.cli.server.LocalRedis;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A Redis that speaks TLS, with a certificate of its own that both sides are told to trust. It is
 * the embedded server, since not every other one was built with TLS.
 */
final class TlsRedis implements AutoCloseable {

  private final Path certificate;
  private final Path key;
  private final int port = Ports.free();
  private final LocalRedis redis;

  TlsRedis(PythonEnvironment environment) {
    try {
      Path folder = Files.createTempDirectory("lmcache4j-tls-");
      certificate = folder.resolve("certificate.pem");
      key = folder.resolve("key.pem");
      make(environment, folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    redis =
        LocalRedis.builder()
            .embedded()
            .arguments(
                "--tls-port",
                Integer.toString(port),
                "--tls-cert-file",
                certificate.toString(),
                "--tls-key-file",
                key.toString(),
                "--tls-auth-clients",
                "no")
            .start();
  }

  private static void make(PythonEnvironment environment, Path folder) throws IOException {
    Process maker =
        new ProcessBuilder(
                environment.python().toString(),
                environment.repository().resolve("tests/python/certificate.py").toString(),
                folder.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(maker.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (maker.waitFor() != 0) {
        throw new IllegalStateException("certificate.py: " + said);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** A database under TLS, verified, as both sides spell it. */
  String url(int database) {
    return "rediss://127.0.0.1:" + port + "/" + database + "?ssl_ca_certs=" + certificate;
  }

  /** The same database without TLS. */
  RawRedis raw(int database) {
    return new RawRedis(redis.url() + "/" + database);
  }

  @Override
  public void close() {
    redis.close();
    try {
      Files.deleteIfExists(certificate);
      Files.deleteIfExists(key);
      Files.deleteIfExists(certificate.resolveSibling(""));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
