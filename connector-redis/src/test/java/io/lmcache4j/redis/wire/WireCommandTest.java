/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class WireCommandTest {

  private final List<@Nullable Throwable> ends = new ArrayList<>();
  private final WireCommand<String> command =
      new WireCommand<>(
          CommandType.GET,
          new StatusOutput<>(ByteArrayCodec.INSTANCE),
          new CommandArgs<>(ByteArrayCodec.INSTANCE).addKey(new byte[] {'k'}),
          ends::add);

  @Test
  void endsWithItsReply() {
    encoded();

    command.complete();
    command.complete();

    assertThat(ends).hasSize(1).containsOnlyNulls();
  }

  @Test
  void endsWithItsConnection() {
    RuntimeException lost = new IllegalStateException("lost");

    command.completeExceptionally(lost);
    command.completeExceptionally(new IllegalStateException("again"));
    command.complete();

    assertThat(ends).containsExactly(lost);
  }

  @Test
  void endsWhenLettuceDropsIt() {
    // A command that was accepted while the connection went down sits in a queue that closing
    // cancels.
    encoded();

    command.cancel();

    assertThat(ends).singleElement().isInstanceOf(CancellationException.class);
  }

  @Test
  void givenUpBeforeItIsSentItEndsAtOnceAndIsNeverSent() {
    command.giveUp();

    assertThat(ends).hasSize(1).containsOnlyNulls();
    assertThat(command.isDone()).isTrue();
    assertThat(encoded()).isEqualTo("*1\r\n$4\r\nPING\r\n");
  }

  @Test
  void givenUpAfterItWasSentItEndsWithItsReply() {
    encoded();

    command.giveUp();

    assertThat(ends).isEmpty();
    assertThat(command.isDone()).isFalse();
    command.complete();
    assertThat(ends).hasSize(1).containsOnlyNulls();
  }

  @Test
  void redirectedItIsSentAgain() {
    String first = encoded();

    command.giveUp();

    assertThat(encoded()).isEqualTo(first).isEqualTo("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
  }

  @Test
  void endedItIsNeverSent() {
    command.completeExceptionally(new IllegalStateException("lost"));

    assertThat(encoded()).isEqualTo("*1\r\n$4\r\nPING\r\n");
    assertThat(ends).hasSize(1);
  }

  private String encoded() {
    ByteBuf out = Unpooled.buffer();
    command.encode(out);
    return out.toString(StandardCharsets.US_ASCII);
  }
}
