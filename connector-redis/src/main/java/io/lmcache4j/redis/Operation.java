/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.LeaseReleasedException;
import io.lmcache4j.redis.OperationEvent.Kind;
import io.lmcache4j.redis.OperationEvent.Result;
import io.lmcache4j.redis.wire.WireCommand;
import io.netty.util.Timeout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One put or get on its way, from the call to two separate ends.
 *
 * <p>The <em>outcome</em> is what the caller hears, once: from the replies, or before them because
 * time is up, the connector closes or the caller cancels. The <em>end</em> is when nothing of it is
 * on the wire any more; only then is its room in the byte budget given back, so that what is really
 * in flight stays bounded however impatient callers are.
 *
 * @param <O> the kind of outcome
 */
abstract class Operation<O> {

  private static final Logger log = LoggerFactory.getLogger(Operation.class);

  final ConnectorCore core;
  final String name;

  /** The server that has the payload, whose room it takes. */
  final ServerNode node;

  private final byte[][] redisKeys;

  private final CompletableFuture<O> outcome = new CompletableFuture<>();
  private final AtomicInteger openCommands = new AtomicInteger();

  /** What can be given up, in the order of sending. Guarded by itself. */
  private final List<WireCommand<?>> sent = new ArrayList<>(2);

  private ByteBudget.@Nullable Request request;
  private @Nullable DataLane lane;
  private volatile long reserved;

  /**
   * Prepares an operation.
   *
   * @param redisKeys the keys that it is about, the payload's last
   */
  Operation(ConnectorCore core, String name, byte[]... redisKeys) {
    this.core = core;
    this.name = name;
    this.redisKeys = redisKeys;
    this.node = core.nodes().of(redisKeys[redisKeys.length - 1]);
  }

  /** {@link #send}s the commands in order. */
  abstract void launch();

  /** Called in the place of {@link #launch} if that will never be: nothing was sent. */
  abstract void dropped();

  /**
   * Says that replies must not land in memory any more. Any thread, even before {@link #launch}.
   */
  void revoke() {}

  /**
   * All commands have ended.
   *
   * @return the outcome, which is disposed of if the caller has one already; or null if another
   *     command was sent
   */
  abstract @Nullable O ended();

  /** The outcome of failing. */
  abstract O failed(LmcacheException cause);

  /** Releases what an outcome holds that nobody will receive. */
  abstract void dispose(O undelivered);

  abstract Kind kind();

  /** What the caller hears, for the listener. */
  abstract Result result(O delivered);

  /** The payload bytes that an outcome is about. */
  abstract long bytes(O delivered);

  /**
   * Starts.
   *
   * @param bytes payload bytes to reserve
   * @return the outcome, to be handed to the caller as it is
   */
  CompletableFuture<O> start(long bytes) {
    reserved = bytes;
    long startedAt = System.nanoTime();
    if (!core.register(this)) {
      dropped();
      finish(failed(new ConnectorClosedException(name)));
      report(startedAt);
      return outcome;
    }
    ServerNode down = core.nodes().down(List.of(redisKeys));
    if (down != null) {
      dropped();
      core.deregister(this);
      finish(failed(down.unavailable(name)));
      report(startedAt);
      return outcome;
    }
    Timeout deadline =
        core.timer()
            .newTimeout(
                t -> abandon(new RequestTimeoutException(name, core.options().timeout())),
                core.options().timeout().toMillis(),
                TimeUnit.MILLISECONDS);
    outcome.whenComplete(
        (o, e) -> {
          deadline.cancel();
          report(startedAt);
          if (outcome.isCancelled()) {
            withdraw();
          }
        });
    ByteBudget.Request asked = node.budget().acquire(bytes, this::granted);
    synchronized (this) {
      request = asked;
    }
    if (outcome.isDone()) {
      withdraw();
    } else if (node.isDown()) {
      // Since we looked: whoever fails those that wait may have looked before this one did.
      abandonIfWaiting(node.unavailable(name));
    }
    return outcome;
  }

  private void report(long startedAt) {
    if (outcome.isCompletedExceptionally()) {
      // Whatever it was completed with, it was the caller who did.
      core.listening().ended(kind(), Result.CANCELLED, 0, startedAt);
    } else {
      O delivered = outcome.join();
      core.listening().ended(kind(), result(delivered), bytes(delivered), startedAt);
    }
  }

  private void granted() {
    if (outcome.isDone()) {
      dropped();
      conclude();
      return;
    }
    if (node.isDown()) {
      // Whoever stood in front of it has just been failed for that.
      dropped();
      conclude();
      finish(failed(node.unavailable(name)));
      return;
    }
    DataLane chosen = core.leastLoaded();
    chosen.add(reserved);
    lane = chosen;
    // Held while commands are sent, so that the end cannot come before the last of them.
    openCommands.set(1);
    launch();
    commandEnded();
  }

  /**
   * Sends a command whose end leads to {@link #commandEnded}. If nobody waits for the outcome any
   * more it ends without being sent.
   */
  final void send(WireCommand<?> command) {
    openCommands.incrementAndGet();
    synchronized (sent) {
      sent.add(command);
    }
    // Looked at behind the adding, as giveUp looks at the list behind the outcome: one of us sees
    // the other.
    if (outcome.isDone()) {
      command.giveUp();
    } else {
      dispatch(command);
    }
  }

  /**
   * Sends a command that puts things right, and is therefore not given up with the others. It has a
   * time of its own to leave: a node that is down may never come back to take it.
   */
  final void sendAnyway(WireCommand<?> command) {
    openCommands.incrementAndGet();
    Timeout limit =
        core.timer()
            .newTimeout(
                t -> command.giveUp(), core.options().timeout().toMillis(), TimeUnit.MILLISECONDS);
    command.whenComplete((value, failure) -> limit.cancel());
    dispatch(command);
  }

  private void dispatch(WireCommand<?> command) {
    DataLane chosen = lane;
    if (chosen == null) {
      throw new IllegalStateException(name + " has no connection yet");
    }
    chosen.dispatch(command);
  }

  /**
   * Ends the commands that have not left, the last first: what is given up alone is then always
   * what should not be there alone. The replies are revoked before that, because where a command
   * was given up in the last moment a PING is answered in its stead.
   */
  private void giveUp() {
    revoke();
    List<WireCommand<?>> commands;
    synchronized (sent) {
      commands = new ArrayList<>(sent);
    }
    for (int i = commands.size() - 1; i >= 0; i--) {
      commands.get(i).giveUp();
    }
  }

  /** A command has ended. */
  final void commandEnded() {
    if (openCommands.decrementAndGet() > 0) {
      return;
    }
    O result = ended();
    if (result == null) {
      return;
    }
    DataLane used = lane;
    if (used != null) {
      used.add(-reserved);
    }
    // Room first: the caller's callbacks run in finish.
    conclude();
    finish(result);
  }

  private void conclude() {
    node.budget().release(reserved);
    core.deregister(this);
  }

  /** Corrects the reservation once the true size is known. */
  final void resize(long bytes) {
    long difference = bytes - reserved;
    reserved = bytes;
    DataLane used = lane;
    if (used != null) {
      used.add(difference);
    }
    node.budget().adjust(difference);
  }

  /** Gives back a reference that this operation holds. */
  final void release(ChunkBuffer payload) {
    try {
      payload.release();
    } catch (LeaseReleasedException e) {
      // Somebody gave back ours. The operation has to end all the same, or its room never comes
      // back.
      log.warn("{}: the payload was released by someone who did not hold it", name, e);
    }
  }

  /** Gives the caller an outcome, if it has none yet; otherwise disposes of it. */
  final void finish(O result) {
    if (!outcome.complete(result)) {
      dispose(result);
    }
  }

  /** Ends the caller's waiting with a failure; the wire is left to end by itself. */
  final void abandon(LmcacheException cause) {
    finish(failed(cause));
    withdraw();
  }

  /** Fails it if nothing of it has been sent. */
  final void abandonIfWaiting(LmcacheException cause) {
    if (withdrawn()) {
      finish(failed(cause));
    }
  }

  private void withdraw() {
    if (!withdrawn()) {
      giveUp();
    }
  }

  /** Takes it out of those that wait for room; false if it is not one of them. */
  private boolean withdrawn() {
    ByteBudget.Request asked;
    synchronized (this) {
      asked = request;
    }
    if (asked == null || !node.budget().withdraw(asked)) {
      return false;
    }
    dropped();
    core.deregister(this);
    return true;
  }
}
