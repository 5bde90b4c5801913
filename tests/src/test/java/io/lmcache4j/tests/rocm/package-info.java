/* SPDX-License-Identifier: Apache-2.0 */
/** Device and Redis together: what no single module can test. */
@NullMarked
package io.lmcache4j.tests.rocm;

import org.jspecify.annotations.NullMarked;
