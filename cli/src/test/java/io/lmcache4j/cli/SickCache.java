/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.RemoteMetadataCodec;
import io.lmcache4j.core.metadata.Shape;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Writes what is wrong into a Redis, key by key, as no connector would. */
final class SickCache implements AutoCloseable {

  static final String MODEL = "meta-llama/Llama-3.1-8B-Instruct";

  /** Two layers of four tokens, 512 elements at each of two workers: four heads of 256 in all. */
  private static final Shape SHAPE = Shape.of(2, 2, 4, 512);

  private final RedisClient client;
  private final StatefulRedisConnection<byte[], byte[]> connection;
  private final RedisCommands<byte[], byte[]> redis;

  SickCache(String url) {
    client = RedisClient.create(url);
    connection = client.connect(ByteArrayCodec.INSTANCE);
    redis = connection.sync();
  }

  static RemoteMetadata metadata(Shape shape, DType dtype) {
    return RemoteMetadata.of(MemoryFormat.KV_2LTD, shape, dtype);
  }

  static byte[] header(RemoteMetadata metadata) {
    RemoteMetadataCodec codec = RemoteMetadataCodec.current().lenient();
    byte[] header = new byte[codec.encodedLength(metadata)];
    codec.encode("k", metadata, Unpooled.wrappedBuffer(header).clear());
    return header;
  }

  void set(String key, byte[] value) {
    redis.set(utf8(key), value);
  }

  void push(String key) {
    redis.rpush(utf8(key), utf8("x"));
  }

  void expire(String key, long seconds) {
    redis.expire(utf8(key), seconds);
  }

  boolean has(String key) {
    return redis.exists(utf8(key)) > 0;
  }

  void config(String name, String value) {
    redis.configSet(name, value);
  }

  void acl(String... rules) {
    redis.dispatch(CommandType.ACL, new StatusOutput<>(ByteArrayCodec.INSTANCE), arguments(rules));
  }

  private static CommandArgs<byte[], byte[]> arguments(String... words) {
    CommandArgs<byte[], byte[]> arguments = new CommandArgs<>(ByteArrayCodec.INSTANCE);
    for (String word : words) {
      arguments.add(word);
    }
    return arguments;
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** A chunk of two keys that is as it should be. */
  void pair(String key, RemoteMetadata metadata) {
    set(key + "kv_bytes", new byte[(int) metadata.length()]);
    set(key + "metadata", header(metadata));
  }

  void pair(String key) {
    pair(key, metadata(SHAPE, DType.BFLOAT16));
  }

  static String key(int world, int worker, String hash) {
    return MODEL + "@" + world + "@" + worker + "@" + hash + "@bfloat16";
  }

  static String key(int world, int worker, int chunk) {
    return key(world, worker, Integer.toHexString(0x1000 + chunk));
  }

  /** A cache of two workers with nothing wrong in it; it expires. */
  void healthy(int chunks) {
    for (int chunk = 0; chunk < chunks; chunk++) {
      for (int worker = 0; worker < 2; worker++) {
        pair(key(2, worker, chunk));
        expire(key(2, worker, chunk) + "metadata", 1000);
        expire(key(2, worker, chunk) + "kv_bytes", 1001);
      }
    }
  }

  /** One of every problem there is. */
  void everything() {
    config("maxmemory-policy", "noeviction");
    for (int chunk = 0; chunk < 20; chunk++) {
      pair(key(2, 0, chunk));
      pair(key(2, 1, chunk));
    }
    // Halves, and headers that lie.
    set(key(2, 0, "a1") + "kv_bytes", new byte[40_000]);
    set(key(2, 0, "a2") + "metadata", header(metadata(SHAPE, DType.BFLOAT16)));
    set(key(2, 0, "a3") + "kv_bytes", new byte[100]);
    set(key(2, 0, "a3") + "metadata", new byte[12]);
    set(key(2, 1, "a3") + "kv_bytes", new byte[100]);
    set(key(2, 1, "a3") + "metadata", header(metadata(SHAPE, DType.BFLOAT16)));
    RemoteMetadata tooLong =
        new RemoteMetadata(100, MemoryFormat.KV_2LTD, List.of(SHAPE), List.of(DType.BFLOAT16));
    for (int worker = 0; worker < 2; worker++) {
      set(key(2, worker, "a4") + "kv_bytes", new byte[100]);
      set(key(2, worker, "a4") + "metadata", header(tooLong));
    }
    push(key(2, 0, "a5") + "metadata");
    // Chunks that one of two workers has.
    pair(key(2, 1, "b1"));
    pair(key(2, 0, "b2"));
    // Half of the time of life.
    for (int worker = 0; worker < 2; worker++) {
      pair(key(2, worker, "b3"));
      expire(key(2, worker, "b3") + "metadata", 1000);
    }
    // The other world of a decoder, with some of the chunks.
    for (int chunk = 0; chunk < 4; chunk++) {
      for (int worker = 0; worker < 4; worker++) {
        pair(key(4, worker, chunk), metadata(Shape.of(2, 2, 4, 256), DType.BFLOAT16));
      }
    }
    // Other algorithms of the hash, an older release, another layout, another dtype.
    for (int worker = 0; worker < 2; worker++) {
      pair(key(2, worker, "-4dc3a1f0e2b15a77"));
      pair(key(2, worker, "f3a1b2c3d4e5f607"));
      pair("vllm@" + key(2, worker, "c1"));
      set(key(2, worker, "c2"), new byte[16_384]);
      pair(MODEL + "@2@" + worker + "@c3@half", metadata(Shape.of(2, 2, 4, 512), DType.BFLOAT16));
    }
    // Layer by layer: one whole, one without a layer in the middle, one without its first.
    for (int layer = 0; layer < 4; layer++) {
      RemoteMetadata metadata =
          RemoteMetadata.of(MemoryFormat.KV_T2D, Shape.of(4, 2, 64), DType.BFLOAT16);
      pair("Qwen/Qwen3-8B@1@0@d1@bfloat16@" + layer, metadata);
      if (layer != 2) {
        pair("Qwen/Qwen3-8B@1@0@d2@bfloat16@" + layer, metadata);
      }
      if (layer != 0) {
        pair("Qwen/Qwen3-8B@1@0@d3@bfloat16@" + layer, metadata);
      }
    }
    // Latents, stored by each rank of a world that has collapsed to one.
    RemoteMetadata latents =
        RemoteMetadata.of(MemoryFormat.KV_MLA_FMT, Shape.of(1, 2, 4, 576), DType.BFLOAT16);
    for (int worker = 0; worker < 4; worker++) {
      for (int chunk = 0; chunk < 4; chunk++) {
        pair(
            "deepseek-ai/DeepSeek-V3@1@"
                + worker
                + "@"
                + Integer.toHexString(0x900 + chunk)
                + "@bfloat16",
            latents);
      }
    }
    // Workers that do not hash alike.
    for (int chunk = 0; chunk < 12; chunk++) {
      pair(
          "mistralai/Mistral-7B@2@"
              + chunk % 2
              + "@"
              + Integer.toHexString(0x700 + chunk)
              + "@half",
          metadata(SHAPE, DType.FLOAT16));
    }
    // The same model by its path, in a layout of one key alone.
    set("/models/mistral-7b@1@0@e1@half", new byte[16_384]);
    hostile();
    set("session:42", new byte[10]);
  }

  /** A model whose name acts on terminals and pages. */
  void hostile() {
    String model = "</code><script>document.title='owned'</script>\u001b[2J\u202e$(id)'\"&";
    set(model + "@1@0@f1@halfkv_bytes", new byte[64]);
    pair(model + "@1@0@f2@half", metadata(Shape.of(2, 1, 1, 16), DType.FLOAT16));
  }

  @Override
  public void close() {
    connection.close();
    client.shutdown();
  }
}
