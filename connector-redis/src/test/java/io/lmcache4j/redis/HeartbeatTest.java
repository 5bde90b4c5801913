/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

final class HeartbeatTest {

  private static final long MILLI = 1_000_000;

  private final FakePeer peer = new FakePeer();
  private final Heartbeat heartbeat =
      new Heartbeat(peer, Duration.ofMillis(300), Duration.ofMillis(1000));

  private void tick(long millis) {
    heartbeat.tick(millis * MILLI);
  }

  @Test
  void asksNothingWhileNobodyWaits() {
    peer.awaited = false;
    for (int i = 0; i < 100; i++) {
      tick(i * 50L);
    }
    assertThat(peer.asked).isEmpty();
    assertThat(heartbeat.isDown()).isFalse();
  }

  @Test
  void asksOnceAtATimeAndAgainWhenAnswered() {
    tick(0);
    tick(50);
    assertThat(peer.asked).hasSize(1);
    peer.answer();
    tick(100);
    assertThat(peer.asked).hasSize(2);
    assertThat(peer.events).isEmpty();
  }

  @Test
  void aServerThatOwesAnAnswerForTooLongIsDownUntilItAnswers() {
    tick(0);
    tick(299);
    assertThat(heartbeat.isDown()).isFalse();
    tick(300);
    assertThat(heartbeat.isDown()).isTrue();
    assertThat(heartbeat.silence(300 * MILLI)).isEqualTo(Duration.ofMillis(300));
    tick(350);
    assertThat(peer.events).containsExactly("silent");
    peer.answer();
    assertThat(heartbeat.isDown()).isFalse();
    assertThat(heartbeat.silence(400 * MILLI)).isZero();
    assertThat(peer.events).containsExactly("silent", "again");
  }

  @Test
  void whoIsDownIsAskedOnAlthoughNobodyWaits() {
    tick(0);
    tick(300);
    peer.awaited = false;
    peer.lose();
    tick(350);
    assertThat(peer.asked).hasSize(2);
    peer.answer();
    assertThat(heartbeat.isDown()).isFalse();
    tick(400);
    assertThat(peer.asked).hasSize(2);
  }

  @Test
  void pingsThatFailCountAsSilenceFromTheFirstOn() {
    for (int i = 0; i <= 300; i += 50) {
      tick(i);
      peer.lose();
    }
    assertThat(heartbeat.isDown()).isTrue();
  }

  @Test
  void oneThatCannotEvenBeSentDoesSoToo() {
    peer.refuses = true;
    for (int i = 0; i <= 300; i += 50) {
      tick(i);
    }
    assertThat(heartbeat.isDown()).isTrue();
    peer.refuses = false;
    tick(350);
    peer.answer();
    assertThat(heartbeat.isDown()).isFalse();
  }

  @Test
  void anErrorIsAnAnswer() {
    tick(0);
    tick(300);
    peer.last().completeExceptionally(new RedisCommandExecutionException("LOADING"));
    assertThat(heartbeat.isDown()).isFalse();
  }

  @Test
  void connectionsAreCutOnceForEachFurtherTimeOfSilence() {
    for (int i = 0; i <= 2999; i += 50) {
      tick(i);
    }
    assertThat(peer.events).containsExactly("silent", "cut", "cut");
    peer.answer();
    tick(3000);
    peer.answer();
    tick(3050);
    assertThat(peer.events).containsExactly("silent", "cut", "cut", "again");
  }

  @Test
  void nothingIsCutBeforeItIsDown() {
    Heartbeat patient = new Heartbeat(peer, Duration.ofMillis(1000), Duration.ofMillis(10));
    patient.tick(0);
    patient.tick(999 * MILLI);
    assertThat(peer.events).isEmpty();
    patient.tick(1000 * MILLI);
    assertThat(peer.events).containsExactly("silent", "cut");
  }

  /** Down, with a cut that is still far away. */
  private Heartbeat impatient() {
    Heartbeat impatient = new Heartbeat(peer, Duration.ofMillis(300), Duration.ofHours(1));
    impatient.tick(0);
    impatient.tick(300 * MILLI);
    return impatient;
  }

  @Test
  void connectionsAreCutOnceANewOneIsAnsweredAndTheyAreStillNot() {
    Heartbeat impatient = impatient();
    assertThat(peer.probes).hasSize(1);
    impatient.tick(799 * MILLI);
    assertThat(peer.probes).hasSize(1);
    impatient.tick(800 * MILLI);
    assertThat(peer.probes).hasSize(2);
    peer.probes.get(1).complete("connected");
    impatient.tick(850 * MILLI);
    impatient.tick(1099 * MILLI);
    assertThat(peer.events).containsExactly("silent");
    impatient.tick(1100 * MILLI);
    assertThat(peer.events).containsExactly("silent", "cut");
    // They have time to come up again before they are doubted.
    impatient.tick(3099 * MILLI);
    assertThat(peer.probes).hasSize(2);
    impatient.tick(3100 * MILLI);
    assertThat(peer.probes).hasSize(3);
    assertThat(peer.events).containsExactly("silent", "cut");
  }

  @Test
  void aCutThatProvedNothingDoesNotStopTheLooking() {
    for (int i = 0; i <= 1000; i += 50) {
      tick(i);
    }
    assertThat(peer.events).containsExactly("silent", "cut");
    int probes = peer.probes.size();
    tick(1500);
    assertThat(peer.probes).hasSize(probes + 1);
  }

  @Test
  void nothingIsCutIfTheOldConnectionsAreAnsweredSoonAfter() {
    Heartbeat impatient = impatient();
    peer.probes.get(0).complete("connected");
    impatient.tick(350 * MILLI);
    peer.answer();
    peer.awaited = false;
    impatient.tick(1500 * MILLI);
    assertThat(peer.events).containsExactly("silent", "again");
  }

  @Test
  void aNewConnectionThatFailsProvesNothingUnlessTheServerSaidSo() {
    Heartbeat impatient = impatient();
    peer.probes.get(0).completeExceptionally(new RedisException("connection refused"));
    impatient.tick(350 * MILLI);
    impatient.tick(800 * MILLI);
    assertThat(peer.events).containsExactly("silent");
    peer.probes.get(1).completeExceptionally(new RedisCommandExecutionException("NOAUTH"));
    impatient.tick(850 * MILLI);
    impatient.tick(1100 * MILLI);
    assertThat(peer.events).containsExactly("silent", "cut");
  }

  private static final class FakePeer implements Heartbeat.Peer {

    final List<CompletableFuture<String>> asked = new ArrayList<>();
    final List<String> events = new ArrayList<>();
    final List<CompletableFuture<String>> probes = new ArrayList<>();
    boolean awaited = true;
    boolean refuses;

    CompletableFuture<String> last() {
      return asked.get(asked.size() - 1);
    }

    void answer() {
      last().complete("PONG");
    }

    void lose() {
      last().completeExceptionally(new RedisException("connection lost"));
    }

    @Override
    public CompletionStage<?> ping() {
      if (refuses) {
        throw new RedisException("not connected");
      }
      CompletableFuture<String> pong = new CompletableFuture<>();
      asked.add(pong);
      return pong;
    }

    @Override
    public CompletionStage<?> probe() {
      CompletableFuture<String> connected = new CompletableFuture<>();
      probes.add(connected);
      return connected;
    }

    @Override
    public boolean isAwaited() {
      return awaited;
    }

    @Override
    public void fellSilent(Duration silence) {
      events.add("silent");
    }

    @Override
    public void answeredAgain(Duration silence) {
      events.add("again");
    }

    @Override
    public void cut() {
      events.add("cut");
    }
  }
}
