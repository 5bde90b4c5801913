/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where Redis is, as LMCache's {@code remote_url} says it.
 *
 * <pre>
 *   url   = "redis://" [ auth ] host [ ":" port ] [ "/" database ] [ query ]
 *         | "unix://"  [ auth ] path [ query ]
 *   auth  = [ user ] [ ":" password ] "@"        percent-encoded
 *   host  = name | IPv4 address | "[" IPv6 address "]"
 *   query = "?" name "=" value *( "&amp;" name "=" value )
 * </pre>
 *
 * <p>Port 6379 and database 0 unless given. Of redis-py's query parameters {@code db} is honoured
 * (and wins over the path, as in redis-py); others are refused by name, because ignoring one
 * silently would be worse. Schemes are lower case, as LMCache matches them. Source: {@code
 * redis/_parsers/url_parser.py} and {@code redis/connection.py} of redis-py, {@code from_url}.
 *
 * <p>{@link #toString()} never shows a credential.
 */
public final class RemoteUrl {

  /** Redis' own default port. */
  public static final int DEFAULT_PORT = 6379;

  /** What the command line falls back to. */
  public static final String DEFAULT = "redis://localhost:" + DEFAULT_PORT;

  /** The kinds of URL. */
  public enum Scheme {
    /** TCP. */
    REDIS("redis"),
    /** A unix domain socket. */
    UNIX("unix");

    private final String text;

    Scheme(String text) {
      this.text = text;
    }
  }

  private static final Pattern SCHEME = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*://");
  private static final Pattern SYNTAX =
      Pattern.compile("([A-Za-z][A-Za-z0-9+.-]*)://(?:([^/?#]*)@)?+([^?#]*)(?:\\?([^#]*))?");
  private static final Pattern HOST_PORT =
      Pattern.compile("(\\[[0-9A-Fa-f:.]+]|[^:\\[\\]/]*)(?::(\\d{1,5}))?(?:/(.*))?");

  private final Scheme scheme;
  private final String host;
  private final int port;
  private final String path;
  private final int database;
  private final @Nullable String user;
  private final char @Nullable [] password;

  private RemoteUrl(
      Scheme scheme,
      String host,
      int port,
      String path,
      int database,
      @Nullable String user,
      char @Nullable [] password) {
    this.scheme = scheme;
    this.host = host;
    this.port = port;
    this.path = path;
    this.database = database;
    this.user = user;
    this.password = password;
  }

  /**
   * Parses a URL.
   *
   * @param url the text
   * @return the URL
   * @throws RemoteUrlException if it is malformed, of a scheme that is not supported, or asks for
   *     what is not
   */
  public static RemoteUrl parse(String url) {
    Matcher m = SYNTAX.matcher(Objects.requireNonNull(url, "url"));
    if (!m.matches()) {
      throw new RemoteUrlException(
          "not a remote URL: \"" + mask(url) + "\" (expected e.g. redis://localhost:6379)");
    }
    String masked = mask(url);
    Scheme scheme = scheme(m.group(1), masked);
    int database = -1;
    String query = m.group(4);
    if (query != null && !query.isEmpty()) {
      for (String parameter : query.split("&", -1)) {
        int eq = parameter.indexOf('=');
        String name = eq < 0 ? parameter : parameter.substring(0, eq);
        if (!name.equals("db")) {
          throw new RemoteUrlException(
              "the query parameter \""
                  + shown(name, masked)
                  + "\" is not supported (supported: db): "
                  + masked);
        }
        database = database(parameter.substring(eq + 1), masked);
      }
    }
    String user = null;
    char[] password = null;
    String auth = m.group(2);
    if (auth != null) {
      int colon = auth.indexOf(':');
      String name = decode(colon < 0 ? auth : auth.substring(0, colon), masked);
      user = name.isEmpty() ? null : name;
      password = colon < 0 ? null : decode(auth.substring(colon + 1), masked).toCharArray();
    }
    if (scheme == Scheme.UNIX) {
      String path = decode(m.group(3), masked);
      if (!path.startsWith("/")) {
        throw new RemoteUrlException("a unix socket needs an absolute path: " + masked);
      }
      return new RemoteUrl(scheme, "", 0, path, Math.max(0, database), user, password);
    }
    Matcher hp = HOST_PORT.matcher(m.group(3));
    if (!hp.matches()) {
      throw new RemoteUrlException("cannot tell host and port of " + masked);
    }
    String host = hp.group(1).isEmpty() ? "localhost" : hp.group(1).replaceAll("[\\[\\]]", "");
    int port = hp.group(2) == null ? DEFAULT_PORT : Integer.parseInt(hp.group(2));
    if (port < 1 || port > 65535) {
      throw new RemoteUrlException(
          "port " + shown(hp.group(2), masked) + " is not within 1 to 65535: " + masked);
    }
    String path = hp.group(3);
    if (database < 0) {
      database = path == null || path.isEmpty() ? 0 : database(path, masked);
    }
    return new RemoteUrl(scheme, host, port, "", database, user, password);
  }

  private static Scheme scheme(String text, String masked) {
    for (Scheme scheme : Scheme.values()) {
      if (scheme.text.equals(text)) {
        return scheme;
      }
    }
    throw new RemoteUrlException(
        "the scheme \"" + text + "\" is not supported (supported: redis, unix): " + masked);
  }

  private static int database(String text, String masked) {
    try {
      int database = Integer.parseInt(text);
      if (database >= 0) {
        return database;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new RemoteUrlException(
        "\"" + shown(text, masked) + "\" is no database number: " + masked);
  }

  private static String decode(String text, String masked) {
    try {
      // A plus is a plus here: this is not a form.
      return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw new RemoteUrlException("a percent sign begins no escape in " + masked);
    }
  }

  /** The text with whatever could be a credential left out, whether or not it is a URL. */
  private static String mask(String url) {
    int at = url.lastIndexOf('@');
    if (at < 0) {
      return url;
    }
    Matcher scheme = SCHEME.matcher(url);
    return (scheme.lookingAt() ? scheme.group() : "") + "***" + url.substring(at);
  }

  /**
   * A part of a URL for a message. A password with an unescaped {@code ?} or {@code /} reaches into
   * what is parsed as the query or the path, so a part is shown only where the masked URL has it.
   */
  private static String shown(String part, String masked) {
    return masked.contains(part) ? part : "***";
  }

  /**
   * The kind of URL.
   *
   * @return the scheme
   */
  public Scheme scheme() {
    return scheme;
  }

  /**
   * Host name or address, without brackets.
   *
   * @return the host; empty for a unix socket
   */
  public String host() {
    return host;
  }

  /**
   * TCP port.
   *
   * @return the port; 0 for a unix socket
   */
  public int port() {
    return port;
  }

  /**
   * Path of the unix socket.
   *
   * @return the path; empty for TCP
   */
  public String path() {
    return path;
  }

  /**
   * Number of the database to select.
   *
   * @return the number, 0 or more
   */
  public int database() {
    return database;
  }

  /**
   * ACL user.
   *
   * @return the user, or null for the default one
   */
  public @Nullable String user() {
    return user;
  }

  char @Nullable [] password() {
    return password == null ? null : password.clone();
  }

  @Override
  public boolean equals(@Nullable Object o) {
    return o instanceof RemoteUrl other
        && scheme == other.scheme
        && host.equals(other.host)
        && port == other.port
        && path.equals(other.path)
        && database == other.database
        && Objects.equals(user, other.user)
        && Arrays.equals(password, other.password);
  }

  @Override
  public int hashCode() {
    return Objects.hash(scheme, host, port, path, database, user);
  }

  /** The URL with {@code ***} in the place of credentials. */
  @Override
  public String toString() {
    String auth = user == null && password == null ? "" : "***@";
    if (scheme == Scheme.UNIX) {
      return "unix://" + auth + path + (database == 0 ? "" : "?db=" + database);
    }
    String bracketed = host.indexOf(':') < 0 ? host : "[" + host + "]";
    return "redis://" + auth + bracketed + ":" + port + (database == 0 ? "" : "/" + database);
  }
}
