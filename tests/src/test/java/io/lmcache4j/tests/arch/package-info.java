/* SPDX-License-Identifier: Apache-2.0 */
/** The arrows between modules and packages, as rules. */
@NullMarked
package io.lmcache4j.tests.arch;

import org.jspecify.annotations.NullMarked;
