/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.model.KnownModel;
import io.lmcache4j.core.model.KvGeometry;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a model caches: known by its name, or told in numbers. */
final class GeometryOptions {

  @Option(
      names = "--geometry",
      paramLabel = "NAME",
      description = "A known model that has the same, such as llama-3.1-8b.")
  private @Nullable String known;

  @Option(
      names = "--layers",
      paramLabel = "L",
      description = "num_hidden_layers of the model's config.json.")
  private @Nullable Integer layers;

  @Option(
      names = "--kv-heads",
      paramLabel = "H",
      description = "num_key_value_heads of the whole model.")
  private @Nullable Integer kvHeads;

  @Option(
      names = "--head-size",
      paramLabel = "D",
      description = "head_dim, or hidden_size / num_attention_heads.")
  private @Nullable Integer headSize;

  @Option(
      names = "--latent-size",
      paramLabel = "D",
      description =
          "For an MLA model, instead of heads: kv_lora_rank + qk_rope_head_dim, such as 576.")
  private @Nullable Integer latentSize;

  @Option(
      names = "--dtype",
      paramLabel = "D",
      defaultValue = "bfloat16",
      converter = Converters.ToDType.class,
      description =
          "Type of an element of the cache; uint8 for an fp8 one. Default: ${DEFAULT-VALUE}.")
  private DType dtype;

  DType dtype() {
    return dtype;
  }

  /** Whether latents were told of. */
  boolean isMla() {
    return latentSize != null;
  }

  /**
   * The whole model, on one worker.
   *
   * @param model as it stands in keys, which is enough for a known one
   */
  KvGeometry of(String model) {
    if (layers == null && kvHeads == null && headSize == null && latentSize == null) {
      return known(model).withDtype(dtype);
    }
    if (known != null) {
      throw CommandException.badInput("--geometry " + known + ": not together with numbers");
    }
    if (layers != null && latentSize != null && kvHeads == null && headSize == null) {
      return KvGeometry.ofMla(layers, latentSize, dtype);
    }
    if (layers != null && kvHeads != null && headSize != null && latentSize == null) {
      return KvGeometry.of(layers, kvHeads, headSize, dtype);
    }
    throw CommandException.badInput(
        "a model is told by --layers, --kv-heads and --head-size, or by --layers and --latent-size;"
            + " given were "
            + String.join(", ", given()));
  }

  private KvGeometry known(String model) {
    String name = known == null ? model : known;
    return KnownModel.named(name)
        .map(KnownModel::geometry)
        .orElseThrow(
            () ->
                CommandException.badInput(
                    name
                        + ": not a known model ("
                        + String.join(", ", new KnownNames())
                        + "); say --layers, --kv-heads and --head-size, or --geometry"));
  }

  private List<String> given() {
    List<String> given = new ArrayList<>();
    addIf(given, "--layers", layers);
    addIf(given, "--kv-heads", kvHeads);
    addIf(given, "--head-size", headSize);
    addIf(given, "--latent-size", latentSize);
    return given;
  }

  private static void addIf(List<String> given, String name, @Nullable Integer value) {
    if (value != null) {
      given.add(name + " " + value);
    }
  }
}
