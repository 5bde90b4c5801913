/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A client's request, whole, and the answer to it, which is given once: at one go by {@link
 * #answer}, or bit by bit by {@link #begin}, {@link #write} and {@link #end}.
 *
 * <p>Thread-safe in so far as Netty is: what one thread writes arrives in its order.
 */
final class Exchange {

  private final Channel channel;
  private final String method;
  private final String target;
  private final HttpVersion version;
  private final HttpHeaders headers;
  private final byte[] body;
  private final AtomicBoolean begun = new AtomicBoolean();
  private final CompletableFuture<Void> over = new CompletableFuture<>();
  private volatile boolean gone;

  Exchange(
      Channel channel,
      String method,
      String target,
      HttpVersion version,
      HttpHeaders headers,
      byte[] body) {
    this.channel = channel;
    this.method = method;
    this.target = target;
    this.version = version;
    this.headers = headers;
    this.body = body;
  }

  String method() {
    return method;
  }

  /** Path and query, as they were sent. */
  String target() {
    return target;
  }

  String path() {
    int query = target.indexOf('?');
    return query < 0 ? target : target.substring(0, query);
  }

  HttpHeaders headers() {
    return headers;
  }

  /** The bytes, not a copy. */
  byte[] body() {
    return body;
  }

  /** Whether the client hung up before it had its answer. */
  boolean isGone() {
    return gone;
  }

  /** Whether the answer is given, or the client is gone. */
  boolean isOver() {
    return over.isDone();
  }

  /** Has something done when the client hangs up before it has its answer, or now if it has. */
  void onGone(Runnable action) {
    over.thenRun(
        () -> {
          if (gone) {
            action.run();
          }
        });
  }

  /** Has something done when the answer is given, or the client is gone. */
  void onOver(Runnable action) {
    over.thenRun(action);
  }

  /** The client hung up. */
  void clientGone() {
    if (!over.isDone()) {
      gone = true;
      over.complete(null);
    }
  }

  /** Gives the whole answer, unless one was begun. */
  void answer(HttpResponseStatus status, String contentType, byte[] bytes) {
    HttpHeaders fields = new DefaultHttpHeaders();
    fields.set(HttpHeaderNames.CONTENT_TYPE, contentType);
    fields.set(HttpHeaderNames.CONTENT_LENGTH, bytes.length);
    if (begin(status, fields)) {
      write(Unpooled.wrappedBuffer(bytes));
      end();
    }
  }

  /** Gives the head of an answer; false if one was given before. */
  boolean begin(HttpResponseStatus status, HttpHeaders fields) {
    if (!begun.compareAndSet(false, true)) {
      return false;
    }
    HttpResponse head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, status, fields);
    boolean hasNoBody = status.code() == 204 || status.code() == 304;
    if (!fields.contains(HttpHeaderNames.CONTENT_LENGTH)
        && !hasNoBody
        && version.equals(HttpVersion.HTTP_1_1)) {
      HttpUtil.setTransferEncodingChunked(head, true);
    }
    // At once: who streams wants to know that it has begun before there is a first token.
    channel.writeAndFlush(head);
    return true;
  }

  /** Gives more of the answer; takes the buffer. */
  ChannelFuture write(ByteBuf bytes) {
    return channel.writeAndFlush(new DefaultHttpContent(bytes));
  }

  /** Gives the end of the answer. */
  void end() {
    channel
        .writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT)
        .addListener((ChannelFutureListener) sent -> over.complete(null));
  }

  /** Breaks an answer off that was begun, so that the client does not take it for whole. */
  void breakOff() {
    over.complete(null);
    channel.close();
  }
}
