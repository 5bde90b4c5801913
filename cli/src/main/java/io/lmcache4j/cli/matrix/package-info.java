/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The P/D matrix: what a prompt's cache costs between producers and consumers of every two
 * tensor-parallel sizes.
 *
 * <p>Three parts that know little of each other: {@link io.lmcache4j.cli.matrix.MatrixRun} measures
 * here, {@link io.lmcache4j.cli.matrix.MatrixResult} is what was measured, here or on GPUs, and has
 * a JSON form, and {@link io.lmcache4j.cli.matrix.MatrixReport} and {@link
 * io.lmcache4j.cli.matrix.MatrixText} render it.
 */
@NullMarked
package io.lmcache4j.cli.matrix;

import org.jspecify.annotations.NullMarked;
