/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The GPU binding, through JNA, on the fake runtime of {@code tests/native}, which a C compiler
 * builds at the beginning.
 *
 * <p>Each class has a JVM of its own (an execution of Surefire for the tag {@code fake-gpu}): a
 * process has one GPU runtime for its life, and other tests must not find a fake one. A mistake in
 * the binding may end that JVM, as it would on hardware; Surefire then names the class.
 *
 * <p>Where there is no C compiler, the tests say so and are left out; with {@code CI} set they
 * fail. The fake can be built and tested without Java: {@code tests/native/build.sh}.
 */
@NullMarked
package io.lmcache4j.tests.rocm.fake;

import org.jspecify.annotations.NullMarked;
