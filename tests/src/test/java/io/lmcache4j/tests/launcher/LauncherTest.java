/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * When the launcher builds, and with which Java it runs: in a repository of its own, whose build
 * notes each run in the file {@code builds} and copies the real jar.
 */
final class LauncherTest {

  private static final String BUILD =
      """
      #!/bin/sh
      echo "$*" >>builds
      [ ! -e fail ] || { echo 'BUILD FAILURE'; exit 1; }
      sleep 1
      mkdir -p cli/target
      cp 'REAL' cli/target/lmcache4j.jar
      """;

  @TempDir private Path temp;
  private Path root;
  private Path jar;
  private Path source;

  @BeforeEach
  void aRepository() throws IOException {
    root = Files.createDirectory(temp.resolve("re po"));
    jar = root.resolve("cli/target/lmcache4j.jar");
    source = root.resolve("cli/src/main/java/Main.java");
    Files.createDirectories(root.resolve(".mvn"));
    Files.createDirectories(source.getParent());
    Files.writeString(source, "class Main {}");
    Files.writeString(root.resolve("pom.xml"), "<project/>");
    Files.writeString(root.resolve("cli/pom.xml"), "<project/>");
    Path real = Launched.ROOT.resolve("cli/target/lmcache4j.jar");
    executable(root.resolve("mvnw"), BUILD.replace("REAL", real.toString()));
    Files.copy(
        Launched.ROOT.resolve("lmcache4j"),
        root.resolve("lmcache4j"),
        StandardCopyOption.COPY_ATTRIBUTES);
    // So that the jar is there to be copied.
    Launched.run("--version").endsWith(0);
  }

  private static Path executable(Path file, String text) throws IOException {
    Files.writeString(file, text);
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private Launched launch(Map<String, String> environment) {
    List<String> command = List.of(root.resolve("lmcache4j").toString(), "--version");
    return Launched.run(temp, environment, command);
  }

  private Launched launch() {
    return launch(Map.of());
  }

  private int builds() throws IOException {
    Path builds = root.resolve("builds");
    return Files.exists(builds) ? Files.readAllLines(builds).size() : 0;
  }

  /** As if it had been saved right after the last build. */
  private static void touch(Path file) throws IOException {
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(1)));
  }

  @Test
  void buildsTheJarOnceAndSaysSoInOneLine() throws IOException {
    Launched first = launch().endsWith(0);
    assertThat(first.err()).hasLineCount(1).contains("building cli/target/lmcache4j.jar");
    assertThat(first.out()).startsWith("lmcache4j ");
    Launched second = launch().endsWith(0);
    assertThat(second.err()).isEmpty();
    assertThat(builds()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"pom.xml", "cli/pom.xml", "cli/src/main/java/Main.java", ".mvn"})
  void buildsAgainWhenASourceIsNewer(String changed) throws IOException {
    launch().endsWith(0);
    touch(root.resolve(changed));
    launch().endsWith(0);
    assertThat(builds()).isEqualTo(2);
  }

  @Test
  void buildsAgainWhenASourceIsGone() throws IOException {
    launch().endsWith(0);
    Files.delete(source);
    launch().endsWith(0);
    assertThat(builds()).isEqualTo(2);
  }

  @Test
  void aSourceThatIsSavedWhileTheBuildRunsIsNotForgotten() throws IOException {
    executable(
        root.resolve("mvnw"),
        Files.readString(root.resolve("mvnw")).replace("sleep 1", "sleep 1; touch cli/pom.xml"));
    launch().endsWith(0);
    launch().endsWith(0);
    assertThat(builds()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void severalAtOnceBuildOnce(boolean withFlock) throws IOException {
    Map<String, String> environment = withFlock ? Map.of() : Map.of("PATH", pathWithoutFlock());
    List<CompletableFuture<Launched>> launches =
        IntStream.range(0, 4)
            .mapToObj(i -> CompletableFuture.supplyAsync(() -> launch(environment)))
            .toList();
    launches.forEach(launch -> launch.join().endsWith(0));
    assertThat(builds()).isEqualTo(1);
    assertThat(root.resolve("target/launcher.held")).doesNotExist();
  }

  @Test
  void aLockWhoseOwnerIsDeadIsTakenOver() throws Exception {
    Process dead = new ProcessBuilder("true").start();
    dead.waitFor();
    Files.createDirectory(root.resolve("target"));
    Files.createSymbolicLink(
        root.resolve("target/launcher.held"), Path.of(Long.toString(dead.pid())));
    launch(Map.of("PATH", pathWithoutFlock())).endsWith(0);
  }

  /** A PATH that has what a macOS has. */
  private String pathWithoutFlock() throws IOException {
    Path bin = Files.createDirectories(temp.resolve("bin"));
    List<String> tools =
        List.of(
            "sh",
            "dirname",
            "sed",
            "head",
            "find",
            "mkdir",
            "ln",
            "readlink",
            "rm",
            "sleep",
            "touch",
            "cp");
    for (String tool : tools) {
      for (String dir : List.of("/bin", "/usr/bin")) {
        Path program = Path.of(dir, tool);
        if (Files.exists(program) && !Files.exists(bin.resolve(tool))) {
          executable(bin.resolve(tool), "#!/bin/sh\nexec " + program + " \"$@\"\n");
        }
      }
    }
    return bin.toString();
  }

  @Test
  void aBuildThatFailsIsAnErrorAndIsTriedAgain() throws IOException {
    Files.createFile(root.resolve("fail"));
    Launched failed = launch().endsWith(3);
    assertThat(failed.bytes()).isEmpty();
    assertThat(failed.err()).contains("BUILD FAILURE").contains("the build failed");
    Files.delete(root.resolve("fail"));
    launch().endsWith(0);
    assertThat(jar).exists();
  }

  @Test
  void worksFromAnywhereAndThroughLinks() throws IOException {
    Path elsewhere = Files.createDirectories(temp.resolve("else where"));
    Files.createSymbolicLink(elsewhere.resolve("first"), root.resolve("lmcache4j"));
    Path second = Files.createSymbolicLink(elsewhere.resolve("second"), Path.of("first"));
    Launched.run(elsewhere, Map.of(), List.of(second.toString(), "--version")).endsWith(0);
    Launched.run(elsewhere, Map.of(), List.of("./second", "--version")).endsWith(0);
    Launched.run(elsewhere, Map.of("CDPATH", temp.toString()), List.of("./second", "--version"))
        .endsWith(0);
  }

  @Test
  void anArgumentWithSpacesStaysOne() {
    Launched run =
        Launched.run(
            temp, Map.of(), List.of(root.resolve("lmcache4j").toString(), "exists", "a * b@1"));
    assertThat(run.endsWith(2).err()).contains("\"a * b@1\"");
  }

  @Test
  void aJavaHomeWithoutJavaIsNamed() {
    Launched run = launch(Map.of("JAVA_HOME", temp.toString())).endsWith(3);
    assertThat(run.err()).hasLineCount(1).contains("JAVA_HOME").contains(temp.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.8.0_402", "11.0.22", "16"})
  void aJavaThatIsTooOldIsNamed(String version) throws IOException {
    Files.createDirectories(temp.resolve("old/bin"));
    executable(
        temp.resolve("old/bin/java"),
        "#!/bin/sh\necho 'Picked up JAVA_TOOL_OPTIONS: -Dx=y' >&2\n"
            + "echo 'openjdk version \""
            + version
            + "\" 2024-01-16' >&2\n");
    Launched run = launch(Map.of("JAVA_HOME", temp.resolve("old").toString())).endsWith(3);
    assertThat(run.err()).hasLineCount(1).contains("Java 17").contains(version);
    assertThat(builds()).isZero();
  }

  @Test
  void withoutJavaItSaysWhatToInstall() throws IOException {
    Launched run = launch(Map.of("JAVA_HOME", "", "PATH", pathWithoutFlock())).endsWith(3);
    assertThat(run.err()).hasLineCount(1).contains("JDK").contains("17");
  }
}
