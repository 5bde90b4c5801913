/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import java.io.Serial;

/** Ends a command with a message of one or two lines and an exit code. */
final class CommandException extends RuntimeException {

  @Serial private static final long serialVersionUID = 1L;

  private final int exitCode;

  private CommandException(int exitCode, String message) {
    super(message);
    this.exitCode = exitCode;
  }

  static CommandException absent(String message) {
    return new CommandException(ExitCode.ABSENT, message);
  }

  static CommandException badInput(String message) {
    return new CommandException(ExitCode.USAGE, message);
  }

  static CommandException failed(String message) {
    return new CommandException(ExitCode.SERVER, message);
  }

  int exitCode() {
    return exitCode;
  }
}
