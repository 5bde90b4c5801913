/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/** Ports for what a server listens on beside its first one. */
final class Ports {

  private Ports() {}

  /** A port of 127.0.0.1 that nobody has at the moment. */
  static int free() {
    try (ServerSocket socket =
        new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}))) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
