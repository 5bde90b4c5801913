/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

/**
 * How a connector is connected.
 *
 * @param url where to, without credentials
 * @param server name and version as the server gives them, e.g. {@code redis 7.4.2}
 * @param transport how Netty reads the socket: {@code epoll}, {@code kqueue}, {@code io_uring} or
 *     {@code nio}
 * @param path {@code zero-copy} or {@code copy}
 * @param dataConnections connections for payloads; one more carries lookups
 * @param inFlightBytesLimit the byte budget
 */
public record ConnectorInfo(
    String url,
    String server,
    String transport,
    String path,
    int dataConnections,
    long inFlightBytesLimit) {}
