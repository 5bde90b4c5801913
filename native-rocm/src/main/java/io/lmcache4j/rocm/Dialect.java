/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What differs between the two runtimes that speak the same calls: names, places and the way a
 * version is written. The signatures, flags and codes used here are the same in {@code
 * hip_runtime_api.h} (5.2 to 7) and {@code cuda_runtime_api.h} (12 and 13).
 */
// Each collection comes from List.of or Map.of.
@SuppressWarnings("ImmutableEnumChecker")
enum Dialect {
  /** AMD's runtime, {@code libamdhip64}. */
  HIP(
      "hip",
      "libamdhip64",
      Map.of(),
      List.of("HIP_PATH", "ROCM_PATH", "ROCM_HOME"),
      List.of("/opt/rocm/lib", "/opt/rocm/core-*/lib", "/opt/rocm-*/lib"),
      List.of("_rocm_sdk_core/lib", "torch/lib")),

  /** NVIDIA's runtime, {@code libcudart}. */
  CUDA(
      "cuda",
      "libcudart",
      Map.of("hostMalloc", "HostAlloc", "hostFree", "FreeHost"),
      List.of("CUDA_HOME", "CUDA_PATH"),
      List.of("/usr/local/cuda/lib64", "/usr/local/cuda-*/lib64"),
      List.of("nvidia/cu13/lib", "nvidia/cuda_runtime/lib"));

  /** Where the C name is not the prefix and our name with a capital, in both runtimes. */
  private static final Map<String, String> LONGER =
      Map.of(
          "runtimeVersion", "RuntimeGetVersion",
          "deviceCount", "GetDeviceCount",
          "memInfo", "MemGetInfo",
          "pciBusId", "DeviceGetPCIBusId",
          "errorName", "GetErrorName",
          "streamCreate", "StreamCreateWithFlags",
          "eventCreate", "EventCreateWithFlags");

  private final String prefix;
  private final String library;
  private final Map<String, String> own;
  private final List<String> variables;
  private final List<String> directories;
  private final List<String> pipDirectories;

  Dialect(
      String prefix,
      String library,
      Map<String, String> own,
      List<String> variables,
      List<String> directories,
      List<String> pipDirectories) {
    this.prefix = prefix;
    this.library = library;
    this.own = own;
    this.variables = variables;
    this.directories = directories;
    this.pipDirectories = pipDirectories;
  }

  /** The C name of a method of {@link HipApi}. */
  String symbol(String method) {
    String name = own.get(method);
    if (name == null) {
      name = LONGER.get(method);
    }
    if (name == null) {
      name = Character.toUpperCase(method.charAt(0)) + method.substring(1);
    }
    return prefix + name;
  }

  /** {@code hip} or {@code cuda}. */
  String id() {
    return prefix;
  }

  /** The library's file name without its ending. */
  String library() {
    return library;
  }

  /**
   * File names of the library: the development link, or the soname, with the major version as group
   * 1. Longer names are what these links point to.
   */
  Pattern fileName() {
    return Pattern.compile(Pattern.quote(library) + "\\.so(?:\\.(\\d+))?");
  }

  /** Environment variables that name an installation, whose libraries are in its {@code lib}. */
  List<String> variables() {
    return variables;
  }

  /** Directories of installations; {@code *} stands for any text within one name. */
  List<String> directories() {
    return directories;
  }

  /** Directories below {@code site-packages} in which wheels bring the library. */
  List<String> pipDirectories() {
    return pipDirectories;
  }

  /** The version in words: {@code 6.4.43484}, or {@code 12.9} for CUDA. */
  String version(int number) {
    return this == HIP
        ? number / 10_000_000 + "." + number / 100_000 % 100 + "." + number % 100_000
        : number / 1000 + "." + number % 1000 / 10;
  }

  /** Whether the calls used here are known to be in this version as they are used. */
  boolean isSupported(int number) {
    return this == HIP ? number / 10_000_000 >= 5 : number / 1000 >= 11;
  }
}
