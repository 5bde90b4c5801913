/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.redis.doctor.Diagnosis;
import io.lmcache4j.redis.doctor.Example;
import io.lmcache4j.redis.doctor.Problem;
import io.lmcache4j.redis.doctor.ProblemKind.Severity;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * A diagnosis as one page of HTML that needs nothing else: no script, no font, no picture. Whatever
 * comes from Redis is escaped, and a policy in the page's head forbids what escaping might miss.
 */
final class DoctorPage {

  private static final int MAX_MODELS = 50;
  private static final int MAX_RANKS = 64;
  private static final double PERCENT = 100;
  private static final String STYLE = style();

  private final StringBuilder html = new StringBuilder();

  private DoctorPage() {}

  static String of(Diagnosis diagnosis) {
    DoctorPage page = new DoctorPage();
    page.head(diagnosis);
    page.tiles(diagnosis);
    page.problems(diagnosis.problems());
    page.models(diagnosis.models());
    page.ages(diagnosis.ages());
    page.foot(diagnosis);
    return page.html.toString();
  }

  private static String style() {
    try (InputStream css = DoctorPage.class.getResourceAsStream("doctor.css")) {
      return new String(
          Objects.requireNonNull(css, "doctor.css").readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void head(Diagnosis diagnosis) {
    add(
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>lmcache4j doctor</title>
        <style>
        """);
    html.append(STYLE);
    add(
        """
        </style>
        </head>
        <body>
        <main>
        <h1>Cache examination</h1>
        <p class="where"><code>%s</code> <span class="soft">%s</span></p>
        <ul class="verdict">
        """,
        safe(diagnosis.url()), safe(DoctorText.about(diagnosis.server())));
    for (Severity severity : Severity.values()) {
      long count = diagnosis.problems().stream().filter(p -> p.severity() == severity).count();
      if (count > 0) {
        String name = name(severity);
        add("<li class=\"pill %s\">%d %s%s</li>%n", name, count, name, count == 1 ? "" : "s");
      }
    }
    if (diagnosis.problems().isEmpty()) {
      add("<li class=\"pill fine\">nothing is wrong</li>%n");
    }
    add(
        """
        </ul>
        <nav><a href="#problems">Problems</a><a href="#sizes">Sizes</a><a href="#ages">Last used</a></nav>
        """);
  }

  private static String name(Severity severity) {
    return severity.name().toLowerCase(Locale.ROOT);
  }

  private void tiles(Diagnosis diagnosis) {
    add("<dl class=\"tiles\">%n");
    tile("Payloads", Figures.bytes(diagnosis.bytes()), "");
    tile("Chunks and layers", number(diagnosis.chunks()), "of single workers");
    tile(
        "Redis keys",
        number(diagnosis.keys()),
        diagnosis.otherKeys() == 0 ? "" : number(diagnosis.otherKeys()) + " are no chunk's");
    tile("Models", number(diagnosis.models().size()), "");
    Diagnosis.Server server = diagnosis.server();
    if (server.usedBytes() >= 0) {
      tile(
          "Memory in use",
          Figures.bytes(server.usedBytes()),
          server.maxBytes() > 0
              ? String.format(
                  Locale.ROOT,
                  "%.0f %% of %s",
                  PERCENT * server.usedBytes() / server.maxBytes(),
                  Figures.bytes(server.maxBytes()))
              : server.maxBytes() == 0 ? "no maxmemory" : "");
    }
    add("</dl>%n");
  }

  private void tile(String what, String value, String more) {
    add(
        "<div class=\"tile\"><dt>%s</dt><dd>%s%s</dd></div>%n",
        what, value, more.isEmpty() ? "" : "<small>" + more + "</small>");
  }

  private void problems(List<Problem> problems) {
    add("<section id=\"problems\">%n<h2>Problems</h2>%n");
    if (problems.isEmpty()) {
      add("<p class=\"card fine\">Nothing is wrong.</p>%n");
    }
    problems.forEach(this::problem);
    add("</section>%n");
  }

  private void problem(Problem problem) {
    add(
        """
        <article class="card problem %s">
        <header><span class="pill">%s</span><h3>%s</h3><span class="count">%s%s</span></header>
        """,
        name(problem.severity()),
        name(problem.severity()),
        DoctorText.title(problem.kind()),
        number(problem.count()),
        problem.bytes() > 0 ? ", " + Figures.bytes(problem.bytes()) : "");
    if (problem.model() != null) {
      add("<p class=\"soft\">of <code>%s</code></p>%n", name(problem.model()));
    }
    add("<p class=\"what\">%s.</p>%n", safe(problem.summary()));
    add("<p class=\"remedy\">%s</p>%n", safe(problem.remedy()));
    if (problem.command() != null) {
      add("<pre>%s</pre>%n", safe(problem.command()));
    }
    if (!problem.examples().isEmpty()) {
      add("<details><summary>examples</summary>%n<ul>%n");
      for (Example example : problem.examples()) {
        add(
            "<li><code>%s</code>%s</li>%n",
            name(example.key()), example.detail().isEmpty() ? "" : ": " + safe(example.detail()));
      }
      add("</ul>%n</details>%n");
    }
    add("</article>%n");
  }

  private void models(List<Diagnosis.Model> models) {
    add("<section id=\"sizes\">%n<h2>Sizes by model and worker</h2>%n");
    long largest = DoctorText.largest(models);
    models.stream().limit(MAX_MODELS).forEach(model -> model(model, largest));
    if (models.isEmpty()) {
      add("<p class=\"card soft\">There is no chunk.</p>%n");
    }
    more(models.size() - MAX_MODELS, "models");
    add("</section>%n");
  }

  private void model(Diagnosis.Model model, long largest) {
    add(
        "<article class=\"card\">%n<h3><code>%s</code> <span class=\"soft\">%s</span></h3>%n",
        name(model.name()), Figures.bytes(model.bytes()));
    for (Diagnosis.World world : model.worlds()) {
      add(
          "<p class=\"world\">World size %d <span class=\"soft\">%s, %s chunks, %s of them at every"
              + " worker</span></p>%n<div class=\"rows\">%n",
          world.size(),
          Figures.bytes(world.bytes()),
          number(world.chunks()),
          number(world.complete()));
      for (Diagnosis.Rank rank : world.ranks().stream().limit(MAX_RANKS).toList()) {
        row(
            "worker " + rank.worker(),
            rank.bytes(),
            largest,
            Figures.bytes(rank.bytes())
                + (rank.memoryBytes() < 0
                    ? ""
                    : ", " + Figures.bytes(rank.memoryBytes()) + " of memory")
                + ", "
                + number(rank.entries())
                + (rank.entries() == 1 ? " entry" : " entries"));
      }
      add("</div>%n");
      more(world.ranks().size() - MAX_RANKS, "workers");
    }
    add("</article>%n");
  }

  private void more(int left, String what) {
    if (left > 0) {
      add("<p class=\"soft\">… and %d %s more</p>%n", left, what);
    }
  }

  private void ages(Diagnosis.Ages ages) {
    add("<section id=\"ages\">%n<h2>Last used</h2>%n<div class=\"card\">%n");
    if (ages.unavailable() != null) {
      add("<p class=\"soft\">Not known: %s.</p>%n", safe(String.valueOf(ages.unavailable())));
    } else {
      long largest =
          ages.buckets().stream().mapToLong(Diagnosis.Ages.Bucket::count).max().orElse(0);
      add("<div class=\"rows\">%n");
      for (Diagnosis.Ages.Bucket bucket : ages.buckets()) {
        row(bucket.label(), bucket.count(), largest, number(bucket.count()));
      }
      add("</div>%n<p class=\"soft\">%s chunks sampled.</p>%n", number(ages.sampled()));
    }
    add("</div>%n</section>%n");
  }

  private void row(String label, long value, long largest, String figure) {
    add(
        "<span>%s</span><div class=\"track%s\"><div class=\"fill\" style=\"width:%s%%\"></div></div>"
            + "<span class=\"n\">%s</span>%n",
        label,
        value == 0 ? " empty" : "",
        largest == 0 ? "0" : String.format(Locale.ROOT, "%.1f", PERCENT * value / largest),
        figure);
  }

  private void foot(Diagnosis diagnosis) {
    add("<footer>%n");
    for (String note : diagnosis.notes()) {
      add("<p>Note: %s.</p>%n", safe(note));
    }
    add(
        """
        <p>Examined at %s in %s by lmcache4j %s, one walk through a cache in use: counts may be off
        by what came and went meanwhile.</p>
        </footer>
        </main>
        </body>
        </html>
        """,
        safe(diagnosis.examinedAt()),
        Figures.time(diagnosis.elapsedMillis() * 1_000_000),
        safe(Version.ofThis()));
  }

  private static String number(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  private static String safe(String text) {
    return Printable.html(text);
  }

  /** A stranger's name, as in the terminal. */
  private static String name(String text) {
    return Printable.escapeHtml(DoctorText.name(text));
  }

  private void add(String format, Object... values) {
    html.append(String.format(Locale.ROOT, format, values));
  }
}
