/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import org.junit.jupiter.params.provider.MethodSource;

/** The contract of one key a chunk, of {@code resp://} and {@code valkey://}. */
@MethodSource("io.lmcache4j.tests.contract.Variant#singles")
abstract class SingleKeyContract extends Contract {}
