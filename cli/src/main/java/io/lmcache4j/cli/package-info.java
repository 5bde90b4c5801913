/* SPDX-License-Identifier: Apache-2.0 */
/** The command line: one class for each command, nothing that a user of the library would miss. */
@NullMarked
package io.lmcache4j.cli;

import org.jspecify.annotations.NullMarked;
