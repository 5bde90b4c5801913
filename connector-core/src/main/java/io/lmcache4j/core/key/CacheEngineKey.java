/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.key;

import io.lmcache4j.core.DType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Key of a whole chunk ({@code CacheEngineKey}, {@code lmcache/utils.py}, LMCache 0.5.6).
 *
 * <p>Two keys are equal when they are the same Redis key. Therefore the hash is compared as text
 * ({@code 00ff} is not {@code ff}) and tags are compared in their order.
 *
 * <p>A model name may contain {@code @}: LMCache writes such keys without complaint and cannot read
 * them back; here they are read from the right, so they survive.
 *
 * <p>Immutable; safe for use by many threads. The constructor copies the tags and throws {@link
 * KeySyntaxException} for parts that no key can have.
 *
 * @param modelName the model as vLLM was given it; not empty, and not beginning with {@code vllm@},
 *     which marks keys of LMCache 0.3.12 and older
 * @param worldSize tensor times pipeline parallel size
 * @param workerId the rank that wrote the chunk
 * @param chunkHash the hash as text, kept verbatim: lower-case hexadecimal or decimal digits, after
 *     a {@code -} if negative
 * @param dtype the engine's KV dtype; {@link DType#NONE} for a key of LMCache 0.3.9 or older
 * @param tags tag names to values in the request's order (give a map that has one); names without
 *     {@code @} and {@code %}, values without {@code @}; both may be empty
 */
public record CacheEngineKey(
    String modelName,
    int worldSize,
    int workerId,
    String chunkHash,
    DType dtype,
    Map<String, String> tags)
    implements ChunkKey {

  // Checked here, and not where a key is written, so that no key exists that can't be one.
  public CacheEngineKey {
    Objects.requireNonNull(dtype, "dtype");
    tags = Collections.unmodifiableMap(new LinkedHashMap<>(tags));
    KeySyntax.check(
        () -> modelName + "@" + worldSize + "@" + workerId + "@" + chunkHash,
        modelName,
        chunkHash,
        tags);
  }

  /**
   * Returns a key without tags.
   *
   * @param modelName the model
   * @param worldSize tensor times pipeline parallel size
   * @param workerId the rank
   * @param chunkHash the hash as text
   * @param dtype the engine's KV dtype
   * @return the key
   * @throws KeySyntaxException if a part is none that a key can have
   */
  public static CacheEngineKey of(
      String modelName, int worldSize, int workerId, String chunkHash, DType dtype) {
    return new CacheEngineKey(modelName, worldSize, workerId, chunkHash, dtype, Map.of());
  }

  /**
   * Returns a key without tags for a hash that Python holds as an int, printed as {@code format(h,
   * 'x')} does: no padding, and a minus rather than two's complement.
   *
   * @param modelName the model
   * @param worldSize tensor times pipeline parallel size
   * @param workerId the rank
   * @param signedHash the hash; one of 2^63 or more must be given as text, since it is unsigned
   * @param dtype the engine's KV dtype
   * @return the key
   * @throws KeySyntaxException if the model name is none that a key can have
   */
  public static CacheEngineKey of(
      String modelName, int worldSize, int workerId, long signedHash, DType dtype) {
    return of(modelName, worldSize, workerId, Long.toString(signedHash, 16), dtype);
  }

  /**
   * Parses a key of a whole chunk in today's grammar, {@link KeyFormat#V0_3_13}.
   *
   * @param text the key
   * @return the key
   * @throws KeySyntaxException if the text is no key, or is that of one layer
   */
  public static CacheEngineKey parse(String text) {
    ChunkKey key = ChunkKey.parse(text);
    if (key instanceof LayerCacheEngineKey layer) {
      throw new KeySyntaxException(
          text, KeySyntax.LAYER_ID, Integer.toString(layer.layerId()), "a key of a whole chunk");
    }
    return (CacheEngineKey) key;
  }

  /**
   * Returns the keys of the chunk's layers, in order.
   *
   * @param numLayers how many; 0 or more
   * @return an unmodifiable list of that size
   * @throws IllegalArgumentException if the number is negative
   */
  public List<LayerCacheEngineKey> splitLayers(int numLayers) {
    if (numLayers < 0) {
      throw new IllegalArgumentException("numLayers is " + numLayers + ", allowed: 0 or more");
    }
    List<LayerCacheEngineKey> layers = new ArrayList<>(numLayers);
    for (int i = 0; i < numLayers; i++) {
      layers.add(new LayerCacheEngineKey(this, i));
    }
    return Collections.unmodifiableList(layers);
  }

  /**
   * Returns the key of layer 0, the one that LMCache looks up to tell whether a chunk is there.
   *
   * @return the key
   */
  public LayerCacheEngineKey firstLayer() {
    return new LayerCacheEngineKey(this, 0);
  }

  @Override
  public CacheEngineKey withWorkerId(int workerId) {
    return new CacheEngineKey(modelName, worldSize, workerId, chunkHash, dtype, tags);
  }

  /**
   * The same key with other tags.
   *
   * @param tags the tags, in order; they replace those of this key
   * @return a key
   * @throws KeySyntaxException if a tag is none that a key can have
   */
  public CacheEngineKey withTags(Map<String, String> tags) {
    return new CacheEngineKey(modelName, worldSize, workerId, chunkHash, dtype, tags);
  }

  /** Whether the other key is the same Redis key: all parts equal, tags in the same order. */
  @Override
  public boolean equals(Object o) {
    return o instanceof CacheEngineKey other
        && worldSize == other.worldSize
        && workerId == other.workerId
        && dtype == other.dtype
        && chunkHash.equals(other.chunkHash)
        && modelName.equals(other.modelName)
        && List.copyOf(tags.entrySet()).equals(List.copyOf(other.tags.entrySet()));
  }

  @Override
  public int hashCode() {
    return Objects.hash(modelName, worldSize, workerId, chunkHash, dtype, tags);
  }

  /**
   * Returns the key as LMCache 0.3.13 and newer write it ({@link KeyFormat#V0_3_13}); a key without
   * a dtype, which they cannot write, as 0.3.6 wrote it ({@link KeyFormat#V0_3_6}).
   */
  @Override
  public String toString() {
    return KeyFormat.textOf(this);
  }
}
