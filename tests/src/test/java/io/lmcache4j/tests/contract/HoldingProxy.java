/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Passes everything on, but keeps what a client sends until it matches a pattern. */
final class HoldingProxy implements AutoCloseable {

  private final TestServer server;
  private final ServerSocket listening;
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private final AtomicInteger released = new AtomicInteger();
  private volatile @Nullable Pattern held;

  HoldingProxy(TestServer server) throws IOException {
    this.server = server;
    this.listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    start(this::accept);
  }

  String url() {
    return "redis://127.0.0.1:" + listening.getLocalPort();
  }

  /** From now on, until it happens once. */
  void holdUntil(String regex) {
    held = Pattern.compile(regex, Pattern.DOTALL);
  }

  /** How often something that was held has matched. */
  int released() {
    return released.get();
  }

  private void accept() throws IOException {
    while (true) {
      Socket client = listening.accept();
      Socket redis = new Socket(server.host(), server.port());
      sockets.addAll(List.of(client, redis));
      start(() -> hold(client.getInputStream(), redis.getOutputStream()));
      start(() -> redis.getInputStream().transferTo(client.getOutputStream()));
    }
  }

  private void hold(InputStream in, OutputStream out) throws IOException {
    ByteArrayOutputStream kept = new ByteArrayOutputStream();
    byte[] buffer = new byte[1 << 16];
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      kept.write(buffer, 0, n);
      Pattern until = held;
      if (until != null) {
        if (!until.matcher(kept.toString(StandardCharsets.ISO_8859_1)).find()) {
          continue;
        }
        held = null;
        released.incrementAndGet();
      }
      kept.writeTo(out);
      kept.reset();
    }
  }

  private interface Pump {

    void run() throws IOException;
  }

  private static void start(Pump pump) {
    Thread thread =
        new Thread(
            () -> {
              try {
                pump.run();
              } catch (IOException e) {
                // One of the two has closed: nothing is left to pass on.
                return;
              }
            },
            "holding-proxy");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() throws IOException {
    listening.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }
}
