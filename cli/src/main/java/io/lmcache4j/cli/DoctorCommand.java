/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.doctor.Diagnosis;
import io.lmcache4j.redis.doctor.DiagnosisJson;
import io.lmcache4j.redis.doctor.Doctor;
import io.lmcache4j.redis.doctor.DoctorOptions;
import io.lmcache4j.redis.doctor.Mending;
import io.lmcache4j.redis.doctor.Problem;
import io.lmcache4j.redis.doctor.ProblemKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Tells what is wrong with a cache. */
@Command(
    name = "doctor",
    description = {
      "Examines a cache as it is, without loading payloads: what is wrong, and what mends it."
    },
    footer = {
      "",
      "The exit code is 1 when something is wrong; hints alone do not count. After --fix it tells of"
          + " what is left.",
      "--fix removes halves of chunks and chunks that no reader can use, and nothing else. It says"
          + " first what it will remove, and leaves alone what changes within the grace.",
      "Keys and bytes are those of one walk through a cache in use; docs/DOCTOR.md says what each"
          + " problem means."
    })
final class DoctorCommand implements Callable<Integer> {

  @ParentCommand private Lmcache4j app;

  @Option(names = "--fix", description = "Remove what no reader can ever use.")
  private boolean fix;

  @Option(
      names = "--json",
      description =
          "Print the diagnosis as one JSON object on one line, and with --fix a second one with"
              + " what was removed.")
  private boolean json;

  @Option(
      names = "--report",
      paramLabel = "FILE.html",
      description = "Write a page for a browser as well.")
  private @Nullable Path report;

  @Option(
      names = "--model",
      paramLabel = "M",
      description = "Look at the chunks of this very model only.")
  private @Nullable String model;

  @Option(
      names = "--rate",
      paramLabel = "KEYS_PER_S",
      description = "Redis keys a second, at most; 0 is no limit. Default: 20000.")
  private @Nullable Integer rate;

  @Option(
      names = "--scan-count",
      paramLabel = "N",
      description = "COUNT of each SCAN, and keys that are looked at together. Default: 100.")
  private @Nullable Integer scanCount;

  @Option(
      names = "--grace",
      paramLabel = "TIME",
      converter = Converters.ToDuration.class,
      description =
          "What is younger may be a put under way: it is no problem, and what changes within this"
              + " time is not removed. Default: 30s.")
  private @Nullable Duration grace;

  @Override
  public Integer call() throws InterruptedException {
    DoctorOptions options = options();
    try (RedisConnector connector = app.connect(UnaryOperator.identity())) {
      Doctor doctor = new Doctor(connector, options);
      Diagnosis diagnosis = examine(doctor);
      write(diagnosis);
      if (!fix || diagnosis.removable().isEmpty()) {
        if (fix) {
          print(new Mending(List.of(), 0));
        }
        return diagnosis.isIll() ? ExitCode.ABSENT : ExitCode.OK;
      }
      announce(diagnosis, options.grace());
      Mending mending = mend(doctor);
      print(mending);
      return mending.spared() > 0 || isIllOtherwise(diagnosis) ? ExitCode.ABSENT : ExitCode.OK;
    }
  }

  private DoctorOptions options() {
    try {
      DoctorOptions options = DoctorOptions.defaults().withModel(model);
      options = rate == null ? options : options.withKeysPerSecond(rate);
      options = scanCount == null ? options : options.withScanCount(scanCount);
      return grace == null ? options : options.withGrace(grace);
    } catch (IllegalArgumentException e) {
      throw CommandException.badInput(String.valueOf(e.getMessage()));
    }
  }

  private Diagnosis examine(Doctor doctor) throws InterruptedException {
    try (Progress progress = app.progressOfKeys("examine")) {
      return doctor.examine(progress::at);
    }
  }

  private Mending mend(Doctor doctor) throws InterruptedException {
    try (Progress progress = app.progressOfKeys("mend")) {
      return doctor.mend(progress::at);
    }
  }

  private void write(Diagnosis diagnosis) {
    if (json) {
      app.out().println(DiagnosisJson.line(diagnosis));
    } else {
      new DoctorText(app.out()).print(diagnosis);
    }
    // Before anything is removed, and not at the end of the program.
    app.out().flush();
    if (report != null) {
      try {
        Files.writeString(report, DoctorPage.of(diagnosis));
      } catch (IOException e) {
        throw CommandException.failed(report + ": cannot be written (" + e.getMessage() + ")");
      }
      app.note("lmcache4j: wrote " + report);
    }
  }

  private void announce(Diagnosis diagnosis, Duration itsGrace) {
    for (Problem problem : diagnosis.removable()) {
      app.note(
          "lmcache4j: removing "
              + DoctorText.title(problem.kind())
              + ": "
              + problem.count()
              + " ("
              + Figures.bytes(problem.bytes())
              + ")"
              + (problem.model() == null ? "" : " of " + DoctorText.name(problem.model()))
              + ", if unchanged after "
              + Figures.time(itsGrace.toNanos())
              + ": "
              + problem.summary());
    }
  }

  private void print(Mending mending) {
    if (json) {
      app.out().println(DiagnosisJson.line(mending));
    } else {
      new DoctorText(app.out()).print(mending);
    }
  }

  private static boolean isIllOtherwise(Diagnosis diagnosis) {
    return diagnosis.problems().stream()
        .anyMatch(p -> p.severity() != ProblemKind.Severity.HINT && !p.kind().isRemovable());
  }
}
