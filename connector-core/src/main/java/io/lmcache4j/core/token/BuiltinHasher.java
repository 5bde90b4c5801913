/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import io.lmcache4j.core.LmcacheVersion;

/**
 * {@code hash((previous, tokens, extra))} of CPython, see {@link PythonHash}.
 *
 * <p>The previous hash is an element like any other: it is itself hashed as an integer, that is
 * reduced modulo 2^61 - 1, before it enters the tuple.
 */
final class BuiltinHasher extends IntegerHasher {

  private final ThirdElement third;
  private final long firstElement;

  /**
   * Creates a hasher.
   *
   * @param version the release whose hashes these are
   * @param noneHash {@code hash(NONE_HASH)}
   */
  BuiltinHasher(LmcacheVersion version, long noneHash) {
    super(version);
    third = ThirdElement.of(version);
    firstElement = noneHash;
  }

  @Override
  void hash(Tokens tokens, int end, int chunkSize, long[] hashes) {
    // The token tuples don't depend on each other. Only the short outer tuples form a chain.
    tokens.hashTuples(end, chunkSize, hashes);
    int chunks = ChunkHasher.chunks(end, chunkSize);
    long previous = firstElement;
    for (int k = 0; k < chunks; k++) {
      hashes[k] = link(previous, hashes[k]);
      previous = PythonHash.ofInteger(hashes[k]);
    }
  }

  private long link(long previous, long tokens) {
    long state = PythonHash.nextElement(PythonHash.TUPLE_SEED, previous);
    state = PythonHash.nextElement(state, tokens);
    state =
        switch (third) {
          case ABSENT -> state;
          case NONE -> PythonHash.nextElement(state, PythonHash.NONE);
          case EMPTY_TUPLE -> PythonHash.nextElement(state, PythonHash.EMPTY_TUPLE);
        };
    return PythonHash.finishTuple(state, third.tupleLength());
  }

  @Override
  boolean isSigned() {
    return true;
  }
}
