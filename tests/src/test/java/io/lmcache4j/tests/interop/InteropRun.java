/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.cli.server.LocalRedis;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a whole run shares: servers and peers, each started when it is first asked for, and the
 * table that is written at the end. For one thread.
 */
public final class InteropRun implements AutoCloseable {

  /** PYTHONHASHSEED of {@link #otherPeer()}. */
  static final String OTHER_SEED = "42";

  private final PythonEnvironment environment = PythonEnvironment.get();
  private final LocalRedis redis = LocalRedis.builder().unixSocket().start();
  private final CompatibilityTable table = new CompatibilityTable();
  private final List<PythonPeer> started = new ArrayList<>();
  private @Nullable PythonPeer current;
  private @Nullable PythonPeer other;
  private @Nullable PythonPeer older;
  private @Nullable Release olderRelease;
  private final List<Runnable> servers = new ArrayList<>();
  private @Nullable LocalCluster cluster;
  private @Nullable LocalSentinel sentinel;
  private @Nullable TlsRedis tls;
  private boolean failed;

  /** The peer of the installed LMCache, with PYTHONHASHSEED 0, that every test may use. */
  public PythonPeer peer() {
    if (current == null) {
      current = startPeer("0", null);
      table.environment(describe(current.info()));
    }
    return current;
  }

  /** A peer of the installed LMCache with another seed. */
  PythonPeer otherPeer() {
    if (other == null) {
      other = startPeer(OTHER_SEED, null);
    }
    return other;
  }

  /**
   * Starts another peer, for tests that leave it unusable or need another seed. It is killed at the
   * end of the run at the latest.
   *
   * @param hashSeed its PYTHONHASHSEED
   * @param release an older release, or null for the installed one
   * @throws PeerException if it does not start
   */
  PythonPeer startPeer(String hashSeed, @Nullable String release) {
    PythonPeer peer = new PythonPeer(environment, hashSeed, release);
    started.add(peer);
    return peer;
  }

  /**
   * The peer of a release. Only one older peer is kept: asking for another release kills it.
   *
   * @throws PeerException if that release can't be started
   */
  PythonPeer peer(Release release) {
    if (release.isCurrent()) {
      return peer();
    }
    if (older == null || !release.equals(olderRelease)) {
      if (older != null) {
        older.close();
      }
      older = startPeer("0", release.name());
      olderRelease = release;
    }
    return older;
  }

  private String describe(JsonNode info) {
    return String.format(
        "LMCache %s, CPython %s, torch %s (CPU), redis-py %s, %s",
        info.get("lmcache").textValue(),
        info.get("python").textValue().replaceFirst("\\.\\d+$", ""),
        info.get("torch").textValue().replaceFirst("\\+.*", ""),
        info.get("redis").textValue(),
        redis.version());
  }

  LocalRedis redis() {
    return redis;
  }

  /** A cluster, started when it is first asked for. */
  LocalCluster cluster() {
    if (cluster == null) {
      cluster = new LocalCluster();
      servers.add(cluster::close);
    }
    return cluster;
  }

  /** A Sentinel whose master is {@link #redis()}, started when it is first asked for. */
  LocalSentinel sentinel() {
    if (sentinel == null) {
      sentinel = new LocalSentinel(redis);
      servers.add(sentinel::close);
    }
    return sentinel;
  }

  /** A Redis with TLS, started when it is first asked for. */
  TlsRedis tls() {
    if (tls == null) {
      tls = new TlsRedis(environment);
      servers.add(tls::close);
    }
    return tls;
  }

  /** The Redis as {@code redis://} URL with a database. */
  String url(int database) {
    return redis.url() + "/" + database;
  }

  CompatibilityTable table() {
    return table;
  }

  /** The root of the repository. */
  public Path repository() {
    return environment.repository();
  }

  void failed() {
    failed = true;
  }

  @Override
  public void close() {
    started.forEach(PythonPeer::close);
    servers.forEach(Runnable::run);
    redis.close();
    if (failed) {
      System.err.println("docs/COMPATIBILITY.md is left alone: a test failed");
    } else {
      table.write(environment.repository().resolve("docs/COMPATIBILITY.md"));
    }
  }
}
