/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Finds out whether a server still answers, while somebody waits for it. A frozen process, a lost
 * route or a half-open connection break no connection; without this, every call would wait for its
 * deadline.
 *
 * <p>At each tick a PING goes out if something is awaited and none is under way. If none has been
 * answered for {@code unavailableAfter} the server is unavailable, and PINGs go on until one is
 * answered. After {@code cutAfter} of silence its connections are cut, and again after each further
 * such time: by then every operation on them has had its deadline, and what a dead peer holds comes
 * back only with its connection.
 *
 * <p>While it is down it is tried on new connections as well: if one of them is answered, and the
 * old ones still are not, it is they that are dead and not the server, and they are cut at once.
 *
 * <p>An error is an answer, too: a server that is loading says so at once, and calls need not be
 * kept from it.
 */
final class Heartbeat {

  /** The server, and who wants to know. Called by the thread that ticks or that reads the reply. */
  interface Peer {

    /** Asks for a sign of life; completes exceptionally if there is no connection to ask on. */
    CompletionStage<?> ping();

    /** Asks for a sign of life on a connection that is made for it. */
    CompletionStage<?> probe();

    /** Whether anything waits for this server. */
    boolean isAwaited();

    /** The server has become unavailable. */
    void fellSilent(Duration silence);

    /** The server, which was unavailable, has answered. */
    void answeredAgain(Duration silence);

    /** The connections to this server should be made anew. */
    void cut();
  }

  private static final long PROBE_EVERY = TimeUnit.MILLISECONDS.toNanos(500);

  /** Longer than the longest pause between two attempts to connect again. */
  private static final long SETTLING = TimeUnit.SECONDS.toNanos(2);

  /**
   * How long the old connections have to be answered, too, once a new one is: a server that was
   * frozen does not serve them in any order.
   */
  private static final long GRACE = TimeUnit.MILLISECONDS.toNanos(250);

  private final Peer peer;
  private final long unavailableAfter;
  private final long cutAfter;

  /**
   * How long connections that were cut although the server answers have to come up before they are
   * doubted again.
   */
  private final long settling;

  private boolean asking;

  /** When the first of the PINGs that have not been answered was sent. */
  private @Nullable Long askedAt;

  private long cutAt;
  private long probeAt;

  /** Whether a new connection was answered while the old ones were silent, and since when. */
  private boolean proven;

  private @Nullable Long provenAt;
  private volatile boolean down;

  Heartbeat(Peer peer, Duration unavailableAfter, Duration cutAfter) {
    this.peer = peer;
    this.unavailableAfter = unavailableAfter.toNanos();
    this.cutAfter = Math.max(cutAfter.toNanos(), this.unavailableAfter);
    this.settling = Math.max(this.unavailableAfter, SETTLING);
  }

  /** Whether calls should not wait for this server. */
  boolean isDown() {
    return down;
  }

  /** How long the server has owed an answer; zero if it owes none. */
  synchronized Duration silence(long now) {
    Long since = askedAt;
    return since == null ? Duration.ZERO : Duration.ofNanos(now - since);
  }

  /**
   * Does what is due.
   *
   * @param now {@link System#nanoTime}
   */
  void tick(long now) {
    boolean ask = false;
    boolean fell = false;
    boolean cut = false;
    boolean probe = false;
    Duration silence;
    synchronized (this) {
      if (!asking && (askedAt != null || peer.isAwaited())) {
        asking = true;
        ask = true;
        if (askedAt == null) {
          askedAt = now;
          cutAt = now;
          probeAt = now;
        }
      }
      silence = silence(now);
      if (!down && silence.toNanos() >= unavailableAfter) {
        down = true;
        fell = true;
      }
      if (down && isProven(now)) {
        cutAt = now;
        probeAt = now + settling;
        forget();
        cut = true;
      } else if (down && now - cutAt >= cutAfter) {
        cutAt = now;
        cut = true;
      }
      if (down && now - probeAt >= 0) {
        probeAt = now + PROBE_EVERY;
        probe = true;
      }
    }
    if (fell) {
      peer.fellSilent(silence);
    }
    if (cut) {
      peer.cut();
    }
    if (ask) {
      ask();
    }
    if (probe) {
      probe();
    }
  }

  /** Guarded by this. */
  private boolean isProven(long now) {
    if (!proven) {
      return false;
    }
    Long since = provenAt;
    if (since == null) {
      provenAt = now;
      return false;
    }
    return now - since >= GRACE;
  }

  /** Guarded by this. */
  private void forget() {
    proven = false;
    provenAt = null;
  }

  private void probe() {
    peer.probe()
        .whenComplete(
            (connected, failure) -> {
              if (failure == null || Failures.isReply(failure)) {
                synchronized (this) {
                  proven = down;
                }
              }
            });
  }

  private void ask() {
    CompletionStage<?> answer;
    try {
      answer = peer.ping();
    } catch (RuntimeException e) {
      failed();
      return;
    }
    answer.whenComplete(
        (pong, failure) -> {
          if (failure == null || Failures.isReply(failure)) {
            answered();
          } else {
            failed();
          }
        });
  }

  /** There was no connection to ask on, or it is gone. The next tick asks again. */
  private synchronized void failed() {
    asking = false;
  }

  private void answered() {
    Duration silence;
    boolean again;
    synchronized (this) {
      silence = silence(System.nanoTime());
      asking = false;
      askedAt = null;
      again = down;
      down = false;
      forget();
    }
    if (again) {
      peer.answeredAgain(silence);
    }
  }
}
