/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.redis.ConnectorInfo;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.config.LmcacheConfig;
import io.lmcache4j.rocm.HipRuntime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Says what is in use. */
@Command(
    name = "info",
    description =
        "Shows versions, the transport in use, and what of LMCache's configuration matters.",
    footer = {
      "",
      "The exit code is 3 when the server cannot be reached; the rest is shown all the same."
    })
final class InfoCommand implements Callable<Integer> {

  @ParentCommand private Lmcache4j app;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Override
  public Integer call() {
    LmcacheConfig config = LmcacheConfig.load(app.environment());
    String url = app.effectiveUrl();
    Map<String, @Nullable Object> info = new LinkedHashMap<>();
    info.put("version", Version.ofThis());
    info.put("lmcache", LmcacheVersion.CURRENT.toString());
    info.put("java", Version.ofJava());
    info.put("system", Version.ofSystem());
    info.put("url", Secrets.mask(url));
    LmcacheException unreachable = null;
    try (RedisConnector connector = app.connect(url, UnaryOperator.identity())) {
      connector.sync().ping();
      ConnectorInfo connection = connector.info();
      info.put("server", connection.server());
      info.put("transport", connection.transport());
      info.put("path", connection.path());
    } catch (LmcacheException e) {
      unreachable = e;
      info.put("server", null);
      info.put("transport", null);
      info.put("path", null);
    }
    info.put("hip", HipRuntime.probe().describe());
    info.put("warnings", config.warnings());
    show(info);
    if (unreachable != null) {
      throw unreachable;
    }
    return ExitCode.OK;
  }

  private void show(Map<String, @Nullable Object> info) {
    if (json) {
      app.out().println(Json.line(info));
      return;
    }
    info.forEach(
        (name, value) -> {
          if (value instanceof List<?> lines) {
            lines.forEach(line -> row("warning", line));
          } else if (value instanceof Map<?, ?> fields) {
            fields.forEach((field, text) -> row(name, field + ": " + text));
          } else {
            row(name, value == null ? "unknown" : value);
          }
        });
  }

  private void row(String name, @Nullable Object value) {
    app.out().printf("%-11s%s%n", name, value);
  }
}
