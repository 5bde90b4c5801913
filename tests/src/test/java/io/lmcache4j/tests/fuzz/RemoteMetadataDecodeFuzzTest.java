/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.fuzz;

import static io.lmcache4j.core.metadata.RemoteMetadataCodec.DTYPE_OFFSET;
import static io.lmcache4j.core.metadata.RemoteMetadataCodec.GROUPS_OFFSET;
import static io.lmcache4j.core.metadata.RemoteMetadataCodec.GROUP_LENGTH;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.lmcache4j.core.metadata.MetadataException;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.RemoteMetadataCodec;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Arrays;

/** Any bytes as a header: what can be read is written back byte for byte, the rest is refused. */
class RemoteMetadataDecodeFuzzTest {

  private static final String KEY = "model@1@0@ff@half";

  /** Bytes in front of the header, so that an absolute index would show. */
  private static final int SKIPPED = 3;

  private static final int FLOAT16 = 2;
  private static final int FLOAT16_ALIAS = 1;

  @FuzzTest
  void readsBackOrRefuses(byte[] header) {
    for (RemoteMetadataCodec codec : Codecs.ALL) {
      ByteBuf in = Unpooled.wrappedBuffer(header);
      Allocation.isPaidFor(header.length, 16, () -> codec.decode(KEY, in));
      decode(codec, header);
    }
  }

  private static void decode(RemoteMetadataCodec codec, byte[] header) {
    ByteBuf in = Unpooled.wrappedBuffer(new byte[SKIPPED], header).skipBytes(SKIPPED);
    RemoteMetadata metadata;
    try {
      metadata = codec.decode(KEY, in);
    } catch (MetadataException e) {
      assertThat(e).hasMessageContaining(KEY);
      assertThat(e.getMessage()).hasSizeLessThan(1000);
      return;
    }
    assertThat(in.readerIndex()).isEqualTo(SKIPPED);
    ByteBuf out = Unpooled.buffer(header.length);
    codec.lenient().encode(KEY, metadata, out);
    assertThat(Arrays.copyOf(out.array(), out.writerIndex()))
        .isEqualTo(canonical(header, metadata.groups()));
    believes(codec, metadata);
  }

  /** Without the bytes that make no group, and with the number that is written for float16. */
  private static byte[] canonical(byte[] header, int groups) {
    byte[] canonical = Arrays.copyOf(header, GROUPS_OFFSET + groups * GROUP_LENGTH);
    for (int group = 0; group < groups; group++) {
      int dtype = GROUPS_OFFSET + group * GROUP_LENGTH + DTYPE_OFFSET;
      if (canonical[dtype] == FLOAT16_ALIAS) {
        canonical[dtype] = FLOAT16;
      }
    }
    return canonical;
  }

  /** The strict writer refuses exactly what a reader would not believe. */
  private static void believes(RemoteMetadataCodec codec, RemoteMetadata metadata) {
    boolean believed = RemoteMetadataCodec.disagreement(metadata, metadata.length()).isEmpty();
    boolean written;
    try {
      codec.validate(KEY, metadata);
      written = true;
    } catch (MetadataException e) {
      written = false;
    }
    assertThat(written).as("%s", metadata).isEqualTo(believed);
  }
}
