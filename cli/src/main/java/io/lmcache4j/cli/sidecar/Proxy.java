/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import io.netty.handler.codec.http.HttpResponseStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends a request to a prefill instance, waits until its chunks are where decode finds them, and
 * then sends it to a decode instance, whose answer is the client's.
 *
 * <p>Whatever goes wrong before decode is decode's to make good: it computes itself what it does
 * not find. So it is counted and logged, and the request goes on. Prompts and credentials are never
 * logged.
 */
final class Proxy {

  private static final Logger log = LoggerFactory.getLogger(Proxy.class);

  private static final int OK = 200;

  private final SidecarSettings settings;
  private final Workers workers;
  private final Instances prefill;
  private final Instances decode;
  private final @Nullable Handover handover;
  private final ExecutorService waiting;
  private final SidecarMeters meters;

  /**
   * Makes a proxy.
   *
   * @param handover null if there is no prefill
   * @param waiting where handovers wait
   */
  Proxy(
      SidecarSettings settings,
      Workers workers,
      @Nullable Handover handover,
      ExecutorService waiting,
      SidecarMeters meters) {
    this.settings = settings;
    this.workers = workers;
    this.prefill = new Instances(settings.prefill());
    this.decode = new Instances(settings.decode());
    this.handover = handover;
    this.waiting = waiting;
    this.meters = meters;
  }

  /** Sees to a request. Never blocks. */
  void handle(Exchange exchange) {
    if (!exchange.target().startsWith("/")) {
      Answers.error(exchange, HttpResponseStatus.BAD_REQUEST, "the target must be a path");
      return;
    }
    Prompt prompt = prefill.isEmpty() ? null : Prompt.of(exchange);
    Handover then = handover;
    CompletableFuture<Void> ready =
        prompt == null || then == null
            ? CompletableFuture.completedFuture(null)
            : prepare(exchange, prompt, then);
    ready.whenComplete(
        (v, failure) -> {
          if (exchange.isGone()) {
            meters.answered(route(exchange), "gone");
            return;
          }
          if (failure != null) {
            log.warn("the handover of a prompt failed: {}", reason(failure));
          }
          decode(exchange);
        });
  }

  private void decode(Exchange exchange) {
    workers
        .pass(decode, exchange, settings.decodeTimeout())
        .whenComplete(
            (status, failure) -> {
              if (failure == null) {
                meters.answered(route(exchange), Integer.toString(status));
                return;
              }
              if (exchange.isGone()) {
                meters.answered(route(exchange), "gone");
                return;
              }
              meters.answered(route(exchange), "failed");
              log.warn("decode failed: {}", reason(failure));
              refuse(exchange, Workers.cause(failure));
            });
  }

  /** Nothing comes of it where an answer was begun. */
  private static void refuse(Exchange exchange, Throwable failure) {
    if (failure instanceof HttpTimeoutException) {
      Answers.error(
          exchange,
          HttpResponseStatus.GATEWAY_TIMEOUT,
          "the decode instance did not answer in time");
    } else if (failure instanceof IllegalArgumentException) {
      Answers.error(
          exchange, HttpResponseStatus.BAD_REQUEST, "not a request that can be passed on");
    } else {
      Answers.error(exchange, HttpResponseStatus.BAD_GATEWAY, "no decode instance can be reached");
    }
  }

  private CompletableFuture<Void> prepare(Exchange exchange, Prompt prompt, Handover then) {
    long start = System.nanoTime();
    return workers
        .post(prefill, exchange.path(), exchange, prompt.prefill(), settings.prefillTimeout())
        .handle(
            (answer, failure) -> {
              if (exchange.isGone()) {
                return null;
              }
              count(answer, failure, System.nanoTime() - start);
              return answer != null && answer.statusCode() == OK ? answer.body() : null;
            })
        .thenCompose(
            answer -> {
              if (answer == null) {
                return CompletableFuture.completedFuture(null);
              }
              String reason = prompt.notNamed();
              if (reason != null) {
                meters.skipped(reason);
                return CompletableFuture.completedFuture(null);
              }
              return tokens(exchange, prompt, answer)
                  .thenCompose(prompts -> hand(exchange, prompt, prompts, then));
            });
  }

  private void count(
      @Nullable HttpResponse<byte[]> answer, @Nullable Throwable failure, long nanos) {
    if (failure != null) {
      Throwable cause = Workers.cause(failure);
      meters.prefilled(cause instanceof HttpTimeoutException ? "timeout" : "failed", nanos);
      log.warn("prefill failed: {}", reason(cause));
    } else if (answer != null && answer.statusCode() != OK) {
      meters.prefilled("refused", nanos);
      // Its text may quote the prompt.
      log.warn("prefill was refused by {} with {}", answer.uri(), answer.statusCode());
    } else {
      meters.prefilled("ok", nanos);
    }
  }

  /** What the answer tells, else what came as tokens, else what the instance makes of the text. */
  private CompletableFuture<List<long[]>> tokens(Exchange exchange, Prompt prompt, byte[] answer) {
    try {
      List<long[]> told = prompt.tokensOf(answer);
      if (told.isEmpty()) {
        told = prompt.tokens();
      }
      if (!told.isEmpty()) {
        return CompletableFuture.completedFuture(told);
      }
    } catch (IOException e) {
      return CompletableFuture.failedFuture(e);
    }
    CompletableFuture<List<long[]>> prompts = CompletableFuture.completedFuture(new ArrayList<>());
    for (byte[] request : prompt.tokenize()) {
      prompts =
          prompts.thenCombine(
              workers.post(prefill, "/tokenize", exchange, request, settings.prefillTimeout()),
              Proxy::add);
    }
    return prompts;
  }

  private static List<long[]> add(List<long[]> prompts, HttpResponse<byte[]> answer) {
    try {
      long[] tokens = answer.statusCode() == OK ? Prompt.tokenized(answer.body()) : null;
      if (tokens == null) {
        throw new IOException("/tokenize answered " + answer.statusCode() + " and no tokens");
      }
      prompts.add(tokens);
      return prompts;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private CompletableFuture<Void> hand(
      Exchange exchange, Prompt prompt, List<long[]> prompts, Handover then) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    Future<?> running =
        waiting.submit(
            () -> {
              try {
                then.run(prompts, prompt.tags());
                done.complete(null);
              } catch (InterruptedException e) {
                done.completeExceptionally(new CancellationException("the client hung up"));
              } catch (RuntimeException | Error e) {
                meters.handedOver("failed", 0);
                done.completeExceptionally(e);
              }
            });
    exchange.onGone(() -> running.cancel(true));
    exchange.onGone(() -> done.cancel(false));
    return done;
  }

  private static String route(Exchange exchange) {
    return switch (exchange.path()) {
      case Prompt.COMPLETIONS -> "completions";
      case Prompt.CHAT -> "chat";
      default -> "other";
    };
  }

  /** Class and text of a failure; those of the JDK's client name neither header nor body. */
  private static String reason(Throwable failure) {
    Throwable cause = Workers.cause(failure);
    return cause.getMessage() == null
        ? cause.getClass().getSimpleName()
        : cause.getClass().getSimpleName() + ": " + cause.getMessage();
  }
}
