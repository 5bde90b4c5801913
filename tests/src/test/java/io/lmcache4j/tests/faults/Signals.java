/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;

/** What {@code kill} does. */
final class Signals {

  private Signals() {}

  static void send(long pid, String signal) {
    try {
      Process kill = new ProcessBuilder("kill", signal, Long.toString(pid)).start();
      assertThat(kill.waitFor()).isZero();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UncheckedIOException(new InterruptedIOException(signal));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
