/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.key;

import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the parts of a key may look like, whether they come from a text or from a caller.
 *
 * <p>Python's {@code int()} reads many spellings of one number ({@code 0xff}, {@code +ff}, {@code
 * f_f}, spaces, upper case, digits of other scripts) but LMCache writes one of them. Here only that
 * one is read: a second spelling would be a second Redis key for the same chunk.
 */
final class KeySyntax {

  static final char SEPARATOR = '@';
  static final char TAG_VALUE = '%';

  /** What keys of LMCache 0.3.12 and older begin with. */
  static final String OLD_PREFIX = "vllm" + SEPARATOR;

  static final String MODEL = "model name";
  static final String WORLD_SIZE = "world size";
  static final String WORKER_ID = "worker id";
  static final String CHUNK_HASH = "chunk hash";
  static final String DTYPE = "dtype";
  static final String LAYER_ID = "layer id";
  static final String TAG_NAME = "tag name";

  static final String HEX_EXPECTED = "lower-case hexadecimal digits, after a \"-\" if negative";

  private KeySyntax() {}

  /** Refuses parts that no grammar has, before a key is made of them. */
  static void check(Supplier<String> text, String model, String hash, Map<String, String> tags) {
    String modelExpected = expectedOfModel(model);
    if (modelExpected != null) {
      throw new KeySyntaxException(text.get(), MODEL, model, modelExpected);
    }
    if (!isHash(hash, 16)) {
      throw new KeySyntaxException(text.get(), CHUNK_HASH, hash, HEX_EXPECTED);
    }
    for (Map.Entry<String, String> tag : tags.entrySet()) {
      String name = Objects.requireNonNull(tag.getKey(), TAG_NAME);
      String value = Objects.requireNonNull(tag.getValue(), "tag value");
      if (name.indexOf(SEPARATOR) >= 0 || name.indexOf(TAG_VALUE) >= 0 || !isUnicode(name)) {
        throw new KeySyntaxException(
            text.get(), TAG_NAME, name, "text without \"@\", \"%\" and unpaired surrogates");
      }
      if (value.indexOf(SEPARATOR) >= 0 || !isUnicode(value)) {
        throw new KeySyntaxException(
            text.get(),
            "value of tag " + name,
            value,
            "text without \"@\" and unpaired surrogates");
      }
    }
  }

  private static @Nullable String expectedOfModel(String model) {
    if (model.isEmpty()) {
      return "at least one character";
    }
    if (model.startsWith(OLD_PREFIX)) {
      return "anything but a leading \"vllm@\", which marks keys of LMCache 0.3.12 and older";
    }
    return isUnicode(model) ? null : "text without unpaired surrogates";
  }

  /** Whether a text is an optional minus and one or more digits, none of them upper case. */
  static boolean isHash(String text, int radix) {
    int start = text.startsWith("-") ? 1 : 0;
    for (int i = start; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean digit = (c >= '0' && c <= '9') || (radix == 16 && c >= 'a' && c <= 'f');
      if (!digit) {
        return false;
      }
    }
    return text.length() > start;
  }

  /** Reads a number that is spelt as Python and Java print it, or nothing. */
  static OptionalInt parseInt(String text) {
    try {
      int value = Integer.parseInt(text);
      return text.equals(Integer.toString(value)) ? OptionalInt.of(value) : OptionalInt.empty();
    } catch (NumberFormatException e) {
      return OptionalInt.empty();
    }
  }

  static boolean isInt(String text) {
    return parseInt(text).isPresent();
  }

  static boolean isLayerId(String text) {
    return parseInt(text).orElse(-1) >= 0;
  }

  /** Whether UTF-8 has bytes for the text; otherwise two different keys could become one. */
  private static boolean isUnicode(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        if (!Character.isSurrogatePair(
            text.charAt(i), i + 1 < text.length() ? text.charAt(i + 1) : ' ')) {
          return false;
        }
        i++;
      }
    }
    return true;
  }
}
