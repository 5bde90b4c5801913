/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/** Asks instances of vLLM. Never blocks. */
final class Workers {

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

  /** The token ids of the longest prompts are a few MiB of text. */
  private static final int MAX_ANSWER_BYTES = 64 << 20;

  static {
    // uvicorn closes a connection that was idle for 5 s (VLLM_HTTP_TIMEOUT_KEEP_ALIVE), and one
    // that it closes while we send on it costs a second attempt. The JDK reads this once.
    if (System.getProperty("jdk.httpclient.keepalive.timeout") == null) {
      System.setProperty("jdk.httpclient.keepalive.timeout", "4");
    }
  }

  private final HttpClient client =
      HttpClient.newBuilder()
          // uvicorn knows no other, and would log a warning at each attempt to upgrade.
          .version(HttpClient.Version.HTTP_1_1)
          .followRedirects(HttpClient.Redirect.NEVER)
          .connectTimeout(CONNECT_TIMEOUT)
          .build();

  /**
   * Posts JSON for an exchange, and reads the answer whole.
   *
   * @return the answer; cancelled when the exchange's client hangs up
   */
  CompletableFuture<HttpResponse<byte[]>> post(
      Instances instances, String path, Exchange exchange, byte[] json, Duration timeout) {
    HttpHeaders fields = Headers.forWorker(exchange.headers());
    fields.remove("accept-encoding");
    fields.set("content-type", Answers.JSON);
    return ask(
        instances.turn(),
        0,
        url -> request(url, path, "POST", fields, json, timeout),
        exchange,
        () -> head -> new LimitedBody(MAX_ANSWER_BYTES));
  }

  /**
   * Passes an exchange's request on, and the answer back as it comes: status, fields and every byte
   * of the body.
   *
   * @param headTimeout for the head of the answer
   * @return done when the answer is given; fails if none was begun
   */
  CompletableFuture<Integer> pass(Instances instances, Exchange exchange, Duration headTimeout) {
    HttpHeaders fields = Headers.forWorker(exchange.headers());
    return ask(
            instances.turn(),
            0,
            url ->
                request(
                    url,
                    exchange.target(),
                    exchange.method(),
                    fields,
                    exchange.body(),
                    headTimeout),
            exchange,
            () -> head -> new Passing(exchange, head))
        .thenApply(HttpResponse::statusCode);
  }

  private static HttpRequest request(
      URI url, String target, String method, HttpHeaders fields, byte[] body, Duration timeout) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(url + target))
            .timeout(timeout)
            .method(
                method,
                body.length == 0
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofByteArray(body));
    for (Map.Entry<String, String> field : fields) {
      request.header(field.getKey(), field.getValue());
    }
    return request.build();
  }

  /** Makes the request for one instance. */
  private interface ForInstance {
    HttpRequest at(URI url);
  }

  /** Makes what takes the answer; each attempt has its own. */
  private interface Taking<T> {
    HttpResponse.BodyHandler<T> handler();
  }

  /**
   * Asks one instance, and the next if that was not reached or hung up without a word. A prompt has
   * no effect but work, so that sending it again does no harm.
   */
  private <T> CompletableFuture<HttpResponse<T>> ask(
      List<URI> turn, int attempt, ForInstance request, Exchange exchange, Taking<T> taking) {
    CompletableFuture<HttpResponse<T>> asked;
    try {
      asked = client.sendAsync(request.at(turn.get(attempt)), taking.handler());
    } catch (IllegalArgumentException e) {
      return CompletableFuture.failedFuture(e);
    }
    exchange.onGone(() -> asked.cancel(true));
    if (attempt + 1 == turn.size()) {
      return asked;
    }
    return asked
        .handle(
            (answer, failure) ->
                failure != null && isUnheard(cause(failure)) && !exchange.isOver()
                    ? ask(turn, attempt + 1, request, exchange, taking)
                    : asked)
        .thenCompose(next -> next);
  }

  private static boolean isUnheard(Throwable failure) {
    return failure instanceof HttpConnectTimeoutException
        || (failure instanceof IOException
            && !(failure instanceof HttpTimeoutException)
            && !(failure instanceof BrokenAnswerException)
            && !(failure instanceof LimitedBody.TooLongException));
  }

  /** What a stage failed of. */
  static Throwable cause(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  /** An answer broke off after it had been begun, so that no other can take its place. */
  static final class BrokenAnswerException extends IOException {

    private static final long serialVersionUID = 1L;

    BrokenAnswerException(Throwable cause) {
      super(cause);
    }
  }

  /**
   * Hands an answer on to the client, as fast as that takes it: the worker is read from again only
   * when what it sent before is on its way.
   */
  private static final class Passing implements BodySubscriber<Void> {

    private final Exchange exchange;
    private final CompletableFuture<Void> done = new CompletableFuture<>();
    private Flow.@Nullable Subscription worker;

    Passing(Exchange exchange, HttpResponse.ResponseInfo head) {
      this.exchange = exchange;
      exchange.begin(
          HttpResponseStatus.valueOf(head.statusCode()), Headers.forClient(head.headers().map()));
    }

    @Override
    public CompletionStage<Void> getBody() {
      return done;
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
      worker = subscription;
      exchange.onGone(subscription::cancel);
      subscription.request(1);
    }

    @Override
    public void onNext(List<ByteBuffer> bytes) {
      Flow.Subscription from = worker;
      exchange
          .write(Unpooled.wrappedBuffer(bytes.toArray(ByteBuffer[]::new)))
          .addListener(
              sent -> {
                if (from != null && sent.isSuccess()) {
                  from.request(1);
                }
              });
    }

    @Override
    public void onError(Throwable failure) {
      exchange.breakOff();
      done.completeExceptionally(new BrokenAnswerException(failure));
    }

    @Override
    public void onComplete() {
      exchange.end();
      done.complete(null);
    }
  }
}
