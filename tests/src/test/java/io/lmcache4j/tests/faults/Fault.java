/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.faults;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What can break, how it is broken, and how it is mended. */
@SuppressWarnings("ImmutableEnumChecker") // What breaks and mends holds nothing of its own.
enum Fault {
  KILLED_IN_PUT(
      "`kill -9` in the middle of a put's payload; restarted empty",
      Lasts.SHORTLY,
      bed -> bed.proxy().trap(FaultProxy.Direction.TO_SERVER, Fault.MIDDLE, bed::kill),
      FaultBed::startAnew),

  KILLED_IN_GET(
      "`kill -9` in the middle of a get's payload; restarted empty",
      Lasts.SHORTLY,
      bed -> bed.proxy().trap(FaultProxy.Direction.TO_CLIENT, Fault.MIDDLE, bed::kill),
      FaultBed::startAnew),

  RESTARTED_EMPTY(
      "`kill -9`, restarted empty at once", Lasts.NOT_AT_ALL, FaultBed::kill, FaultBed::startAnew),

  AWAY(
      "`kill -9`, restarted empty after longer than the deadline",
      Lasts.BEYOND_THE_DEADLINE,
      FaultBed::kill,
      FaultBed::startAnew),

  FROZEN(
      "frozen: `kill -STOP`, `kill -CONT`",
      Lasts.BEYOND_THE_DEADLINE,
      bed -> bed.signal("-STOP"),
      bed -> bed.signal("-CONT")),

  ASLEEP(
      "`DEBUG SLEEP`",
      Lasts.NOT_AT_ALL,
      bed -> {},
      bed -> bed.order("DEBUG", "SLEEP", Form.ofThisRun().pick("1.5", "5"))),

  VANISHED(
      "half-open TCP: the peer is gone and nothing tells",
      Lasts.BEYOND_THE_DEADLINE,
      bed -> bed.proxy().vanish(true),
      bed -> bed.proxy().vanish(false)),

  LOADING(
      "`-LOADING`: `DEBUG RELOAD`, slowed down",
      Lasts.NOT_AT_ALL,
      bed -> {
        bed.set("rdbcompression", "no");
        bed.set("loading-process-events-interval-bytes", "1024");
        for (int i = 0; i < 200; i++) {
          bed.order("SET", "filler" + i, "x");
        }
        bed.set("key-load-delay", "5000");
      },
      bed -> {
        bed.order("DEBUG", "RELOAD");
        bed.set("key-load-delay", "0");
      }),

  OUT_OF_MEMORY(
      "`-OOM`: `maxmemory`, `noeviction`",
      Lasts.SHORTLY,
      bed -> bed.set("maxmemory", "1mb"),
      bed -> bed.set("maxmemory", "0")),

  READ_ONLY(
      "`-READONLY`: `REPLICAOF` another, which is not there",
      Lasts.SHORTLY,
      bed -> bed.order("REPLICAOF", "127.0.0.1", "1"),
      bed -> bed.order("REPLICAOF", "NO", "ONE")),

  NO_AUTH(
      "`-NOAUTH`: a password that the connector was not given",
      Lasts.SHORTLY,
      bed -> {
        bed.set("requirepass", "changed");
        bed.kickOut();
      },
      bed -> bed.set("requirepass", "")),

  WRONG_PASS(
      "`-WRONGPASS`: the connector's password was changed",
      Lasts.SHORTLY,
      bed -> {
        bed.order("ACL", "SETUSER", Fault.USER, "resetpass", ">changed");
        bed.kickOut();
      },
      bed -> bed.order("ACL", "SETUSER", Fault.USER, "resetpass", ">" + Fault.PASSWORD)),

  NO_PERMISSION(
      "`-NOPERM`: the user may neither SET nor GET any more",
      Lasts.SHORTLY,
      bed -> bed.order("ACL", "SETUSER", Fault.USER, "-set", "-get"),
      bed -> bed.order("ACL", "SETUSER", Fault.USER, "+@all")),

  MAX_CLIENTS(
      "`maxclients`: connections are lost, and new ones refused",
      Lasts.SHORTLY,
      bed -> {
        bed.set("maxclients", "1");
        bed.kickOut();
      },
      bed -> bed.set("maxclients", "10000")),

  CLIENT_KILL("`CLIENT KILL`, all at once", Lasts.NOT_AT_ALL, FaultBed::kickOut, bed -> {}),

  LATENCY_100_MS(
      "100 ms latency",
      Lasts.SHORTLY,
      bed -> bed.proxy().latency(Duration.ofMillis(100)),
      bed -> bed.proxy().latency(Duration.ZERO)),

  LATENCY_1_S(
      "1 s latency",
      Lasts.SLOWLY,
      bed -> bed.proxy().latency(Duration.ofSeconds(1)),
      bed -> bed.proxy().latency(Duration.ZERO)),

  CUT(
      "1 % of reads, of up to 64 KiB, cut their connection",
      Lasts.SHORTLY, bed -> bed.proxy().cut(0.01), bed -> bed.proxy().cut(0)),

  NARROW(
      "bandwidth 10 MB/s each way, of all connections together",
      Lasts.SLOWLY,
      bed -> bed.proxy().bandwidth(10_000_000),
      bed -> bed.proxy().bandwidth(0));

  /** User of the connectors. */
  static final String USER = "cache";

  static final String PASSWORD = "first";

  /** Far within the largest payload, and beyond what others have under way. */
  static final int MIDDLE = 12 << 20;

  /** How long a fault lasts. */
  enum Lasts {
    NOT_AT_ALL,
    SHORTLY,
    BEYOND_THE_DEADLINE,
    /** Nothing fails, if deadlines are not too short for it. */
    SLOWLY
  }

  final String title;
  final Lasts lasts;
  private final Consumer<FaultBed> breaking;
  private final Consumer<FaultBed> mending;

  Fault(String title, Lasts lasts, Consumer<FaultBed> breaking, Consumer<FaultBed> mending) {
    this.title = title;
    this.lasts = lasts;
    this.breaking = breaking;
    this.mending = mending;
  }

  /** Where connectors connect to, and as whom. */
  String url(FaultBed bed) {
    boolean named = this == WRONG_PASS || this == NO_PERMISSION;
    return named ? bed.url().replace("://", "://" + USER + ":" + PASSWORD + "@") : bed.url();
  }

  void begin(FaultBed bed) {
    breaking.accept(bed);
  }

  /** Returns when the fault is over. */
  void end(FaultBed bed) {
    mending.accept(bed);
  }

  /** Which way the server is killed amid, or null. */
  FaultProxy.@Nullable Direction killedIn() {
    return switch (this) {
      case KILLED_IN_PUT -> FaultProxy.Direction.TO_SERVER;
      case KILLED_IN_GET -> FaultProxy.Direction.TO_CLIENT;
      default -> null;
    };
  }

  /** The deadline of operations. */
  Duration timeout(Form form) {
    Duration inShort = lasts == Lasts.SLOWLY ? Duration.ofSeconds(5) : Duration.ofSeconds(1);
    return form.pick(inShort, Duration.ofSeconds(10));
  }

  Duration unavailableAfter(Form form) {
    Duration inShort = lasts == Lasts.SLOWLY ? Duration.ofSeconds(3) : Duration.ofMillis(500);
    return form.pick(inShort, Duration.ofSeconds(3));
  }

  /** How long it is held. */
  Duration duration(Form form) {
    return switch (lasts) {
      case NOT_AT_ALL -> Duration.ZERO;
      // Longer for what is a matter of chance.
      case SHORTLY -> form.pick(Duration.ofMillis(this == CUT ? 2000 : 500), Duration.ofSeconds(3));
      case BEYOND_THE_DEADLINE -> form.pick(Duration.ofMillis(1500), Duration.ofSeconds(12));
      case SLOWLY -> form.pick(Duration.ofMillis(1500), Duration.ofSeconds(5));
    };
  }

  void hold(Form form) throws InterruptedException {
    TimeUnit.NANOSECONDS.sleep(duration(form).toNanos());
  }
}
