/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What a connector has to do, whatever it is connected to: each class below states one part of the
 * contract and is run for every {@link io.lmcache4j.tests.contract.Variant} of its layout, that is
 * for each server that runs here, in every topology, without copies and with them. A new kind of
 * connection is one more variant.
 *
 * <p>What is in Redis is read and written by {@link io.lmcache4j.tests.servers.RawRedis}, which
 * shares no code with the connector. What ran is in {@code target/contract-servers.txt}.
 */
@NullMarked
package io.lmcache4j.tests.contract;

import org.jspecify.annotations.NullMarked;
