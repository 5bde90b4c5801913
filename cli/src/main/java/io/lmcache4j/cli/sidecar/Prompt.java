/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The body of a request for a completion, and what is made of it: the request that only prefills,
 * and the one that asks for its tokens.
 *
 * <p>Names are those of vLLM: {@code CompletionRequest} and {@code ChatCompletionRequest} in {@code
 * vllm/entrypoints/openai}, {@code TokenizeCompletionRequest} and {@code TokenizeChatRequest} in
 * {@code vllm/entrypoints/serve/tokenize/protocol.py}.
 */
final class Prompt {

  static final String COMPLETIONS = "/v1/completions";
  static final String CHAT = "/v1/chat/completions";

  /** Reads tags of keys, and whether anything is stored, from {@code kv_transfer_params}. */
  private static final String TAG = "lmcache.tag.";

  private static final String SKIP_SAVE = "lmcache.skip_save";

  /**
   * What says how the answer goes on behind the first token, or what else it tells. vLLM refuses
   * {@code stream_options} without {@code stream}, more {@code min_tokens} than {@code max_tokens},
   * and most of the others cost time that nobody has the use of.
   */
  private static final List<String> OF_THE_ANSWER =
      List.of(
          "min_tokens",
          "stream_options",
          "n",
          "best_of",
          "use_beam_search",
          "echo",
          "logprobs",
          "top_logprobs",
          "prompt_logprobs",
          "logprob_token_ids");

  /** What of a chat decides about its tokens and {@code /tokenize} takes. */
  private static final List<String> OF_THE_CHAT =
      List.of(
          "model",
          "messages",
          "add_generation_prompt",
          "continue_final_message",
          "add_special_tokens",
          "chat_template",
          "chat_template_kwargs",
          "mm_processor_kwargs",
          "tools");

  /** The same of a prompt that is text, beside that. */
  private static final List<String> OF_THE_TEXT = List.of("model", "add_special_tokens");

  private final boolean chat;
  private final ObjectNode request;

  private Prompt(boolean chat, ObjectNode request) {
    this.chat = chat;
    this.request = request;
  }

  /** Returns null for what no instance would prefill: decode answers with what is wrong. */
  static @Nullable Prompt of(Exchange exchange) {
    boolean chat = exchange.path().equals(CHAT);
    if (!exchange.method().equals("POST") || !(chat || exchange.path().equals(COMPLETIONS))) {
      return null;
    }
    try {
      return Answers.MAPPER.readTree(exchange.body()) instanceof ObjectNode object
              && object.has(chat ? "messages" : "prompt")
          ? new Prompt(chat, object)
          : null;
    } catch (IOException e) {
      return null;
    }
  }

  /** The request that fills the cache and generates the one token that vLLM insists on. */
  byte[] prefill() {
    // A prompt may have some MiB: it is shared, not copied.
    ObjectNode prefill = Answers.MAPPER.createObjectNode().setAll(request);
    prefill.remove(OF_THE_ANSWER);
    prefill.put("max_tokens", 1);
    if (chat) {
      prefill.put("max_completion_tokens", 1);
    }
    prefill.put("stream", false);
    // vLLM 0.10.2 and newer; others ignore it, and are asked for the tokens by themselves.
    prefill.put("return_token_ids", true);
    return Answers.bytes(prefill);
  }

  /** The tokens of each prompt, where the answer to {@link #prefill} tells them; else empty. */
  List<long[]> tokensOf(byte[] answer) throws IOException {
    JsonNode root = Answers.MAPPER.readTree(answer);
    List<long[]> prompts = new ArrayList<>();
    if (chat) {
      add(root.path("prompt_token_ids"), prompts);
      return prompts;
    }
    for (JsonNode choice : root.path("choices")) {
      add(choice.path("prompt_token_ids"), prompts);
    }
    return prompts;
  }

  /** The tokens of prompts that came as tokens. */
  List<long[]> tokens() {
    List<long[]> prompts = new ArrayList<>();
    JsonNode prompt = request.path("prompt");
    if (prompt.path(0).isArray()) {
      prompt.forEach(each -> add(each, prompts));
    } else {
      add(prompt, prompts);
    }
    return prompts;
  }

  /** Requests of {@code /tokenize}, one for each prompt that is text. */
  List<byte[]> tokenize() {
    List<byte[]> requests = new ArrayList<>();
    if (chat) {
      requests.add(Answers.bytes(only(OF_THE_CHAT)));
      return requests;
    }
    JsonNode prompt = request.path("prompt");
    for (JsonNode text : prompt.isArray() ? prompt : List.of(prompt)) {
      if (text.isTextual()) {
        ObjectNode asked = only(OF_THE_TEXT);
        asked.set("prompt", text);
        requests.add(Answers.bytes(asked));
      }
    }
    return requests;
  }

  /** These fields of the request, as far as it has them. */
  private ObjectNode only(List<String> names) {
    ObjectNode some = Answers.MAPPER.createObjectNode();
    for (String name : names) {
      if (request.has(name)) {
        some.set(name, request.get(name));
      }
    }
    return some;
  }

  /** The tokens in an answer of {@code /tokenize}; null if there are none. */
  static long @Nullable [] tokenized(byte[] answer) throws IOException {
    List<long[]> prompts = new ArrayList<>();
    add(Answers.MAPPER.readTree(answer).path("tokens"), prompts);
    return prompts.isEmpty() ? null : prompts.get(0);
  }

  private static void add(JsonNode ids, List<long[]> prompts) {
    if (!ids.isArray() || ids.isEmpty()) {
      return;
    }
    long[] tokens = new long[ids.size()];
    for (int i = 0; i < tokens.length; i++) {
      if (!ids.get(i).isIntegralNumber()) {
        return;
      }
      tokens[i] = ids.get(i).longValue();
    }
    prompts.add(tokens);
  }

  /** Why LMCache stores no chunks of this prompt that its tokens alone would name; or null. */
  @Nullable String notNamed() {
    if (request.path("kv_transfer_params").path(SKIP_SAVE).asBoolean()) {
      return "skip_save";
    }
    // LMCache hashes the placeholders of images as words of the image's own hash.
    for (JsonNode message : request.path("messages")) {
      for (JsonNode part : message.path("content")) {
        if (part.has("type") && !part.path("type").asText().equals("text")) {
          return "multimodal";
        }
      }
    }
    return request.hasNonNull("prompt_embeds") ? "embeddings" : null;
  }

  /** The tags that LMCache adds to the keys, in the request's order. */
  Map<String, String> tags() {
    Map<String, String> tags = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : request.path("kv_transfer_params").properties()) {
      if (field.getKey().startsWith(TAG)) {
        tags.put(field.getKey().substring(TAG.length()), field.getValue().asText());
      }
    }
    return tags;
  }
}
