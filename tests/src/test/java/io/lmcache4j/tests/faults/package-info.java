/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What becomes of puts and gets when something breaks: real servers, which are killed, frozen,
 * emptied, filled up and locked, and a network that is slow, narrow or gone ({@link
 * io.lmcache4j.tests.faults.FaultProxy}). Every payload says who wrote it and checks itself ({@link
 * io.lmcache4j.tests.faults.Payload}); what callers saw is counted.
 *
 * <p>The default build runs a short form, with short deadlines. {@code -Pfaults} runs the long one,
 * with the connector's own defaults, and writes what it saw into {@code docs/RELIABILITY.md}.
 * {@code -Psoak} has {@link io.lmcache4j.tests.faults.SoakTest} run for ten minutes.
 *
 * <pre>{@code
 * ./mvnw -Pfaults -pl tests -am verify -Dtest='io.lmcache4j.tests.faults.*Test' \
 *     -Dsurefire.failIfNoSpecifiedTests=false
 * ./mvnw -Psoak -pl tests -am verify -Dtest=SoakTest -Dsurefire.failIfNoSpecifiedTests=false \
 *     [-Dlmcache4j.soak.seconds=600] [-Dlmcache4j.soak.seed=N]
 * }</pre>
 */
@NullMarked
package io.lmcache4j.tests.faults;

import org.jspecify.annotations.NullMarked;
