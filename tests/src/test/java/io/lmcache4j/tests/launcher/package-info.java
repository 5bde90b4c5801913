/* SPDX-License-Identifier: Apache-2.0 */
/** The launcher at the root of the repository, run as a user would run it. */
@NullMarked
package io.lmcache4j.tests.launcher;

import org.jspecify.annotations.NullMarked;
