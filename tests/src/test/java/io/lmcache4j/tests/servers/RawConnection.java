/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.servers;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A socket to one server, over which RESP2 is spoken. */
public final class RawConnection implements AutoCloseable {

  /** The server answered with an error. */
  public static final class ErrorReply extends RuntimeException {

    private static final long serialVersionUID = 1L;

    ErrorReply(String message) {
      super(message);
    }
  }

  private static final int TIMEOUT_MILLIS = 20_000;

  private final Socket socket;
  private final DataInputStream in;

  private RawConnection(Socket socket) throws IOException {
    this.socket = socket;
    socket.setSoTimeout(TIMEOUT_MILLIS);
    socket.setTcpNoDelay(true);
    in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 1 << 16));
  }

  public static RawConnection plain(String host, int port) {
    try {
      return new RawConnection(new Socket(InetAddress.getByName(host), port));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Over TLS, with a server that the authority of this run has certified. */
  public static RawConnection tls(int port) {
    try {
      return new RawConnection(Certificates.ofThisRun().connect(port));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sends a command of texts (UTF-8) and byte arrays, and reads its reply. */
  public @Nullable Object call(Object... words) {
    send(words);
    return reply();
  }

  /** The reply as text, bulk or not. */
  public String text(Object... words) {
    Object reply = Objects.requireNonNull(call(words));
    return reply instanceof byte[] bytes
        ? new String(bytes, StandardCharsets.UTF_8)
        : reply.toString();
  }

  /** A field of {@code INFO}, {@code CLUSTER INFO} and the like; empty if there is none. */
  public String field(String name, Object... words) {
    return text(words)
        .lines()
        .filter(line -> line.startsWith(name + ":"))
        .map(line -> line.substring(name.length() + 1))
        .findFirst()
        .orElse("");
  }

  public void send(Object... words) {
    try {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      out.writeBytes(ascii("*" + words.length + "\r\n"));
      for (Object word : words) {
        byte[] bytes =
            word instanceof byte[] raw ? raw : word.toString().getBytes(StandardCharsets.UTF_8);
        out.writeBytes(ascii("$" + bytes.length + "\r\n"));
        out.writeBytes(bytes);
        out.writeBytes(ascii("\r\n"));
      }
      out.writeTo(socket.getOutputStream());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /** Reads one reply: a text, a number, bytes, a list or null. */
  public @Nullable Object reply() {
    String line = line();
    String rest = line.substring(1);
    return switch (line.charAt(0)) {
      case '+' -> rest;
      case '-' -> throw new ErrorReply(rest);
      case ':' -> Long.valueOf(rest);
      case '$' -> bulk(Integer.parseInt(rest));
      case '*' -> elements(Integer.parseInt(rest));
      default -> throw new IllegalStateException("no RESP2: " + line);
    };
  }

  private List<@Nullable Object> elements(int count) {
    List<@Nullable Object> elements = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      elements.add(reply());
    }
    return elements;
  }

  private byte @Nullable [] bulk(int length) {
    if (length < 0) {
      return null;
    }
    try {
      byte[] bytes = new byte[length];
      in.readFully(bytes);
      in.skipNBytes(2);
      return bytes;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String line() {
    try {
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      for (int b = in.readUnsignedByte(); b != '\n'; b = in.readUnsignedByte()) {
        if (b != '\r') {
          line.write(b);
        }
      }
      return line.toString(StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
