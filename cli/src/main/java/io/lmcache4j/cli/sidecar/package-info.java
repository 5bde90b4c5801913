/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The process beside vLLM: sends prefill before decode, reshards between them, and serves metrics,
 * health and the last diagnosis.
 *
 * <p>Clients are served by Netty's event loops, which never wait; workers are asked by the JDK's
 * client; what waits for Redis has a thread of its own, of which there are no more than requests
 * under way.
 */
@NullMarked
package io.lmcache4j.cli.sidecar;

import org.jspecify.annotations.NullMarked;
