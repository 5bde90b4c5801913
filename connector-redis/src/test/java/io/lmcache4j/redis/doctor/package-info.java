/* SPDX-License-Identifier: Apache-2.0 */
@NullMarked
package io.lmcache4j.redis.doctor;

import org.jspecify.annotations.NullMarked;
