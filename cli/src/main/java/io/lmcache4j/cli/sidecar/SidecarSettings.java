/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import io.lmcache4j.core.reshard.Resharding;
import io.lmcache4j.core.token.ChunkedTokenDatabase;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a sidecar does, and within which limits.
 *
 * @param listen where clients come; port 0 is any that is free
 * @param prefill base URLs of the instances that prefill; none sends every request to decode alone
 * @param decode base URLs of the instances that answer; none makes no proxy
 * @param chunks names the chunks of a prompt as the producers do; null if there is no prefill
 * @param resharding from the producers' world to the consumers'; null if they are the same
 * @param maxBodyBytes longest request body
 * @param bodyMemoryBytes all request bodies at one time
 * @param maxRequests requests under way at one time
 * @param prefillTimeout for the answer of a prefill instance
 * @param storeTimeout how long no further chunk of a prompt may arrive before decode goes on
 *     without
 * @param handoverTimeout for all chunks of a prompt to arrive and be resharded
 * @param decodeTimeout for the head of a decode instance's answer
 */
public record SidecarSettings(
    InetSocketAddress listen,
    List<URI> prefill,
    List<URI> decode,
    @Nullable ChunkedTokenDatabase chunks,
    @Nullable Resharding resharding,
    int maxBodyBytes,
    int bodyMemoryBytes,
    int maxRequests,
    Duration prefillTimeout,
    Duration storeTimeout,
    Duration handoverTimeout,
    Duration decodeTimeout) {

  /**
   * Copies the lists, and checks what belongs together.
   *
   * @throws IllegalArgumentException if it cannot be meant
   */
  public SidecarSettings {
    prefill = List.copyOf(prefill);
    decode = List.copyOf(decode);
    if (!prefill.isEmpty() && decode.isEmpty()) {
      throw new IllegalArgumentException("prefill instances without a decode instance");
    }
    if (!prefill.isEmpty() && chunks == null) {
      throw new IllegalArgumentException(
          "prefill instances, but not the model whose keys they write");
    }
    if (maxBodyBytes < 1 || maxRequests < 1) {
      throw new IllegalArgumentException(
          "maxBodyBytes is " + maxBodyBytes + ", maxRequests is " + maxRequests + ": below 1");
    }
    if (bodyMemoryBytes < maxBodyBytes) {
      throw new IllegalArgumentException(
          "all request bodies may have "
              + bodyMemoryBytes
              + " bytes, less than the "
              + maxBodyBytes
              + " of one");
    }
    prefill.forEach(SidecarSettings::check);
    decode.forEach(SidecarSettings::check);
  }

  private static void check(URI url) {
    boolean http = "http".equals(url.getScheme()) || "https".equals(url.getScheme());
    boolean bare = url.getRawPath() == null || url.getRawPath().isEmpty();
    if (!http || url.getHost() == null || url.getRawUserInfo() != null || !bare) {
      throw new IllegalArgumentException(
          "not the base URL of a worker: \"" + url + "\" (expected e.g. http://prefill-0:8000)");
    }
  }
}
