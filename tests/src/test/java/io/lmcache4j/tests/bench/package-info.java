/* SPDX-License-Identifier: Apache-2.0 */
/**
 * JMH benchmarks. No build runs them, every build compiles them. To run them:
 *
 * <pre>
 * ./mvnw -q verify -Pjmh -DskipTests -pl tests -am -Djmh.args=TokenHashBenchmark
 * </pre>
 *
 * <p>{@code jmh.args} are those of JMH's own command line: a pattern of names, {@code -f 1}, {@code
 * -prof gc}, … Peers that are not on the JVM have scripts in {@code tests/peers}, to be run on the
 * same machine at the same hour.
 */
@NullMarked
package io.lmcache4j.tests.bench;

import org.jspecify.annotations.NullMarked;
