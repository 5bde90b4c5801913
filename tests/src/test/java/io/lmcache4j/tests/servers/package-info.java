/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Real servers in the arrangements that users have (TLS, Sentinel, cluster), started by the tests
 * themselves from one server program, and a plain client to look into them. It shares no code with
 * the connector: what it says is a second opinion.
 *
 * <p>Every server here is a {@link io.lmcache4j.cli.server.LocalRedis}, so it goes with the JVM.
 */
@NullMarked
package io.lmcache4j.tests.servers;

import org.jspecify.annotations.NullMarked;
