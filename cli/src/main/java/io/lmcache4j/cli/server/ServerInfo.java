/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.server;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What a server says of itself in {@code INFO server}. */
record ServerInfo(String name, String version, long processId) {

  private static final int LIMIT_MILLIS = 1_000;
  private static final int MAX_REPLY = 1 << 16;

  /** Returns the answer, or empty if nobody answers yet or asks for another password. */
  static Optional<ServerInfo> ask(String host, int port, @Nullable String password) {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(host, port), LIMIT_MILLIS);
      socket.setSoTimeout(LIMIT_MILLIS);
      DataInputStream in = new DataInputStream(socket.getInputStream());
      if (password != null) {
        send(socket, "AUTH", password);
        if (!line(in).equals("+OK")) {
          return Optional.empty();
        }
      }
      send(socket, "INFO", "server");
      String head = line(in);
      if (!head.startsWith("$")) {
        return Optional.empty();
      }
      byte[] body = new byte[Math.min(Integer.parseInt(head.substring(1)), MAX_REPLY)];
      in.readFully(body);
      return parse(new String(body, StandardCharsets.UTF_8));
    } catch (IOException | NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static Optional<ServerInfo> parse(String body) {
    Map<String, String> fields =
        body.lines()
            .filter(line -> line.indexOf(':') > 0)
            .collect(
                Collectors.toMap(
                    line -> line.substring(0, line.indexOf(':')),
                    line -> line.substring(line.indexOf(':') + 1).strip(),
                    (first, second) -> first));
    String pid = fields.get("process_id");
    // Valkey calls itself Redis 7.2.4 in redis_version, for the sake of old clients.
    String valkey = fields.get("valkey_version");
    String version = valkey != null ? valkey : fields.get("redis_version");
    return pid == null || version == null
        ? Optional.empty()
        : Optional.of(
            new ServerInfo(valkey != null ? "valkey" : "redis", version, Long.parseLong(pid)));
  }

  private static void send(Socket socket, String... words) throws IOException {
    StringBuilder command = new StringBuilder("*" + words.length + "\r\n");
    for (String word : words) {
      int length = word.getBytes(StandardCharsets.UTF_8).length;
      command.append('$').append(length).append("\r\n").append(word).append("\r\n");
    }
    socket.getOutputStream().write(command.toString().getBytes(StandardCharsets.UTF_8));
  }

  private static String line(DataInputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    while (line.length() < MAX_REPLY) {
      int c = in.readUnsignedByte();
      if (c == '\n') {
        break;
      }
      if (c != '\r') {
        line.append((char) c);
      }
    }
    return line.toString();
  }
}
