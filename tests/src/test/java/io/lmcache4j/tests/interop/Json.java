/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** JSON as the peer speaks it: one line, ASCII, so that unpaired surrogates cross unharmed. */
public final class Json {

  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private Json() {}

  /** Returns an object of names and values in turn. */
  public static ObjectNode object(@Nullable Object... namesAndValues) {
    return put(MAPPER.createObjectNode(), namesAndValues);
  }

  /** Adds names and values in turn to an object. */
  public static ObjectNode put(ObjectNode object, @Nullable Object... namesAndValues) {
    for (int i = 0; i < namesAndValues.length; i += 2) {
      object.set((String) namesAndValues[i], node(namesAndValues[i + 1]));
    }
    return object;
  }

  /** Returns an object's members as names and values in turn, and more. */
  public static @Nullable Object[] pairs(ObjectNode object, @Nullable Object... more) {
    List<@Nullable Object> pairs = new ArrayList<>();
    object
        .properties()
        .forEach(member -> pairs.addAll(List.of(member.getKey(), member.getValue())));
    pairs.addAll(Arrays.asList(more));
    return pairs.toArray();
  }

  /** Returns any value as JSON, with the types that a parser would give it. */
  public static JsonNode node(@Nullable Object value) {
    return value instanceof JsonNode node ? node : parse(line(MAPPER.valueToTree(value)));
  }

  /** Parses a text. */
  public static JsonNode parse(String text) {
    try {
      return MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("not JSON: " + text, e);
    }
  }

  /** Returns the text on one line. */
  public static String line(JsonNode node) {
    try {
      return MAPPER.writeValueAsString(node);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /** Returns the text on several lines, for a file. */
  public static String pretty(JsonNode node) {
    try {
      String text = MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(node);
      return text.replace("\r\n", "\n") + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /** Returns an array's texts; null where the array has null. */
  public static List<@Nullable String> texts(JsonNode array) {
    List<@Nullable String> texts = new ArrayList<>(array.size());
    array.forEach(text -> texts.add(text.textValue()));
    return texts;
  }
}
