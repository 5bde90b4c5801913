/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class KvGeometryTest {

  private static final KvGeometry DEEPSEEK_V3 = KvGeometry.ofMla(61, 576, DType.BFLOAT16);

  @Test
  void llama8BHasChunksOf32MiB() {
    KvGeometry llama = KvGeometry.LLAMA_3_1_8B;

    assertThat(llama.chunkShape()).isEqualTo(Shape.of(2, 32, 256, 1024));
    assertThat(llama.bytesPerChunk()).isEqualTo(33_554_432);
    assertThat(llama.bytesPerToken()).isEqualTo(131_072);
    assertThat(llama.chunkFormat()).isEqualTo(MemoryFormat.KV_2LTD);
  }

  @Test
  void llama70BHasChunksOf80MiB() {
    assertThat(KvGeometry.LLAMA_3_3_70B.chunkShape()).isEqualTo(Shape.of(2, 80, 256, 1024));
    assertThat(KvGeometry.LLAMA_3_3_70B.bytesPerChunk()).isEqualTo(83_886_080);
  }

  @ParameterizedTest
  @CsvSource({"1,8,1024", "2,4,512", "4,2,256", "8,1,128", "16,1,128", "32,1,128"})
  void sharesHeadsOutAndReplicatesThemWhenRanksAreMore(int ranks, int heads, long hidden) {
    for (KvGeometry model : new KvGeometry[] {KvGeometry.LLAMA_3_1_8B, KvGeometry.LLAMA_3_3_70B}) {
      KvGeometry rank = model.withTensorParallelSize(ranks);

      assertThat(rank.kvHeadsPerRank()).isEqualTo(heads);
      assertThat(rank.hiddenPerRank()).isEqualTo(hidden);
      assertThat(rank.bytesPerChunk()).isEqualTo(model.bytesPerChunk() * heads / 8);
    }
  }

  @ParameterizedTest
  @CsvSource({"8,3", "8,6", "8,12", "4,6"})
  void refusesHeadsThatCannotBeSharedOut(int heads, int ranks) {
    KvGeometry one = KvGeometry.of(2, heads, 128, DType.BFLOAT16);

    assertThatThrownBy(() -> one.withTensorParallelSize(ranks))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("tensorParallelSize is " + ranks)
        .hasMessageContaining(heads + " KV heads");
  }

  @Test
  void keepsTheLatentWholeOnEachRank() {
    KvGeometry rank = DEEPSEEK_V3.withTensorParallelSize(8);

    assertThat(rank.chunkFormat()).isEqualTo(MemoryFormat.KV_MLA_FMT);
    assertThat(rank.chunkShape()).isEqualTo(Shape.of(1, 61, 256, 576));
    assertThat(rank.bytesPerToken()).isEqualTo(61L * 576 * 2);
    assertThat(rank.layerFormat()).isEqualTo(MemoryFormat.KV_MLA_FMT);
    assertThat(rank.layerShape(7)).isEqualTo(Shape.of(7, 576));
    assertThatThrownBy(() -> rank.blendedLayerShape(7)).isInstanceOf(IllegalStateException.class);
  }

  /** The shapes and sizes of the chunks that LMCache 0.5.6 wrote for {@code values_redis.json}. */
  @Test
  void hasTheShapesThatLmcacheWrote() {
    KvGeometry model = new KvGeometry(2, 2, 4, false, DType.BFLOAT16, 1, 16);
    KvGeometry latent = new KvGeometry(2, 1, 8, true, DType.BFLOAT16, 1, 16);

    assertChunk(model, 16, Shape.of(2, 2, 16, 8), 1024);
    assertChunk(model, 5, Shape.of(2, 2, 5, 8), 320);
    assertChunk(model.withDtype(DType.FLOAT32), 16, Shape.of(2, 2, 16, 8), 2048);
    assertChunk(model.withDtype(DType.UINT8), 16, Shape.of(2, 2, 16, 8), 512);
    assertChunk(latent, 16, Shape.of(1, 2, 16, 8), 512);
    assertThat(model.layerFormat()).isEqualTo(MemoryFormat.KV_T2D);
    assertThat(model.layerShape(16)).isEqualTo(Shape.of(16, 2, 8));
    assertThat(model.blendedLayerShape(16)).isEqualTo(Shape.of(2, 16, 8));
    assertThat(latent.layerShape(16)).isEqualTo(Shape.of(16, 8));
  }

  private static void assertChunk(KvGeometry model, int tokens, Shape shape, long bytes) {
    assertThat(model.chunkShape(tokens)).isEqualTo(shape);
    assertThat(model.bytesPerToken() * tokens).isEqualTo(bytes);
    assertThat(RemoteMetadata.of(model.chunkFormat(), shape, model.dtype()).payloadBytes())
        .isEqualTo(bytes);
  }

  @ParameterizedTest
  @CsvSource({"0,0", "1,1", "255,1", "256,1", "257,2", "2048,8", "2147483647,8388608"})
  void countsAShortChunkAtTheEnd(int tokens, int chunks) {
    assertThat(KvGeometry.LLAMA_3_1_8B.chunksFor(tokens)).isEqualTo(chunks);
  }

  @Test
  void changesTheChunkSize() {
    KvGeometry small = KvGeometry.LLAMA_3_1_8B.withChunkSize(16);

    assertThat(small.bytesPerChunk()).isEqualTo(2_097_152);
    assertThat(small.chunksFor(33)).isEqualTo(3);
  }

  @ParameterizedTest
  @CsvSource({"0", "-1", "257"})
  void refusesTokensThatNoChunkHas(int tokens) {
    for (Runnable call :
        Stream.<Runnable>of(
                () -> KvGeometry.LLAMA_3_1_8B.chunkShape(tokens),
                () -> KvGeometry.LLAMA_3_1_8B.layerShape(tokens),
                () -> KvGeometry.LLAMA_3_1_8B.blendedLayerShape(tokens))
            .toList()) {
      assertThatThrownBy(call::run)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("tokens is " + tokens + ", allowed in a chunk: 1 to 256");
    }
    assertThatThrownBy(() -> KvGeometry.LLAMA_3_1_8B.chunksFor(-1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("tokens is -1, allowed: 0 or more");
  }

  static Stream<Runnable> impossible() {
    return Stream.of(
        () -> KvGeometry.of(0, 8, 128, DType.BFLOAT16),
        () -> KvGeometry.of(32, 0, 128, DType.BFLOAT16),
        () -> KvGeometry.of(32, 8, 0, DType.BFLOAT16),
        () -> KvGeometry.of(32, 8, 128, DType.NONE),
        () -> KvGeometry.LLAMA_3_1_8B.withTensorParallelSize(0),
        () -> KvGeometry.LLAMA_3_1_8B.withChunkSize(0),
        () -> new KvGeometry(32, 8, 128, true, DType.BFLOAT16, 1, 256));
  }

  @ParameterizedTest
  @MethodSource("impossible")
  void refusesImpossibleNumbers(Runnable geometry) {
    assertThatThrownBy(geometry::run).isInstanceOf(IllegalArgumentException.class);
  }
}
