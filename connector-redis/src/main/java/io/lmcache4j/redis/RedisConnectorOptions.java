/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.key.KeyFormat;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.model.KvGeometry;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link RedisConnector} is opened. Immutable; {@link #mutate()} starts a changed copy.
 *
 * <p>What Python LMCache would read and write is decided by {@link Builder#lmcacheVersion};
 * everything else here changes speed and limits, never bytes, except {@link Builder#ttl}, which
 * readers do not notice.
 */
public final class RedisConnectorOptions {

  /** How payload bytes cross between socket and memory. */
  public enum Path {
    /** Without copies where the transport allows it. */
    AUTO,
    /**
     * Through Lettuce's own buffers: slower, and the reference that the other is tested against.
     */
    COPY
  }

  /** LMCache's own {@code blocking_timeout_secs}. */
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(10);

  /** How long opening waits for a connection. */
  public static final Duration DEFAULT_CONNECT_TIMEOUT = Duration.ofSeconds(5);

  /**
   * How long a server may owe an answer before operations fail at once. Long enough for what stops
   * a healthy server for a moment (a fork, a slow script), short enough for who waits for a prompt.
   */
  public static final Duration DEFAULT_UNAVAILABLE_AFTER = Duration.ofSeconds(3);

  /** How long closing waits for what is in flight. */
  public static final Duration DEFAULT_CLOSE_TIMEOUT = Duration.ofSeconds(5);

  /**
   * See {@code docs/PERFORMANCE.md}: more connections than the server has threads to serve add
   * nothing.
   */
  public static final int DEFAULT_DATA_CONNECTIONS = 2;

  /**
   * A chunk of an 8B model for each data connection. More adds nothing to throughput and much to
   * the latency of lookups, since a server answers all gets that it has read from a connection
   * before it looks at anything else, and holds the answers in full; see {@code
   * docs/PERFORMANCE.md}.
   */
  public static final long DEFAULT_IN_FLIGHT_BYTES_PER_CONNECTION = 32L << 20;

  /** What that makes of the default number of connections. */
  public static final long DEFAULT_IN_FLIGHT_BYTES =
      DEFAULT_IN_FLIGHT_BYTES_PER_CONNECTION * DEFAULT_DATA_CONNECTIONS;

  /** The cap of the memory that a connector makes for itself. */
  public static final long DEFAULT_MEMORY_CAPACITY = 1L << 30;

  private final RemoteUrl url;
  private final @Nullable HostMemory memory;
  private final long memoryCapacity;
  private final Duration timeout;
  private final Duration connectTimeout;
  private final Duration closeTimeout;
  private final Duration unavailableAfter;
  private final ConnectorListener listener;
  private final @Nullable Duration ttl;
  private final LmcacheVersion lmcacheVersion;
  private final int dataConnections;

  /** What was asked for, or 0 for what the number of connections makes of it. */
  private final long inFlightBytes;

  private final Path path;
  private final @Nullable Executor executor;
  private final @Nullable String clientName;
  private final @Nullable KvGeometry geometry;
  private final String keyPrefix;

  private RedisConnectorOptions(Builder b) {
    url = b.url;
    memory = b.memory;
    memoryCapacity = b.memoryCapacity;
    timeout = b.timeout;
    connectTimeout = b.connectTimeout;
    closeTimeout = b.closeTimeout;
    unavailableAfter = b.unavailableAfter;
    listener = b.listener;
    ttl = b.ttl;
    lmcacheVersion = b.lmcacheVersion;
    dataConnections = b.dataConnections;
    inFlightBytes = b.inFlightBytes;
    path = b.path;
    executor = b.executor;
    clientName = b.clientName;
    geometry = b.geometry;
    keyPrefix = b.keyPrefix;
  }

  /**
   * Starts options for a URL, with every default.
   *
   * @param url where Redis is; see {@link RemoteUrl} for its grammar
   * @return a builder
   * @throws RemoteUrlException if the URL cannot be used
   */
  public static Builder builder(String url) {
    return new Builder(RemoteUrl.parse(url));
  }

  /**
   * Options with every default.
   *
   * @param url where Redis is
   * @return the options
   * @throws RemoteUrlException if the URL cannot be used
   */
  public static RedisConnectorOptions of(String url) {
    return builder(url).build();
  }

  /**
   * Starts a changed copy.
   *
   * @return a builder that holds these options
   */
  public Builder mutate() {
    Builder b = new Builder(url);
    b.memory = memory;
    b.memoryCapacity = memoryCapacity;
    b.timeout = timeout;
    b.connectTimeout = connectTimeout;
    b.closeTimeout = closeTimeout;
    b.unavailableAfter = unavailableAfter;
    b.listener = listener;
    b.ttl = ttl;
    b.lmcacheVersion = lmcacheVersion;
    b.dataConnections = dataConnections;
    b.inFlightBytes = inFlightBytes;
    b.path = path;
    b.executor = executor;
    b.clientName = clientName;
    b.geometry = geometry;
    b.keyPrefix = keyPrefix;
    return b;
  }

  /**
   * Where Redis is.
   *
   * @return the URL
   */
  public RemoteUrl url() {
    return url;
  }

  /**
   * The memory that chunks are read into unless a call names another.
   *
   * @return the caller's memory, or null if the connector makes its own
   */
  public @Nullable HostMemory memory() {
    return memory;
  }

  /**
   * Cap of the connector's own memory.
   *
   * @return bytes
   */
  public long memoryCapacity() {
    return memoryCapacity;
  }

  /**
   * Time for one operation, from the call to its outcome.
   *
   * @return the timeout
   */
  public Duration timeout() {
    return timeout;
  }

  /**
   * Time to connect when the connector is opened.
   *
   * @return the timeout
   */
  public Duration connectTimeout() {
    return connectTimeout;
  }

  /**
   * Time that closing gives to what is in flight.
   *
   * @return the timeout
   */
  public Duration closeTimeout() {
    return closeTimeout;
  }

  /**
   * How long a server may owe an answer; see {@link Builder#unavailableAfter}.
   *
   * @return a positive time
   */
  public Duration unavailableAfter() {
    return unavailableAfter;
  }

  /**
   * Who is told of what happens.
   *
   * @return the listener; one that does nothing if none was given
   */
  public ConnectorListener listener() {
    return listener;
  }

  /**
   * Time to live of what is put.
   *
   * @return the time, or null for none, as LMCache has it
   */
  public @Nullable Duration ttl() {
    return ttl;
  }

  /**
   * The LMCache release whose keys and headers are read and written.
   *
   * @return the version
   */
  public LmcacheVersion lmcacheVersion() {
    return lmcacheVersion;
  }

  /**
   * The grammar of keys, as {@link #lmcacheVersion} has it.
   *
   * @return the grammar
   */
  public KeyFormat keyFormat() {
    return KeyFormat.of(lmcacheVersion);
  }

  /**
   * Connections for payloads.
   *
   * @return a count
   */
  public int dataConnections() {
    return dataConnections;
  }

  /**
   * The byte budget: payload bytes that may be in flight at one time.
   *
   * @return bytes
   */
  public long inFlightBytes() {
    return inFlightBytes > 0
        ? inFlightBytes
        : DEFAULT_IN_FLIGHT_BYTES_PER_CONNECTION * dataConnections;
  }

  /**
   * How payload bytes cross.
   *
   * @return the path
   */
  public Path path() {
    return path;
  }

  /**
   * Where outcomes are completed.
   *
   * @return an executor, or null for the event loop
   */
  public @Nullable Executor executor() {
    return executor;
  }

  /**
   * Name of the connections in {@code CLIENT LIST}.
   *
   * @return the name, or null for none
   */
  public @Nullable String clientName() {
    return clientName;
  }

  /**
   * What payloads of a single-key layout are.
   *
   * @return the geometry, or null to take them for opaque
   */
  public @Nullable KvGeometry geometry() {
    return geometry;
  }

  /**
   * What stands before every Redis key.
   *
   * @return the prefix; empty on LMCache's own wire
   */
  public String keyPrefix() {
    return keyPrefix;
  }

  /** Names the URL, without credentials, and the limits. */
  @Override
  public String toString() {
    return "RedisConnectorOptions[url="
        + url
        + ", lmcacheVersion="
        + lmcacheVersion
        + ", timeout="
        + timeout
        + ", ttl="
        + ttl
        + ", dataConnections="
        + dataConnections
        + ", inFlightBytes="
        + inFlightBytes()
        + ", path="
        + path
        + "]";
  }

  /** What Redis is told of a time to live, which it counts in milliseconds. */
  static long ttlMillis(Duration ttl) {
    if (Builder.positive("ttl", ttl).toMillis() < 1) {
      throw new IllegalArgumentException("ttl " + ttl + " is below one millisecond");
    }
    return ttl.toMillis();
  }

  /** Builder of {@link RedisConnectorOptions}. Not thread-safe. */
  public static final class Builder {

    private RemoteUrl url;
    private @Nullable HostMemory memory;
    private long memoryCapacity = DEFAULT_MEMORY_CAPACITY;
    private Duration timeout = DEFAULT_TIMEOUT;
    private Duration connectTimeout = DEFAULT_CONNECT_TIMEOUT;
    private Duration closeTimeout = DEFAULT_CLOSE_TIMEOUT;
    private Duration unavailableAfter = DEFAULT_UNAVAILABLE_AFTER;
    private ConnectorListener listener = new ConnectorListener() {};
    private @Nullable Duration ttl;
    private LmcacheVersion lmcacheVersion = LmcacheVersion.CURRENT;
    private int dataConnections = DEFAULT_DATA_CONNECTIONS;
    private long inFlightBytes;
    private Path path = Path.AUTO;
    private @Nullable Executor executor;
    private @Nullable String clientName;
    private @Nullable KvGeometry geometry;
    private String keyPrefix = "";

    private Builder(RemoteUrl url) {
      this.url = url;
      takeTimes(url);
    }

    /** A URL may say how long to wait, as in redis-py; a setter called later has the last word. */
    private void takeTimes(RemoteUrl url) {
      Duration operation = url.timeout();
      if (operation != null) {
        timeout = operation;
      }
      Duration connect = url.connectTimeout();
      if (connect != null) {
        connectTimeout = connect;
      }
    }

    /**
     * Another URL.
     *
     * @param url see {@link RemoteUrl} for its grammar
     * @return this
     * @throws RemoteUrlException if the URL cannot be used
     */
    public Builder url(String url) {
      this.url = RemoteUrl.parse(url);
      takeTimes(this.url);
      return this;
    }

    /**
     * The memory that chunks are read into. It stays the caller's: closing the connector does not
     * close it.
     *
     * @param memory the memory
     * @return this
     */
    public Builder memory(HostMemory memory) {
      this.memory = Objects.requireNonNull(memory, "memory");
      return this;
    }

    /**
     * Cap of the direct memory that the connector makes for itself when it is given none. Default
     * {@link #DEFAULT_MEMORY_CAPACITY}. It is taken as payloads are read: a connector that only
     * looks up, as in LMCache's scheduler role, takes none.
     *
     * @param bytes a positive number of bytes
     * @return this
     */
    public Builder memoryCapacity(long bytes) {
      this.memoryCapacity = positive("memoryCapacity", bytes);
      return this;
    }

    /**
     * Time for one operation, counted from the call. Default {@link #DEFAULT_TIMEOUT}.
     *
     * @param timeout a positive time
     * @return this
     */
    public Builder timeout(Duration timeout) {
      this.timeout = positive("timeout", timeout);
      return this;
    }

    /**
     * Time to connect. Default {@link #DEFAULT_CONNECT_TIMEOUT}.
     *
     * @param timeout a positive time
     * @return this
     */
    public Builder connectTimeout(Duration timeout) {
      this.connectTimeout = positive("connectTimeout", timeout);
      return this;
    }

    /**
     * Time that closing gives to what is in flight. Default {@link #DEFAULT_CLOSE_TIMEOUT}.
     *
     * @param timeout a positive time
     * @return this
     */
    public Builder closeTimeout(Duration timeout) {
      this.closeTimeout = positive("closeTimeout", timeout);
      return this;
    }

    /**
     * How long a server may leave a sign of life unanswered, while operations wait for it, before
     * further ones fail at once with a {@link ServerUnavailableException}. They go through again as
     * soon as it answers. Default {@link #DEFAULT_UNAVAILABLE_AFTER}.
     *
     * @param silence a positive time; one above {@link #timeout} has every operation wait for its
     *     own deadline
     * @return this
     */
    public Builder unavailableAfter(Duration silence) {
      this.unavailableAfter = positive("unavailableAfter", silence);
      return this;
    }

    /**
     * Who is told of outcomes, connections and silent servers. Default: nobody.
     *
     * @param listener the listener
     * @return this
     */
    public Builder listener(ConnectorListener listener) {
      this.listener = Objects.requireNonNull(listener, "listener");
      return this;
    }

    /**
     * Time to live of both keys of each chunk that is put; the payload's is a little longer, so
     * that no reader finds metadata whose payload has just expired. Default: none, as LMCache has
     * it.
     *
     * @param ttl at least a millisecond
     * @return this
     */
    public Builder ttl(Duration ttl) {
      ttlMillis(ttl);
      this.ttl = ttl;
      return this;
    }

    /**
     * The LMCache release to be compatible with. Default {@link LmcacheVersion#CURRENT}.
     *
     * @param version the version
     * @return this
     */
    public Builder lmcacheVersion(LmcacheVersion version) {
      this.lmcacheVersion = Objects.requireNonNull(version, "version");
      return this;
    }

    /**
     * Connections for payloads, beside the one for lookups. Default {@link
     * #DEFAULT_DATA_CONNECTIONS}.
     *
     * @param count at least 1
     * @return this
     */
    public Builder dataConnections(int count) {
      this.dataConnections = (int) positive("dataConnections", count);
      return this;
    }

    /**
     * Payload bytes that may be in flight to one server at a time; callers beyond wait in order.
     * One payload that is larger goes alone. Default {@link
     * #DEFAULT_IN_FLIGHT_BYTES_PER_CONNECTION} for each data connection.
     *
     * @param bytes a positive number of bytes
     * @return this
     */
    public Builder inFlightBytes(long bytes) {
      this.inFlightBytes = positive("inFlightBytes", bytes);
      return this;
    }

    /**
     * How payload bytes cross. Default {@link Path#AUTO}.
     *
     * @param path the path
     * @return this
     */
    public Builder path(Path path) {
      this.path = Objects.requireNonNull(path, "path");
      return this;
    }

    /**
     * Where outcomes are completed, and with them whatever is chained to them without an executor
     * of its own. Default: the event loop that read the reply, which must not be blocked.
     *
     * @param executor the executor
     * @return this
     */
    public Builder executor(Executor executor) {
      this.executor = Objects.requireNonNull(executor, "executor");
      return this;
    }

    /**
     * Name of the connections in {@code CLIENT LIST}. Default: none, as LMCache has it.
     *
     * @param name a name without spaces
     * @return this
     */
    public Builder clientName(String name) {
      this.clientName = Objects.requireNonNull(name, "name");
      return this;
    }

    /**
     * What the payloads of {@code resp://} and {@code valkey://} URLs are, which carry no header.
     * Default: unknown, and payloads are opaque buffers of whatever length the server announces.
     *
     * @param geometry the geometry; payloads of any length but its full chunk's are refused
     * @return this
     */
    public Builder geometry(KvGeometry geometry) {
      this.geometry = Objects.requireNonNull(geometry, "geometry");
      return this;
    }

    /**
     * A prefix for every Redis key, to keep tenants of one server apart. Default: none. LMCache
     * knows no prefix, so what is written with one is seen only by connectors that have the same.
     *
     * @param prefix any text
     * @return this
     */
    public Builder keyPrefix(String prefix) {
      this.keyPrefix = Objects.requireNonNull(prefix, "prefix");
      return this;
    }

    /**
     * Ends the building.
     *
     * @return the options
     */
    public RedisConnectorOptions build() {
      return new RedisConnectorOptions(this);
    }

    private static long positive(String name, long value) {
      if (value <= 0) {
        throw new IllegalArgumentException(name + " must be positive: " + value);
      }
      return value;
    }

    private static Duration positive(String name, Duration value) {
      if (value.isNegative() || value.isZero()) {
        throw new IllegalArgumentException(name + " must be positive: " + value);
      }
      return value;
    }
  }
}
