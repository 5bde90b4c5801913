/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Fuzz targets, one to a class since Jazzer takes one to a JVM.
 *
 * <p>In every build each target replays its inputs under {@code src/test/resources}: seeds, what
 * past runs found worth keeping, and every input that ever failed. With the profile {@code fuzz}
 * each one looks for new inputs instead:
 *
 * <pre>
 *   ./mvnw verify -pl tests -am -Pfuzz                        30 seconds each
 *   ./mvnw verify -pl tests -am -Pfuzz -Dfuzz.duration=10m -Dfuzz.target=RemoteUrlFuzzTest
 * </pre>
 *
 * <p>An input that fails is written beside the seeds, where the next build replays it; what merely
 * reached new code goes to {@code .cifuzz-corpus}, which is not kept. Targets that need the inside
 * of a package are in that package.
 *
 * <p>All of them hold the library to the same rules: nothing but its own exceptions leaves it, no
 * input makes it allocate by a number that stands in the input, and no message shows a credential.
 */
@NullMarked
package io.lmcache4j.tests.fuzz;

import org.jspecify.annotations.NullMarked;
