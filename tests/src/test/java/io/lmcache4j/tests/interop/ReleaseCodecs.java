/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.key.KeyFormat;
import io.lmcache4j.core.key.LayerCacheEngineKey;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.RemoteMetadataCodec;
import io.lmcache4j.core.metadata.Shape;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Headers and keys of one release, written and read by its own code and by ours. */
final class ReleaseCodecs {

  private static final long LENGTH = 4096;

  private final Release release;
  private final LmcacheVersion version;
  private final PythonPeer peer;
  private final RemoteMetadataCodec codec;

  ReleaseCodecs(Release release, PythonPeer peer) {
    this.release = release;
    this.version = release.version();
    this.peer = peer;
    this.codec = RemoteMetadataCodec.of(version).lenient();
  }

  // ---- headers ----

  /** Every format with every dtype, every rank, every number of groups that the release has. */
  int headers() {
    List<RemoteMetadata> all = new ArrayList<>();
    for (MemoryFormat format : formats()) {
      for (DType dtype : DType.values()) {
        if (dtype.wireCode().isPresent()) {
          all.add(header(format, Shape.of(2, 4, 16, 128), dtype));
        }
      }
      all.add(header(format, Shape.of(1, 4, 256, 576), DType.INT8));
      for (Shape shape :
          List.of(Shape.of(7), Shape.of(16, 576), Shape.of(16, 2, 128), Shape.of(1, 2, 3, 4, 5))) {
        all.add(header(format, shape, DType.BFLOAT16));
      }
      for (int groups = 2; groups <= 4 && release.isAtLeast("0.3.12"); groups++) {
        List<DType> dtypes =
            List.of(DType.BFLOAT16, DType.FLOAT8_E4M3FN, DType.FLOAT64, DType.NONE);
        all.add(
            new RemoteMetadata(
                LENGTH,
                format,
                Collections.nCopies(groups, Shape.of(2, 4, 16, 8)),
                dtypes.subList(0, groups)));
      }
    }
    List<JsonNode> written = peer.batch(all.stream().map(ReleaseCodecs::encodeRequest).toList());
    List<ObjectNode> reads = new ArrayList<>();
    List<RemoteMetadata> readHere = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      String hex = encode(all.get(i));
      assertThat(hex).as("%s", all.get(i)).isEqualTo(written.get(i).path("hex").asText());
      if (!hex.isEmpty()) {
        readHere.add(codec.decode("key", Unpooled.wrappedBuffer(ByteBufUtil.decodeHexDump(hex))));
        reads.add(
            Json.object("op", "metadata_decode", "hex", hex, "num_groups", all.get(i).groups()));
      }
    }
    List<JsonNode> read = peer.batch(reads);
    for (int i = 0; i < read.size(); i++) {
      assertThat(read.get(i).path("shapes"))
          .as("%s", reads.get(i))
          .isEqualTo(Json.node(Sample.shapes(readHere.get(i))));
      assertThat(read.get(i).path("dtypes")).isEqualTo(Json.node(Sample.dtypes(readHere.get(i))));
    }
    return all.size();
  }

  private static RemoteMetadata header(MemoryFormat format, Shape shape, DType dtype) {
    return new RemoteMetadata(LENGTH, format, List.of(shape), List.of(dtype));
  }

  /** The formats of the release, which are the same on both sides. */
  private Set<MemoryFormat> formats() {
    Map<String, Integer> here = new LinkedHashMap<>();
    Set<MemoryFormat> formats = new TreeSet<>();
    for (MemoryFormat format : MemoryFormat.values()) {
      format
          .code(version)
          .ifPresent(
              code -> {
                here.put(format.name(), code);
                formats.add(format);
              });
    }
    assertThat(Json.node(here)).isEqualTo(peer.info().get("formats"));
    return formats;
  }

  private static ObjectNode encodeRequest(RemoteMetadata metadata) {
    return Json.object(
        "op",
        "metadata_encode",
        "length",
        metadata.length(),
        "fmt",
        metadata.format().name(),
        "shapes",
        Sample.shapes(metadata),
        "dtypes",
        Sample.dtypes(metadata));
  }

  /** The header in hexadecimal; nothing if it is refused. */
  private String encode(RemoteMetadata metadata) {
    ByteBuf out = Unpooled.buffer();
    try {
      codec.encode("key", metadata, out);
      return ByteBufUtil.hexDump(out);
    } catch (LmcacheException e) {
      return "";
    }
  }

  // ---- keys ----

  /** Keys with every dtype, hash, layer and tag that the release has. */
  int keys() {
    KeyFormat format = KeyFormat.of(version);
    List<ChunkKey> all = allKeys();
    List<ObjectNode> requests = new ArrayList<>();
    all.forEach(key -> requests.add(Json.object("op", "key_format", "key", fields(key))));
    List<JsonNode> written = peer.batch(requests);
    List<ObjectNode> reads = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      String text = format.format(all.get(i));
      assertThat(written.get(i).path("key").asText(written.get(i).toString())).isEqualTo(text);
      assertThat(format.format(format.parse(text))).isEqualTo(text);
      // 0.3.5 and older read decimal hashes as hexadecimal, 0.3.12 and older no layer keys at all.
      boolean layer = all.get(i) instanceof LayerCacheEngineKey;
      if (release.isAtLeast("0.3.6") && (!layer || release.isAtLeast("0.3.14"))) {
        reads.add(Json.object("op", "key_parse", "key", text));
      }
    }
    List<JsonNode> read = peer.batch(reads);
    for (int i = 0; i < read.size(); i++) {
      assertThat(read.get(i).path("string")).isEqualTo(reads.get(i).get("key"));
    }
    return all.size();
  }

  private List<ChunkKey> allKeys() {
    List<ChunkKey> keys = new ArrayList<>();
    for (DType dtype : DType.values()) {
      if (dtype != DType.NONE) {
        keys.add(key(BigInteger.valueOf(0x5eed), dtype, Map.of()));
      }
    }
    for (BigInteger hash :
        List.of(
            BigInteger.ZERO,
            BigInteger.ONE.negate(),
            BigInteger.valueOf(Long.MIN_VALUE),
            BigInteger.TWO.pow(64).subtract(BigInteger.ONE))) {
      CacheEngineKey key = key(hash, DType.BFLOAT16, Map.of());
      keys.add(key);
      keys.add(new LayerCacheEngineKey(key, 31));
    }
    if (release.isAtLeast("0.3.4")) {
      Map<String, String> tags = new LinkedHashMap<>();
      tags.put("user", "z");
      tags.put("app", "1%2");
      CacheEngineKey tagged = key(BigInteger.TEN, DType.FLOAT16, tags);
      keys.add(tagged);
      keys.add(new LayerCacheEngineKey(tagged, 0));
    }
    return keys;
  }

  private CacheEngineKey key(BigInteger hash, DType dtype, Map<String, String> tags) {
    String text = hash.toString(16);
    if (!release.isAtLeast("0.3.3")) {
      text = String.format("%064x", hash.abs());
    } else if (!release.isAtLeast("0.3.6")) {
      text = hash.toString();
    }
    return new CacheEngineKey("meta-llama/Llama-3.1-8B-Instruct", 8, 3, text, dtype, tags);
  }

  private ObjectNode fields(ChunkKey key) {
    ObjectNode fields = Sample.keyFields(key);
    if (!release.isAtLeast("0.3.3")) {
      fields.remove("hash_bytes");
      return Json.put(fields, "hash_text", key.chunkHash());
    }
    return release.isAtLeast("0.3.6")
        ? fields
        : Json.put(fields, "hash", new BigInteger(key.chunkHash()));
  }
}
