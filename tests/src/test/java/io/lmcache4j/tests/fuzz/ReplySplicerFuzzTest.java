/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntSupplier;

/**
 * A stream of replies, cut anywhere, through Lettuce's pipeline with and without the connector's
 * handlers: the results are those of the uncut stream and of plain Lettuce, the connection stays in
 * step or is closed, and nothing is kept.
 */
class ReplySplicerFuzzTest {

  private static final int[] WHOLE = {Integer.MAX_VALUE};
  private static final int MAX_COMMANDS = 6;
  private static final int MAX_CUT = 40;
  private static final int MAX_RAW = 400;

  /** What a pipeline may hold beside what it was sent: Lettuce's buffer, a read, a line. */
  private static final long BASE_BYTES = 192 << 10;

  @FuzzTest
  void staysInStepOrCloses(FuzzedDataProvider data) {
    List<Ask.Kind> kinds = new ArrayList<>();
    for (int n = data.consumeInt(1, MAX_COMMANDS); n > 0; n--) {
      kinds.add(data.pickValue(Ask.Kind.values()));
    }
    int[] cuts = new int[data.consumeInt(0, 8)];
    for (int i = 0; i < cuts.length; i++) {
      cuts[i] = data.consumeInt(1, MAX_CUT);
    }
    if (data.consumeBoolean()) {
      lawful(data, kinds, cuts);
    } else {
      lawless(data, kinds, cuts);
    }
  }

  /** Each command has one well-formed reply: plain Lettuce is right, and ours is no different. */
  private static void lawful(FuzzedDataProvider data, List<Ask.Kind> kinds, int[] cuts) {
    ReplyWriter replies = new ReplyWriter(data);
    kinds.forEach(kind -> replies.reply());
    kinds.add(Ask.Kind.STATUS);
    replies.status("in step");
    byte[] stream = replies.toByteArray();

    Heard stock = hear(false, kinds, replies.withoutAttributes(), WHOLE);
    Heard uncut = hear(true, kinds, stream, WHOLE);
    Heard cut = hear(true, kinds, stream, cuts);
    assertThat(uncut).isEqualTo(stock);
    assertThat(cut).isEqualTo(stock);
    if (stock.open) {
      assertThat(last(stock.results)).contains("in step");
    }
  }

  /** Anything: where it is cut makes no difference, and what is answered, Lettuce answers too. */
  private static void lawless(FuzzedDataProvider data, List<Ask.Kind> kinds, int[] cuts) {
    ReplyWriter replies = new ReplyWriter(data);
    while (data.remainingBytes() > 0 && replies.size() < MAX_RAW) {
      replies.anything();
    }
    byte[] stream = replies.toByteArray();
    Heard uncut = hear(true, kinds, stream, WHOLE);
    Heard cut = hear(true, kinds, stream, cuts);
    assertThat(cut).isEqualTo(uncut);
    Heard stock = hear(false, kinds, stream, WHOLE);
    if (uncut.open && stock.open) {
      assertThat(uncut.results).isEqualTo(stock.results);
    } else if (stock.open) {
      int answered = Math.min(uncut.results.size(), stock.results.size());
      assertThat(uncut.results).isEqualTo(stock.results.subList(0, answered));
    }
  }

  private static String last(List<String> results) {
    return results.isEmpty() ? "" : results.get(results.size() - 1);
  }

  private record Heard(boolean open, List<String> results) {}

  private static Heard hear(boolean accelerated, List<Ask.Kind> kinds, byte[] stream, int[] cuts) {
    ReplyPipeline pipeline = new ReplyPipeline(accelerated, kinds);
    pipeline.receive(stream, pieces(cuts));
    assertThat(pipeline.heldBytes()).isLessThan(BASE_BYTES + 4L * stream.length);
    boolean open = pipeline.isOpen();
    pipeline.close();
    return new Heard(open, pipeline.results());
  }

  private static IntSupplier pieces(int[] cuts) {
    int[] next = {0};
    return () -> cuts.length == 0 ? 1 : cuts[next[0]++ % cuts.length];
  }
}
