/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop.differential;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** One thing that both sides compute from the same input. A case is a JSON object. */
interface Kind {

  /** Makes an input. */
  ObjectNode generate(Source source);

  /**
   * The calls to the peer that answer an input; the first is the input itself, others help to tell
   * whether a difference is the listed one.
   *
   * @throws RuntimeException if the input is none of this kind, as may happen while shrinking
   */
  List<ObjectNode> requests(ObjectNode input);

  /** Compares what Python answered with what Java does. */
  Verdict judge(ObjectNode input, List<JsonNode> replies);
}
