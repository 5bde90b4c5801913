/* SPDX-License-Identifier: Apache-2.0 */
@NullMarked
package io.lmcache4j.core.token;

import org.jspecify.annotations.NullMarked;
