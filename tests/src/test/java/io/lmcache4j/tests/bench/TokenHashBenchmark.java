/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.bench;

import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import com.fasterxml.jackson.dataformat.cbor.CBORGenerator;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.token.ChunkedTokenDatabase;
import io.lmcache4j.core.token.HashAlgorithm;
import io.lmcache4j.core.token.NoneHash;
import io.lmcache4j.core.token.TokenChunk;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Hashing of token ids, in tokens per microsecond (millions a second): a prompt of 128 Ki random
 * ids below Llama 3's vocabulary of 128,256, in chunks of 256.
 *
 * <p>Goals: {@link #builtin} at least three times LMCache's {@code process_tokens} and no slower
 * than CPython's bare {@code hash()} of the tuples ({@code tests/peers/hash_tokens.py} measures
 * both); {@link #sha256Cbor} within 1.2 of {@link #sha256Alone}, the digests of as many bytes.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@OperationsPerInvocation(TokenHashBenchmark.TOKENS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class TokenHashBenchmark {

  static final int TOKENS = 1 << 17;

  private static final int CHUNK_SIZE = 256;
  private static final int CHUNKS = TOKENS / CHUNK_SIZE;
  private static final int VOCABULARY = 128_256;
  private static final int DIGEST_BYTES = 32;

  private final int[] tokens = new int[TOKENS];
  private final long[] hashes = new long[CHUNKS];
  private final byte[][] encoded = new byte[CHUNKS][];
  private final byte[] digest = new byte[DIGEST_BYTES];
  private final ByteArrayOutputStream out = new ByteArrayOutputStream(2 * 1024);
  private final CBORFactory cbor = new CBORFactory();
  private final MessageDigest sha = sha256();
  private final ChunkedTokenDatabase builtin = database(HashAlgorithm.BUILTIN);
  private final ChunkedTokenDatabase sha256Cbor = database(HashAlgorithm.SHA256_CBOR);

  /** Makes the prompt, and CBOR of the lengths that its links digest. */
  @Setup
  public void prepare() throws IOException {
    Random random = new Random(1);
    for (int i = 0; i < TOKENS; i++) {
      tokens[i] = random.nextInt(VOCABULARY);
    }
    sha256Cbor.hashTokens(tokens, hashes);
    for (int k = 0; k < CHUNKS; k++) {
      encode(k == 0 ? 0 : hashes[k - 1] & Long.MAX_VALUE, k);
      encoded[k] = out.toByteArray();
    }
  }

  /** Our builtin hashes. */
  @Benchmark
  public long[] builtin() {
    builtin.hashTokens(tokens, hashes);
    return hashes;
  }

  /** Our builtin hashes, printed into keys. */
  @Benchmark
  public List<TokenChunk> builtinKeys() {
    return builtin.processTokens(tokens);
  }

  /** Our sha256_cbor hashes. */
  @Benchmark
  public long[] sha256Cbor() {
    sha256Cbor.hashTokens(tokens, hashes);
    return hashes;
  }

  /** The floor of sha256_cbor: the digests of CBOR that lies ready. */
  @Benchmark
  public byte[] sha256Alone() throws DigestException {
    for (byte[] link : encoded) {
      sha.update(link, 0, link.length);
      sha.digest(digest, 0, DIGEST_BYTES);
    }
    return digest;
  }

  /** The CBOR of all links from jackson-dataformat-cbor, without the digests. */
  @Benchmark
  public ByteArrayOutputStream jacksonCborAlone() throws IOException {
    for (int k = 0; k < CHUNKS; k++) {
      encode(hashes[k] & Long.MAX_VALUE, k);
    }
    return out;
  }

  /** What sha256_cbor would be with jackson-dataformat-cbor. */
  @Benchmark
  public byte[] sha256OfJacksonCbor() throws IOException, DigestException {
    long previous = 0;
    for (int k = 0; k < CHUNKS; k++) {
      encode(previous, k);
      sha.update(out.toByteArray());
      sha.digest(digest, 0, DIGEST_BYTES);
      previous = ByteBuffer.wrap(digest).getLong() >>> 1;
    }
    return digest;
  }

  private void encode(long previous, int k) throws IOException {
    out.reset();
    try (CBORGenerator generator = cbor.createGenerator(out)) {
      generator.writeStartArray(null, 3);
      generator.writeNumber(previous);
      generator.writeStartArray(null, CHUNK_SIZE);
      for (int i = k * CHUNK_SIZE; i < (k + 1) * CHUNK_SIZE; i++) {
        generator.writeNumber(tokens[i]);
      }
      generator.writeEndArray();
      generator.writeStartArray(null, 0);
      generator.writeEndArray();
      generator.writeEndArray();
    }
  }

  private static ChunkedTokenDatabase database(HashAlgorithm algorithm) {
    return ChunkedTokenDatabase.builder()
        .modelName("meta-llama/Llama-3.1-8B-Instruct")
        .dtype(DType.BFLOAT16)
        .chunkSize(CHUNK_SIZE)
        .hashAlgorithm(algorithm)
        .noneHash(NoneHash.zero())
        .build();
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
