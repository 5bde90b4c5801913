/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/**
 * What the sidecar adds to a request, against a client that asks the same fakes of vLLM itself,
 * first prefill and then decode. Its name keeps it out of every build: it runs by {@code
 * -Dtest=SidecarLatency} alone. docs/DEPLOY.md has the command and what came of it.
 */
final class SidecarLatency {

  private static final int WARM_UP = 300;
  private static final int ROUNDS = 500;
  private static final double NANOS_PER_MILLI = 1e6;

  /** Twelve chunks. */
  private static final String TEXT = "a prompt of one hundred bytes ".repeat(4).substring(0, 100);

  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private interface Asking {
    void ask(int round) throws IOException, InterruptedException;
  }

  @Test
  void table() throws Exception {
    System.out.println(
        "| prefill → decode | asked directly | by the sidecar | it adds | of a new prompt |");
    System.out.println("|---|---|---|---|---|");
    for (int[] worlds : new int[][] {{1, 1}, {2, 2}, {2, 4}, {4, 1}}) {
      measure(worlds[0], worlds[1]);
    }
  }

  private static void measure(int from, int to) throws Exception {
    try (Deployment deployment = new Deployment(from, to)) {
      deployment.producer.storeDelayMillis = 0;
      String same = body(TEXT);
      // Stored and resharded, so that what is left is asking: of vLLM and of Redis.
      post(deployment.url(""), same);
      deployment.producer.stores = false;
      double[] direct =
          times(
              round -> {
                post(deployment.producer.url(), same);
                post(deployment.consumer.url(), same);
              });
      double[] through = times(round -> post(deployment.url(""), same));
      deployment.producer.stores = true;
      double[] fresh =
          times(round -> post(deployment.url(""), body(String.format("%05d", round) + TEXT)));
      System.out.printf(
          Locale.ROOT,
          "| %d → %d | %.2f / %.2f ms | %.2f / %.2f ms | %.2f ms | %.2f / %.2f ms |%n",
          from,
          to,
          at(direct, 50),
          at(direct, 99),
          at(through, 50),
          at(through, 99),
          at(through, 50) - at(direct, 50),
          at(fresh, 50),
          at(fresh, 99));
      if (deployment.count("lmcache.sidecar.handover", "result", "incomplete") > 0) {
        throw new IllegalStateException("chunks were missing");
      }
    }
  }

  private static String body(String text) {
    return "{\"prompt\":\"" + text + "\",\"max_tokens\":1}";
  }

  private static void post(URI base, String body) throws IOException, InterruptedException {
    HttpResponse<String> answer =
        CLIENT.send(
            HttpRequest.newBuilder(URI.create(base + "/v1/completions"))
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 200) {
      throw new IOException(answer.statusCode() + ": " + answer.body());
    }
  }

  /** Sorted, in milliseconds. */
  private static double[] times(Asking asking) throws IOException, InterruptedException {
    double[] millis = new double[ROUNDS];
    for (int round = -WARM_UP; round < ROUNDS; round++) {
      long start = System.nanoTime();
      asking.ask(round + WARM_UP);
      if (round >= 0) {
        millis[round] = (System.nanoTime() - start) / NANOS_PER_MILLI;
      }
    }
    Arrays.sort(millis);
    return millis;
  }

  private static double at(double[] sorted, int percentile) {
    return sorted[Math.min(sorted.length - 1, sorted.length * percentile / 100)];
  }
}
