/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Meters of the Redis connector for Micrometer, apart from the connector so that nobody carries
 * Micrometer who does not use it.
 */
@NullMarked
package io.lmcache4j.micrometer;

import org.jspecify.annotations.NullMarked;
