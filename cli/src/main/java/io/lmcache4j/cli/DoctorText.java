/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.redis.doctor.Diagnosis;
import io.lmcache4j.redis.doctor.Example;
import io.lmcache4j.redis.doctor.Mending;
import io.lmcache4j.redis.doctor.Problem;
import io.lmcache4j.redis.doctor.ProblemKind;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.concurrent.TimeUnit;

/** A diagnosis for a terminal. Whatever comes from Redis is made printable. */
final class DoctorText {

  private static final int MAX_MODELS = 20;
  private static final int MAX_RANKS = 16;
  private static final int MAX_NAME = 120;
  private static final int BAR = 30;

  private final PrintStream out;

  DoctorText(PrintStream out) {
    this.out = out;
  }

  void print(Diagnosis diagnosis) {
    Diagnosis.Server server = diagnosis.server();
    out.println(Printable.of(diagnosis.url()) + "  " + Printable.of(about(server)));
    line(
        "%d Redis keys in %s: chunks and layers %d, models %d, %s%s",
        diagnosis.keys(),
        Figures.time(TimeUnit.MILLISECONDS.toNanos(diagnosis.elapsedMillis())),
        diagnosis.chunks(),
        diagnosis.models().size(),
        Figures.bytes(diagnosis.bytes()),
        diagnosis.otherKeys() == 0 ? "" : "; no chunk's " + diagnosis.otherKeys());
    models(diagnosis);
    ages(diagnosis.ages());
    for (Problem problem : diagnosis.problems()) {
      print(problem);
    }
    out.println();
    if (diagnosis.problems().isEmpty()) {
      out.println("nothing is wrong");
    }
    for (String note : diagnosis.notes()) {
      out.println("note: " + Printable.of(note));
    }
  }

  /** A server in a line. */
  static String about(Diagnosis.Server server) {
    StringJoiner about = new StringJoiner(", ");
    about.add(server.name());
    if (server.masters() > 1) {
      about.add(server.masters() + " masters");
    }
    if (server.usedBytes() >= 0) {
      about.add(Figures.bytes(server.usedBytes()) + " in use");
    }
    if (server.maxBytes() >= 0) {
      about.add(
          server.maxBytes() == 0
              ? "no maxmemory"
              : "maxmemory " + Figures.bytes(server.maxBytes()));
    }
    about.add(server.policy() == null ? "policy unknown" : String.valueOf(server.policy()));
    if (server.evictedKeys() > 0) {
      about.add(server.evictedKeys() + " keys evicted so far");
    }
    return about.toString();
  }

  private void models(Diagnosis diagnosis) {
    long largest = largest(diagnosis.models());
    int left = MAX_MODELS;
    for (Diagnosis.Model model : diagnosis.models()) {
      if (left-- == 0) {
        line("%n… and %d models more", diagnosis.models().size() - MAX_MODELS);
        return;
      }
      line("%n%s  %s", name(model.name()), Figures.bytes(model.bytes()));
      for (Diagnosis.World world : model.worlds()) {
        line(
            "  world size %d: %s, chunks %d, complete %d",
            world.size(), Figures.bytes(world.bytes()), world.chunks(), world.complete());
        ranks(world, largest);
      }
    }
  }

  /** Bytes of the largest worker: one scale for all, so that bars can be compared across models. */
  static long largest(List<Diagnosis.Model> models) {
    return models.stream()
        .flatMap(model -> model.worlds().stream())
        .flatMap(world -> world.ranks().stream())
        .mapToLong(Diagnosis.Rank::bytes)
        .max()
        .orElse(0);
  }

  private void ranks(Diagnosis.World world, long largest) {
    int left = MAX_RANKS;
    for (Diagnosis.Rank rank : world.ranks()) {
      if (left-- == 0) {
        line("    … and %d workers more", world.ranks().size() - MAX_RANKS);
        return;
      }
      line(
          "    worker %-5d %9d %10s%s  %s",
          rank.worker(),
          rank.entries(),
          Figures.bytes(rank.bytes()),
          rank.memoryBytes() < 0
              ? ""
              : String.format(Locale.ROOT, " (%s of memory)", Figures.bytes(rank.memoryBytes())),
          bar(rank.bytes(), largest));
    }
  }

  private void ages(Diagnosis.Ages ages) {
    out.println();
    if (ages.unavailable() != null) {
      line("last used: %s", Printable.of(String.valueOf(ages.unavailable())));
      return;
    }
    line("last used (%d chunks sampled)", ages.sampled());
    long largest = ages.buckets().stream().mapToLong(Diagnosis.Ages.Bucket::count).max().orElse(0);
    for (Diagnosis.Ages.Bucket bucket : ages.buckets()) {
      line("  %-13s %9d  %s", bucket.label(), bucket.count(), bar(bucket.count(), largest));
    }
  }

  private static String bar(long value, long largest) {
    return "#".repeat(largest == 0 ? 0 : (int) Math.ceil((double) BAR * value / largest));
  }

  private void print(Problem problem) {
    line(
        "%n%s %s: %d%s%s",
        problem.severity(),
        title(problem.kind()),
        problem.count(),
        problem.bytes() > 0 ? " (" + Figures.bytes(problem.bytes()) + ")" : "",
        problem.model() == null ? "" : " of " + name(problem.model()));
    line("  %s", Printable.of(problem.summary()));
    for (Example example : problem.examples()) {
      line(
          "  e.g. %s%s",
          name(example.key()),
          example.detail().isEmpty() ? "" : ": " + Printable.of(example.detail()));
    }
    line("  -> %s", problem.remedy());
    if (problem.command() != null) {
      line("     %s", Printable.of(problem.command()));
    }
  }

  /** {@code orphan payload}. */
  static String title(ProblemKind kind) {
    return kind.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  /** A stranger's name, cut to what a line can bear. */
  static String name(String text) {
    return Printable.cut(Printable.of(text), MAX_NAME);
  }

  void print(Mending mending) {
    for (Mending.Removed removed : mending.removed()) {
      line(
          "removed %s: %d (%s)",
          title(removed.kind()), removed.count(), Figures.bytes(removed.bytes()));
    }
    if (mending.removed().isEmpty()) {
      out.println("removed nothing");
    }
    if (mending.spared() > 0) {
      line("spared %d that changed meanwhile", mending.spared());
    }
  }

  private void line(String format, Object... values) {
    out.println(String.format(Locale.ROOT, format, values));
  }
}
