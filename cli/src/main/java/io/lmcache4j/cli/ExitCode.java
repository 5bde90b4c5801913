/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

/** What the process ends with. */
final class ExitCode {

  /** Done, or found. */
  static final int OK = 0;

  /** Not there, only a part of it there, or there and corrupt. */
  static final int ABSENT = 1;

  /** A wrong option or a bad input; nothing was sent. */
  static final int USAGE = 2;

  /** The server cannot be reached, or refused; also any failure of our own. */
  static final int SERVER = 3;

  private ExitCode() {}
}
