/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.rocm.HipAvailability.Available;
import io.lmcache4j.rocm.HipAvailability.NoLibrary;
import io.lmcache4j.rocm.HipAvailability.Unusable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HipProbeTest {

  @TempDir Path root;

  private HipAvailability probe(String mode, String given) {
    return new HipProbe(new LibraryFinder(root, Map.of()), mode, given, "Linux").run();
  }

  private static String reason(HipAvailability answer) {
    return ((NoLibrary) answer).reason();
  }

  @Test
  void nothingIsLookedForWhenItIsSwitchedOff() {
    assertThat(reason(probe("off", "/does/not/exist"))).contains("lmcache4j.rocm=off");
  }

  @Test
  void anUnknownModeIsNoReasonToFail() {
    assertThat(reason(probe("of", ""))).contains("lmcache4j.rocm=of is none of");
  }

  @Test
  void aMachineWithoutALibrarySaysSo() {
    assertThat(reason(probe("auto", ""))).contains("libamdhip64.so").contains("libcudart.so");
  }

  @Test
  void otherSystemsAreNotLookedAt() {
    HipProbe probe =
        new HipProbe(new LibraryFinder(root, Map.of()), "auto", "", "Windows Server 2025");
    assertThat(reason(probe.run())).contains("Windows Server 2025");
  }

  @Test
  void aLibraryThatIsNamedAndNotThereIsNotReplacedByAnother() {
    assertThat(reason(probe("auto", "/does/not/exist/libamdhip64.so")))
        .isEqualTo("/does/not/exist/libamdhip64.so cannot be read");
    assertThat(reason(probe("auto", "a\0b"))).contains("is no path");
  }

  @Test
  void aFileThatIsNoLibraryIsAReason() throws IOException {
    Path file = Files.writeString(root.resolve("libamdhip64.so.6"), "no ELF");
    assertThat(reason(probe("auto", file.toString()))).startsWith(file + ": UnsatisfiedLinkError");
  }

  @Test
  void allThatWasTriedIsToldWhenNothingLoads() throws IOException {
    Path one = root.resolve("opt/rocm/lib/libamdhip64.so.6");
    Path two = root.resolve("usr/lib64/libcudart.so.12");
    for (Path file : new Path[] {one, two}) {
      Files.createDirectories(file.getParent());
      Files.writeString(file, "no ELF");
    }
    assertThat(reason(probe("auto", ""))).contains(one.toString()).contains(two.toString());
  }

  @Test
  void aLibraryWithoutTheCallsIsAReasonThatNamesThem() {
    Path libm =
        Path.of("/lib", System.getProperty("os.arch").equals("amd64") ? "x86_64" : "aarch64");
    Path file = Path.of(libm + "-linux-gnu/libm.so.6");
    assertThat(file).exists();
    assertThat(reason(probe("auto", file.toString())))
        .contains("lacks")
        .contains("hipMemcpyAsync")
        .contains("hipEventSynchronize");
  }

  @Test
  void answersDescribeThemselves() throws IOException {
    assertThat(new NoLibrary("why").describe())
        .isEqualTo(Map.of("status", "absent", "reason", "why"));
    assertThat(new Unusable(100, "hipErrorNoDevice", "5.2.21153", "hip", Path.of("/x")).describe())
        .containsEntry("status", "unusable")
        .containsEntry("reason", "100 (hipErrorNoDevice)")
        .containsEntry("version", "5.2.21153");
    assertThat(new Unusable(0, "hipSuccess", "5", "hip", Path.of("/x")).describe())
        .containsEntry("reason", "no device");
    Path node = root.resolve("0000:c0:00.0/numa_node");
    Files.createDirectories(node.getParent());
    Files.writeString(node, "3\n");
    HipRuntime runtime =
        new HipRuntime(new FakeHip(), "6.4.0", Path.of("/x"), 1, new NumaNodes(root));
    assertThat(new Available(runtime).describe().toString())
        .isEqualTo(
            "{status=available, api=hip, version=6.4.0, library=/x, devices=[{index=0,"
                + " name=Fake 0, pciBusId=0000:c0:00.0, numaNode=3}]}");
  }

  @Test
  void requiredFailsWhereThereIsNoDevice() {
    HipAvailability none = new NoLibrary("not there");
    assertThat(HipRuntime.find(none, "auto")).isEmpty();
    assertThatThrownBy(() -> HipRuntime.find(none, "required"))
        .isInstanceOf(HipUnavailableException.class)
        .hasMessageContaining("not there");
    HipRuntime runtime = new FakeHip().runtime();
    assertThat(HipRuntime.find(new Available(runtime), "required")).contains(runtime);
  }

  @Test
  void theNodeOfADeviceIsReadFromSysfs() throws IOException {
    NumaNodes nodes = new NumaNodes(root);
    Files.createDirectories(root.resolve("0000:c1:00.0"));
    Files.createDirectories(root.resolve("0000:c2:00.0"));
    Files.writeString(root.resolve("0000:c1:00.0/numa_node"), "1\n");
    Files.writeString(root.resolve("0000:c2:00.0/numa_node"), "-1\n");
    assertThat(nodes.of("0000:C1:00.0")).isEqualTo(OptionalInt.of(1));
    assertThat(nodes.of("0000:c2:00.0")).isEmpty();
    assertThat(nodes.of("0000:c3:00.0")).isEmpty();
    assertThat(nodes.of("")).isEmpty();
  }

  @Test
  void namesAndVersionsOfBothRuntimes() {
    assertThat(Dialect.HIP.symbol("hostMalloc")).isEqualTo("hipHostMalloc");
    assertThat(Dialect.CUDA.symbol("hostMalloc")).isEqualTo("cudaHostAlloc");
    assertThat(Dialect.HIP.symbol("hostFree")).isEqualTo("hipHostFree");
    assertThat(Dialect.CUDA.symbol("hostFree")).isEqualTo("cudaFreeHost");
    assertThat(Dialect.CUDA.symbol("memcpy2DAsync")).isEqualTo("cudaMemcpy2DAsync");
    assertThat(Dialect.HIP.symbol("deviceCount")).isEqualTo("hipGetDeviceCount");
    assertThat(Dialect.HIP.version(60_443_484)).isEqualTo("6.4.43484");
    assertThat(Dialect.HIP.version(50_221_153)).isEqualTo("5.2.21153");
    assertThat(Dialect.CUDA.version(12_090)).isEqualTo("12.9");
    assertThat(Dialect.HIP.isSupported(49_999_999)).isFalse();
    assertThat(Dialect.HIP.isSupported(50_000_000)).isTrue();
  }

  @Test
  void everyCodeHasAName() {
    assertThat(HipErrors.codes()).hasSize(73);
    assertThat(HipErrors.name(HipErrors.NO_DEVICE)).isEqualTo("hipErrorNoDevice");
    assertThat(HipErrors.name(31)).isEqualTo("hipErrorUnknown");
    assertThat(new HipException(2, "hipErrorOutOfMemory", "hipMalloc"))
        .hasMessage("hipMalloc failed with 2 (hipErrorOutOfMemory)");
  }
}
