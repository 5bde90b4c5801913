/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.key.ChunkKey;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Exit codes and messages of each command, from a process. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CommandsTest {

  private static final int OK = 0;
  private static final int ABSENT = 1;
  private static final int USAGE = 2;
  private static final int SERVER = 3;

  private static final String KEY = "meta-llama/Llama-3.1-8B-Instruct@1@0@1234abcd@bfloat16";

  /** 1024 bytes, KV_2LTD, one group: bfloat16, [2, 2, 16, 8]. */
  private static final String HEADER =
      "00040000" + "01000000" + "03000000" + "02000000020000001000000008000000";

  private static final String OTHER = "meta-llama/Llama-3.1-8B-Instruct@1@0@-5678@bfloat16";

  private static final Pattern LEFT =
      Pattern.compile("--url (\\S+) '(\\S+)'\\s+.* is left running; stop it with: kill (\\d+)");

  private final Database database = new Database();
  private final byte[] payload = new byte[1024];

  @TempDir private Path dir;
  private Path in;
  private Path out;

  @BeforeEach
  void anEmptyDatabaseAndAFile() throws IOException {
    new Random(1).nextBytes(payload);
    database.commands().flushall();
    in = Files.write(dir.resolve("in"), payload);
    out = dir.resolve("out");
    Files.deleteIfExists(out);
  }

  @AfterAll
  void close() {
    database.close();
  }

  /** As a user would: the URL in LMCache's variable. No output ever shows the password. */
  private Launched run(String... args) {
    Launched launched = Launched.run(Map.of("LMCACHE_REMOTE_URL", database.url()), args);
    assertThat(launched.out() + launched.err()).doesNotContain(Database.PASSWORD);
    return launched;
  }

  private void put(String key, String... more) {
    List<String> args = new ArrayList<>(List.of("put", key, "--in", in.toString()));
    args.addAll(List.of(more));
    run(args.toArray(String[]::new)).endsWith(OK);
  }

  /** The entry is there already, as {@link #putStoresAndGetFetches} finds that put writes it. */
  private void stored(String key) {
    database.commands().set(key + "kv_bytes", payload);
    database.commands().set(key + "metadata", HexFormat.of().parseHex(HEADER));
  }

  @Test
  void putStoresAndGetFetches() {
    Launched put = run("put", KEY, "--in", in.toString(), "--shape", "2,2,16,8").endsWith(OK);
    assertThat(put.bytes()).isEmpty();
    assertThat(put.err()).contains("stored 1024 bytes");
    assertThat(database.commands().get(KEY + "kv_bytes")).isEqualTo(payload);
    assertThat(database.content()).containsOnlyKeys(KEY + "kv_bytes", KEY + "metadata");
    assertThat(database.content().get(KEY + "metadata")).isEqualTo(HEADER);

    run("get", KEY, "--out", out.toString()).endsWith(OK);
    assertThat(out).hasBinaryContent(payload);
    assertThat(run("get", KEY, "--out", "-").endsWith(OK).bytes()).isEqualTo(payload);
  }

  @Test
  void anEmptyFileIsAChunkOfNoBytes() throws IOException {
    Files.write(in, new byte[0]);
    put(KEY, "--shape", "0");
    run("get", KEY, "--out", out.toString()).endsWith(OK);
    assertThat(out).isEmptyFile();
  }

  @Test
  void missingDtypesAreFilledUpWithTheFirst() {
    put(KEY, "--shape", "1,1,16,16", "--shape", "1,1,16,16", "--dtype", "half");
    assertThat(run("inspect", KEY, "--json").endsWith(OK).out())
        .contains(
            "\"groups\":[{\"shape\":[1,1,16,16],\"dtype\":\"float16\"},"
                + "{\"shape\":[1,1,16,16],\"dtype\":\"float16\"}]");
  }

  @Test
  void aTimeToLiveIsOnBothKeys() {
    put(KEY, "--shape", "512", "--ttl", "1h");
    long metadata = database.commands().pttl(KEY + "metadata");
    long bytes = database.commands().pttl(KEY + "kv_bytes");
    assertThat(metadata).isBetween(3_500_000L, 3_600_000L);
    assertThat(bytes).isGreaterThanOrEqualTo(metadata);
  }

  @Test
  void getOfWhatIsNotThereLeavesNoFile() {
    run("get", KEY, "--out", out.toString()).fails(ABSENT, KEY, "absent");
    assertThat(out).doesNotExist();
  }

  @Test
  void getOfACorruptEntryLeavesTheOldFile() throws IOException {
    stored(KEY);
    database.commands().set(KEY + "kv_bytes", new byte[1023]);
    Files.writeString(out, "old");
    run("get", KEY, "--out", out.toString()).fails(ABSENT, KEY, "1023");
    assertThat(out).hasContent("old");
    try (Stream<Path> files = Files.list(dir)) {
      assertThat(files).containsExactlyInAnyOrder(in, out);
    }
  }

  @Test
  void getOfAnOrphanRemovesItsMetadata() {
    stored(KEY);
    database.commands().del(KEY + "kv_bytes");
    run("get", KEY, "--out", out.toString()).fails(ABSENT, KEY, "payload");
    assertThat(out).doesNotExist();
    assertThat(database.content()).isEmpty();
  }

  @Test
  void existsPrintsTheLengthOfThePrefix() {
    stored(KEY);
    Launched some = run("exists", KEY, OTHER, KEY).endsWith(ABSENT);
    assertThat(some.out()).isEqualTo("1\n");
    assertThat(some.err()).isEmpty();
    assertThat(run("exists", OTHER, KEY).endsWith(ABSENT).out()).isEqualTo("0\n");
    assertThat(run("exists", KEY, KEY).endsWith(OK).out()).isEqualTo("2\n");
  }

  @Test
  void inspectShowsAnEntry() {
    stored(KEY);
    assertThat(run("inspect", KEY, "--json").endsWith(OK).out())
        .isEqualTo(
            "{\"key\":\""
                + KEY
                + "\",\"length\":1024,\"format\":\"KV_2LTD\","
                + "\"groups\":[{\"shape\":[2,2,16,8],\"dtype\":\"bfloat16\"}],"
                + "\"payloadBytes\":1024,\"ttlMillis\":-1,\"problems\":[]}\n");
    assertThat(run("inspect", KEY).endsWith(OK).lines())
        .containsExactly(
            "key      " + KEY,
            "length   1024 bytes",
            "format   KV_2LTD",
            "group 0  [2, 2, 16, 8] bfloat16",
            "payload  1024 bytes",
            "ttl      none");
    run("inspect", OTHER).fails(ABSENT, OTHER, "absent");
    run("inspect", OTHER, "--json").fails(ABSENT, OTHER, "absent");
  }

  @Test
  void inspectNamesWhatIsWrong() {
    stored(KEY);
    database.commands().set(KEY + "metadata", "short".getBytes(StandardCharsets.UTF_8));
    Launched corrupt = run("inspect", KEY, "--json").endsWith(ABSENT);
    assertThat(corrupt.out())
        .contains("\"length\":null", "\"format\":null", "\"groups\":[]", "\"payloadBytes\":1024")
        .doesNotContain("\"problems\":[]");
    assertThat(corrupt.err()).contains(KEY);
    assertThat(database.content()).as("only looked at").hasSize(2);
  }

  @Test
  void lsListsKeys() {
    stored(KEY);
    stored(KEY + "@0");
    put("other/modèl@2@1@ff@half@user%alice", "--shape", "512");
    database.commands().set("unreadable@metadata", payload);
    database.commands().set("unrelated", payload);
    Launched all = run("ls").endsWith(OK);
    assertThat(all.lines())
        .containsExactlyInAnyOrder(KEY, KEY + "@0", "other/modèl@2@1@ff@half@user%alice");
    assertThat(all.err()).contains("cannot be read as a key: 1");
    assertThat(run("ls", "--json", "--model", "other/modèl").endsWith(OK).out())
        .isEqualTo(
            "[\n{\"key\":\"other/modèl@2@1@ff@half@user%alice\",\"model\":\"other/modèl\","
                + "\"worldSize\":2,\"workerId\":1,\"hash\":\"ff\",\"dtype\":\"float16\","
                + "\"layer\":null,\"tags\":{\"user\":\"alice\"}}\n]\n");
    assertThat(run("ls", "--model", "other", "--json").endsWith(OK).out()).isEqualTo("[]\n");
  }

  @Test
  void rmRemovesWhatIsThere() {
    stored(KEY);
    stored(KEY + "@1");
    Launched some = run("rm", KEY, OTHER).endsWith(ABSENT);
    assertThat(some.lines()).containsExactly(KEY);
    assertThat(some.err()).contains(OTHER).contains("absent");
    assertThat(run("rm", KEY + "@1").endsWith(OK).lines()).containsExactly(KEY + "@1");
    assertThat(database.content()).isEmpty();
    stored(KEY);
    stored(KEY + "@1");
    assertThat(run("rm", "--model", "no such").endsWith(ABSENT).lines()).containsExactly("0");
    assertThat(run("rm", "--model", ChunkKey.parse(KEY).modelName()).endsWith(OK).lines())
        .containsExactly("2");
    assertThat(database.content()).isEmpty();
    run("rm").fails(USAGE, "--model");
    run("rm", KEY, "--model", "m").fails(USAGE, "--model");
  }

  @Test
  void keysNamesChunksWithoutAServer() throws IOException {
    Path tokens = Files.writeString(dir.resolve("tokens"), "[1, 2, 3, 4, 5, 6, 7, 8, 9]");
    String[] args = {
      "keys",
      "--model",
      "m",
      "--world-size",
      "1",
      "--worker-id",
      "0",
      "--dtype",
      "bfloat16",
      "--chunk-size",
      "3",
      "--url",
      "redis://127.0.0.1:1",
      tokens.toString()
    };
    // hash((0, (1, 2, 3), ())) of CPython is 7754693342585032853.
    assertThat(run(args).endsWith(OK).lines())
        .hasSize(3)
        .first()
        .isEqualTo("m@1@0@6b9e34824ade1095@bfloat16");
    Files.delete(tokens);
  }

  @Test
  void infoSaysWhatIsInUse() {
    assertThat(run("info", "--json").endsWith(OK).out())
        .startsWith("{\"version\":\"")
        .contains("\"lmcache\":\"0.5.6\"", "\"hip\":{\"status\":\"", "redis://***@127.0.0.1:");
    assertThat(run("info").endsWith(OK).out()).contains("transport").contains("server");
  }

  @Test
  void aUnixSocketIsAsGood() {
    stored(KEY);
    assertThat(run("exists", KEY, "--url", database.unixUrl()).endsWith(OK).out()).isEqualTo("1\n");
  }

  Stream<Arguments> badInputs() {
    return Stream.of(
        Arguments.of("no such file", new String[] {"--in", "no-such-file", "--shape", "512"}),
        Arguments.of("--in", new String[] {"--shape", "512"}),
        Arguments.of("--shape", new String[] {"--in", "FILE"}),
        Arguments.of("1024", new String[] {"--in", "FILE", "--shape", "2,2,16,9"}),
        Arguments.of("2,x", new String[] {"--in", "FILE", "--shape", "2,x"}),
        Arguments.of("[1, 1, 1, 1, 512]", new String[] {"--in", "FILE", "--shape", "1,1,1,1,512"}),
        Arguments.of("-512", new String[] {"--in", "FILE", "--shape=-512"}),
        Arguments.of("4294967296", new String[] {"--in", "FILE", "--shape", "4294967296"}),
        Arguments.of("int8", new String[] {"--in", "FILE", "--shape", "1024", "--dtype", "int8"}),
        Arguments.of("bf17", new String[] {"--in", "FILE", "--shape", "512", "--dtype", "bf17"}),
        Arguments.of(
            "dtypes",
            new String[] {"--in", "FILE", "--shape", "512", "--dtype", "half", "--dtype", "half"}),
        Arguments.of("KV_X", new String[] {"--in", "FILE", "--shape", "512", "--format", "KV_X"}),
        Arguments.of("1 h", new String[] {"--in", "FILE", "--shape", "512", "--ttl", "1 h"}),
        Arguments.of("--nope", new String[] {"--in", "FILE", "--shape", "512", "--nope"}));
  }

  @ParameterizedTest
  @MethodSource("badInputs")
  void aBadPutChangesNothing(String said, String[] options) {
    stored(KEY);
    Map<String, String> before = database.content();
    List<String> args = new ArrayList<>(List.of("put", KEY));
    for (String option : options) {
      args.add(option.equals("FILE") ? in.toString() : option);
    }
    run(args.toArray(String[]::new)).fails(USAGE, said);
    assertThat(database.content()).isEqualTo(before);
  }

  @Test
  void aFileThatIsTooLargeChangesNothing() throws IOException {
    Path large = dir.resolve("large");
    try (RandomAccessFile file = new RandomAccessFile(large.toFile(), "rw")) {
      file.setLength(1L << 31);
    }
    run("put", KEY, "--in", large.toString(), "--shape", "1073741824")
        .fails(USAGE, "2147483648", "2147483647");
    assertThat(database.content()).isEmpty();
    Files.delete(large);
  }

  @Test
  void aBadKeyIsRefusedByEveryCommandAndChangesNothing() {
    stored(KEY);
    Map<String, String> before = database.content();
    String bad = "model@1@0@xyz@bfloat16";
    run("put", bad, "--in", in.toString(), "--shape", "512").fails(USAGE, bad);
    run("get", bad, "--out", out.toString()).fails(USAGE, bad);
    run("exists", KEY, bad).fails(USAGE, bad);
    run("inspect", bad).fails(USAGE, bad);
    run("rm", KEY, bad).fails(USAGE, bad);
    assertThat(database.content()).isEqualTo(before);
    assertThat(out).doesNotExist();
  }

  @Test
  void aTargetThatCannotBeWrittenIsFoundFirst() {
    run("get", KEY, "--out", dir.resolve("no/such/dir").toString())
        .fails(USAGE, "cannot be written");
    run("get", KEY, "--out", dir.toString()).fails(USAGE, "cannot be written");
  }

  @Test
  void aServerThatIsNotThereOrRefusesIsAnError() {
    String nobody = "redis://:" + Database.PASSWORD + "@127.0.0.1:1";
    run("ls", "--url", nobody).fails(SERVER, "127.0.0.1:1");
    run("put", KEY, "--in", in.toString(), "--shape", "512", "--url", nobody)
        .fails(SERVER, "127.0.0.1:1");
    run("--url", database.url().replace(":" + Database.PASSWORD, ":wrong"), "exists", KEY)
        .fails(SERVER, "WRONGPASS");
    run("demo", "--url", nobody).fails(SERVER, "127.0.0.1:1");
    Launched info = run("info", "--json", "--url", nobody).endsWith(SERVER);
    assertThat(info.out()).contains("\"server\":null");
    run("ls", "--url", "ftp://:" + Database.PASSWORD + "@127.0.0.1").fails(USAGE, "ftp");
  }

  @Test
  void aFullServerIsAnErrorAndNothingIsThere() {
    String before = database.commands().configGet("maxmemory").get("maxmemory");
    database.commands().configSet("maxmemory", "1");
    try {
      run("put", KEY, "--in", in.toString(), "--shape", "512").fails(SERVER, KEY, "OOM");
      assertThat(run("exists", KEY).endsWith(ABSENT).out()).isEqualTo("0\n");
    } finally {
      database.commands().configSet("maxmemory", before);
    }
  }

  @Test
  void theWrongCommandIsAUsageError() {
    run("frobnicate").fails(USAGE, "frobnicate");
    run().fails(USAGE, "a command is needed");
    run("ls", "surplus").fails(USAGE, "surplus");
  }

  @Test
  void theDemoFindsWhatItStoredAndRemovesIt() {
    Launched demo = run("demo", "--url", database.url()).endsWith(OK);
    assertThat(demo.out())
        .contains("zip() argument 2 is shorter than argument 1")
        .contains("[bfloat16]")
        .containsPattern("checksums \\(CRC32C\\): (\\d) of \\1 equal");
    assertThat(database.content()).isEmpty();
    assertThat(demo.lines().get(demo.lines().size() - 1))
        .startsWith("meta-llama/Llama-3.1-8B-Instruct@1@0@");
  }

  @Test
  void theDemoKeepsWhatItStored() {
    Launched demo = run("demo", "--keep", "--url", database.url()).endsWith(OK);
    List<String> keys =
        demo.lines().stream().filter(line -> line.startsWith("meta-llama/")).toList();
    assertThat(keys).isNotEmpty();
    assertThat(database.commands().dbsize()).isEqualTo(2L * keys.size());
    assertThat(database.commands().pttl(keys.get(0) + "metadata")).isEqualTo(-1);
    assertThat(run("ls").endsWith(OK).lines()).containsExactlyInAnyOrderElementsOf(keys);
  }

  @Test
  void theDemoStartsAServerOfItsOwnWhateverLmcacheIsTold() {
    stored(KEY);
    Map<String, String> before = database.content();
    Launched demo = run("demo").endsWith(OK);
    assertThat(demo.out()).contains("started for this demo");
    assertThat(database.content()).isEqualTo(before);
  }

  @Test
  void theDemoLeavesAServerOfItsOwnThatItWasToldToKeep() throws Exception {
    Launched demo = run("demo", "--keep").endsWith(OK);
    Matcher left = LEFT.matcher(demo.out());
    assertThat(left.find()).as(demo.out()).isTrue();
    ProcessHandle server = ProcessHandle.of(Long.parseLong(left.group(3))).orElseThrow();
    try {
      assertThat(run("exists", "--url", left.group(1), left.group(2)).endsWith(OK).out())
          .isEqualTo("1\n");
      Path files;
      try (Peek peek = new Peek(left.group(1))) {
        files = Path.of(peek.commands().configGet("dir").get("dir"));
      }
      server.destroy();
      server.onExit().get(30, TimeUnit.SECONDS);
      try (Stream<Path> all = Files.walk(files)) {
        for (Path file : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    } finally {
      server.destroyForcibly();
    }
  }
}
