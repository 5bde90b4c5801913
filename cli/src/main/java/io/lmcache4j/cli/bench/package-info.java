/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Measures the connector: throughput, CPU, memory and the latency of lookups beside payloads, and
 * reports them. What is measured how is said at {@link io.lmcache4j.cli.bench.Bench}.
 */
@NullMarked
package io.lmcache4j.cli.bench;

import org.jspecify.annotations.NullMarked;
