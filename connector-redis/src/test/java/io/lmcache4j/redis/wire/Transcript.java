/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What is asked, what a server says to it, and what has to come of it.
 *
 * @param name what the case is about
 * @param asked a letter for each command, see {@link Conversation}
 * @param said the server's bytes, ISO 8859-1
 * @param heard what each command yields, as {@link Conversation} writes it
 * @param closes whether the connection must be closed; it must be in step otherwise
 * @param stock whether an unmodified Lettuce does the same
 */
record Transcript(
    String name, String asked, String said, List<String> heard, boolean closes, boolean stock) {

  /** Every command has its answer, and the connection goes on; on the copying path too. */
  static Transcript inStep(String name, String asked, String said, String... heard) {
    return new Transcript(name, asked, said, List.of(heard), false, true);
  }

  /** The same, except that an unmodified Lettuce does worse. */
  static Transcript inStepWithUs(String name, String asked, String said, String... heard) {
    return new Transcript(name, asked, said, List.of(heard), false, false);
  }

  /** The connection is closed. */
  static Transcript closed(String name, String asked, String said, String... heard) {
    return new Transcript(name, asked, said, List.of(heard), true, false);
  }

  byte[] bytes() {
    return said.getBytes(StandardCharsets.ISO_8859_1);
  }

  @Override
  public String toString() {
    return name;
  }
}
