/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a cache is examined.
 *
 * @param model only the chunks of this very model; null for all
 * @param scanCount keys that the server is asked for at one time, and so what is under way at most:
 *     1 to {@value #MAX_SCAN_COUNT}
 * @param keysPerSecond Redis keys that are looked at in a second, at most; 0 for no limit
 * @param grace how long what seems to be half a chunk must stay unchanged before it is removed: a
 *     put that is under way writes its other half within that time
 * @param examples keys that are named of each problem, at most
 */
public record DoctorOptions(
    @Nullable String model, int scanCount, int keysPerSecond, Duration grace, int examples) {

  /** The most keys that one step asks for. */
  public static final int MAX_SCAN_COUNT = 10_000;

  private static final int SCAN_COUNT = 500;
  private static final int KEYS_PER_SECOND = 20_000;
  private static final Duration GRACE = Duration.ofSeconds(30);
  private static final int EXAMPLES = 3;

  /** Checks the limits. */
  public DoctorOptions {
    if (scanCount < 1 || scanCount > MAX_SCAN_COUNT) {
      throw new IllegalArgumentException(
          "scanCount is " + scanCount + ", allowed: 1 to " + MAX_SCAN_COUNT);
    }
    if (keysPerSecond < 0) {
      throw new IllegalArgumentException(
          "keysPerSecond is " + keysPerSecond + ", allowed: 0 (no limit) or more");
    }
    if (grace.isNegative()) {
      throw new IllegalArgumentException("grace is " + grace + ", allowed: zero or longer");
    }
    if (examples < 0) {
      throw new IllegalArgumentException("examples is " + examples + ", allowed: 0 or more");
    }
  }

  /**
   * Every model, 500 keys at a time, 20,000 keys a second, a grace of 30 seconds, three examples.
   *
   * @return the defaults
   */
  public static DoctorOptions defaults() {
    return new DoctorOptions(null, SCAN_COUNT, KEYS_PER_SECOND, GRACE, EXAMPLES);
  }

  /**
   * The same for one model only.
   *
   * @param only the model as it stands in keys; null for all
   * @return other options
   */
  public DoctorOptions withModel(@Nullable String only) {
    return new DoctorOptions(only, scanCount, keysPerSecond, grace, examples);
  }

  /**
   * The same with another size of a step.
   *
   * @param keys asked for at one time
   * @return other options
   */
  public DoctorOptions withScanCount(int keys) {
    return new DoctorOptions(model, keys, keysPerSecond, grace, examples);
  }

  /**
   * The same with another pace.
   *
   * @param keys in a second; 0 for no limit
   * @return other options
   */
  public DoctorOptions withKeysPerSecond(int keys) {
    return new DoctorOptions(model, scanCount, keys, grace, examples);
  }

  /**
   * The same with another grace.
   *
   * @param unchanged for how long
   * @return other options
   */
  public DoctorOptions withGrace(Duration unchanged) {
    return new DoctorOptions(model, scanCount, keysPerSecond, unchanged, examples);
  }
}
