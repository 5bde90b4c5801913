/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.lmcache4j.redis.RedisConnector;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * An instance of vLLM with LMCache, as far as a proxy sees it: it answers, refuses what vLLM
 * refuses, and as a producer stores a prompt's chunks, but only after it has answered, as LMCache
 * does. As a consumer it looks at once for the chunks of all its ranks, and notes how many tokens
 * it could load.
 */
final class FakeVllm implements AutoCloseable {

  /** What the parts of a streamed answer are, the last of which ends it. */
  static final List<String> EVENTS =
      List.of(
          "data: {\"choices\":[{\"delta\":{\"content\":\"Grüß\"}}]}\n\n",
          ": a comment\n\n",
          "data: {\"choices\":[{\"delta\":{\"content\":\" Gott\"}}]}\r\n\r\n",
          "data: [DONE]\n\n");

  static {
    // Else each answer takes 40 ms: its head and its body are two packets, which Nagle keeps apart.
    System.setProperty("sun.net.httpserver.nodelay", "true");
  }

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TAG = "lmcache.tag.";

  enum Role {
    PRODUCER,
    CONSUMER
  }

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final RedisConnector connector;
  private final Role role;
  private final int world;
  private final Queue<Request> requests = new ConcurrentLinkedQueue<>();
  private final Queue<String> failures = new ConcurrentLinkedQueue<>();
  private final Queue<Integer> hitTokens = new ConcurrentLinkedQueue<>();
  private final AtomicInteger lookedUp = new AtomicInteger();

  /** Between the answer and the chunks. */
  volatile int storeDelayMillis = 100;

  /** Whether the chunks are stored at all. */
  volatile boolean stores = true;

  /** vLLM 0.10.1 and older know no {@code return_token_ids}. */
  volatile boolean tellsTokenIds = true;

  /** Has each request answered with this status. */
  volatile int status = 200;

  /** How many events of streams may be sent. */
  final Semaphore events = new Semaphore(1 << 20);

  /** Holds the answer back. */
  volatile @Nullable CountDownLatch gate;

  /** A request as it arrived. */
  record Request(String method, String target, Headers headers, String body) {

    JsonNode json() {
      try {
        return JSON.readTree(body);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  FakeVllm(RedisConnector connector, Role role, int world) throws IOException {
    this(connector, role, world, 0);
  }

  FakeVllm(RedisConnector connector, Role role, int world, int port) throws IOException {
    this.connector = connector;
    this.role = role;
    this.world = world;
    this.server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 64);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  URI url() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  List<Request> requests() {
    return List.copyOf(requests);
  }

  List<Request> requests(String path) {
    return requests.stream().filter(r -> r.target().equals(path)).toList();
  }

  /** What went wrong inside, such as a wrong byte in a chunk. */
  List<String> failures() {
    return List.copyOf(failures);
  }

  /** Tokens that each request could load from the cache. */
  List<Integer> hitTokens() {
    return List.copyOf(hitTokens);
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      Request request =
          new Request(
              exchange.getRequestMethod(),
              exchange.getRequestURI().toString(),
              exchange.getRequestHeaders(),
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
      requests.add(request);
      CountDownLatch held = gate;
      if (held != null && !held.await(20, TimeUnit.SECONDS)) {
        failures.add("the gate stayed closed");
      }
      if (status != 200) {
        exchange.getResponseHeaders().add("Retry-After", "7");
        error(exchange, status, "as it was told to");
        return;
      }
      switch (exchange.getRequestURI().getPath()) {
        case "/v1/completions" -> generate(exchange, request.json(), false);
        case "/v1/chat/completions" -> generate(exchange, request.json(), true);
        case "/tokenize" -> tokenize(exchange, request.json());
        case "/metrics" -> metrics(exchange);
        default -> models(exchange);
      }
    } catch (RuntimeException | AssertionError e) {
      failures.add(e.toString());
      throw e;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void models(HttpExchange exchange) throws IOException {
    exchange.getResponseHeaders().add("X-Of-The-Worker", "1");
    exchange.getResponseHeaders().add("Keep-Alive", "timeout=5");
    send(exchange, 200, "{\"object\":\"list\",\"data\":[]}");
  }

  /** As vLLM's are, one of them with another's name as its beginning. */
  private void metrics(HttpExchange exchange) throws IOException {
    String labels = "{engine=\"0\",model_name=\"a model\"} ";
    int hits = hitTokens.stream().mapToInt(Integer::intValue).sum();
    // Each prompt takes its consumer a second, and a quarter of it where it finds the cache.
    double seconds = hitTokens.stream().mapToDouble(hit -> hit == 0 ? 1 : 0.25).sum();
    send(
        exchange,
        200,
        String.join(
            "\n",
            "# TYPE vllm:external_prefix_cache_hits counter",
            "vllm:external_prefix_cache_hits_total" + labels + hits + ".0",
            "vllm:external_prefix_cache_hits_total_created" + labels + "1.7e+09",
            "vllm:external_prefix_cache_queries_total" + labels + lookedUp + ".0",
            "vllm:time_to_first_token_seconds_sum" + labels + seconds,
            "vllm:time_to_first_token_seconds_bucket{engine=\"0\",le=\"1.0\"} 3.0",
            ""));
  }

  /** TokenizeCompletionRequest and TokenizeChatRequest; neither has a field for sampling. */
  private static void tokenize(HttpExchange exchange, JsonNode request) throws IOException {
    ObjectNode answer = JSON.createObjectNode();
    String text =
        request.has("messages")
            ? FakeModel.chat(request.path("messages"))
            : request.path("prompt").textValue();
    if (text == null) {
      error(exchange, 400, "prompt: Input should be a valid string");
      return;
    }
    answer.put("count", text.length()).put("max_model_len", 8192);
    answer.set("tokens", ids(FakeModel.tokens(text)));
    send(exchange, 200, answer.toString());
  }

  private static ArrayNode ids(long[] tokens) {
    ArrayNode ids = JSON.createArrayNode();
    for (long token : tokens) {
      ids.add(token);
    }
    return ids;
  }

  private static List<long[]> prompts(JsonNode request, boolean chat) {
    if (chat) {
      return List.of(FakeModel.tokens(FakeModel.chat(request.path("messages"))));
    }
    List<long[]> prompts = new ArrayList<>();
    JsonNode prompt = request.path("prompt");
    if (prompt.path(0).isNumber()) {
      long[] tokens = new long[prompt.size()];
      for (int i = 0; i < tokens.length; i++) {
        tokens[i] = prompt.get(i).longValue();
      }
      prompts.add(tokens);
    } else if (prompt.isTextual()) {
      prompts.add(FakeModel.tokens(prompt.textValue()));
    } else {
      prompt.forEach(text -> prompts.add(FakeModel.tokens(text.textValue())));
    }
    return prompts;
  }

  /** What the validators of vLLM's protocol.py and SamplingParams refuse. */
  private static @Nullable String refusal(JsonNode request, boolean chat) {
    int maxTokens =
        request
            .path(
                chat && request.has("max_completion_tokens")
                    ? "max_completion_tokens"
                    : "max_tokens")
            .asInt(16);
    if (maxTokens < 1) {
      return "max_tokens must be at least 1, got " + maxTokens + ".";
    }
    if (request.path("min_tokens").asInt(0) > maxTokens) {
      return "min_tokens must be less than or equal to max_tokens=" + maxTokens;
    }
    if (request.hasNonNull("stream_options") && !request.path("stream").asBoolean()) {
      return "Stream options can only be defined when `stream=True`.";
    }
    if (request.hasNonNull("logprob_token_ids") && !request.hasNonNull("logprobs")) {
      return "when using `logprob_token_ids`, `logprobs` must be set.";
    }
    if (chat
        && request.path("top_logprobs").asInt(0) > 0
        && !request.path("logprobs").asBoolean()) {
      return "when using `top_logprobs`, `logprobs` must be set to true.";
    }
    if (request.has("best_of") && request.path("best_of").asInt() < request.path("n").asInt(1)) {
      return "best_of must be greater than or equal to n";
    }
    return null;
  }

  private void generate(HttpExchange exchange, JsonNode request, boolean chat)
      throws IOException, InterruptedException {
    String refusal = refusal(request, chat);
    if (refusal != null) {
      error(exchange, 400, refusal);
      return;
    }
    Map<String, String> tags = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : request.path("kv_transfer_params").properties()) {
      if (field.getKey().startsWith(TAG)) {
        tags.put(field.getKey().substring(TAG.length()), field.getValue().asText());
      }
    }
    List<long[]> prompts = prompts(request, chat);
    if (role == Role.CONSUMER) {
      int hit = 0;
      for (long[] prompt : prompts) {
        hit += FakeModel.hitTokens(connector, world, prompt, tags);
        lookedUp.addAndGet(prompt.length);
      }
      hitTokens.add(hit);
    }
    if (request.path("stream").asBoolean()) {
      stream(exchange);
    } else {
      answer(exchange, request, chat, prompts);
    }
    if (role == Role.PRODUCER && stores) {
      threads.execute(() -> storeLater(prompts, tags));
    }
  }

  /** Each rank for itself, the last one later than the others. */
  private void storeLater(List<long[]> prompts, Map<String, String> tags) {
    try {
      for (int rank = 0; rank < world; rank++) {
        TimeUnit.MILLISECONDS.sleep(storeDelayMillis / world);
        for (long[] prompt : prompts) {
          FakeModel.store(connector, world, prompt, tags, rank);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | AssertionError e) {
      failures.add(e.toString());
    }
  }

  private void answer(HttpExchange exchange, JsonNode request, boolean chat, List<long[]> prompts)
      throws IOException {
    boolean ids = tellsTokenIds && request.path("return_token_ids").asBoolean();
    ObjectNode answer = JSON.createObjectNode();
    ArrayNode choices = answer.putArray("choices");
    for (long[] prompt : prompts) {
      ObjectNode choice = choices.addObject().put("index", choices.size() - 1);
      if (ids && !chat) {
        choice.set("prompt_token_ids", ids(prompt));
      }
    }
    if (ids && chat) {
      answer.set("prompt_token_ids", ids(prompts.get(0)));
    }
    send(exchange, 200, answer.toString());
  }

  /** Sends the events one by one, each when the semaphore lets it. */
  private void stream(HttpExchange exchange) throws IOException, InterruptedException {
    exchange.getResponseHeaders().add("Content-Type", "text/event-stream; charset=utf-8");
    exchange.sendResponseHeaders(200, 0);
    try (OutputStream out = exchange.getResponseBody()) {
      // The head goes before there is a first token; the server of newer JDKs would keep it back.
      out.flush();
      for (String event : EVENTS) {
        if (!events.tryAcquire(20, TimeUnit.SECONDS)) {
          failures.add("an event was never asked for");
        }
        out.write(event.getBytes(StandardCharsets.UTF_8));
        out.flush();
      }
    }
  }

  private static void error(HttpExchange exchange, int status, String message) throws IOException {
    ObjectNode answer = JSON.createObjectNode();
    answer.putObject("error").put("message", message).put("type", "BadRequestError");
    send(exchange, status, answer.toString());
  }

  private static void send(HttpExchange exchange, int status, String json) throws IOException {
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().add("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
