/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

/** Where the JVM begins. */
public final class Main {

  private Main() {}

  /**
   * Runs the command line and ends the JVM with its exit code: 0 done or found, 1 absent or
   * corrupt, 2 usage or bad input, 3 connection or server error.
   *
   * @param args the arguments
   */
  public static void main(String[] args) {
    System.exit(Lmcache4j.execute(Streams.system(), System.getenv(), args));
  }
}
