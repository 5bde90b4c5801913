/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import io.lmcache4j.core.key.KeyFormat;
import io.lmcache4j.redis.StoredName;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Turns what a walk has counted into problems. */
final class Problems {

  /** Fewer chunks than this may be alone, or not shared, by chance. */
  private static final int ENOUGH = 8;

  /** Nine chunks of ten that one worker alone has are no evictions. */
  private static final double NEARLY_ALL = 0.9;

  private final CacheState state;
  private final StoredName.Form readersForm;
  private final Remedies remedies;
  private final Diagnosis.Server server;
  private final List<Problem> found = new ArrayList<>();

  /**
   * What a tally is of.
   *
   * @param kind the kind of problem
   * @param model the model, or null for models that are not told apart
   */
  record Key(ProblemKind kind, @Nullable String model) {}

  private Problems(
      CacheState state, StoredName.Form readersForm, Remedies remedies, Diagnosis.Server server) {
    this.state = state;
    this.readersForm = readersForm;
    this.remedies = remedies;
    this.server = server;
  }

  /** All problems, the worst first. */
  static List<Problem> of(
      CacheState state, StoredName.Form readersForm, String url, Diagnosis.Server server) {
    Problems problems = new Problems(state, readersForm, new Remedies(url), server);
    problems.fromTallies();
    state.models().forEach(problems::ofModel);
    problems.names();
    return problems.found.stream()
        .sorted(
            Comparator.comparing(Problem::severity)
                .thenComparing(Comparator.comparingLong(Problem::bytes).reversed())
                .thenComparing(Comparator.comparingLong(Problem::count).reversed())
                .thenComparing(Problem::kind))
        .toList();
  }

  private void fromTallies() {
    // One for all models: what mends it is done once, at the server.
    Tally everlasting = new Tally(state.mostExamples());
    state
        .problems()
        .forEach(
            (key, tally) -> {
              if (key.kind() == ProblemKind.NO_EXPIRY) {
                everlasting.addAll(tally);
              } else {
                add(key.kind(), key.model(), tally, summary(key.kind()));
              }
            });
    if (isExpiryMissed()) {
      add(ProblemKind.NO_EXPIRY, null, everlasting, noExpiry(), remedies.noExpiry(server));
    }
  }

  /** Whether the server cannot get rid of keys that do not expire; if it does not tell, it can. */
  private boolean isExpiryMissed() {
    return server.policy() != null && (server.maxBytes() == 0 || !Remedies.evictsAnything(server));
  }

  private String noExpiry() {
    return "chunks never expire, and the policy is "
        + server.policy()
        + (server.maxBytes() == 0
            ? " without maxmemory: the cache grows until the machine has no memory"
            : ": when maxmemory is reached, "
                + (String.valueOf(server.policy()).startsWith("volatile")
                    ? "they stay, and puts are refused once nothing else is left to evict"
                    : "every put is refused"));
  }

  private static String summary(ProblemKind kind) {
    return switch (kind) {
      case ORPHAN_PAYLOAD -> "payloads without metadata: no reader will ever find them";
      case ORPHAN_METADATA -> "metadata without a payload: lookups promise what is not there";
      case UNREADABLE -> "chunks that no reader can use: the header is cut off, or fits no payload";
      case MISMATCH ->
          "chunks whose header and payload disagree: LMCache may hand out stale memory behind them";
      case WRONG_TYPE -> "keys named like a chunk's that hold no string";
      case EXPIRY_DIFFERS -> "chunks whose two keys do not expire together: one becomes an orphan";
      case DTYPE_FILLED_IN ->
          "chunks whose header says bfloat16 and whose key does not: the dtype may be filled in";
      case MLA_COPIES -> "copies of latents that are the same at every worker";
      default -> throw new IllegalArgumentException(kind + " is not found key by key");
    };
  }

  private void add(ProblemKind kind, @Nullable String model, Tally tally, String summary) {
    if (tally.count() > 0) {
      add(kind, model, tally, summary, remedies.of(kind, tally.examples()));
    }
  }

  private void add(
      ProblemKind kind,
      @Nullable String model,
      Tally tally,
      String summary,
      Remedies.Remedy remedy) {
    if (tally.count() > 0) {
      found.add(
          new Problem(
              kind,
              kind.severity(),
              model,
              summary,
              tally.count(),
              tally.bytes(),
              tally.examples(),
              remedy.text(),
              remedy.command()));
    }
  }

  private void ofModel(String model, ModelState its) {
    its.worlds().forEach((size, world) -> ofWorld(model, size, world));
    worlds(model, its);
    mixed(ProblemKind.MIXED_LAYOUTS, model, its.forms(), Problems::label, "layouts");
    mixed(ProblemKind.MIXED_GRAMMARS, model, its.grammars(), Problems::label, "key grammars");
    mixed(ProblemKind.MIXED_HASHES, model, its.hashes(), HashForm::label, "hash algorithms");
    mixed(ProblemKind.MIXED_DTYPES, model, its.dtypes(), d -> d.torchName(), "dtypes");
    if (its.forms().size() == 1 && !its.forms().containsKey(readersForm)) {
      its.forms()
          .forEach(
              (form, tally) ->
                  add(
                      ProblemKind.OTHER_LAYOUT,
                      model,
                      tally,
                      "chunks in the layout of "
                          + label(form)
                          + ", which readers of this URL do not see: they know "
                          + label(readersForm)));
    }
  }

  private void ofWorld(String model, int size, WorldState world) {
    Tally layers = new Tally(state.mostExamples());
    world.ranks().values().forEach(rank -> layers.addAll(rank.incompleteLayers()));
    add(
        ProblemKind.INCOMPLETE_LAYERS,
        model,
        layers,
        "chunks stored layer by layer lack layers (world size "
            + size
            + "): where layer 0 is there, a store skips them, so they do not heal");
    boolean disjoint =
        world.chunks() >= ENOUGH
            && world.loners() > 1
            && world.alone() >= NEARLY_ALL * world.chunks();
    if (disjoint) {
      add(
          ProblemKind.DISJOINT_RANKS,
          model,
          world.incompleteChunks(),
          world.alone()
              + " of "
              + world.chunks()
              + " chunks of world size "
              + size
              + " are at one worker alone: the workers do not hash alike, and no prefix is ever"
              + " whole");
    } else {
      add(
          ProblemKind.INCOMPLETE_RANKS,
          model,
          world.incompleteChunks(),
          "chunks of world size "
              + size
              + " that some workers lack ("
              + world.completeChunks()
              + " of "
              + world.chunks()
              + " are whole): readers stop at the first of them");
    }
  }

  private void worlds(String model, ModelState its) {
    its.worlds()
        .forEach(
            (size, world) ->
                world
                    .others()
                    .forEach(
                        (other, shared) -> {
                          WorldState counterpart = its.worlds().get(other);
                          if (counterpart != null && leads(size, world, other, counterpart)) {
                            otherWorld(model, size, world, other, counterpart, shared);
                          }
                        }));
  }

  /** Of two worlds the one that lacks less is the one to take chunks from. */
  private static boolean leads(int size, WorldState world, int other, WorldState counterpart) {
    return world.chunks() != counterpart.chunks()
        ? world.chunks() > counterpart.chunks()
        : size < other;
  }

  private void otherWorld(
      String model,
      int size,
      WorldState world,
      int other,
      WorldState counterpart,
      WorldState.Shared shared) {
    long both = shared.asked() - shared.missing().count();
    String summary =
        "chunks of world size "
            + size
            + " that world size "
            + other
            + " has not ("
            + both
            + " of "
            + shared.asked()
            + " are in both): workers of the one never find what the other has stored";
    if (both == 0 && Math.min(world.chunks(), counterpart.chunks()) >= ENOUGH) {
      summary +=
          "; not one is in both, so either they never saw the same prompt, or they do not hash"
              + " alike (PYTHONHASHSEED, pre_caching_hash_algorithm)";
    }
    add(
        ProblemKind.OTHER_WORLD,
        model,
        shared.missing(),
        summary,
        remedies.reshard(model, size, other, world.wholeChunk()));
  }

  private <K> void mixed(
      ProblemKind kind,
      String model,
      Map<K, Tally> tallies,
      Function<K, String> label,
      String what) {
    if (tallies.size() < 2) {
      return;
    }
    K most =
        tallies.entrySet().stream()
            .max(Comparator.comparingLong(e -> e.getValue().count()))
            .orElseThrow()
            .getKey();
    Tally others = new Tally(state.mostExamples());
    tallies.forEach(
        (each, tally) -> {
          if (!each.equals(most)) {
            others.addAll(tally);
          }
        });
    add(
        kind,
        model,
        others,
        tallies.size()
            + " "
            + what
            + ": "
            + tallies.entrySet().stream()
                .map(e -> label.apply(e.getKey()) + " (" + e.getValue().count() + ")")
                .collect(Collectors.joining(", "))
            + "; readers of one do not find the others'");
  }

  private static String label(StoredName.Form form) {
    return switch (form) {
      case PAIR -> "two keys, redis://";
      case VALKEY_PAIR -> "two keys with a colon, valkey:// until 0.4.2";
      case VALKEY_CLUSTER_PAIR -> "two keys with a colon and braces, valkey:// until 0.4.2";
      case SINGLE -> "one key, resp:// or valkey://";
    };
  }

  private static String label(KeyFormat grammar) {
    return switch (grammar) {
      case V0_3_0 -> "0.3.0 to 0.3.2";
      case V0_3_3, V0_3_4 -> "0.3.3 to 0.3.5, decimal hashes";
      case V0_3_6 -> "0.3.6 to 0.3.9";
      case V0_3_9_POST2 -> "0.3.9.post2 to 0.3.12";
      case V0_3_13_SHORT_FP8 -> "0.3.13";
      case V0_3_13 -> "0.3.13 and newer";
    };
  }

  /** A model given as a path here and as a hub id there has two sets of keys. */
  private void names() {
    Map<String, List<String>> byLastPart = new HashMap<>();
    for (String model : state.models().keySet()) {
      String bare = model.replaceAll("/+$", "");
      byLastPart
          .computeIfAbsent(
              bare.substring(bare.lastIndexOf('/') + 1).toLowerCase(Locale.ROOT),
              k -> new ArrayList<>())
          .add(model);
    }
    new TreeMap<>(byLastPart)
        .forEach(
            (part, models) -> {
              if (models.size() > 1) {
                Tally tally = new Tally(state.mostExamples());
                models.forEach(model -> tally.add(0, model, ""));
                add(
                    ProblemKind.MODEL_NAMES,
                    null,
                    tally,
                    "models whose names end alike: the same model under two names shares nothing");
              }
            });
  }
}
