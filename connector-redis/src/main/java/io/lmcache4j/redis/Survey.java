/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads facts about Redis keys, of any layout, for those who examine a cache: page after page of
 * keys, and what is to be known of them without their values. Every method waits for its answer;
 * not to be used on the connector's event loop, nor by several threads at once.
 *
 * <p>Looking must not make a key look used, or the server would evict by what was examined. Servers
 * from Redis 7.2 on are told so ({@code CLIENT NO-TOUCH}), on the connections for small things,
 * which never read a chunk for anybody; older ones count lengths and headers that are read as use,
 * see {@link #leavesTraces}.
 */
public final class Survey {

  /** Answer of {@link Trip#length} for a key that holds no string. */
  public static final long WRONG_TYPE = -3;

  /** Answer of {@link Trip#idleSeconds} and {@link Trip#memoryBytes} that the server refused. */
  public static final long REFUSED = -4;

  /** Answer for a key that is not there, where 0 would be a length. */
  public static final long ABSENT = -2;

  /**
   * Deletes keys that are as they were, or none. Idle times are asked for before anything reads,
   * and are no number where the policy is LFU.
   */
  private static final byte[] REMOVE =
      """
      for i, key in ipairs(KEYS) do
        local length = tonumber(ARGV[2 * i])
        if length < 0 then
          if redis.call('EXISTS', key) == 1 then return 0 end
        else
          local idle = redis.pcall('OBJECT', 'IDLETIME', key)
          if type(idle) == 'number' and idle < tonumber(ARGV[1]) then return 0 end
          if redis.pcall('STRLEN', key) ~= length then return 0 end
          local value = ARGV[2 * i + 1]
          if value ~= '' and redis.call('GET', key) ~= value then return 0 end
        end
      end
      local removed = 0
      for i, key in ipairs(KEYS) do
        if tonumber(ARGV[2 * i]) >= 0 then removed = removed + redis.call('UNLINK', key) end
      end
      return removed
      """
          .getBytes(StandardCharsets.UTF_8);

  private static final Pattern FIELD = Pattern.compile("(?m)^(\\w+):(.*?)\\r?$");

  private final RedisConnector connector;
  private final Topology topology;
  private final String prefix;
  private final String pattern;
  private final StoredName.Form readersForm;
  private boolean leavesTraces;

  Survey(RedisConnector connector, Topology topology, RedisConnectorOptions options) {
    this.connector = connector;
    this.topology = topology;
    this.prefix = options.keyPrefix();
    this.pattern = new KeyNames(options.lmcacheVersion(), prefix, "").pattern("");
    this.readersForm = formOf(options.url());
  }

  private static StoredName.Form formOf(RemoteUrl url) {
    return switch (url.scheme()) {
      case REDIS, REDISS, UNIX, REDIS_CLUSTER, REDIS_SENTINEL -> StoredName.Form.PAIR;
      case RESP -> StoredName.Form.SINGLE;
      case VALKEY -> {
        if (!url.isValkeyPair()) {
          yield StoredName.Form.SINGLE;
        }
        yield url.isValkeyCluster()
            ? StoredName.Form.VALKEY_CLUSTER_PAIR
            : StoredName.Form.VALKEY_PAIR;
      }
    };
  }

  /**
   * The layout that readers of the connector's URL know.
   *
   * @return the layout
   */
  public StoredName.Form readersForm() {
    return readersForm;
  }

  /**
   * Reads a Redis key.
   *
   * @param redisKey the key
   * @return what it is, or null if it is no chunk's
   */
  public @Nullable StoredName name(byte[] redisKey) {
    return StoredName.parse(prefix, redisKey);
  }

  /**
   * One step of a walk through all keys.
   *
   * @param nextCursor what to ask for next; {@link KeyPage#END} when this was the last page
   * @param redisKeys the keys; may be none
   */
  public record Page(String nextCursor, List<byte[]> redisKeys) {

    /** Copies the list. */
    public Page {
      redisKeys = List.copyOf(redisKeys);
    }
  }

  /**
   * What the servers say of themselves, all masters together.
   *
   * @param masters how many
   * @param keys Redis keys in the database
   * @param usedBytes memory in use; -1 if one does not tell
   * @param maxBytes {@code maxmemory}; 0 for no limit, -1 if one does not tell
   * @param policy {@code maxmemory-policy}, or null if none tells
   * @param evictedKeys evicted since they started; -1 if one does not tell
   */
  public record Servers(
      int masters,
      long keys,
      long usedBytes,
      long maxBytes,
      @Nullable String policy,
      long evictedKeys) {}

  /**
   * What a Redis key was when it was looked at.
   *
   * @param redisKey the key
   * @param length its length, or {@link #ABSENT}
   * @param value its value, or null where the length is enough
   */
  @SuppressWarnings("ArrayRecordComponent") // Never compared; handed to Lettuce as they are.
  public record Seen(byte[] redisKey, long length, byte @Nullable [] value) {}

  /**
   * Asks for a page of keys.
   *
   * @param cursor {@link KeyPage#END} for the first page, then {@link Page#nextCursor}
   * @param count about how many
   * @return the page
   */
  public Page scan(String cursor, int count) {
    ScanArgs args = ScanArgs.Builder.limit(count).match(pattern);
    return SyncConnector.await(
        connector
            .call(
                OperationEvent.Kind.LIST,
                "list keys",
                List.of(),
                commands -> leaveNoTraces().thenCompose(v -> topology.scan(cursor, args)))
            .thenApply(page -> new Page(page.nextCursor(), page.keys())));
  }

  /** Before each page, since a connection that was made anew has forgotten it. */
  private CompletableFuture<Void> leaveNoTraces() {
    return topology
        .masters()
        .thenCompose(
            masters -> {
              List<CompletableFuture<Boolean>> told = new ArrayList<>();
              for (RedisClusterAsyncCommands<byte[], byte[]> master : masters) {
                told.add(
                    master
                        .dispatch(
                            CommandType.CLIENT,
                            new StatusOutput<>(ByteArrayCodec.INSTANCE),
                            new CommandArgs<>(ByteArrayCodec.INSTANCE).add("NO-TOUCH").add("ON"))
                        .toCompletableFuture()
                        .handle((ok, refused) -> refused == null));
              }
              return Batch.of(told, v -> {});
            })
        .thenAccept(told -> leavesTraces = told.contains(false));
  }

  /**
   * Whether a server counts what this survey reads as use of the keys.
   *
   * @return known after the first page; true for servers older than Redis 7.2
   */
  public boolean leavesTraces() {
    return leavesTraces;
  }

  /**
   * Asks the servers about themselves.
   *
   * @return what they tell; a server that refuses INFO is no failure
   */
  public Servers servers() {
    return SyncConnector.await(
        connector.call(
            OperationEvent.Kind.LIST,
            "ask the servers",
            List.of(),
            commands -> topology.masters().thenCompose(Survey::ask)));
  }

  private static CompletableFuture<Servers> ask(
      List<RedisClusterAsyncCommands<byte[], byte[]>> masters) {
    List<CompletableFuture<Servers>> answers = new ArrayList<>();
    for (RedisClusterAsyncCommands<byte[], byte[]> master : masters) {
      CompletableFuture<String> memory = orRefused(master.info("memory"), "");
      CompletableFuture<String> stats = orRefused(master.info("stats"), "");
      answers.add(
          orRefused(master.dbsize(), -1L)
              .thenCombine(memory.thenCombine(stats, (m, s) -> m + "\n" + s), Survey::parse));
    }
    return Batch.of(answers, v -> {}).thenApply(Survey::sum);
  }

  private static Servers parse(long keys, String info) {
    long used = -1;
    long max = -1;
    long evicted = -1;
    String policy = null;
    Matcher m = FIELD.matcher(info);
    while (m.find()) {
      switch (m.group(1)) {
        case "used_memory" -> used = Long.parseLong(m.group(2));
        case "maxmemory" -> max = Long.parseLong(m.group(2));
        case "evicted_keys" -> evicted = Long.parseLong(m.group(2));
        case "maxmemory_policy" -> policy = m.group(2);
        default -> {}
      }
    }
    return new Servers(1, keys, used, max, policy, evicted);
  }

  private static Servers sum(List<Servers> parts) {
    Servers all = parts.get(0);
    for (Servers part : parts.subList(1, parts.size())) {
      all =
          new Servers(
              all.masters + 1,
              sum(all.keys, part.keys),
              sum(all.usedBytes, part.usedBytes),
              // One without a limit makes the whole have none.
              all.maxBytes == 0 || part.maxBytes == 0 ? 0 : sum(all.maxBytes, part.maxBytes),
              all.policy == null ? part.policy : all.policy,
              sum(all.evictedKeys, part.evictedKeys));
    }
    return all;
  }

  private static long sum(long a, long b) {
    return a < 0 || b < 0 ? -1 : a + b;
  }

  /**
   * Begins to collect questions.
   *
   * @return an empty trip
   */
  public Trip trip() {
    return new Trip();
  }

  /**
   * Questions about keys that go to the servers together. Answers are complete once {@link #go} has
   * returned.
   */
  public final class Trip {

    private final List<Question<?>> questions = new ArrayList<>();

    private Trip() {}

    /**
     * Asks how many of some keys exist.
     *
     * @param redisKeys the keys, at least one
     * @return a count; not touching the keys
     */
    public CompletableFuture<Long> exists(byte[]... redisKeys) {
      return ask(commands -> commands.exists(redisKeys));
    }

    /**
     * Asks for a value's length.
     *
     * @param redisKey the key
     * @return bytes; 0 if the key is not there, {@link #WRONG_TYPE} if it holds no string
     */
    public CompletableFuture<Long> length(byte[] redisKey) {
      return ask(
          commands ->
              StoredValue.nullIfOfAnotherType(commands.strlen(redisKey))
                  .thenApply(bytes -> bytes == null ? WRONG_TYPE : bytes));
    }

    /**
     * Asks for the beginning of a value.
     *
     * @param redisKey the key
     * @param bytes of how many bytes at most
     * @return the bytes; none if the key is not there, or if it holds no string
     */
    public CompletableFuture<byte[]> beginning(byte[] redisKey, int bytes) {
      return ask(
          commands ->
              StoredValue.nullIfOfAnotherType(commands.getrange(redisKey, 0, bytes - 1L))
                  .thenApply(value -> value == null ? new byte[0] : value));
    }

    /**
     * Asks for a time to live.
     *
     * @param redisKey the key
     * @return milliseconds; -1 for ever, {@link #ABSENT} if the key is not there
     */
    public CompletableFuture<Long> ttlMillis(byte[] redisKey) {
      return ask(commands -> commands.pttl(redisKey));
    }

    /**
     * Asks how long a key has not been used.
     *
     * @param redisKey the key
     * @return seconds; {@link #ABSENT}, or {@link #REFUSED} as under a policy of LFU
     */
    public CompletableFuture<Long> idleSeconds(byte[] redisKey) {
      return ask(commands -> number(commands.objectIdletime(redisKey)));
    }

    /**
     * Asks how much memory the server needs for a key and its value.
     *
     * @param redisKey the key
     * @return bytes; {@link #ABSENT} or {@link #REFUSED}
     */
    public CompletableFuture<Long> memoryBytes(byte[] redisKey) {
      return ask(commands -> number(commands.memoryUsage(redisKey)));
    }

    private <T> CompletableFuture<T> ask(
        Function<RedisClusterAsyncCommands<byte[], byte[]>, CompletionStage<T>> command) {
      Question<T> question = new Question<>(command, new CompletableFuture<>());
      questions.add(question);
      return question.answer;
    }

    /** Sends the questions, and waits for the last answer. Nothing is sent if there are none. */
    public void go() {
      if (!questions.isEmpty()) {
        SyncConnector.await(
            connector.call(
                OperationEvent.Kind.LIST,
                "look at keys",
                List.of(),
                commands -> {
                  List<CompletableFuture<Object>> answers = new ArrayList<>(questions.size());
                  for (Question<?> question : questions) {
                    answers.add(question.send(commands));
                  }
                  return Batch.of(answers, v -> {});
                }));
        questions.clear();
      }
    }
  }

  /**
   * Removes keys if all of them are what they were and none was used lately; otherwise none.
   *
   * <p>On one server that is one step. In a cluster, where the keys of a chunk lie on different
   * nodes, all are looked at again first, and then each is removed in a step of its own, the first
   * of the list first: a put of the very chunk in between may lose one of its halves, which the
   * next reader takes for a miss.
   *
   * @param keys what they were; those that were {@link #ABSENT} have to be absent still
   * @param idleSeconds how long the present ones must not have been used; not looked at under a
   *     policy of LFU, which does not keep that
   * @return whether they were removed; whether any was, in a cluster
   * @throws RedisConnectorException if the server refuses, which it may do to scripts
   */
  public CompletionStage<Boolean> removeUnchanged(List<Seen> keys, long idleSeconds) {
    List<byte[]> redisKeys = keys.stream().map(Seen::redisKey).toList();
    return connector.call(
        OperationEvent.Kind.REMOVE,
        "remove what is unchanged",
        redisKeys,
        commands ->
            topology.keepsOrder()
                ? eval(keys, idleSeconds, commands)
                : areUnchanged(keys, commands)
                    .thenCompose(
                        unchanged ->
                            unchanged
                                ? evalEach(keys, 0, idleSeconds, commands)
                                : CompletableFuture.completedFuture(false)));
  }

  private static CompletableFuture<Boolean> evalEach(
      List<Seen> keys,
      int index,
      long idleSeconds,
      RedisClusterAsyncCommands<byte[], byte[]> commands) {
    if (index == keys.size()) {
      return CompletableFuture.completedFuture(false);
    }
    return eval(keys.subList(index, index + 1), idleSeconds, commands)
        .thenCompose(
            removed ->
                evalEach(keys, index + 1, idleSeconds, commands)
                    .thenApply(more -> removed || more));
  }

  private static CompletableFuture<Boolean> areUnchanged(
      List<Seen> keys, RedisClusterAsyncCommands<byte[], byte[]> commands) {
    List<CompletableFuture<Boolean>> same = new ArrayList<>();
    for (Seen seen : keys) {
      CompletableFuture<Long> exists = commands.exists(seen.redisKey).toCompletableFuture();
      same.add(exists.thenApply(n -> (n > 0) == (seen.length != ABSENT)));
    }
    return Batch.of(same, v -> {}).thenApply(all -> !all.contains(false));
  }

  private static CompletableFuture<Boolean> eval(
      List<Seen> keys, long idleSeconds, RedisClusterAsyncCommands<byte[], byte[]> commands) {
    List<byte[]> arguments = new ArrayList<>();
    arguments.add(ascii(idleSeconds));
    for (Seen seen : keys) {
      arguments.add(ascii(seen.length));
      arguments.add(seen.value == null ? new byte[0] : seen.value);
    }
    return commands
        .<Long>eval(
            REMOVE,
            ScriptOutputType.INTEGER,
            keys.stream().map(Seen::redisKey).toArray(byte[][]::new),
            arguments.toArray(byte[][]::new))
        .toCompletableFuture()
        .thenApply(removed -> removed > 0);
  }

  private static byte[] ascii(long number) {
    return Long.toString(number).getBytes(StandardCharsets.US_ASCII);
  }

  private record Question<T>(
      Function<RedisClusterAsyncCommands<byte[], byte[]>, CompletionStage<T>> command,
      CompletableFuture<T> answer) {

    CompletableFuture<Object> send(RedisClusterAsyncCommands<byte[], byte[]> commands) {
      return command
          .apply(commands)
          .toCompletableFuture()
          .thenApply(
              value -> {
                answer.complete(value);
                return value;
              });
    }
  }

  private static CompletableFuture<Long> number(CompletionStage<@Nullable Long> reply) {
    return orRefused(reply.thenApply(n -> n == null ? ABSENT : n), REFUSED);
  }

  /** An error that the server sent becomes a value; a lost connection stays a failure. */
  private static <T> CompletableFuture<T> orRefused(CompletionStage<T> reply, T refused) {
    CompletableFuture<T> result = new CompletableFuture<>();
    reply.whenComplete(
        (value, failure) -> {
          if (failure == null) {
            result.complete(value);
          } else if (Failures.root(failure) instanceof RedisCommandExecutionException) {
            result.complete(refused);
          } else {
            result.completeExceptionally(failure);
          }
        });
    return result;
  }
}
