/* SPDX-License-Identifier: Apache-2.0 */
@NullMarked
package io.lmcache4j.cli.sidecar;

import org.jspecify.annotations.NullMarked;
