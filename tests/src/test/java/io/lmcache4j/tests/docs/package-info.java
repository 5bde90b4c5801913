/* SPDX-License-Identifier: Apache-2.0 */
/** What the documentation shows, compiled and run. */
@NullMarked
package io.lmcache4j.tests.docs;

import org.jspecify.annotations.NullMarked;
