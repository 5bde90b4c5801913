/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.KeyFormat;
import io.lmcache4j.redis.StoredName;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;

/** What has been seen of one model. */
final class ModelState {

  private final Map<Integer, WorldState> worlds = new TreeMap<>();
  private final Map<StoredName.Form, Tally> forms = new EnumMap<>(StoredName.Form.class);
  private final Map<KeyFormat, Tally> grammars = new EnumMap<>(KeyFormat.class);
  private final Map<HashForm, Tally> hashes = new EnumMap<>(HashForm.class);
  private final Map<DType, Tally> dtypes = new EnumMap<>(DType.class);
  private final int mostExamples;
  private long bytes;

  ModelState(int mostExamples) {
    this.mostExamples = mostExamples;
  }

  /** Counts an entry by what its name says. */
  void entry(StoredName name, String text, long payloadBytes) {
    bytes += payloadBytes;
    count(forms, name.form(), text, payloadBytes);
    KeyFormat grammar = name.grammar();
    if (grammar != null) {
      count(grammars, grammar, text, payloadBytes);
    }
    HashForm hash = HashForm.of(name);
    if (hash != HashForm.ANY) {
      count(hashes, hash, text, payloadBytes);
    }
    if (name.key().dtype() != DType.NONE) {
      count(dtypes, name.key().dtype(), text, payloadBytes);
    }
  }

  private <K> void count(Map<K, Tally> tallies, K key, String text, long payloadBytes) {
    tallies.computeIfAbsent(key, k -> new Tally(mostExamples)).add(payloadBytes, text, "");
  }

  long bytes() {
    return bytes;
  }

  Map<Integer, WorldState> worlds() {
    return worlds;
  }

  Map<StoredName.Form, Tally> forms() {
    return forms;
  }

  Map<KeyFormat, Tally> grammars() {
    return grammars;
  }

  Map<HashForm, Tally> hashes() {
    return hashes;
  }

  Map<DType, Tally> dtypes() {
    return dtypes;
  }
}
