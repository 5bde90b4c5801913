/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.cli.sidecar.Diagnoses;
import io.lmcache4j.cli.sidecar.Sidecar;
import io.lmcache4j.cli.sidecar.SidecarSettings;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.model.KvGeometry;
import io.lmcache4j.core.reshard.Resharding;
import io.lmcache4j.core.reshard.World;
import io.lmcache4j.core.token.ChunkedTokenDatabase;
import io.lmcache4j.core.token.HashAlgorithm;
import io.lmcache4j.core.token.NoneHash;
import io.lmcache4j.core.token.PythonVersion;
import io.lmcache4j.micrometer.ConnectorMeters;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.config.LmcacheConfig;
import io.lmcache4j.redis.doctor.Doctor;
import io.lmcache4j.redis.doctor.DoctorOptions;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Serves beside vLLM until it is stopped. */
@Command(
    name = "sidecar",
    description = {
      "Serves metrics, health and the last diagnosis of a cache; with --prefill and --decode it is"
          + " the proxy that sends a prompt to a prefill instance of vLLM and then to a decode"
          + " instance, and reshards its chunks between the two where their tensor-parallel sizes"
          + " differ."
    },
    footer = {
      "",
      "Chunk size, hash, save_unfull_chunk, PYTHONHASHSEED and the URL are read as LMCache reads"
          + " them: give this process the variables and the file of the workers.",
      "Where the two sizes differ, the model has to be a known one, or told in numbers. With"
          + " --latent-size nothing is resharded: every rank has the same latents.",
      "What fails before decode fails no request: decode computes what it does not find. It is"
          + " counted in /metrics and logged.",
      "It stops at SIGTERM, when the requests under way have ended, or after 8 seconds."
    })
final class SidecarCommand implements Callable<Integer> {

  @ParentCommand private Lmcache4j app;

  @Option(
      names = "--listen",
      paramLabel = "HOST:PORT",
      defaultValue = "127.0.0.1:8000",
      converter = Converters.ToAddress.class,
      description = "Where clients come. Default: ${DEFAULT-VALUE}.")
  private InetSocketAddress listen;

  @Option(
      names = "--prefill",
      paramLabel = "URL",
      split = ",",
      converter = Converters.ToUri.class,
      description = "Instances of vLLM that prefill, e.g. http://prefill-0:8000.")
  private List<URI> prefill = List.of();

  @Option(
      names = "--decode",
      paramLabel = "URL",
      split = ",",
      converter = Converters.ToUri.class,
      description = "Instances of vLLM that answer.")
  private List<URI> decode = List.of();

  @Option(
      names = "--model",
      paramLabel = "M",
      description = "With --prefill: the model as vLLM was given it: a path or a hub id.")
  private @Nullable String model;

  @Option(
      names = "--from-tp",
      paramLabel = "P",
      defaultValue = "1",
      description = "Tensor-parallel size of the prefill instances. Default: ${DEFAULT-VALUE}.")
  private int fromTp;

  @Option(
      names = "--to-tp",
      paramLabel = "D",
      description = "That of the decode instances. Default: the same.")
  private @Nullable Integer toTp;

  @Mixin private final GeometryOptions geometry = new GeometryOptions();

  @Option(
      names = "--python",
      paramLabel = "VERSION",
      defaultValue = "3.12",
      converter = Converters.ToPythonVersion.class,
      description = "The Python that LMCache runs on. Default: ${DEFAULT-VALUE}.")
  private PythonVersion python;

  @Option(
      names = "--lmcache",
      paramLabel = "VERSION",
      converter = Converters.ToLmcacheVersion.class,
      description = "The LMCache of the workers. Default: 0.5.6.")
  private LmcacheVersion lmcache = LmcacheVersion.CURRENT;

  @Option(
      names = "--doctor-every",
      paramLabel = "TIME",
      converter = Converters.ToDuration.class,
      description = "Examine the cache again and again, this long after each end, e.g. 10m.")
  private @Nullable Duration doctorEvery;

  @Option(
      names = "--memory-mib",
      paramLabel = "MIB",
      defaultValue = "1024",
      converter = Converters.ToMebibytes.class,
      description = "For chunks that are being resharded. Default: ${DEFAULT-VALUE}.")
  private int memoryBytes;

  @Option(
      names = "--max-body-mib",
      paramLabel = "MIB",
      defaultValue = "16",
      converter = Converters.ToMebibytes.class,
      description =
          "Longest request body; a longer one is answered with 413. Default: ${DEFAULT-VALUE}.")
  private int maxBodyBytes;

  @Option(
      names = "--body-memory-mib",
      paramLabel = "MIB",
      defaultValue = "512",
      converter = Converters.ToMebibytes.class,
      description = {
        "For all request bodies at one time; one that does not fit is answered with 503.",
        "Default: ${DEFAULT-VALUE}."
      })
  private int bodyMemoryBytes;

  @Option(
      names = "--max-requests",
      paramLabel = "N",
      defaultValue = "256",
      description = "Requests under way; one more is answered with 503. Default: ${DEFAULT-VALUE}.")
  private int maxRequests;

  @Option(
      names = "--prefill-timeout",
      paramLabel = "TIME",
      defaultValue = "2m",
      converter = Converters.ToDuration.class,
      description = "For a prefill instance's answer. Default: ${DEFAULT-VALUE}.")
  private Duration prefillTimeout;

  @Option(
      names = "--store-timeout",
      paramLabel = "TIME",
      defaultValue = "3s",
      converter = Converters.ToDuration.class,
      description = {
        "How long no further chunk of a prompt may arrive in Redis before decode goes on without it.",
        "Default: ${DEFAULT-VALUE}."
      })
  private Duration storeTimeout;

  @Option(
      names = "--handover-timeout",
      paramLabel = "TIME",
      defaultValue = "30s",
      converter = Converters.ToDuration.class,
      description =
          "For all chunks of a prompt to arrive and be resharded. Default: ${DEFAULT-VALUE}.")
  private Duration handoverTimeout;

  @Option(
      names = "--decode-timeout",
      paramLabel = "TIME",
      defaultValue = "10m",
      converter = Converters.ToDuration.class,
      description = {
        "For the head of a decode instance's answer, which comes last where it is not streamed.",
        "Default: ${DEFAULT-VALUE}."
      })
  private Duration decodeTimeout;

  @Override
  public Integer call() throws InterruptedException {
    SidecarSettings settings = settings(LmcacheConfig.load(app.environment()));
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    new JvmMemoryMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    ConnectorMeters meters = new ConnectorMeters(registry, Tags.empty());
    CountDownLatch stop = new CountDownLatch(1);
    CountDownLatch stopped = new CountDownLatch(1);
    Thread atExit =
        new Thread(
            () -> {
              stop.countDown();
              awaitUninterruptibly(stopped);
            },
            "sidecar-stop");
    try (RedisConnector connector =
        app.connect(
            options ->
                options
                    .memoryCapacity(memoryBytes)
                    .listener(meters)
                    .clientName("lmcache4j-sidecar"))) {
      meters.watch(connector);
      try (Diagnoses diagnoses = diagnoses(connector, registry);
          Sidecar sidecar = Sidecar.start(settings, connector, registry, diagnoses)) {
        Runtime.getRuntime().addShutdownHook(atExit);
        InetSocketAddress at = sidecar.address();
        app.note("lmcache4j: listening on " + at.getHostString() + ":" + at.getPort());
        stop.await();
      }
    } finally {
      registry.close();
      stopped.countDown();
    }
    return ExitCode.OK;
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Diagnoses diagnoses(RedisConnector connector, MeterRegistry registry) {
    return doctorEvery == null
        ? Diagnoses.none()
        : Diagnoses.every(doctorEvery, new Doctor(connector, DoctorOptions.defaults()), registry);
  }

  private SidecarSettings settings(LmcacheConfig config) {
    if (!prefill.isEmpty()) {
      config.warnings().forEach(app::note);
    }
    try {
      return new SidecarSettings(
          listen,
          prefill,
          decode,
          prefill.isEmpty() ? null : chunks(config),
          prefill.isEmpty() ? null : plan(config),
          maxBodyBytes,
          bodyMemoryBytes,
          maxRequests,
          prefillTimeout,
          storeTimeout,
          handoverTimeout,
          decodeTimeout);
    } catch (IllegalArgumentException e) {
      throw CommandException.badInput(String.valueOf(e.getMessage()));
    }
  }

  private ChunkedTokenDatabase chunks(LmcacheConfig config) {
    if (model == null) {
      throw CommandException.badInput("--prefill needs --model, which is part of every key");
    }
    if (config.useLayerwise() || config.enableBlending()) {
      throw CommandException.badInput(
          "use_layerwise and enable_blending are not supported: chunks then have other keys");
    }
    return ChunkedTokenDatabase.builder()
        .modelName(model)
        .worldSize(fromTp)
        .useMla(geometry.isMla())
        .saveOnlyFirstRank(config.saveOnlyFirstRank(geometry.isMla()))
        .dtype(geometry.dtype())
        .chunkSize(config.chunkSize())
        .saveUnfullChunk(config.saveUnfullChunk())
        .hashAlgorithm(HashAlgorithm.parse(config.preCachingHashAlgorithm()))
        .pythonVersion(python)
        .version(lmcache)
        .noneHash(NoneHash.ofSeed(config.pythonHashSeed().orElse(null)))
        .build();
  }

  /** Null where the decode instances find what the prefill instances stored. */
  private @Nullable Resharding plan(LmcacheConfig config) {
    if (toTp == null || toTp == fromTp || geometry.isMla()) {
      return null;
    }
    KvGeometry whole = geometry.of(Objects.requireNonNull(model)).withChunkSize(config.chunkSize());
    return Resharding.between(World.of(whole, fromTp), World.of(whole, toTp));
  }
}
