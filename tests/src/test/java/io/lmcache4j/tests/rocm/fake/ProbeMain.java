/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.rocm.fake;

import io.lmcache4j.rocm.HipRuntime;

/** Probes in a process of its own, and prints a line for each field of the answer. */
final class ProbeMain {

  private ProbeMain() {}

  public static void main(String[] args) {
    HipRuntime.probe()
        .describe()
        .forEach((field, value) -> System.out.println(field + "=" + value));
  }
}
