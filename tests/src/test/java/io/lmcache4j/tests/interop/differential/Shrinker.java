/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop.differential;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Makes an input smaller, greedily: of all inputs that are one step smaller, the first that shows
 * the same finding is taken, until none does.
 */
final class Shrinker {

  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final int MAX_STEPS = 500;

  /** Tells of each candidate whether it shows the finding. */
  interface Probe {
    List<Boolean> show(List<ObjectNode> candidates);
  }

  private Shrinker() {}

  static ObjectNode shrink(ObjectNode input, Probe probe) {
    ObjectNode smallest = input;
    for (int step = 0; step < MAX_STEPS; step++) {
      List<ObjectNode> candidates = new ArrayList<>();
      smaller(smallest).forEach(candidate -> candidates.add((ObjectNode) candidate));
      int found = candidates.isEmpty() ? -1 : probe.show(candidates).indexOf(true);
      if (found < 0) {
        return smallest;
      }
      smallest = candidates.get(found);
    }
    return smallest;
  }

  /** Everything that is one step smaller, the boldest steps first. */
  private static List<JsonNode> smaller(JsonNode node) {
    List<JsonNode> all = new ArrayList<>();
    if (node instanceof ObjectNode object) {
      for (var member : object.properties()) {
        String name = member.getKey();
        for (JsonNode value : smaller(member.getValue())) {
          all.add(object.deepCopy().set(name, value));
        }
      }
    } else if (node instanceof ArrayNode array) {
      ofArray(array, all);
    } else if (node.isTextual()) {
      ofText(node.textValue(), all);
    } else if (node.isIntegralNumber()) {
      ofNumber(node.bigIntegerValue(), all);
    } else if (node.isBoolean() && node.booleanValue()) {
      all.add(NODES.booleanNode(false));
    }
    return all;
  }

  private static void ofArray(ArrayNode array, List<JsonNode> all) {
    if (array.size() > 2) {
      all.add(part(array, 0, array.size() / 2));
      all.add(part(array, array.size() / 2, array.size()));
    }
    for (int i = 0; i < array.size(); i++) {
      ArrayNode without = array.deepCopy();
      without.remove(i);
      all.add(without);
    }
    for (int i = 0; i < array.size(); i++) {
      for (JsonNode element : smaller(array.get(i))) {
        ArrayNode changed = array.deepCopy();
        changed.set(i, element); // returns what was there before
        all.add(changed);
      }
    }
  }

  private static ArrayNode part(ArrayNode array, int from, int to) {
    ArrayNode part = NODES.arrayNode();
    for (int i = from; i < to; i++) {
      part.add(array.get(i));
    }
    return part;
  }

  private static void ofText(String text, List<JsonNode> all) {
    int length = text.length();
    if (length > 2) {
      all.add(NODES.textNode(text.substring(0, length / 2)));
      all.add(NODES.textNode(text.substring(length / 2)));
    }
    for (int i = 0; i < length; i++) {
      all.add(NODES.textNode(text.substring(0, i) + text.substring(i + 1)));
    }
    for (int i = 0; i < length; i++) {
      for (char simple : new char[] {'0', '1', 'a'}) {
        char is = text.charAt(i);
        if (is != '0' && is != '1' && is != 'a' && is != '@') {
          all.add(NODES.textNode(text.substring(0, i) + simple + text.substring(i + 1)));
        }
      }
    }
  }

  private static void ofNumber(BigInteger number, List<JsonNode> all) {
    List<UnaryOperator<BigInteger>> steps =
        List.of(
            n -> BigInteger.ZERO,
            n -> BigInteger.ONE,
            n -> n.divide(BigInteger.TWO),
            n -> n.subtract(BigInteger.valueOf(n.signum())));
    for (UnaryOperator<BigInteger> step : steps) {
      BigInteger smaller = step.apply(number);
      if (smaller.abs().compareTo(number.abs()) < 0) {
        all.add(NODES.numberNode(smaller));
      }
    }
  }
}
