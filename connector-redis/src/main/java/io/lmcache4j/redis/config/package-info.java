/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Python LMCache's own configuration, its variables and its YAML file, read as LMCache reads it.
 */
@NullMarked
package io.lmcache4j.redis.config;

import org.jspecify.annotations.NullMarked;
