/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

/** The connector was closed before or while the operation ran. */
public final class ConnectorClosedException extends RedisConnectorException {

  private static final long serialVersionUID = 1L;

  ConnectorClosedException(String operation) {
    super(operation + ": the connector is closed", null);
  }
}
