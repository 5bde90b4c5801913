/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** Answers that are the sidecar's own, errors in the form that OpenAI's clients understand. */
final class Answers {

  static final String JSON = "application/json";

  static final ObjectMapper MAPPER = new ObjectMapper();

  private Answers() {}

  static void json(Exchange exchange, HttpResponseStatus status, Object value) {
    exchange.answer(status, JSON, bytes(value));
  }

  static void error(Exchange exchange, HttpResponseStatus status, String message) {
    exchange.answer(status, JSON, error(status, message));
  }

  /** An error that is the last on its connection. */
  static FullHttpResponse refusal(HttpResponseStatus status, String message) {
    byte[] text = error(status, message);
    FullHttpResponse answer =
        new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, Unpooled.wrappedBuffer(text));
    answer
        .headers()
        .set(HttpHeaderNames.CONTENT_TYPE, JSON)
        .set(HttpHeaderNames.CONTENT_LENGTH, text.length)
        .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    return answer;
  }

  private static byte[] error(HttpResponseStatus status, String message) {
    Map<String, Object> error = new LinkedHashMap<>();
    error.put("message", message);
    error.put("type", status.reasonPhrase());
    error.put("param", null);
    error.put("code", status.code());
    return bytes(Map.of("error", error));
  }

  static byte[] bytes(Object value) {
    try {
      return MAPPER.writeValueAsString(value).getBytes(StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("maps, lists, texts and numbers have a JSON form", e);
    }
  }
}
