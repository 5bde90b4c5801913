/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The path of payload bytes between the socket and leased memory, in small pieces around an
 * unmodified Lettuce.
 *
 * <p>Nothing here is part of the library's API; the types are public only because the connector
 * lives in another package.
 *
 * <p><b>The design in one paragraph.</b> {@link io.lmcache4j.redis.wire.PayloadArgs} and {@link
 * io.lmcache4j.redis.wire.PayloadOutput} are an ordinary {@code CommandArgs} and {@code
 * CommandOutput}: on a pipeline that nobody touched they are right, and copy each byte once on the
 * way out and twice on the way in. {@link io.lmcache4j.redis.wire.Accelerator} adds three handlers
 * that only make them faster. Whether they are there is a matter of speed, never of results, and
 * the tests run every case both ways.
 *
 * <p><b>Who owns the bytes, and until when.</b> The future that a caller holds says when an answer
 * is known; it does not say when the socket is done with the bytes. A cancelled or expired command
 * stays on Lettuce's queue, its reply still arrives, and a payload already handed to Netty is still
 * sent. So nothing here looks at futures:
 *
 * <ul>
 *   <li><i>Outbound</i>, each write holds a reference of its own to the lease, released when Netty
 *       deallocates the buffer: after the last byte has left, or after the channel has failed. A
 *       command that was given up before it was written is replaced on the wire by a {@code PING},
 *       so that its place in the order of replies stays filled.
 *   <li><i>Inbound</i>, {@link io.lmcache4j.redis.wire.Transfer} decides by compare-and-set who
 *       came first: the reply or the caller's giving up. If the reply did, the buffer goes back
 *       only when its last byte has been written; if the caller did, the reply is drained and never
 *       touches a buffer.
 *   <li>{@link io.lmcache4j.redis.wire.WireCommand} reports its end exactly once: when its reply
 *       was consumed, when the connection was lost, or when it was given up before it was sent.
 *       In-flight bytes are counted until then.
 * </ul>
 */
@NullMarked
package io.lmcache4j.redis.wire;

import org.jspecify.annotations.NullMarked;
