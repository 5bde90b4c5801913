/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LibraryFinderTest {

  @TempDir Path root;

  private Path touch(String path) throws IOException {
    Path file = root.resolve(path.substring(1));
    Files.createDirectories(file.getParent());
    return Files.writeString(file, "");
  }

  private List<Path> find(Dialect dialect, Map<String, String> environment) {
    return new LibraryFinder(root, environment).find(dialect);
  }

  private List<Path> find() {
    return find(Dialect.HIP, Map.of());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/opt/rocm/lib/libamdhip64.so",
        "/opt/rocm-6.4.3/lib/libamdhip64.so.6",
        "/opt/rocm/core-10.0/lib/libamdhip64.so.7",
        "/usr/lib/x86_64-linux-gnu/libamdhip64.so.5",
        "/usr/lib64/libamdhip64.so.7",
        "/opt/venv/lib/python3.12/site-packages/_rocm_sdk_core/lib/libamdhip64.so.7",
        "/usr/local/lib/python3.12/dist-packages/torch/lib/libamdhip64.so",
      })
  void theUsualPlacesAreLookedAt(String place) throws IOException {
    Path file = touch(place);
    assertThat(find()).containsExactly(file);
  }

  @Test
  void whatVariablesNameComesBeforeTheUsualPlaces() throws IOException {
    Path usual = touch("/opt/rocm/lib/libamdhip64.so.6");
    Path hip = touch("/a/lib/libamdhip64.so.5");
    Path rocm = touch("/b/lib/libamdhip64.so.6");
    Path linker = touch("/c/libamdhip64.so.6");
    Map<String, String> environment =
        Map.of("HIP_PATH", "/a", "ROCM_PATH", "/b", "LD_LIBRARY_PATH", ":/c:", "ROCM_HOME", "");
    assertThat(find(Dialect.HIP, environment)).containsExactly(hip, rocm, usual, linker);
  }

  @Test
  void pythonsEnvironmentIsLookedAt() throws IOException {
    Path wheel =
        touch("/home/me/v/lib/python3.11/site-packages/_rocm_sdk_core/lib/libamdhip64.so.7");
    assertThat(find(Dialect.HIP, Map.of("VIRTUAL_ENV", "/home/me/v"))).containsExactly(wheel);
  }

  @Test
  void theHighestVersionOfADirectoryIsTaken() throws IOException {
    touch("/opt/rocm/lib/libamdhip64.so.6");
    Path newest = touch("/opt/rocm/lib/libamdhip64.so.10");
    touch("/opt/rocm/lib/libamdhip64.so.7");
    touch("/opt/rocm/lib/libamdhip64.so.7.1.70101");
    touch("/opt/rocm/lib/libamdhip64.so.txt");
    assertThat(find()).containsExactly(newest);
  }

  @Test
  void theNewestInstallationComesFirst() throws IOException {
    Path older = touch("/opt/rocm-6.9.0/lib/libamdhip64.so");
    Path newer = touch("/opt/rocm-6.10.0/lib/libamdhip64.so");
    assertThat(find()).containsExactly(newer, older);
  }

  @Test
  void oneFileUnderTwoNamesIsOneLibrary() throws IOException {
    Path file = touch("/opt/rocm-6.4.0/lib/libamdhip64.so.6");
    Files.createSymbolicLink(root.resolve("opt/rocm"), root.resolve("opt/rocm-6.4.0"));
    assertThat(find()).hasSize(1);
    assertThat(find().get(0)).isEqualTo(root.resolve("opt/rocm/lib/libamdhip64.so.6"));
    assertThat(file).exists();
  }

  @Test
  void theLinkersConfigurationIsRead() throws IOException {
    Path file = touch("/somewhere/lib/libamdhip64.so.6");
    Path conf = touch("/etc/ld.so.conf.d/rocm.conf");
    Files.writeString(conf, "# ROCm\n/somewhere/lib\n");
    Files.write(touch("/etc/ld.so.conf.d/broken.conf"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
    assertThat(find()).containsExactly(file);
  }

  @Test
  void cudasLibraryIsFoundByItsOwnNames() throws IOException {
    touch("/opt/rocm/lib/libamdhip64.so");
    Path cuda = touch("/usr/local/cuda/lib64/libcudart.so.12");
    Path wheel = touch("/usr/lib/python3.12/site-packages/nvidia/cu13/lib/libcudart.so.13");
    assertThat(find(Dialect.CUDA, Map.of())).containsExactly(cuda, wheel);
  }

  @Test
  void directoriesAndDanglingLinksAreNoLibraries() throws IOException {
    Files.createDirectories(root.resolve("opt/rocm/lib/libamdhip64.so"));
    Files.createDirectories(root.resolve("usr/lib"));
    Files.createSymbolicLink(root.resolve("usr/lib/libamdhip64.so.6"), root.resolve("nowhere"));
    assertThat(find()).isEmpty();
  }
}
