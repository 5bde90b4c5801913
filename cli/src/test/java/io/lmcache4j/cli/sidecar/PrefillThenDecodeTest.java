/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a prompt goes through, with a real Redis and fakes of vLLM that store and load chunks. */
@Timeout(60)
final class PrefillThenDecodeTest {

  /** Six whole chunks and one token that no chunk has. */
  private static final String TEXT = "a prompt of forty-nine tokens, one for each byte!";

  private static final String COMPLETION =
      "{\"model\":\"m\",\"prompt\":\"" + TEXT + "\",\"max_tokens\":40,\"temperature\":0}";

  private static final int IN_CHUNKS = 48;

  private static void isWell(Deployment deployment) {
    assertThat(deployment.producer.failures()).isEmpty();
    assertThat(deployment.consumer.failures()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "2, 2", "2, 4", "4, 2", "4, 1", "1, 8"})
  void decodeFindsEveryChunkOfThePrompt(int from, int to) throws Exception {
    try (Deployment deployment = new Deployment(from, to)) {
      HttpResponse<String> answer = deployment.post("/v1/completions", COMPLETION);
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(deployment.consumer.hitTokens()).containsExactly(IN_CHUNKS);
      // The decode instance was asked what the client asked, to the byte.
      assertThat(deployment.consumer.requests("/v1/completions").get(0).body())
          .isEqualTo(COMPLETION);
      assertThat(deployment.count("lmcache.sidecar.handover", "result", "complete")).isOne();
      assertThat(deployment.count("lmcache.sidecar.chunks", "result", "arrived")).isEqualTo(6);
      assertThat(deployment.count("lmcache.sidecar.resharded", "result", "written"))
          .isEqualTo(from == to ? 0 : 6);
      isWell(deployment);
    }
  }

  @Test
  void whatThePrefillInstanceIsAskedGeneratesOneTokenAndNothingThatVllmRefuses() throws Exception {
    try (Deployment deployment = new Deployment(1, 1)) {
      String request =
          """
          {"model":"m","messages":[{"role":"user","content":"%s"}],"max_tokens":40,
           "max_completion_tokens":40,"min_tokens":20,"n":2,"stream":true,
           "stream_options":{"include_usage":true},"logprobs":true,"top_logprobs":3,
           "logprob_token_ids":[1],"temperature":0.5,"tools":[],"user":"u"}
          """
              .formatted(TEXT);
      HttpResponse<String> answer = deployment.post("/v1/chat/completions", request);
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(answer.body()).isEqualTo(String.join("", FakeVllm.EVENTS));
      assertThat(deployment.count("lmcache.sidecar.prefill", "result", "ok")).isOne();
      JsonNode prefill = deployment.producer.requests("/v1/chat/completions").get(0).json();
      assertThat(prefill.path("max_tokens").intValue()).isOne();
      assertThat(prefill.path("max_completion_tokens").intValue()).isOne();
      assertThat(prefill.path("stream").asBoolean(true)).isFalse();
      assertThat(prefill.path("temperature").doubleValue()).isEqualTo(0.5);
      assertThat(prefill.has("tools")).isTrue();
      assertThat(prefill.has("n")).isFalse();
      assertThat(deployment.consumer.hitTokens().get(0)).isGreaterThan(IN_CHUNKS);
      isWell(deployment);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"prompt\":\"" + TEXT + "\"",
        "\"prompt\":[\"" + TEXT + "\",\"and a second one of seventeen or more\"]",
        "\"messages\":[{\"role\":\"user\",\"content\":\"" + TEXT + "\"}]"
      })
  void anOldVllmIsAskedForTheTokens(String prompt) throws Exception {
    try (Deployment deployment = new Deployment(2, 4)) {
      deployment.producer.tellsTokenIds = false;
      boolean chat = prompt.contains("messages");
      int prompts = prompt.contains("second") ? 2 : 1;
      String path = chat ? "/v1/chat/completions" : "/v1/completions";
      deployment.post(path, "{" + prompt + ",\"max_tokens\":5,\"temperature\":0.1}");
      assertThat(deployment.producer.requests("/tokenize")).hasSize(prompts);
      assertThat(deployment.producer.requests("/tokenize").get(0).body())
          .doesNotContain("temperature");
      assertThat(deployment.consumer.hitTokens().get(0))
          .isEqualTo(chat ? 64 : prompts == 2 ? IN_CHUNKS + 32 : IN_CHUNKS);
      isWell(deployment);
    }
  }

  @Test
  void aPromptOfTokensNeedsNoTokenizer() throws Exception {
    try (Deployment deployment = new Deployment(2, 1)) {
      deployment.producer.tellsTokenIds = false;
      deployment.post("/v1/completions", "{\"prompt\":[1,2,3,4,5,6,7,8,9],\"max_tokens\":5}");
      assertThat(deployment.producer.requests("/tokenize")).isEmpty();
      assertThat(deployment.consumer.hitTokens()).containsExactly(8);
      isWell(deployment);
    }
  }

  @Test
  void tagsOfTheRequestAreInTheKeys() throws Exception {
    try (Deployment deployment = new Deployment(2, 4)) {
      deployment.post(
          "/v1/completions",
          "{\"prompt\":\""
              + TEXT
              + "\",\"max_tokens\":5,\"kv_transfer_params\":{\"lmcache.tag.tenant\":\"t1\"}}");
      assertThat(deployment.consumer.hitTokens()).containsExactly(IN_CHUNKS);
      isWell(deployment);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 401, 500, 503})
  void aRefusedPrefillFailsNoRequest(int status) throws Exception {
    try (Deployment deployment = new Deployment(2, 4)) {
      deployment.producer.status = status;
      assertThat(deployment.post("/v1/completions", COMPLETION).statusCode()).isEqualTo(200);
      assertThat(deployment.consumer.hitTokens()).containsExactly(0);
      assertThat(deployment.count("lmcache.sidecar.prefill", "result", "refused")).isOne();
      isWell(deployment);
    }
  }

  @Test
  void aPrefillInstanceThatIsNotThereFailsNoRequest() throws Exception {
    URI nobody = URI.create("http://127.0.0.1:1");
    try (Deployment deployment =
        new Deployment(1, 1, s -> Deployment.with(s, List.of(nobody), s.decode(), null))) {
      assertThat(deployment.post("/v1/completions", COMPLETION).statusCode()).isEqualTo(200);
      assertThat(deployment.count("lmcache.sidecar.prefill", "result", "failed")).isOne();
    }
  }

  @Test
  void chunksThatNeverComeAreWaitedForOnlySoLong() throws Exception {
    try (Deployment deployment =
        new Deployment(
            2, 4, s -> Deployment.with(s, s.prefill(), s.decode(), Duration.ofMillis(200)))) {
      deployment.producer.stores = false;
      assertThat(deployment.post("/v1/completions", COMPLETION).statusCode()).isEqualTo(200);
      assertThat(deployment.consumer.hitTokens()).containsExactly(0);
      assertThat(deployment.count("lmcache.sidecar.handover", "result", "incomplete")).isOne();
      assertThat(deployment.count("lmcache.sidecar.chunks", "result", "missing")).isEqualTo(6);
    }
  }

  @Test
  void whatHasComeOfAPromptIsReshardedEvenIfTheRestIsMissing() throws Exception {
    try (Deployment deployment =
        new Deployment(
            2, 4, s -> Deployment.with(s, s.prefill(), s.decode(), Duration.ofMillis(200)))) {
      deployment.producer.stores = false;
      long[] half = FakeModel.tokens(TEXT.substring(0, 24));
      FakeModel.store(deployment.workers, 2, half, Map.of(), 0);
      FakeModel.store(deployment.workers, 2, half, Map.of(), 1);
      deployment.post("/v1/completions", COMPLETION);
      assertThat(deployment.consumer.hitTokens()).containsExactly(24);
      isWell(deployment);
    }
  }

  @Test
  void aSecondRequestOfAPromptWritesNothing() throws Exception {
    try (Deployment deployment = new Deployment(2, 4)) {
      deployment.post("/v1/completions", COMPLETION);
      deployment.post("/v1/completions", COMPLETION);
      assertThat(deployment.consumer.hitTokens()).containsExactly(IN_CHUNKS, IN_CHUNKS);
      assertThat(deployment.count("lmcache.sidecar.resharded", "result", "written")).isEqualTo(6);
      assertThat(deployment.count("lmcache.sidecar.resharded", "result", "present")).isEqualTo(6);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "multimodal | {\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}",
        "skip_save | {\"messages\":[],\"kv_transfer_params\":{\"lmcache.skip_save\":true}}",
      })
  void nobodyWaitsForChunksThatTokensDoNotName(String reason, String request) throws Exception {
    try (Deployment deployment = new Deployment(2, 4)) {
      deployment.producer.stores = false;
      assertThat(deployment.post("/v1/chat/completions", request).statusCode()).isEqualTo(200);
      assertThat(deployment.count("lmcache.sidecar.skipped", "reason", reason)).isOne();
      assertThat(deployment.count("lmcache.sidecar.handover", "result", "incomplete")).isZero();
    }
  }

  @Test
  void anErrorOfDecodeIsPassedOnAsItIs() throws Exception {
    try (Deployment deployment = new Deployment(1, 1)) {
      deployment.consumer.status = 503;
      HttpResponse<String> answer = deployment.post("/v1/completions", COMPLETION);
      assertThat(answer.statusCode()).isEqualTo(503);
      assertThat(answer.headers().firstValue("Retry-After")).contains("7");
      assertThat(answer.body())
          .isEqualTo(
              "{\"error\":{\"message\":\"as it was told to\",\"type\":\"BadRequestError\"}}");
      // Counted behind the last byte, which the client has before that.
      while (deployment.count("lmcache.sidecar.requests", "status", "503") != 1) {
        Thread.sleep(5);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "no json", "[1]", "{\"messages\":[]}"})
  void whatIsNoPromptGoesToDecodeAlone(String body) throws Exception {
    try (Deployment deployment = new Deployment(1, 1)) {
      deployment.consumer.status = 400;
      assertThat(deployment.post("/v1/completions", body).statusCode()).isEqualTo(400);
      assertThat(deployment.consumer.requests().get(0).body()).isEqualTo(body);
      assertThat(deployment.producer.requests()).isEmpty();
    }
  }

  @Test
  void withoutRedisEveryRequestIsStillAnswered() throws IOException, InterruptedException {
    try (Deployment deployment = new Deployment(2, 4)) {
      deployment.redis.close();
      deployment.consumer.status = 418; // It cannot look for chunks either.
      assertThat(deployment.post("/v1/completions", COMPLETION).statusCode()).isEqualTo(418);
    }
  }
}
