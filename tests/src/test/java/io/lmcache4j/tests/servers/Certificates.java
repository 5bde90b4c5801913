/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.servers;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * An authority and what it certifies, made anew by the JDK's {@code keytool} for each run: no
 * private key is ever kept.
 */
public final class Certificates {

  /** Of a store that is as short-lived and as private as the keys beside it. */
  private static final String STORE_PASSWORD = "not-a-secret";

  private static final String AUTHORITY = "authority";
  private static final String HOST = "127.0.0.1";

  /**
   * Files, PEM.
   *
   * @param certificate the certificate
   * @param key its private key
   */
  public record Pair(Path certificate, Path key) {}

  private static final class OfThisRun {

    private static final Certificates INSTANCE = new Certificates();
  }

  private final Path dir;
  private final Path store;
  private final Path authority;
  private final Pair server;
  private final SSLContext trusting;

  /** An authority of its own, whom nobody trusts who has not been told to. */
  public Certificates() {
    try {
      dir = Files.createTempDirectory("lmcache4j-certificates-");
      Runtime.getRuntime().addShutdownHook(new Thread(this::delete, "lmcache4j-certificates"));
      store = dir.resolve("store.p12");
      keytool(AUTHORITY, "-ext", "bc:critical=ca:true", "-ext", "ku:critical=keyCertSign");
      authority = pem(AUTHORITY, "CERTIFICATE", load().getCertificate(AUTHORITY).getEncoded());
      server = issue("server", "ip:" + HOST + ",dns:localhost");
      trusting = trusting();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The ones that the servers of this JVM have. */
  public static Certificates ofThisRun() {
    return OfThisRun.INSTANCE;
  }

  /** The authority's certificate, for {@code ssl_ca_certs}. */
  public Path authority() {
    return authority;
  }

  /** For 127.0.0.1 and localhost. */
  public Pair server() {
    return server;
  }

  /** The arguments of {@code redis-server} that make it speak TLS on a port. */
  public List<String> arguments(int port, Pair pair) {
    return List.of(
        "--tls-port",
        Integer.toString(port),
        "--tls-cert-file",
        pair.certificate().toString(),
        "--tls-key-file",
        pair.key().toString(),
        "--tls-ca-cert-file",
        authority.toString(),
        "--tls-auth-clients",
        "no");
  }

  /**
   * Certifies.
   *
   * @param name of the files
   * @param alternativeNames as keytool's {@code san} has them
   */
  public Pair issue(String name, String alternativeNames) {
    try {
      keytool(name, "-signer", AUTHORITY, "-ext", "san=" + alternativeNames);
      KeyStore keys = load();
      return new Pair(
          pem(name, "CERTIFICATE", keys.getCertificate(name).getEncoded()),
          pem(
              name + "-key",
              "PRIVATE KEY",
              keys.getKey(name, STORE_PASSWORD.toCharArray()).getEncoded()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  Socket connect(int port) throws IOException {
    SSLSocket socket =
        (SSLSocket)
            trusting.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    socket.setSSLParameters(parameters);
    socket.startHandshake();
    return socket;
  }

  private SSLContext trusting() throws IOException, GeneralSecurityException {
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    trusted.setCertificateEntry(AUTHORITY, load().getCertificate(AUTHORITY));
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, factory.getTrustManagers(), null);
    return context;
  }

  private void keytool(String alias, String... more) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(
        List.of(
            "-genkeypair", "-alias", alias, "-dname", "CN=" + alias + " of " + dir.getFileName()));
    command.addAll(List.of("-keyalg", "EC", "-groupname", "secp256r1", "-validity", "2"));
    command.addAll(List.of("-storetype", "PKCS12", "-keystore", store.toString()));
    command.addAll(List.of("-storepass", STORE_PASSWORD));
    command.addAll(List.of(more));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (process.waitFor() != 0) {
        throw new IllegalStateException("keytool failed: " + said);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  private KeyStore load() throws IOException, GeneralSecurityException {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, STORE_PASSWORD.toCharArray());
    }
    return keys;
  }

  private Path pem(String name, String what, byte[] der) throws IOException {
    String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    return Files.writeString(
        dir.resolve(name + ".pem"),
        "-----BEGIN " + what + "-----\n" + base64 + "\n-----END " + what + "-----\n");
  }

  private void delete() {
    try (Stream<Path> files = Files.walk(dir)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      // The JVM exits, and the directory is nobody else's to read.
      return;
    }
  }
}
