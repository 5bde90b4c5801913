/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.wire;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * As much of a Redis server as the connector needs, which misbehaves when it is told to. It has a
 * thread for each connection and one for accepting.
 */
final class ScriptedServer implements AutoCloseable {

  /**
   * What to do when a payload is to be received or sent, in the place of doing it well. Runs on the
   * connection's thread, and ends the connection by throwing.
   */
  @FunctionalInterface
  interface Mischief {

    /**
     * Misbehaves.
     *
     * @param session the connection
     * @param payload what would be sent; for a SET, as many zeros as are still to be received
     */
    void play(Session session, byte[] payload) throws IOException, InterruptedException;
  }

  /** Bytes from which on a value is a payload. */
  private static final int PAYLOAD_BYTES = 1024;

  private final ServerSocket listening;
  private final Map<String, byte[]> values = new ConcurrentHashMap<>();
  private final List<Session> sessions = new CopyOnWriteArrayList<>();
  private final AtomicInteger accepted = new AtomicInteger();
  private volatile @Nullable Mischief onGet;
  private volatile @Nullable Mischief onSet;

  ScriptedServer() throws IOException {
    listening = new ServerSocket();
    // Small, so that a client that is not read from notices soon.
    listening.setReceiveBufferSize(64 << 10);
    listening.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    start("accept", this::accept);
  }

  String url() {
    return "redis://127.0.0.1:" + listening.getLocalPort();
  }

  /** Connections that were ever made. */
  int accepted() {
    return accepted.get();
  }

  /** From now on, until it is told otherwise. */
  void onGet(@Nullable Mischief mischief) {
    onGet = mischief;
  }

  /** From now on, until it is told otherwise; the payload has not been received. */
  void onSet(@Nullable Mischief mischief) {
    onSet = mischief;
  }

  byte @Nullable [] value(String key) {
    return values.get(key);
  }

  /** Ends every connection, as a server does that is stopped. */
  void disconnectAll() throws IOException {
    for (Session session : sessions) {
      session.socket.close();
    }
  }

  private void accept() throws IOException {
    while (true) {
      Socket socket = listening.accept();
      socket.setTcpNoDelay(true);
      accepted.incrementAndGet();
      Session session = new Session(socket);
      sessions.add(session);
      start("session", session::serve);
    }
  }

  private interface Loop {
    void run() throws IOException, InterruptedException;
  }

  private static void start(String name, Loop loop) {
    Thread thread =
        new Thread(
            () -> {
              try {
                loop.run();
              } catch (IOException e) {
                // The socket was closed, by either side: that is how these end.
                return;
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "scripted-" + name);
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() throws IOException {
    listening.close();
    disconnectAll();
  }

  /** One connection. */
  final class Session {

    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;

    Session(Socket socket) throws IOException {
      this.socket = socket;
      this.in = new BufferedInputStream(socket.getInputStream(), 1 << 16);
      this.out = socket.getOutputStream();
    }

    private void serve() throws IOException, InterruptedException {
      try (socket) {
        while (true) {
          int n = number('*');
          List<byte[]> words = new ArrayList<>();
          for (int i = 0; i < n; i++) {
            int length = number('$');
            Mischief mischief = onSet;
            if (mischief != null && length >= PAYLOAD_BYTES) {
              mischief.play(this, new byte[length]);
            }
            words.add(read(length));
            read(2);
          }
          answer(words);
        }
      }
    }

    private void answer(List<byte[]> words) throws IOException, InterruptedException {
      String key = words.size() > 1 ? text(words.get(1)) : "";
      switch (text(words.get(0)).toUpperCase(Locale.ROOT)) {
        case "HELLO" -> send("%1\r\n+proto\r\n:3\r\n");
        case "PING" -> send("+PONG\r\n");
        case "INFO" -> send("$21\r\nredis_version:0.0.0\r\n\r\n");
        case "SET" -> {
          values.put(key, words.get(2));
          send("+OK\r\n");
        }
        case "DEL" -> send(":" + (values.remove(key) == null ? 0 : 1) + "\r\n");
        case "EXISTS" -> send(":" + (values.containsKey(key) ? 1 : 0) + "\r\n");
        case "GET" -> get(values.get(key));
        default -> send("+OK\r\n");
      }
    }

    private void get(byte @Nullable [] value) throws IOException, InterruptedException {
      Mischief mischief = onGet;
      if (value == null) {
        send("$-1\r\n");
      } else if (mischief != null && value.length >= PAYLOAD_BYTES) {
        mischief.play(this, value);
      } else {
        bulk(value);
      }
    }

    void bulk(byte[] value) throws IOException {
      send("$" + value.length + "\r\n");
      send(value, 0, value.length);
      send("\r\n");
    }

    void send(String text) throws IOException {
      out.write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    void send(byte[] bytes, int from, int to) throws IOException {
      out.write(bytes, from, to - from);
    }

    /** Takes bytes that the client has sent. */
    byte[] read(int length) throws IOException {
      byte[] bytes = in.readNBytes(length);
      if (bytes.length < length) {
        throw new IOException("the client has closed");
      }
      return bytes;
    }

    /** Ends the connection with everything sent delivered. */
    void finish() throws IOException {
      socket.close();
      throw new IOException("finished");
    }

    /** Ends the connection at once, for both sides. */
    void reset() throws IOException {
      socket.setSoLinger(true, 0);
      finish();
    }

    /** Does nothing, reads nothing, until the connection is ended from outside. */
    void stall() throws IOException, InterruptedException {
      while (!socket.isClosed()) {
        Thread.sleep(5);
      }
      throw new IOException("ended");
    }

    private int number(char type) throws IOException {
      StringBuilder digits = new StringBuilder();
      int b = in.read();
      if (b != type) {
        throw new IOException("expected " + type + ", not " + b);
      }
      for (b = in.read(); b != '\r'; b = in.read()) {
        digits.append((char) b);
        if (b < 0) {
          throw new IOException("the client has closed");
        }
      }
      read(1);
      return Integer.parseInt(digits.toString());
    }
  }

  private static String text(byte[] bytes) {
    return new String(Arrays.copyOf(bytes, bytes.length), StandardCharsets.UTF_8);
  }
}
