/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.key.KeySyntaxException;
import io.lmcache4j.core.metadata.MetadataException;
import io.lmcache4j.core.token.UnreproducibleHashException;
import io.lmcache4j.redis.RemoteUrlException;
import io.lmcache4j.redis.config.LmcacheConfigException;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** Turns what went wrong into a line or two on stderr and an exit code. */
final class ErrorReport implements IExecutionExceptionHandler, IParameterExceptionHandler {

  private final Lmcache4j app;

  ErrorReport(Lmcache4j app) {
    this.app = app;
  }

  @Override
  public int handleParseException(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    line(e.getMessage());
    app.note("see " + command.getCommandSpec().qualifiedName() + " --help");
    trace(e);
    return ExitCode.USAGE;
  }

  @Override
  public int handleExecutionException(Exception e, CommandLine command, ParseResult result) {
    if (e instanceof CommandException ended) {
      line(ended.getMessage());
      trace(e);
      return ended.exitCode();
    }
    if (e instanceof LmcacheException) {
      line(e.getMessage());
      trace(e);
      return isBadInput(e) ? ExitCode.USAGE : ExitCode.SERVER;
    }
    line("unexpected " + e + (app.debug() ? "" : " (--debug shows where)"));
    trace(e);
    return ExitCode.SERVER;
  }

  /** Whether it was found out before anything was sent. */
  private static boolean isBadInput(Exception e) {
    return e instanceof KeySyntaxException
        || e instanceof MetadataException
        || e instanceof UnreproducibleHashException
        || e instanceof RemoteUrlException
        || e instanceof LmcacheConfigException;
  }

  private void line(@Nullable String message) {
    app.note("lmcache4j: " + message);
  }

  private void trace(Exception e) {
    if (app.debug()) {
      StringWriter trace = new StringWriter();
      e.printStackTrace(new PrintWriter(trace));
      app.note(trace.toString().stripTrailing());
    }
  }
}
