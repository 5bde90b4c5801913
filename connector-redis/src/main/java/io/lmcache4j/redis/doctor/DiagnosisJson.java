/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;

/**
 * A diagnosis as JSON: one object, whose fields are named as the parts of {@link Diagnosis}.
 *
 * <p>Only ASCII is written, everything else escaped, so that a key with control sequences does
 * nothing to a terminal.
 */
public final class DiagnosisJson {

  private static final JsonMapper MAPPER =
      JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

  private DiagnosisJson() {}

  /**
   * Writes.
   *
   * @param diagnosis what was found
   * @return one line, without an end of line
   */
  public static String line(Diagnosis diagnosis) {
    try {
      return MAPPER.writeValueAsString(diagnosis);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("records of lists, texts and numbers have a JSON form", e);
    }
  }
}
