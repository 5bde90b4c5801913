/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop.differential;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lmcache4j.tests.interop.PythonPeer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Asks both sides and compares, many cases at a time. */
final class Differential {

  static final Map<String, Kind> KINDS = kinds();

  private final PythonPeer peer;

  Differential(PythonPeer peer) {
    this.peer = peer;
  }

  private static Map<String, Kind> kinds() {
    Map<String, Kind> kinds = new LinkedHashMap<>();
    kinds.put("header-writing", new HeaderWriting());
    kinds.put("header-reading", new HeaderReading());
    kinds.put("key-writing", new KeyWriting());
    kinds.put("key-reading", new KeyReading());
    kinds.put("tokens", new TokenHashing());
    return kinds;
  }

  /** One case and what became of it. */
  record Finding(Case input, List<JsonNode> replies, Verdict verdict) {}

  /**
   * One input of one kind.
   *
   * @param kind its name in {@link #KINDS}
   */
  record Case(String kind, ObjectNode input) {

    Kind judge() {
      return kindOf(kind);
    }
  }

  /** Makes the case that a seed stands for; the kinds take turns. */
  static Case generate(long seed, long number) {
    List<String> names = List.copyOf(KINDS.keySet());
    String kind = names.get((int) (number % names.size()));
    Source source = new Source(seed * 0x9E3779B97F4A7C15L + number);
    return new Case(kind, kindOf(kind).generate(source));
  }

  private static Kind kindOf(String name) {
    return Objects.requireNonNull(KINDS.get(name), name);
  }

  List<Finding> judge(List<Case> cases) {
    List<List<ObjectNode>> requests = new ArrayList<>(cases.size());
    List<ObjectNode> flat = new ArrayList<>();
    for (Case c : cases) {
      List<ObjectNode> own = c.judge().requests(c.input());
      requests.add(own);
      flat.addAll(own);
    }
    List<JsonNode> replies = peer.batch(flat);
    List<Finding> findings = new ArrayList<>(cases.size());
    int at = 0;
    for (int i = 0; i < cases.size(); i++) {
      int next = at + requests.get(i).size();
      List<JsonNode> own = List.copyOf(replies.subList(at, next));
      findings.add(new Finding(cases.get(i), own, verdict(cases.get(i), own)));
      at = next;
    }
    return findings;
  }

  /** Nothing but the typed exceptions that a kind expects may leave the code under test. */
  private static Verdict verdict(Case c, List<JsonNode> replies) {
    try {
      return c.judge().judge(c.input(), replies);
    } catch (RuntimeException | AssertionError e) {
      return Verdict.failed("thrown", replies, e);
    }
  }

  /** The smallest case with the same finding. */
  Finding minimise(Finding finding) {
    ObjectNode smallest =
        Shrinker.shrink(
            finding.input().input(),
            candidates -> {
              List<Boolean> shown = new ArrayList<>();
              for (ObjectNode candidate : candidates) {
                shown.add(shows(finding, candidate));
              }
              return shown;
            });
    return judge(List.of(new Case(finding.input().kind(), smallest))).get(0);
  }

  private boolean shows(Finding finding, ObjectNode candidate) {
    Case smaller = new Case(finding.input().kind(), candidate);
    try {
      smaller.judge().requests(candidate);
    } catch (RuntimeException e) {
      return false;
    }
    return judge(List.of(smaller)).get(0).verdict().isLike(finding.verdict());
  }
}
