/* SPDX-License-Identifier: Apache-2.0 */
@NullMarked
package io.lmcache4j.cli.matrix;

import org.jspecify.annotations.NullMarked;
