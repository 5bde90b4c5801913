/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.resource.ClientResources;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Connections that are made for nothing but to see whether a server answers, and closed again. No
 * listener is told of them.
 */
final class Probes {

  private final RedisClient client;

  Probes(RedisConnectorOptions options, ClientResources resources) {
    client = RedisClient.create(resources);
    client.setOptions(
        LettuceSettings.clientOptions(options, ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
            .mutate()
            .autoReconnect(false)
            .build());
  }

  /** Completes once the server has answered the handshake. */
  CompletionStage<?> probe(RedisURI uri) {
    return client
        .connectAsync(ByteArrayCodec.INSTANCE, uri)
        .thenCompose(StatefulConnection::closeAsync);
  }

  CompletableFuture<Void> closeAsync() {
    return LettuceSettings.shutDown(client);
  }
}
