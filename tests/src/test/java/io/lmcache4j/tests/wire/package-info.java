/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The path of payload bytes over real sockets: races that are forced thousands of times, and a
 * server that stalls, cuts, resets and answers nonsense.
 *
 * <p>{@code -Dlmcache4j.race.rounds=N} runs longer races, {@code -Dlmcache4j.race.seed=N} the one
 * of a seed that was printed; what threads do in the meantime is of course not repeated.
 *
 * <p>The state machine by itself is put to jcstress, whose classes are in {@code
 * tests/src/jcstress}:
 *
 * <pre>
 * ./mvnw -q verify -Pjcstress -DskipTests -pl tests -am -Djcstress.args="-m quick"
 * </pre>
 *
 * <p>{@code jcstress.args} are those of jcstress's own command line: {@code -t} a pattern of names,
 * {@code -m} how thorough, … The report is written into {@code tests/target/jcstress}.
 */
@NullMarked
package io.lmcache4j.tests.wire;

import org.jspecify.annotations.NullMarked;
