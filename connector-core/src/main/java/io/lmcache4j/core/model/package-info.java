/* SPDX-License-Identifier: Apache-2.0 */
/** What a model's geometry says about the shape and size of its chunks. */
@NullMarked
package io.lmcache4j.core.model;

import org.jspecify.annotations.NullMarked;
