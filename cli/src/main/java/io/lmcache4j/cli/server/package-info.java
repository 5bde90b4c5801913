/* SPDX-License-Identifier: Apache-2.0 */
/** A real Redis of one's own on the loopback interface, for the demo and for tests. */
@NullMarked
package io.lmcache4j.cli.server;

import org.jspecify.annotations.NullMarked;
