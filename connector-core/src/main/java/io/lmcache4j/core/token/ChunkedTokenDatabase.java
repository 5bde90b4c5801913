/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.key.CacheEngineKey;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * From token ids to the keys of their KV cache, as a given release of LMCache computes them ({@code
 * ChunkedTokenDatabase}, {@code lmcache/v1/token_database.py}).
 *
 * <p>A prompt is cut into chunks. A chunk's hash covers its tokens and the hash of the chunk
 * before, so that equal keys mean equal prefixes:
 *
 * <pre>
 *   h[-1] = NONE_HASH
 *   h[i]  = H((h[i-1], (token, …), ()))
 * </pre>
 *
 * <p>Nothing else is hashed: neither a LoRA adapter nor the KV dtype. Tokens are what vLLM passed
 * to LMCache; placeholders of images are overwritten before, so the ids of a tokenizer do for text
 * only.
 *
 * <pre>{@code
 * ChunkedTokenDatabase database =
 *     ChunkedTokenDatabase.builder()
 *         .modelName("meta-llama/Llama-3.1-8B-Instruct")
 *         .dtype(DType.BFLOAT16)
 *         .pythonVersion(PythonVersion.parse("3.12"))
 *         .noneHash(NoneHash.ofSeed("0"))
 *         .build();
 * List<TokenChunk> chunks = database.processTokens(tokens);
 * }</pre>
 *
 * <p>Immutable; safe for use by many threads. Token arrays are read during a call and never kept.
 */
public final class ChunkedTokenDatabase {

  /** LMCache's default {@code chunk_size}. */
  public static final int DEFAULT_CHUNK_SIZE = 256;

  private final CacheEngineKey template;
  private final int chunkSize;
  private final boolean saveUnfullChunk;
  private final ChunkHasher hasher;

  private ChunkedTokenDatabase(
      CacheEngineKey template, int chunkSize, boolean saveUnfullChunk, ChunkHasher hasher) {
    this.template = template;
    this.chunkSize = chunkSize;
    this.saveUnfullChunk = saveUnfullChunk;
    this.hasher = hasher;
  }

  /**
   * Starts a database.
   *
   * @return a builder with LMCache's defaults
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Returns a database whose keys carry other tags; LMCache takes them from each request.
   *
   * @param tags tag names to values, in the request's order; they replace those of this database
   * @return a database
   */
  public ChunkedTokenDatabase withTags(Map<String, String> tags) {
    CacheEngineKey tagged =
        new CacheEngineKey(
            template.modelName(),
            template.worldSize(),
            template.workerId(),
            template.chunkHash(),
            template.dtype(),
            tags);
    return new ChunkedTokenDatabase(tagged, chunkSize, saveUnfullChunk, hasher);
  }

  /**
   * Tokens in a chunk.
   *
   * @return the number of tokens
   */
  public int chunkSize() {
    return chunkSize;
  }

  /**
   * How many chunks a prompt has that get a key.
   *
   * @param tokenCount tokens in the prompt
   * @return the number of chunks; a short last one counts only if it is saved
   */
  public int chunkCount(int tokenCount) {
    return ChunkHasher.chunks(end(tokenCount), chunkSize);
  }

  /**
   * Returns the chunks of a prompt.
   *
   * @param tokens the token ids
   * @return an unmodifiable list, in the prompt's order
   */
  public List<TokenChunk> processTokens(int[] tokens) {
    return processTokens(tokens, 0);
  }

  /**
   * Returns the chunks of a prompt behind a masked prefix. The mask hides chunks from the result,
   * not from the hashes.
   *
   * @param tokens the token ids
   * @param maskedPrefix how many tokens at the beginning are masked: the number of {@code False} in
   *     LMCache's mask
   * @return an unmodifiable list, in the prompt's order
   * @throws MisalignedMaskException if that number is not a multiple of the chunk size
   * @throws IllegalArgumentException if it is negative
   */
  public List<TokenChunk> processTokens(int[] tokens, int maskedPrefix) {
    return processTokens(new IntTokens(tokens), maskedPrefix);
  }

  /**
   * As {@link #processTokens(int[])}, for ids of any size, which hash as Python's integers do.
   *
   * @param tokens the token ids
   * @return an unmodifiable list, in the prompt's order
   */
  public List<TokenChunk> processTokens(long[] tokens) {
    return processTokens(tokens, 0);
  }

  /**
   * As {@link #processTokens(int[], int)}, for ids of any size, which hash as Python's integers do.
   *
   * @param tokens the token ids
   * @param maskedPrefix how many tokens at the beginning are masked
   * @return an unmodifiable list, in the prompt's order
   * @throws MisalignedMaskException if that number is not a multiple of the chunk size
   * @throws IllegalArgumentException if it is negative
   */
  public List<TokenChunk> processTokens(long[] tokens, int maskedPrefix) {
    return processTokens(new LongTokens(tokens), maskedPrefix);
  }

  private List<TokenChunk> processTokens(Tokens tokens, int maskedPrefix) {
    if (maskedPrefix < 0) {
      throw new IllegalArgumentException(
          "maskedPrefix is " + maskedPrefix + ", allowed: 0 or more");
    }
    if (maskedPrefix % chunkSize != 0) {
      throw new MisalignedMaskException(maskedPrefix, chunkSize);
    }
    int end = end(tokens.length());
    if (maskedPrefix >= end) {
      return List.of();
    }
    String[] hashes = hasher.hash(tokens, end, chunkSize, maskedPrefix / chunkSize);
    List<TokenChunk> chunks = new ArrayList<>(hashes.length);
    int start = maskedPrefix;
    for (String hash : hashes) {
      int next = start + Math.min(chunkSize, end - start);
      chunks.add(new TokenChunk(start, next, key(hash)));
      start = next;
    }
    return Collections.unmodifiableList(chunks);
  }

  /**
   * Computes the hashes of a prompt's chunks and nothing else: no key, no text.
   *
   * @param tokens the token ids
   * @param hashes receives one hash for each chunk; unsigned 64-bit integers unless the algorithm
   *     is {@link HashAlgorithm#BUILTIN}
   * @return how many hashes were written: {@link #chunkCount(int)} of the prompt's length
   * @throws IllegalArgumentException if the array is too short
   * @throws UnsupportedOperationException if this release's hashes are digests of 32 bytes
   */
  public int hashTokens(int[] tokens, long[] hashes) {
    IntegerHasher integers = requireIntegers();
    int chunks = chunkCount(tokens.length);
    if (hashes.length < chunks) {
      throw new IllegalArgumentException(
          "room for " + hashes.length + " hashes, the prompt has " + chunks + " chunks");
    }
    integers.hash(new IntTokens(tokens), end(tokens.length), chunkSize, hashes);
    return chunks;
  }

  /**
   * Returns the chunks whose hashes are known already.
   *
   * @param hashes the hashes, as {@link #hashTokens} computes them
   * @param lengths how many tokens each chunk has; LMCache calls them {@code offsets}
   * @return an unmodifiable list, in the order given
   * @throws IllegalArgumentException if the arrays differ in length
   * @throws ArithmeticException if the lengths add up to more than an {@code int} can hold
   * @throws UnsupportedOperationException if this release's hashes are digests of 32 bytes
   */
  public List<TokenChunk> keysFromHashes(long[] hashes, int[] lengths) {
    IntegerHasher integers = requireIntegers();
    if (hashes.length != lengths.length) {
      throw new IllegalArgumentException(
          hashes.length + " hashes, but " + lengths.length + " lengths");
    }
    List<TokenChunk> chunks = new ArrayList<>(hashes.length);
    int start = 0;
    for (int i = 0; i < hashes.length; i++) {
      int end = Math.addExact(start, lengths[i]);
      chunks.add(new TokenChunk(start, end, key(integers.text(hashes[i]))));
      start = end;
    }
    return Collections.unmodifiableList(chunks);
  }

  private IntegerHasher requireIntegers() {
    if (hasher instanceof IntegerHasher integers) {
      return integers;
    }
    throw new UnsupportedOperationException(
        "the hashes of this release and algorithm are digests of 32 bytes, which no long can hold");
  }

  private int end(int tokenCount) {
    return saveUnfullChunk ? tokenCount : tokenCount - tokenCount % chunkSize;
  }

  private CacheEngineKey key(String hash) {
    return new CacheEngineKey(
        template.modelName(),
        template.worldSize(),
        template.workerId(),
        hash,
        template.dtype(),
        template.tags());
  }

  /** Collects what a {@link ChunkedTokenDatabase} needs. For one thread. */
  public static final class Builder {

    /** The first release whose keys have a dtype. */
    private static final LmcacheVersion HAS_DTYPE = LmcacheVersion.parse("0.3.9.post2");

    /** Stands in the template, where every key has its hash. */
    private static final String NO_HASH = "0";

    private @Nullable String modelName;
    private @Nullable DType dtype;
    private int worldSize = 1;
    private int workerId;
    private boolean useMla;
    private boolean saveOnlyFirstRank = true;
    private int chunkSize = DEFAULT_CHUNK_SIZE;
    private @Nullable Boolean saveUnfullChunk;
    private Map<String, String> tags = Map.of();
    private HashAlgorithm hashAlgorithm = HashAlgorithm.BUILTIN;
    private LmcacheVersion version = LmcacheVersion.CURRENT;
    private @Nullable PythonVersion pythonVersion;
    private @Nullable NoneHash noneHash;

    private Builder() {}

    /**
     * Sets the model. Required.
     *
     * @param modelName the path or hub id that vLLM was given, not the served name
     * @return this builder
     */
    public Builder modelName(String modelName) {
      this.modelName = Objects.requireNonNull(modelName, "modelName");
      return this;
    }

    /**
     * Sets the engine's KV dtype. Required; releases before 0.3.9.post2 have no place for it in a
     * key and leave it out.
     *
     * @param dtype the dtype; an fp8 KV cache arrives at LMCache as {@link DType#UINT8}
     * @return this builder
     */
    public Builder dtype(DType dtype) {
      this.dtype = Objects.requireNonNull(dtype, "dtype");
      return this;
    }

    /**
     * Sets the world size.
     *
     * @param worldSize tensor times pipeline parallel size; 1 unless set
     * @return this builder
     */
    public Builder worldSize(int worldSize) {
      this.worldSize = worldSize;
      return this;
    }

    /**
     * Sets the rank.
     *
     * @param workerId the rank; 0 unless set
     * @return this builder
     */
    public Builder workerId(int workerId) {
      this.workerId = workerId;
      return this;
    }

    /**
     * Says whether the model has multi-head latent attention, whose KV cache is the same on each
     * rank. Keys then have world size 1 (0.3.10 and newer) and keep the rank; LMCache reads such a
     * chunk with the rank 0, see {@link CacheEngineKey#withWorkerId}.
     *
     * @param useMla whether it has; false unless set
     * @return this builder
     */
    public Builder useMla(boolean useMla) {
      this.useMla = useMla;
      return this;
    }

    /**
     * Sets {@code extra_config.save_only_first_rank}. Matters with {@link #useMla} alone.
     *
     * @param saveOnlyFirstRank whether only rank 0 writes; true unless set. If false, keys keep the
     *     world size
     * @return this builder
     */
    public Builder saveOnlyFirstRank(boolean saveOnlyFirstRank) {
      this.saveOnlyFirstRank = saveOnlyFirstRank;
      return this;
    }

    /**
     * Sets {@code chunk_size}.
     *
     * @param chunkSize tokens in a chunk, 1 or more; {@value #DEFAULT_CHUNK_SIZE} unless set
     * @return this builder
     */
    public Builder chunkSize(int chunkSize) {
      this.chunkSize = chunkSize;
      return this;
    }

    /**
     * Sets {@code save_unfull_chunk}.
     *
     * @param saveUnfullChunk whether a short chunk at the end gets a key; unless set, LMCache's
     *     default: false since 0.3.11, true before
     * @return this builder
     */
    public Builder saveUnfullChunk(boolean saveUnfullChunk) {
      this.saveUnfullChunk = saveUnfullChunk;
      return this;
    }

    /**
     * Sets the tags of the keys.
     *
     * @param tags tag names to values, in the request's order; none unless set
     * @return this builder
     */
    public Builder tags(Map<String, String> tags) {
      this.tags = Collections.unmodifiableMap(new LinkedHashMap<>(tags));
      return this;
    }

    /**
     * Sets the function that LMCache hashes with.
     *
     * @param hashAlgorithm the function; {@link HashAlgorithm#BUILTIN} unless set, as in LMCache
     * @return this builder
     */
    public Builder hashAlgorithm(HashAlgorithm hashAlgorithm) {
      this.hashAlgorithm = Objects.requireNonNull(hashAlgorithm, "hashAlgorithm");
      return this;
    }

    /**
     * Sets the release of LMCache to agree with.
     *
     * @param version the release; {@link LmcacheVersion#CURRENT} unless set
     * @return this builder
     */
    public Builder version(LmcacheVersion version) {
      this.version = Objects.requireNonNull(version, "version");
      return this;
    }

    /**
     * Sets the Python that LMCache runs on. Required where {@link HashAlgorithm#BUILTIN} depends on
     * it: for a {@link NoneHash#ofSeed}, and from 0.3.4 to 0.3.15.
     *
     * @param pythonVersion the version
     * @return this builder
     */
    public Builder pythonVersion(PythonVersion pythonVersion) {
      this.pythonVersion = Objects.requireNonNull(pythonVersion, "pythonVersion");
      return this;
    }

    /**
     * Sets where the chain starts. Required since 0.3.3; there is no default, because a wrong one
     * would make every lookup a miss.
     *
     * @param noneHash the start
     * @return this builder
     */
    public Builder noneHash(NoneHash noneHash) {
      this.noneHash = Objects.requireNonNull(noneHash, "noneHash");
      return this;
    }

    /**
     * Makes the database.
     *
     * @return the database
     * @throws IllegalStateException if something required was not set
     * @throws IllegalArgumentException if a number is out of range
     * @throws UnreproducibleHashException if LMCache's hashes cannot be reproduced; the message
     *     says why
     */
    public ChunkedTokenDatabase build() {
      require(chunkSize >= 1, "chunkSize", chunkSize, "1 or more");
      require(worldSize >= 1, "worldSize", worldSize, "1 or more");
      require(workerId >= 0, "workerId", workerId, "0 or more");
      if (modelName == null || dtype == null) {
        throw new IllegalStateException("modelName and dtype must be set");
      }
      ChunkHasher hasher = ChunkHashers.find(hashAlgorithm, version, pythonVersion, noneHash);
      CacheEngineKey template =
          new CacheEngineKey(
              modelName,
              hidesWorldSize() ? 1 : worldSize,
              workerId,
              NO_HASH,
              version.isBefore(HAS_DTYPE) ? DType.NONE : dtype,
              tags);
      boolean unfull = saveUnfullChunk == null ? !version.isAtLeast(0, 3, 11) : saveUnfullChunk;
      return new ChunkedTokenDatabase(template, chunkSize, unfull, hasher);
    }

    private boolean hidesWorldSize() {
      return useMla && saveOnlyFirstRank && version.isAtLeast(0, 3, 10);
    }

    private static void require(boolean ok, String name, int value, String allowed) {
      if (!ok) {
        throw new IllegalArgumentException(name + " is " + value + ", allowed: " + allowed);
      }
    }
  }
}
