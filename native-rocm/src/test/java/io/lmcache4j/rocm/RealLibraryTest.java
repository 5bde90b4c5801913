/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** The binding against AMD's own runtime 5.2.3 and its headers, on a machine without a GPU. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@EnabledIfSystemProperty(named = "os.arch", matches = "amd64")
class RealLibraryTest {

  private static final int NATIVE_ACCESS_SINCE = 24;

  @TempDir Path dir;

  private Path root = Path.of("");
  private Path library = Path.of("");

  @BeforeAll
  void fetch() throws Exception {
    root = RealLibrary.root();
    library = RealLibrary.libraries(root).resolve("libamdhip64.so.5");
  }

  private static List<String> allowed() {
    return Runtime.version().feature() >= NATIVE_ACCESS_SINCE
        ? List.of("--enable-native-access=ALL-UNNAMED")
        : List.of();
  }

  private RealLibrary.Ended java(
      Map<String, String> environment, List<String> flags, String... args) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(flags);
    command.add("-XX:TieredStopAtLevel=1");
    command.add("-cp");
    command.add(
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
    command.add(RealLibraryMain.class.getName());
    command.addAll(Arrays.asList(args));
    return RealLibrary.run(environment, command);
  }

  /** Where the library's own libraries are. */
  private Map<String, String> searchPath() {
    return Map.of("LD_LIBRARY_PATH", RealLibrary.libraries(root).toString());
  }

  @Test
  void withoutADeviceItIsUnusableAndSilent() throws Exception {
    List<String> flags = new ArrayList<>(allowed());
    flags.add("-Dlmcache4j.rocm.library=" + library);
    RealLibrary.Ended ended = java(searchPath(), flags, "probe");
    assertThat(ended.output().lines())
        .containsExactly(
            "status=unusable",
            "reason=100 (hipErrorNoDevice)",
            "api=hip",
            "version=5.2.21153",
            "library=" + library);
    assertThat(ended.errors()).isEmpty();
    assertThat(ended.status()).isZero();
  }

  @Test
  void itIsFoundWhereTheDynamicLinkerLooks() throws Exception {
    RealLibrary.Ended ended = java(searchPath(), allowed(), "probe");
    assertThat(ended.output())
        .contains("status=unusable", "library=" + library.resolveSibling("libamdhip64.so"));
    assertThat(ended.errors()).isEmpty();
  }

  @Test
  void withoutItsOwnLibrariesTheReasonNamesTheOneThatIsMissing() throws Exception {
    List<String> flags = new ArrayList<>(allowed());
    flags.add("-Dlmcache4j.rocm.library=" + library);
    Map<String, String> environment = new HashMap<>();
    environment.put("LD_LIBRARY_PATH", "");
    RealLibrary.Ended ended = java(environment, flags, "probe");
    assertThat(ended.output()).contains("status=absent", "libhsa-runtime64.so.1");
    assertThat(ended.errors()).isEmpty();
  }

  @Test
  void whereNativeAccessIsDeniedOrJnaCannotUnpackItselfTheReasonSaysSo() throws Exception {
    List<String> flags = new ArrayList<>();
    flags.add("-Dlmcache4j.rocm.library=" + library);
    List<String> expected = new ArrayList<>(List.of("status=absent", "native access failed"));
    if (Runtime.version().feature() >= NATIVE_ACCESS_SINCE) {
      flags.add("--illegal-native-access=deny");
      expected.add("IllegalCallerException");
    } else {
      flags.add("-Djna.tmpdir=/dev/null/nowhere");
      flags.add("-Djna.nosys=true");
    }
    RealLibrary.Ended ended = java(searchPath(), flags, "probe");
    assertThat(ended.output()).contains(expected);
    assertThat(ended.errors()).isEmpty();
    assertThat(ended.status()).isZero();
  }

  @Test
  void whereThereIsNoLibraryNothingNativeIsTouched() throws Exception {
    // Without the flag: JNA would be seen by the JVM's warning from 24 on, and by failing before.
    RealLibrary.Ended ended =
        java(Map.of("LD_LIBRARY_PATH", ""), List.of("-Djna.tmpdir=/dev/null/nowhere"), "probe");
    assertThat(ended.output()).contains("status=absent", "is on this machine");
    assertThat(ended.errors()).isEmpty();
  }

  @Test
  void everyBoundSymbolIsThere() throws Exception {
    RealLibrary.Ended ended = java(searchPath(), allowed(), "symbols", library.toString());
    assertThat(ended.output().lines())
        .containsExactly("missing=[]", "hipDeviceGetName=true", "hipDeviceGetPCIBusId=true");
  }

  @Test
  void everyCodeHasTheNameThatTheLibraryGivesIt() throws Exception {
    RealLibrary.Ended ended = java(searchPath(), allowed(), "names", library.toString());
    assertThat(ended.output().lines())
        .containsExactlyInAnyOrderElementsOf(
            HipErrors.codes().stream().map(code -> code + "=" + HipErrors.name(code)).toList());
  }

  @Test
  void withoutADeviceEveryCallFailsAndLeavesItsResultAlone() throws Exception {
    RealLibrary.Ended ended = java(searchPath(), allowed(), "storm", library.toString());
    assertThat(ended.output().lines()).hasSize(8).containsOnly("true");
    assertThat(ended.errors()).isEmpty();
    assertThat(ended.status()).isZero();
  }

  /** The names in the header of what Java has numbers for. */
  private static Map<String, Long> constants() {
    Map<String, Long> values = new LinkedHashMap<>();
    values.put("hipMemcpyHostToDevice", (long) HipConstants.MEMCPY_HOST_TO_DEVICE);
    values.put("hipMemcpyDeviceToHost", (long) HipConstants.MEMCPY_DEVICE_TO_HOST);
    values.put("hipHostMallocDefault", (long) HipConstants.HOST_MALLOC_DEFAULT);
    values.put("hipHostRegisterDefault", (long) HipConstants.HOST_REGISTER_DEFAULT);
    values.put("hipStreamNonBlocking", (long) HipConstants.STREAM_NON_BLOCKING);
    values.put("hipEventBlockingSync", (long) HipConstants.EVENT_BLOCKING_SYNC);
    values.put("hipEventDisableTiming", (long) HipConstants.EVENT_DISABLE_TIMING);
    for (int code : HipErrors.codes()) {
      values.put(HipErrors.name(code), (long) code);
    }
    return values;
  }

  @Test
  void everyConstantAndEverySignatureIsThatOfTheHeader() throws Exception {
    String names =
        constants().keySet().stream()
            .map(name -> "NAME(" + name + ")")
            .collect(Collectors.joining("\n"));
    Files.writeString(dir.resolve("binding_names.inc"), names + "\n");
    List<String> expected = new ArrayList<>();
    constants().forEach((name, value) -> expected.add(name + "=" + value));
    expected.add("sizeof(hipError_t)=4");
    expected.add("hipRuntimeGetVersion 8");
    expected.add("hipGetDeviceCount 8");
    for (Method method : NativeCalls.class.getDeclaredMethods()) {
      if (Modifier.isNative(method.getModifiers())) {
        assertThat(method.getReturnType()).isEqualTo(int.class);
        String sizes =
            Arrays.stream(method.getParameterTypes())
                .map(type -> type == int.class ? " 4" : " 8")
                .collect(Collectors.joining());
        expected.add(Dialect.HIP.symbol(method.getName()) + sizes);
      }
    }
    assertThat(RealLibrary.bindingCheck(root, dir).lines())
        .containsExactlyInAnyOrderElementsOf(expected);
  }
}
