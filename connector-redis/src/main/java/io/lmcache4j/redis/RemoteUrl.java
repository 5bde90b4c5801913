/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where Redis is and how a chunk lies in it, as LMCache's {@code remote_url} says it.
 *
 * <pre>
 *   url   = ( "redis" | "rediss" )               "://" [ auth ] host [ ":" port ] [ "/" database ] [ query ]
 *         | "unix"                               "://" [ auth ] path [ query ]
 *         | ( "redis-cluster" | "redis-sentinel"
 *           | "resp" | "valkey" )                "://" [ auth ] host [ ":" port ] *( "," host [ ":" port ] ) [ query ]
 *   auth  = [ user ] [ ":" password ] "@"        percent-encoded
 *   host  = name | IPv4 address | "[" IPv6 address "]"
 *   query = "?" name "=" value *( "&amp;" name "=" value )
 * </pre>
 *
 * <p>Schemes are lower case, as LMCache matches them. Port 6379 (26379 for Sentinel) and database 0
 * unless given.
 *
 * <h2>Query parameters</h2>
 *
 * <p>They are spelt as in redis-py. Those below are honoured; any other is refused by name, because
 * ignoring one silently would be worse.
 *
 * <table>
 *   <caption>Parameters</caption>
 *   <tr><td>{@code db}</td><td>database; wins over the path, as in redis-py</td></tr>
 *   <tr><td>{@code socket_timeout}</td><td>seconds for one operation</td></tr>
 *   <tr><td>{@code socket_connect_timeout}</td><td>seconds to connect</td></tr>
 *   <tr><td>{@code protocol}</td><td>2 or 3</td></tr>
 *   <tr><td>{@code client_name}</td><td>name in {@code CLIENT LIST}</td></tr>
 *   <tr><td>{@code ssl}</td><td>true for TLS where the scheme does not say (cluster, Sentinel, resp, valkey)</td></tr>
 *   <tr><td>{@code ssl_cert_reqs}</td><td>{@code required} (default) or {@code none}</td></tr>
 *   <tr><td>{@code ssl_check_hostname}</td><td>whether the certificate must name the host; default true</td></tr>
 *   <tr><td>{@code ssl_ca_certs}</td><td>PEM file of the authorities to trust instead of the JDK's</td></tr>
 *   <tr><td>{@code ssl_certfile}, {@code ssl_keyfile}</td><td>PEM files of the client's certificate and key</td></tr>
 *   <tr><td>{@code service_name}</td><td>Sentinel: name of the master; else $REDIS_SERVICE_NAME, else redismaster</td></tr>
 *   <tr><td>{@code layout}</td><td>valkey: {@code pair} for the two keys of LMCache 0.4.2 and older</td></tr>
 *   <tr><td>{@code cluster}</td><td>valkey: true for a cluster; so it is where several hosts are named</td></tr>
 * </table>
 *
 * <p>Sources: {@code redis/connection.py} of redis-py, {@code from_url}; LMCache 0.5.6, {@code
 * lmcache/v1/storage_backend/connector/}. {@link #toString()} never shows a credential.
 */
public final class RemoteUrl {

  /** Redis' own default port. */
  public static final int DEFAULT_PORT = 6379;

  /** Sentinel's own default port. */
  public static final int DEFAULT_SENTINEL_PORT = 26379;

  /** What the command line falls back to. */
  public static final String DEFAULT = "redis://localhost:" + DEFAULT_PORT;

  /** LMCache's default for the name of the master that Sentinel watches. */
  public static final String DEFAULT_SERVICE_NAME = "redismaster";

  /** The kinds of URL. */
  public enum Scheme {
    /** TCP, two keys a chunk. */
    REDIS("redis"),
    /** TCP under TLS, two keys a chunk. */
    REDISS("rediss"),
    /** A unix domain socket, two keys a chunk. */
    UNIX("unix"),
    /** A Redis cluster, two keys a chunk. */
    REDIS_CLUSTER("redis-cluster"),
    /** A master found through Sentinel, two keys a chunk. */
    REDIS_SENTINEL("redis-sentinel"),
    /** TCP, one key a chunk, of LMCache's C++ client. */
    RESP("resp"),
    /** Valkey, one key a chunk (two in LMCache 0.4.2 and older). */
    VALKEY("valkey");

    private final String text;

    Scheme(String text) {
      this.text = text;
    }

    boolean hasManyHosts() {
      return this == REDIS_CLUSTER || this == REDIS_SENTINEL || this == VALKEY;
    }
  }

  /**
   * A server.
   *
   * @param host name or address, without brackets
   * @param port TCP port
   */
  public record Node(String host, int port) {

    @Override
    public String toString() {
      return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
    }
  }

  /**
   * How TLS is spoken.
   *
   * @param verifyCertificate whether the server's certificate must be trusted
   * @param verifyHost whether it must name the host
   * @param caCerts PEM file of authorities, or null for the JDK's
   * @param certFile PEM file of the client's certificate, or null
   * @param keyFile PEM file of the client's key, or null
   */
  public record Tls(
      boolean verifyCertificate,
      boolean verifyHost,
      @Nullable String caCerts,
      @Nullable String certFile,
      @Nullable String keyFile) {}

  private static final Pattern SCHEME = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*://");
  private static final Pattern SYNTAX =
      Pattern.compile("([A-Za-z][A-Za-z0-9+.-]*)://(?:([^/?#]*)@)?+([^?#]*)(?:\\?([^#]*))?");
  private static final Pattern HOST_PORT =
      Pattern.compile("(\\[[0-9A-Fa-f:.]+]|[^:\\[\\]/]*)(?::(\\d{1,5}))?");

  /**
   * A parameter of a query, which begins with its question mark, whose value is to be hidden: every
   * one's but the database's number. No place is read twice.
   */
  private static final Pattern QUERY_VALUE =
      Pattern.compile("((?:^\\?|&)(?!db=\\d*+(?:&|$))[^=&]*+)=[^&]*+");

  /** A colon behind a name without brackets, and what follows if that is no port. */
  private static final Pattern NO_PORT =
      Pattern.compile("^([^:/?\\[]*):(?!\\d{1,6}(?:[/?,]|$))[^/?]*");

  private final Scheme scheme;
  private final List<Node> nodes;
  private final String path;
  private final int database;
  private final @Nullable String user;
  private final char @Nullable [] password;
  private final @Nullable Tls tls;
  private final Query query;

  private RemoteUrl(
      Scheme scheme,
      List<Node> nodes,
      String path,
      int database,
      @Nullable String user,
      char @Nullable [] password,
      Query query) {
    this.scheme = scheme;
    this.nodes = List.copyOf(nodes);
    this.path = path;
    this.database = database;
    this.user = user;
    this.password = password;
    this.tls = query.tls;
    this.query = query;
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
    return parse(url, System.getenv());
  }

  /**
   * Parses a URL in another environment: LMCache reads {@code REDIS_SERVICE_NAME} and {@code
   * REDIS_TIMEOUT} (seconds) for Sentinel.
   *
   * @param url the text
   * @param environment variables
   * @return the URL
   * @throws RemoteUrlException if it is malformed, of a scheme that is not supported, or asks for
   *     what is not
   */
  public static RemoteUrl parse(String url, Map<String, String> environment) {
    Matcher m = SYNTAX.matcher(Objects.requireNonNull(url, "url"));
    String masked = mask(url);
    if (!m.matches()) {
      throw new RemoteUrlException(
          "not a remote URL: \"" + masked + "\" (expected e.g. redis://localhost:6379)");
    }
    Scheme scheme = scheme(m.group(1), masked);
    boolean inPath = scheme != Scheme.UNIX && m.group(3).indexOf('@') >= 0;
    if (inPath || (m.group(4) != null && m.group(4).indexOf('@') >= 0)) {
      // Said before any part is looked at: all of them may be pieces of a password.
      throw new RemoteUrlException(
          "an \"@\" behind a \"/\" or \"?\" has to be percent-encoded, and in a password all three: "
              + masked);
    }
    Query query = new Query(scheme, m.group(4), environment, masked);
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
      return new RemoteUrl(
          scheme, List.of(), path, Math.max(0, query.database), user, password, query);
    }
    String hosts = m.group(3);
    String rest = "";
    int slash = hosts.indexOf('/');
    if (slash >= 0) {
      rest = hosts.substring(slash + 1);
      hosts = hosts.substring(0, slash);
    }
    List<Node> nodes = nodes(scheme, hosts, masked);
    int database = query.database;
    if (database < 0) {
      // LMCache ignores the path of a Sentinel URL, and a cluster has one database.
      boolean named = scheme != Scheme.REDIS_SENTINEL;
      database = rest.isEmpty() || !named ? 0 : number("database", rest, masked);
    }
    if (database > 0 && scheme == Scheme.REDIS_CLUSTER) {
      throw new RemoteUrlException("a cluster has database 0 only: " + masked);
    }
    return new RemoteUrl(scheme, nodes, "", database, user, password, query);
  }

  private static List<Node> nodes(Scheme scheme, String hosts, String masked) {
    List<Node> nodes = new ArrayList<>();
    for (String host : hosts.split(",", -1)) {
      Matcher hp = HOST_PORT.matcher(host);
      if (!hp.matches()) {
        throw new RemoteUrlException("cannot tell host and port of " + masked);
      }
      String name = hp.group(1).isEmpty() ? "localhost" : hp.group(1).replaceAll("[\\[\\]]", "");
      int port = scheme == Scheme.REDIS_SENTINEL ? DEFAULT_SENTINEL_PORT : DEFAULT_PORT;
      port = hp.group(2) == null ? port : Integer.parseInt(hp.group(2));
      if (port < 1 || port > 65535) {
        throw new RemoteUrlException("port " + port + " is not within 1 to 65535: " + masked);
      }
      nodes.add(new Node(name, port));
    }
    if (nodes.size() > 1 && !scheme.hasManyHosts()) {
      throw new RemoteUrlException(
          "the scheme \"" + scheme.text + "\" takes one host, not " + nodes.size() + ": " + masked);
    }
    return nodes;
  }

  private static Scheme scheme(String text, String masked) {
    StringBuilder known = new StringBuilder();
    for (Scheme scheme : Scheme.values()) {
      if (scheme.text.equals(text)) {
        return scheme;
      }
      known.append(known.length() == 0 ? "" : ", ").append(scheme.text);
    }
    throw new RemoteUrlException(
        "the scheme \"" + text + "\" is not supported (supported: " + known + "): " + masked);
  }

  private static int number(String what, String text, String masked) {
    try {
      int number = Integer.parseInt(text);
      if (number >= 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new RemoteUrlException("\"" + text + "\" is no " + what + " number: " + masked);
  }

  private static String decode(String text, String masked) {
    try {
      // A plus is a plus here: this is not a form.
      return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw new RemoteUrlException("a percent sign begins no escape in " + masked);
    }
  }

  /**
   * The text with whatever could be a credential left out, whether or not it is a URL: what stands
   * before the last {@code @}, the values of a query, and what follows a colon that no port does.
   */
  private static String mask(String url) {
    Matcher found = SCHEME.matcher(url);
    String scheme = found.lookingAt() ? found.group() : "";
    String rest = url.substring(scheme.length());
    int at = rest.lastIndexOf('@');
    if (at >= 0) {
      rest = "***" + rest.substring(at);
    }
    int question = rest.indexOf('?');
    if (question >= 0) {
      rest =
          rest.substring(0, question)
              + QUERY_VALUE.matcher(rest.substring(question)).replaceAll("$1=***");
    }
    return scheme + NO_PORT.matcher(rest).replaceFirst("$1:***");
  }

  /** What stands behind the question mark. */
  private static final class Query {

    private int database = -1;
    private @Nullable Duration timeout;
    private @Nullable Duration connectTimeout;
    private int protocol = 3;
    private @Nullable String clientName;
    private @Nullable String serviceName;
    private boolean pairLayout;
    private boolean cluster;
    private final @Nullable Tls tls;

    private boolean ssl;
    private boolean verifyCertificate = true;
    private boolean verifyHost = true;
    private @Nullable String caCerts;
    private @Nullable String certFile;
    private @Nullable String keyFile;
    private @Nullable String sslParameter;

    Query(Scheme scheme, @Nullable String text, Map<String, String> environment, String masked) {
      if (scheme == Scheme.REDIS_SENTINEL) {
        serviceName = environment.getOrDefault("REDIS_SERVICE_NAME", DEFAULT_SERVICE_NAME);
        String seconds = environment.get("REDIS_TIMEOUT");
        if (seconds != null) {
          timeout = seconds("REDIS_TIMEOUT", seconds, masked);
        }
      }
      ssl = scheme == Scheme.REDISS;
      if (text != null && !text.isEmpty()) {
        for (String parameter : text.split("&", -1)) {
          int eq = parameter.indexOf('=');
          String name = eq < 0 ? parameter : parameter.substring(0, eq);
          read(scheme, name, decode(parameter.substring(eq + 1), masked), masked);
        }
      }
      if (sslParameter != null && !ssl) {
        throw new RemoteUrlException(
            "the query parameter \""
                + sslParameter
                + "\" needs TLS (rediss, or ssl=true): "
                + masked);
      }
      if ((certFile == null) != (keyFile == null)) {
        throw new RemoteUrlException("ssl_certfile and ssl_keyfile go together: " + masked);
      }
      tls = ssl ? new Tls(verifyCertificate, verifyHost, caCerts, certFile, keyFile) : null;
    }

    private void read(Scheme scheme, String name, String value, String masked) {
      switch (name) {
        case "db" -> database = number("database", value, masked);
        case "socket_timeout" -> timeout = seconds(name, value, masked);
        case "socket_connect_timeout" -> connectTimeout = seconds(name, value, masked);
        case "protocol" -> {
          protocol = number("protocol", value, masked);
          if (protocol != 2 && protocol != 3) {
            throw new RemoteUrlException("protocol " + protocol + " is neither 2 nor 3: " + masked);
          }
        }
        case "client_name" -> clientName = value;
        case "ssl" -> ssl = truth(name, value, masked);
        case "ssl_cert_reqs" -> {
          sslParameter = name;
          if (!value.equals("required") && !value.equals("none")) {
            throw new RemoteUrlException(
                "ssl_cert_reqs is \"" + value + "\", neither required nor none: " + masked);
          }
          verifyCertificate = value.equals("required");
        }
        case "ssl_check_hostname" -> {
          sslParameter = name;
          verifyHost = truth(name, value, masked);
        }
        case "ssl_ca_certs" -> {
          sslParameter = name;
          caCerts = value;
        }
        case "ssl_certfile" -> {
          sslParameter = name;
          certFile = value;
        }
        case "ssl_keyfile" -> {
          sslParameter = name;
          keyFile = value;
        }
        default -> {
          if (name.equals("service_name") && scheme == Scheme.REDIS_SENTINEL) {
            serviceName = value;
          } else if (name.equals("layout") && scheme == Scheme.VALKEY && value.equals("pair")) {
            pairLayout = true;
          } else if (name.equals("cluster") && scheme == Scheme.VALKEY) {
            cluster = truth(name, value, masked);
          } else {
            throw new RemoteUrlException(
                "the query parameter \""
                    + name
                    + "\" is not supported for "
                    + scheme.text
                    + ": "
                    + masked);
          }
        }
      }
    }

    private static Duration seconds(String name, String value, String masked) {
      try {
        double seconds = Double.parseDouble(value);
        long millis = Math.round(seconds * 1000);
        if (millis > 0 && millis <= Integer.MAX_VALUE) {
          return Duration.ofMillis(millis);
        }
      } catch (NumberFormatException e) {
        // Said below.
      }
      throw new RemoteUrlException(
          name
              + " is \""
              + value
              + "\", not a number of seconds between 0.001 and 2147483: "
              + masked);
    }

    /**
     * What redis-py takes for false, {@code FALSE_STRINGS} of its {@code connection.py}, and its
     * opposite.
     */
    private static boolean truth(String name, String value, String masked) {
      return switch (value.toUpperCase(Locale.ROOT)) {
        case "0", "F", "FALSE", "N", "NO" -> false;
        case "1", "T", "TRUE", "Y", "YES" -> true;
        default ->
            throw new RemoteUrlException(
                name + " is \"" + value + "\", neither true nor false: " + masked);
      };
    }
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
   * The servers named.
   *
   * @return one or more; none for a unix socket
   */
  public List<Node> nodes() {
    return nodes;
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

  /**
   * How TLS is spoken.
   *
   * @return the settings, or null without TLS
   */
  public @Nullable Tls tls() {
    return tls;
  }

  /**
   * Time for one operation, if the URL says it.
   *
   * @return the time, or null
   */
  public @Nullable Duration timeout() {
    return query.timeout;
  }

  /**
   * Time to connect, if the URL says it.
   *
   * @return the time, or null
   */
  public @Nullable Duration connectTimeout() {
    return query.connectTimeout;
  }

  /**
   * Version of the protocol to speak.
   *
   * @return 2 or 3
   */
  public int protocol() {
    return query.protocol;
  }

  /**
   * Name of the connections, if the URL says it.
   *
   * @return the name, or null
   */
  public @Nullable String clientName() {
    return query.clientName;
  }

  /**
   * The master that Sentinel watches.
   *
   * @return the name; {@link #DEFAULT_SERVICE_NAME} if nothing says otherwise
   */
  public String serviceName() {
    String name = query.serviceName;
    return name == null ? DEFAULT_SERVICE_NAME : name;
  }

  /**
   * Whether a {@code valkey://} URL asks for the two keys of LMCache 0.4.2 and older.
   *
   * @return true for {@code layout=pair}
   */
  public boolean isValkeyPair() {
    return query.pairLayout;
  }

  /**
   * Whether a {@code valkey://} URL names a cluster.
   *
   * @return true for {@code cluster=true}, and where several hosts are named
   */
  public boolean isValkeyCluster() {
    return scheme == Scheme.VALKEY && (query.cluster || nodes.size() > 1);
  }

  char @Nullable [] password() {
    return password == null ? null : password.clone();
  }

  @Override
  public boolean equals(@Nullable Object o) {
    return o instanceof RemoteUrl other
        && toString().equals(other.toString())
        && Objects.equals(user, other.user)
        && Arrays.equals(password, other.password);
  }

  @Override
  public int hashCode() {
    return Objects.hash(scheme, nodes, path, database, user);
  }

  /**
   * The URL with {@code ***} in the place of credentials, without what the query says but the
   * database.
   */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(scheme.text).append("://");
    if (user != null || password != null) {
      text.append("***@");
    }
    for (int i = 0; i < nodes.size(); i++) {
      text.append(i == 0 ? "" : ",").append(nodes.get(i));
    }
    text.append(path);
    if (database > 0) {
      text.append(scheme == Scheme.UNIX ? "?db=" : "/").append(database);
    }
    return text.toString();
  }
}
