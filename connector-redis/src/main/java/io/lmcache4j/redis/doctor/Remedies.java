/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.key.KeySyntaxException;
import io.lmcache4j.core.key.LayerCacheEngineKey;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.core.model.KnownModel;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What to do about problems. */
final class Remedies {

  /** The head size of nearly every model with grouped heads; what is printed says so. */
  private static final int HEAD_SIZE = 128;

  private static final long MIB = 1 << 20;

  private final String url;

  /**
   * Makes remedies for one cache.
   *
   * @param url where it is, without credentials: a command must not mend another one
   */
  Remedies(String url) {
    this.url = url;
  }

  /**
   * What to do.
   *
   * @param text in words
   * @param command the command that does it, or null
   */
  record Remedy(String text, @Nullable String command) {}

  Remedy of(ProblemKind kind, List<Example> examples) {
    return switch (kind) {
      case ORPHAN_PAYLOAD, ORPHAN_METADATA ->
          new Remedy(
              "Remove them. They come about when a writer dies between the two keys, or when the"
                  + " server evicts one of them.",
              command("doctor --fix"));
      case UNREADABLE ->
          new Remedy(
              "Remove them: a chunk that is there is not stored again, so their prompts are computed"
                  + " anew each time.",
              command("doctor --fix"));
      case MISMATCH ->
          new Remedy(
              "Look at them, and remove those that are wrong: a chunk that is there is not stored"
                  + " again.",
              onKey("rm", examples));
      case WRONG_TYPE ->
          new Remedy(
              "Find out who writes them; LMCache does not, and its readers fail there.", null);
      case INCOMPLETE_RANKS ->
          new Remedy(
              "They heal when their prompt is stored again. If there are many, chunks are evicted"
                  + " one by one: give the server more memory, or the chunks a time to live.",
              null);
      case INCOMPLETE_LAYERS ->
          new Remedy(
              "Remove layer 0 where it is there; the next store then writes all of the chunk.",
              onKey("rm", examples.stream().filter(Remedies::isFirstLayer).toList()));
      case DISJOINT_RANKS ->
          new Remedy(
              "Give every vLLM process of all instances the same PYTHONHASHSEED (and the same"
                  + " minor version of Python), or let LMCache use sha256_cbor.",
              "export PYTHONHASHSEED=0");
      case MIXED_HASHES ->
          new Remedy(
              "Give every LMCache the same pre_caching_hash_algorithm, release and PYTHONHASHSEED.",
              "export LMCACHE_PRE_CACHING_HASH_ALGORITHM=sha256_cbor");
      case MIXED_LAYOUTS, OTHER_LAYOUT ->
          new Remedy(
              "Give every worker a remote_url of the same scheme; what lies in the other layout can"
                  + " then be removed with rm --model and a URL of that scheme.",
              null);
      case MIXED_GRAMMARS ->
          new Remedy(
              "Run one release of LMCache on all workers; what the others have stored is of no use"
                  + " to it, and goes by eviction or time to live.",
              null);
      case MIXED_DTYPES ->
          new Remedy("Give every instance the same --kv-cache-dtype and --dtype.", null);
      case EXPIRY_DIFFERS ->
          new Remedy(
              "Set the time to live of both keys, or of neither; of the payload the longer one.",
              null);
      case DTYPE_FILLED_IN ->
          new Remedy(
              "Compare with the engine's dtype. What was filled in wrongly is read as other numbers"
                  + " of the same size: then remove the model.",
              onKey("inspect", examples));
      case MLA_COPIES ->
          new Remedy(
              "Let the first rank alone store (LMCache's default for MLA since 0.3.10); readers ask"
                  + " for worker 0.",
              "export LMCACHE_EXTRA_CONFIG='{\"save_only_first_rank\": true}'");
      case MODEL_NAMES ->
          new Remedy("Give vLLM the same path or hub id of the model everywhere.", null);
      case NO_EXPIRY -> throw new IllegalArgumentException(kind + " is the server's: see noExpiry");
      case OTHER_WORLD -> throw new IllegalArgumentException(kind + " has two worlds: see reshard");
    };
  }

  /** What makes room on a server that cannot evict what never expires. */
  Remedy noExpiry(Diagnosis.Server server) {
    boolean unlimited = server.maxBytes() == 0;
    List<String> settings = new ArrayList<>();
    if (unlimited) {
      settings.add("maxmemory " + (server.usedBytes() / MIB + 1) + "mb");
    }
    if (!evictsAnything(server)) {
      settings.add("maxmemory-policy allkeys-lru");
    }
    // Of a cluster or behind a Sentinel each server would have to be told, and redis-cli does not
    // take their URLs; what one uses is not known where INFO is refused.
    boolean isOne = url.startsWith("redis://") || url.startsWith("rediss://");
    return new Remedy(
        "Give the server a maxmemory below the machine's memory and a policy that evicts any key, or"
            + " write with a time to live."
            + (unlimited ? " The command keeps the cache at the size that it has now." : ""),
        isOne && server.usedBytes() >= 0
            ? settings.stream()
                .map(setting -> "redis-cli -u " + ShellWord.of(url) + " CONFIG SET " + setting)
                .collect(Collectors.joining(" && "))
            : null);
  }

  /** Whether the policy lets the server evict keys that do not expire; true if it is not told. */
  static boolean evictsAnything(Diagnosis.Server server) {
    String policy = server.policy();
    return policy == null || policy.startsWith("allkeys");
  }

  Remedy reshard(String model, int from, int to, @Nullable RemoteMetadata chunk) {
    String common =
        "reshard --model " + ShellWord.of(model) + " --from-tp " + from + " --to-tp " + to;
    if (chunk == null) {
      return new Remedy(
          "Write the one world's chunks from the other's, with the model's own figures from its"
              + " config.json.",
          null);
    }
    Shape shape = chunk.shapes().get(0);
    if (isKnown(model, from, chunk)) {
      return new Remedy(
          "Write the one world's chunks from the other's. With pipeline stages name them"
              + " (--from-stages, --to-stages).",
          command(common + " --dtype " + chunk.dtype(0).torchName() + " --all"));
    }
    long hidden = shape.dim(3) * from;
    long heads = hidden / HEAD_SIZE;
    boolean fits =
        hidden % HEAD_SIZE == 0 && divides(heads, from) && divides(heads, to) && shape.dim(3) > 0;
    return new Remedy(
        "Write the one world's chunks from the other's. Compare the figures with the model's"
            + " config.json: the headers show "
            + shape.dim(1)
            + " layers and num_key_value_heads × head_dim = "
            + hidden
            + (fits ? ", of which a head_dim of " + HEAD_SIZE + " is a guess." : ".")
            + " With pipeline stages name them (--from-stages, --to-stages).",
        !fits
            ? null
            : command(
                common
                    + " --layers "
                    + shape.dim(1)
                    + " --kv-heads "
                    + heads
                    + " --head-size "
                    + HEAD_SIZE
                    + " --dtype "
                    + chunk.dtype(0).torchName()
                    + " --all"));
  }

  /** Whether reshard knows the model by its name, and the chunk is what it would expect. */
  private static boolean isKnown(String model, int worldSize, RemoteMetadata chunk) {
    Shape shape = chunk.shapes().get(0);
    return KnownModel.named(model)
        .map(KnownModel::geometry)
        .filter(known -> divides(known.kvHeads(), worldSize))
        .map(known -> known.withTensorParallelSize(worldSize))
        .filter(rank -> rank.layers() == shape.dim(1) && rank.hiddenPerRank() == shape.dim(3))
        .isPresent();
  }

  private static boolean divides(long heads, int ranks) {
    return heads > 0 && (heads % ranks == 0 || ranks % heads == 0);
  }

  private static boolean isFirstLayer(Example example) {
    try {
      return ChunkKey.parse(example.key()) instanceof LayerCacheEngineKey layer
          && layer.layerId() == 0;
    } catch (KeySyntaxException e) {
      return false;
    }
  }

  /** A command about the first of the examples, if the command line reads such keys. */
  private @Nullable String onKey(String verb, List<Example> examples) {
    if (examples.isEmpty()) {
      return null;
    }
    String key = examples.get(0).key();
    try {
      if (!ChunkKey.parse(key).toString().equals(key)) {
        return null;
      }
    } catch (KeySyntaxException e) {
      return null;
    }
    return command(verb + " " + ShellWord.of(key));
  }

  private String command(String rest) {
    return "lmcache4j " + rest + " --url " + ShellWord.of(url);
  }
}
