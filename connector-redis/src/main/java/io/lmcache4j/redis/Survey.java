/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.ScanArgs;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reads facts about Redis keys, of any layout, for those who examine a cache: page after page of
 * keys, and what is to be known of them without their values. What does not return a stage waits
 * for its answer; not to be used on the connector's event loop, nor by several threads at once.
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

  private final RedisConnector connector;
  private final Topology topology;
  private final String prefix;
  private final String pattern;
  private final StoredName.Form readersForm;
  private volatile boolean leavesTraces;

  Survey(RedisConnector connector, Topology topology, RedisConnectorOptions options) {
    this.connector = connector;
    this.topology = topology;
    this.prefix = options.keyPrefix();
    this.pattern = new KeyNames(options.lmcacheVersion(), prefix, "").pattern("");
    this.readersForm = StoredName.Form.of(options.url());
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
   * @return the page, when it is there: it can be on its way while the one before is looked at
   */
  public CompletionStage<Page> scan(String cursor, int count) {
    ScanArgs args = ScanArgs.Builder.limit(count).match(pattern);
    return connector
        .call(
            OperationEvent.Kind.LIST,
            "list keys",
            List.of(),
            // SCAN touches no key: it need not wait, only what is asked about the page must.
            commands -> leaveNoTraces().thenCombine(topology.scan(cursor, args), (v, page) -> page))
        .thenApply(page -> new Page(page.nextCursor(), page.keys()));
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
            commands -> topology.masters().thenCompose(ServerFacts::ask)));
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
     * Asks for the type of a value.
     *
     * @param redisKey the key
     * @return as {@code TYPE} says it; {@code none} if the key is not there
     */
    public CompletableFuture<String> type(byte[] redisKey) {
      return ask(commands -> commands.type(redisKey));
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
   * @return whether they were removed; in a cluster whether the first of them was
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
                ? Removal.atOnce(keys, idleSeconds, commands)
                : Removal.oneByOne(keys, idleSeconds, commands));
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
  static <T> CompletableFuture<T> orRefused(CompletionStage<T> reply, T refused) {
    CompletableFuture<T> result = new CompletableFuture<>();
    reply.whenComplete(
        (value, failure) -> {
          if (failure == null) {
            result.complete(value);
          } else if (Failures.isReply(failure)) {
            result.complete(refused);
          } else {
            result.completeExceptionally(failure);
          }
        });
    return result;
  }
}
