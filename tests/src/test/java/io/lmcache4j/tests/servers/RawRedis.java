/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.servers;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Queue;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * What is in Redis, be that one server or the masters of a cluster: the tests' second opinion. A
 * command goes to the master of its key; what concerns all of a database goes to every master.
 */
public final class RawRedis implements AutoCloseable {

  private final List<RawConnection> masters;

  /** Which of the masters a slot is on; null where there is only one. */
  private final int @Nullable [] owners;

  /** To whom each command was sent whose reply has not been read. */
  private final Queue<RawConnection> sent = new ArrayDeque<>();

  private RawRedis(List<RawConnection> masters, int @Nullable [] owners) {
    this.masters = masters;
    this.owners = owners;
  }

  /** One server. */
  public RawRedis(String host, int port) {
    this(RawConnection.plain(host, port));
  }

  /** One server. */
  public RawRedis(RawConnection server) {
    this(List.of(server), null);
  }

  /**
   * A cluster as it is now; slots must stay where they are while this is used.
   *
   * @param seed port of one of its nodes
   * @param connecting how to reach a node by its port
   */
  public static RawRedis ofCluster(int seed, IntFunction<RawConnection> connecting) {
    List<Integer> ports = new ArrayList<>();
    int[] owners = new int[Slots.COUNT];
    Arrays.fill(owners, -1);
    try (RawConnection any = connecting.apply(seed)) {
      // Ranges of slots: first, last, master (host, port, id, …), replicas.
      for (Object row : list(any.call("CLUSTER", "SLOTS"))) {
        List<?> range = list(row);
        int port = number(list(range.get(2)).get(1)).intValue();
        if (!ports.contains(port)) {
          ports.add(port);
        }
        Arrays.fill(
            owners,
            number(range.get(0)).intValue(),
            number(range.get(1)).intValue() + 1,
            ports.indexOf(port));
      }
    }
    return new RawRedis(ports.stream().map(connecting::apply).toList(), owners);
  }

  private static List<?> list(@Nullable Object reply) {
    return (List<?>) Objects.requireNonNull(reply);
  }

  private static Long number(@Nullable Object reply) {
    return (Long) Objects.requireNonNull(reply);
  }

  /** The connections to the masters. */
  public List<RawConnection> masters() {
    return masters;
  }

  /** Sends a command of texts (UTF-8) and byte arrays, and reads its reply. */
  public @Nullable Object call(Object... words) {
    switch (words[0].toString().toUpperCase(Locale.ROOT)) {
      case "FLUSHALL", "CONFIG", "ACL", "ECHO", "SELECT" -> {
        List<@Nullable Object> replies = callEach(words);
        return replies.get(replies.size() - 1);
      }
      case "DEL", "EXISTS" -> {
        long count = 0;
        for (int i = 1; i < words.length; i++) {
          count += number(masterOf(words[i]).call(words[0], words[i]));
        }
        return count;
      }
      default -> {
        return masterOf(words[1]).call(words);
      }
    }
  }

  /** The reply of every master. */
  public List<@Nullable Object> callEach(Object... words) {
    List<@Nullable Object> replies = new ArrayList<>();
    for (RawConnection master : masters) {
      replies.add(master.call(words));
    }
    return replies;
  }

  /** The master that a key belongs to. */
  public RawConnection masterOf(Object key) {
    if (owners == null) {
      return masters.get(0);
    }
    int slot = Slots.of(key);
    if (owners[slot] < 0) {
      throw new IllegalStateException("nobody has the slot " + slot);
    }
    return masters.get(owners[slot]);
  }

  public byte @Nullable [] get(String key) {
    return (byte[]) call("GET", key);
  }

  public void set(String key, byte[] value) {
    call("SET", key, value);
  }

  public long number(Object... words) {
    return number(call(words));
  }

  public boolean has(String key) {
    return number("EXISTS", key) == 1;
  }

  /** As RENAME, which a cluster does not do across slots. */
  public void rename(String from, String to) {
    set(to, Objects.requireNonNull(get(from), from));
    call("DEL", from);
  }

  /** All keys, sorted. */
  public List<String> keys() {
    List<String> keys = new ArrayList<>();
    for (Object reply : callEach("KEYS", "*")) {
      for (Object key : list(reply)) {
        keys.add(new String((byte[]) Objects.requireNonNull(key), StandardCharsets.UTF_8));
      }
    }
    keys.sort(null);
    return keys;
  }

  /** Sends a command for a key without waiting for its reply. */
  public void send(Object... words) {
    RawConnection master = masterOf(words[1]);
    master.send(words);
    sent.add(master);
  }

  /** Reads the reply of the first command sent whose reply has not been read. */
  public @Nullable Object reply() {
    return sent.remove().reply();
  }

  @Override
  public void close() {
    masters.forEach(RawConnection::close);
  }
}
