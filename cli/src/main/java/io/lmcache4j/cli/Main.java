/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

/** Where the JVM begins. */
public final class Main {

  private Main() {}

  /**
   * Runs the command line and ends the JVM with its exit code.
   *
   * @param args the arguments
   */
  public static void main(String[] args) {
    System.exit(0);
  }
}
