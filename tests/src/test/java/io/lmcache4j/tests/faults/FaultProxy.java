/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.faults;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The network between a connector and its server, with faults on demand. It passes bytes on as they
 * are or not at all.
 */
final class FaultProxy implements AutoCloseable {

  /** Which way bytes go. */
  enum Direction {
    TO_SERVER,
    TO_CLIENT;

    private Direction other() {
      return this == TO_SERVER ? TO_CLIENT : TO_SERVER;
    }
  }

  /** What happens once many bytes have gone one way on one connection, and none the other way. */
  private record Trap(Direction direction, long bytes, Runnable action) {}

  private static final int PIECE_BYTES = 1 << 16;

  /** 4 MiB of a connection are under way at most, and one way. */
  private static final int PIECES_UNDER_WAY = 64;

  private static final int BACKLOG = 128;

  /** How often a thread that waits looks whether its connection is still there. */
  private static final int PATIENCE_MILLIS = 100;

  private final Set<Link> links = ConcurrentHashMap.newKeySet();
  private final Map<Direction, Throttle> throttles =
      Map.of(Direction.TO_SERVER, new Throttle(), Direction.TO_CLIENT, new Throttle());
  private final int port;
  private volatile int serverPort;
  private volatile @Nullable ServerSocket listening;
  private volatile long latencyNanos;
  private volatile double cutProbability;
  private volatile boolean gone;
  private volatile @Nullable Trap trap;

  /** Listens on a port of its own. */
  FaultProxy(int serverPort) {
    this.serverPort = serverPort;
    this.port = listenOn(0);
  }

  int port() {
    return port;
  }

  /** From now on, new connections lead there. */
  void leadTo(int port) {
    serverPort = port;
  }

  /** Refuses new connections, and resets those that there are. */
  void hangUp() {
    ServerSocket socket = listening;
    listening = null;
    if (socket != null) {
      try {
        socket.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    links.forEach(Link::reset);
  }

  /** Takes connections again. */
  void listen() {
    listenOn(port);
  }

  /** How much later replies arrive than they were sent. */
  void latency(Duration latency) {
    latencyNanos = latency.toNanos();
  }

  /** Bytes a second of all connections together, each way; 0 for no limit. */
  void bandwidth(long bytesPerSecond) {
    throttles.values().forEach(throttle -> throttle.bytesPerSecond = bytesPerSecond);
  }

  /** With what probability each read, of up to 64 KiB, is a connection's last. */
  void cut(double probability) {
    cutProbability = probability;
  }

  /**
   * The peer is gone without a word: nothing passes, nothing closes. What is connected now, or
   * while it lasts, never comes back; what connects later does.
   */
  void vanish(boolean gone) {
    this.gone = gone;
    for (Link link : links) {
      if (gone) {
        link.dead = true;
      } else if (link.dead) {
        // The server has long given up those that it knew of; the client is not told.
        closed(link.server);
      }
    }
  }

  /** Acts once, before it passes on the last of so many bytes that nothing has answered. */
  void trap(Direction direction, long bytes, Runnable action) {
    trap = new Trap(direction, bytes, action);
  }

  /** Whether the trap has yet to go off. */
  boolean isTrapSet() {
    return trap != null;
  }

  private Throttle throttle(Direction direction) {
    return Objects.requireNonNull(throttles.get(direction));
  }

  private int listenOn(int wanted) {
    try {
      @SuppressWarnings("resource") // Closed by hangUp and close.
      ServerSocket socket = new ServerSocket();
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), wanted), BACKLOG);
      listening = socket;
      start("accept", () -> accept(socket));
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void accept(ServerSocket socket) throws IOException {
    while (true) {
      Socket client = socket.accept();
      Link link = new Link(client);
      links.add(link);
      if (listening != socket) {
        link.reset();
        return;
      }
      link.dead = gone;
      start("connect", link::connect);
    }
  }

  @Override
  public void close() {
    hangUp();
  }

  private static void closed(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // As good as closed.
      return;
    }
  }

  private interface Task {

    void run() throws IOException, InterruptedException;
  }

  private static void start(String name, Task task) {
    Thread thread =
        new Thread(
            () -> {
              try {
                task.run();
              } catch (IOException | InterruptedException e) {
                // A socket was closed: there is nothing more to pass on.
                return;
              }
            },
            "fault-proxy-" + name);
    thread.setDaemon(true);
    thread.start();
  }

  /** A line that all share. */
  private static final class Throttle {

    private volatile long bytesPerSecond;
    private long freeAt;

    void pass(int bytes) throws InterruptedException {
      long rate = bytesPerSecond;
      if (rate == 0) {
        return;
      }
      long wait;
      synchronized (this) {
        long now = System.nanoTime();
        freeAt = Math.max(now, freeAt) + TimeUnit.SECONDS.toNanos(bytes) / rate;
        wait = freeAt - now;
      }
      TimeUnit.NANOSECONDS.sleep(wait);
    }
  }

  /** Bytes, and when they are due; null at the end. */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  private record Piece(byte @Nullable [] bytes, long dueAt) {}

  /** One connection. */
  private final class Link {

    private final Socket client;
    private final Socket server = new Socket();
    private final Map<Direction, Long> unanswered = new EnumMap<>(Direction.class);
    private final Random random = new Random();
    private volatile boolean dead;
    private volatile boolean closed;

    Link(Socket client) {
      this.client = client;
    }

    void connect() throws IOException {
      if (dead) {
        return;
      }
      try {
        server.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), serverPort));
        client.setTcpNoDelay(true);
        server.setTcpNoDelay(true);
      } catch (IOException e) {
        reset();
        throw e;
      }
      pass(Direction.TO_SERVER, client.getInputStream(), server.getOutputStream());
      pass(Direction.TO_CLIENT, server.getInputStream(), client.getOutputStream());
    }

    private void pass(Direction direction, InputStream in, OutputStream out) {
      BlockingQueue<Piece> underWay = new LinkedBlockingQueue<>(PIECES_UNDER_WAY);
      start("read", () -> read(direction, in, underWay));
      start("write", () -> write(direction, underWay, out));
    }

    private void read(Direction direction, InputStream in, BlockingQueue<Piece> underWay)
        throws InterruptedException {
      byte[] buffer = new byte[PIECE_BYTES];
      try {
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
          if (dead) {
            // Reads no more, so that the sender's window closes.
            return;
          }
          if (random.nextDouble() < cutProbability) {
            reset();
            return;
          }
          spring(direction, n);
          long latency = direction == Direction.TO_CLIENT ? latencyNanos : 0;
          put(underWay, new Piece(Arrays.copyOf(buffer, n), System.nanoTime() + latency));
        }
      } catch (IOException e) {
        // Reset by this peer: the other hears of it as of an end.
        put(underWay, new Piece(null, System.nanoTime()));
        return;
      }
      put(underWay, new Piece(null, System.nanoTime()));
    }

    private void put(BlockingQueue<Piece> underWay, Piece piece) throws InterruptedException {
      boolean done = false;
      while (!done && !closed) {
        done = underWay.offer(piece, PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
      }
    }

    private void spring(Direction direction, int bytes) {
      long sent;
      synchronized (unanswered) {
        unanswered.remove(direction.other());
        sent = unanswered.merge(direction, (long) bytes, Long::sum);
      }
      Trap set = trap;
      if (set != null && set.direction() == direction && sent >= set.bytes()) {
        trap = null;
        set.action().run();
      }
    }

    private void write(Direction direction, BlockingQueue<Piece> underWay, OutputStream out)
        throws InterruptedException {
      try {
        while (!closed && !dead) {
          Piece piece = underWay.poll(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
          if (piece == null) {
            continue;
          }
          TimeUnit.NANOSECONDS.sleep(piece.dueAt() - System.nanoTime());
          byte[] bytes = piece.bytes();
          if (dead) {
            return;
          }
          if (bytes == null) {
            reset();
            return;
          }
          throttle(direction).pass(bytes.length);
          out.write(bytes);
        }
      } catch (IOException e) {
        reset();
      }
    }

    /** Ends both sides; what has not been passed on never will be. */
    void reset() {
      closed = true;
      links.remove(this);
      closed(client);
      closed(server);
    }
  }
}
