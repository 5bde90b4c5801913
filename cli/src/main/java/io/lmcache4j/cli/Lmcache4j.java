/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions;
import io.lmcache4j.redis.config.LmcacheConfig;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The command above all others: what they share, and nothing that it does itself. */
@Command(
    name = "lmcache4j",
    description = "Reads and writes the KV cache of Python LMCache in Redis.",
    scope = ScopeType.INHERIT,
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    synopsisSubcommandLabel = "COMMAND",
    sortOptions = false,
    usageHelpAutoWidth = true,
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done, or found",
      "1:absent, or corrupt",
      "2:wrong usage or bad input; nothing was sent",
      "3:connection or server error",
    },
    subcommands = {
      PutCommand.class,
      GetCommand.class,
      ExistsCommand.class,
      InspectCommand.class,
      ListCommand.class,
      RemoveCommand.class,
      ReshardCommand.class,
      DoctorCommand.class,
      SidecarCommand.class,
      KeysCommand.class,
      DemoCommand.class,
      BenchCommand.class,
      MatrixCommand.class,
      InfoCommand.class,
    })
final class Lmcache4j implements Runnable {

  private final Streams streams;
  private final Map<String, String> environment;

  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--url",
      paramLabel = "URL",
      scope = ScopeType.INHERIT,
      description = {
        "The Redis, redis://[[USER]:PASSWORD@]HOST[:PORT][/DB] or unix://PATH.",
        "Default: what LMCache itself is told by $LMCACHE_REMOTE_URL or its"
            + " $LMCACHE_CONFIG_FILE, else "
            + LmcacheConfig.DEFAULT_REDIS_URL
            + ".",
        "A password in a variable is seen by fewer than one on a command line.",
      })
  private @Nullable String url;

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Show the stack trace of an error.")
  private boolean debug;

  Lmcache4j(Streams streams, Map<String, String> environment) {
    this.streams = streams;
    this.environment = Map.copyOf(environment);
  }

  /** Runs a command line; returns its exit code. */
  static int execute(Streams streams, Map<String, String> environment, String... args) {
    Lmcache4j app = new Lmcache4j(streams, environment);
    ErrorReport errors = new ErrorReport(app);
    int exitCode =
        new CommandLine(app)
            .setOut(writer(streams.out()))
            .setErr(writer(streams.err()))
            // A model may begin with the character that would make its key the name of a file.
            .setExpandAtFiles(false)
            .setExecutionExceptionHandler(errors)
            .setParameterExceptionHandler(errors)
            .execute(args);
    streams.out().flush();
    return exitCode;
  }

  private static PrintWriter writer(PrintStream stream) {
    return new PrintWriter(stream, true, StandardCharsets.UTF_8);
  }

  @Override
  public void run() {
    throw new ParameterException(
        new CommandLine(this), "a command is needed: " + String.join(", ", commands()));
  }

  private Iterable<String> commands() {
    return Objects.requireNonNull(spec).subcommands().keySet();
  }

  boolean debug() {
    return debug;
  }

  /** The URL that was given by option, or null. */
  @Nullable String urlOption() {
    return url;
  }

  Map<String, String> environment() {
    return environment;
  }

  Streams streams() {
    return streams;
  }

  PrintStream out() {
    return streams.out();
  }

  PrintStream err() {
    return streams.err();
  }

  /** Says something beside the data. */
  void note(String text) {
    streams.err().println(Secrets.mask(text));
  }

  /** Starts to show how far a long piece of work has come. */
  Progress progress(String what, long bytes) {
    return Progress.start(streams, what, bytes);
  }

  /** The same in Redis keys. */
  Progress progressOfKeys(String what) {
    return Progress.ofKeys(streams, what);
  }

  /** Connects to where {@code --url} or LMCache's configuration says. */
  RedisConnector connect(UnaryOperator<RedisConnectorOptions.Builder> options) {
    return connect(effectiveUrl(), options);
  }

  RedisConnector connect(String to, UnaryOperator<RedisConnectorOptions.Builder> options) {
    return RedisConnector.open(options.apply(RedisConnectorOptions.builder(to)).build());
  }

  String effectiveUrl() {
    return url != null
        ? url
        : LmcacheConfig.load(environment).redisUrl().orElse(LmcacheConfig.DEFAULT_REDIS_URL);
  }
}
