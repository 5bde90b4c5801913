/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.rocm.fake;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.rocm.HipRuntime;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@link HipRuntime#probe} says of each kind of machine, each in a JVM of its own. */
@FakeGpu
class HipRuntimeProbeTest {

  private static final int WARNS_OF_NATIVE_ACCESS_SINCE = 24;

  @TempDir Path dir;

  @ParameterizedTest
  @CsvSource({"5,5.2.21153", "6,6.4.43484", "7,7.0.51831"})
  void each_version_is_available_with_its_devices(int major, String version) throws Exception {
    Answer answer = probe(Map.of("FAKEHIP_DEVICES", "2"), library(major));

    assertThat(answer.fields)
        .containsExactly(
            "status=available",
            "api=hip",
            "version=" + version,
            "library=" + NativeBuild.library(major),
            "devices=[{index=0, name=Fake Instinct 0, pciBusId=0000:03:00.0},"
                + " {index=1, name=Fake Instinct 1, pciBusId=0000:23:00.0}]");
  }

  @ParameterizedTest
  @CsvSource({"5,5.2.21153", "6,6.4.43484", "7,7.0.51831"})
  void a_library_without_a_device_is_unusable(int major, String version) throws Exception {
    Answer answer = probe(Map.of("FAKEHIP_DEVICES", "0"), library(major));

    assertThat(answer.fields)
        .containsExactly(
            "status=unusable",
            "reason=100 (hipErrorNoDevice)",
            "api=hip",
            "version=" + version,
            "library=" + NativeBuild.library(major));
  }

  @ParameterizedTest
  @CsvSource({"3,hipErrorNotInitialized", "35,hipErrorInsufficientDriver", "999,hipErrorUnknown"})
  void a_runtime_that_does_not_start_is_unusable_with_its_code(int code, String name)
      throws Exception {
    Answer answer = probe(Map.of("FAKEHIP_INIT_ERROR", Integer.toString(code)), library(6));

    assertThat(answer.fields)
        .contains("status=unusable", "reason=" + code + " (" + name + ")", "version=6.4.43484");
  }

  @Test
  void a_version_below_5_is_refused() throws Exception {
    Answer answer = probe(Map.of("FAKEHIP_VERSION", "40500000"), library(6));

    assertThat(answer.fields)
        .containsExactly(
            "status=absent",
            "reason=" + NativeBuild.library(6) + " is version 4.5.0, which is too old");
  }

  @ParameterizedTest
  @CsvSource({"HIP_PATH", "ROCM_PATH", "ROCM_HOME"})
  void an_installation_is_found_by_its_variable_and_the_newest_soname_wins(String variable)
      throws Exception {
    Path lib = Files.createDirectories(dir.resolve("lib"));
    for (int major : List.of(5, 6, 7)) {
      Path library = NativeBuild.library(major);
      Files.copy(library, lib.resolve(library.getFileName()));
    }

    Answer answer = probe(Map.of(variable, dir.toString()), List.of());

    assertThat(answer.fields)
        .contains("status=available", "library=" + lib.resolve("libamdhip64.so.7"));
  }

  @Test
  void a_library_that_lacks_a_symbol_is_named_with_it() throws Exception {
    Path source = Files.writeString(dir.resolve("half.c"), "int hipSetDevice(int d) { return d; }");
    Path half = dir.resolve("libamdhip64.so.6");
    NativeBuild.run(List.of("cc", "-shared", "-fPIC", source.toString(), "-o", half.toString()));

    Answer answer = probe(Map.of(), library(half));

    assertThat(answer.fields).first().isEqualTo("status=absent");
    assertThat(answer.fields.get(1))
        .startsWith("reason=" + half + " lacks ")
        .contains("hipHostMalloc", "hipMemcpyAsync")
        .doesNotContain("hipSetDevice");
  }

  @Test
  void a_library_whose_own_libraries_are_missing_is_named_with_them() throws Exception {
    Path empty = Files.writeString(dir.resolve("empty.c"), "int nothing;");
    Path gone = dir.resolve("libgone.so");
    Path broken = dir.resolve("libamdhip64.so.6");
    NativeBuild.run(List.of("cc", "-shared", "-fPIC", empty.toString(), "-o", gone.toString()));
    NativeBuild.run(
        List.of(
            "cc",
            "-shared",
            "-fPIC",
            "-Wl,--no-as-needed",
            empty.toString(),
            "-L" + dir,
            "-lgone",
            "-o",
            broken.toString()));
    Files.delete(gone);

    Answer answer = probe(Map.of(), library(broken));

    assertThat(answer.fields.get(0)).isEqualTo("status=absent");
    assertThat(answer.fields.get(1)).contains(broken.toString(), "libgone.so");
  }

  @Test
  void switched_off_means_that_the_library_is_not_even_loaded() throws Exception {
    List<String> flags = new ArrayList<>(library(6));
    flags.add("-D" + HipRuntime.MODE_PROPERTY + "=off");

    Answer answer = probe(Map.of(), flags);

    assertThat(answer.fields)
        .containsExactly("status=absent", "reason=switched off by lmcache4j.rocm=off");
  }

  private static List<String> library(Path file) {
    return List.of("-D" + HipRuntime.LIBRARY_PROPERTY + "=" + file);
  }

  private static List<String> library(int major) {
    return library(NativeBuild.library(major));
  }

  /** Runs {@link ProbeMain}; it must print nothing but its lines, and nothing to the error side. */
  private Answer probe(Map<String, String> environment, List<String> flags)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    if (Runtime.version().feature() >= WARNS_OF_NATIVE_ACCESS_SINCE) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    command.addAll(flags);
    command.add("-XX:TieredStopAtLevel=1");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(ProbeMain.class.getName());
    Path errors = Files.createTempFile(dir, "stderr", ".txt");
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
    builder.environment().keySet().removeIf(name -> name.startsWith("JAVA_TOOL_OPTIONS"));
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    int status = process.waitFor();
    assertThat(Files.readString(errors)).as("standard error").isEmpty();
    assertThat(status).as("status; it printed %s", output).isZero();
    return new Answer(output.lines().toList());
  }

  private record Answer(List<String> fields) {}
}
