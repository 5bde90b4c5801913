/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.lmcache4j.cli.sidecar.Scripts;
import io.lmcache4j.cli.sidecar.Scripts.Said;
import io.lmcache4j.core.model.KnownModel;
import io.lmcache4j.redis.config.LmcacheConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * What {@code deploy/up} writes, held against the Compose specification and against what reads it.
 * No Docker is needed, and none is asked.
 */
final class DeployUpTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String MODEL = "meta-llama/Llama-3.1-8B-Instruct";

  private static Said up(Map<String, String> environment, String... args) {
    return Scripts.run(environment, "up", args);
  }

  private static Map<String, String> dryRun(Map<String, String> environment, String... more) {
    List<String> args = new ArrayList<>(List.of("--model", MODEL, "--dry-run"));
    args.addAll(List.of(more));
    Said said = up(environment, args.toArray(String[]::new));
    assertThat(said.err()).isEmpty();
    assertThat(said.exitCode()).isZero();
    return Scripts.sections(said.out());
  }

  private static String file(Map<String, String> files, String name) {
    return Objects.requireNonNull(files.get(name), name);
  }

  private static JsonNode yaml(String text) {
    return JSON.valueToTree(new Yaml(new SafeConstructor(new LoaderOptions())).load(text));
  }

  private static JsonNode compose(Map<String, String> files) {
    return yaml(file(files, "compose.yaml"));
  }

  private static List<String> texts(JsonNode list) {
    List<String> texts = new ArrayList<>();
    list.forEach(each -> texts.add(each.asText()));
    return texts;
  }

  static Stream<Arguments> deployments() {
    List<Arguments> all = new ArrayList<>();
    for (String vendor : List.of("rocm", "nvidia")) {
      for (String redis : List.of("7.4.2", "8.4.0")) {
        for (int[] gpus : new int[][] {{1, 1}, {2, 2}, {2, 4}, {4, 1}}) {
          for (boolean ofOne : new boolean[] {false, true}) {
            all.add(Arguments.of(vendor, redis, gpus[0], gpus[1], ofOne));
          }
        }
      }
    }
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("deployments")
  void everyDeploymentIsAComposeProject(
      String vendor, String redis, int prefill, int decode, boolean ofOne) throws IOException {
    List<String> args =
        new ArrayList<>(
            List.of(
                "--vendor",
                vendor,
                "--redis",
                redis,
                "--prefill-gpus",
                Integer.toString(prefill),
                "--decode-gpus",
                Integer.toString(decode)));
    if (ofOne) {
      args.addAll(List.of("--prefill-tp", "1", "--decode-tp", "1"));
    }
    args.addAll(List.of("--", "--max-model-len=8192", "--served-model-name", "a \"b\" $c"));
    JsonNode compose = compose(dryRun(Map.of(), args.toArray(String[]::new)));

    assertThat(schema().validate(compose)).isEmpty();

    JsonNode services = compose.path("services");
    int instances = ofOne ? prefill + decode : 2;
    assertThat(services.size()).isEqualTo(2 + instances);
    Set<String> gpus = new HashSet<>();
    Set<String> ports = new HashSet<>();
    for (Map.Entry<String, JsonNode> service : services.properties()) {
      String name = service.getKey();
      for (Map.Entry<String, JsonNode> on : service.getValue().path("depends_on").properties()) {
        assertThat(services.has(on.getKey())).as(name).isTrue();
        assertThat(services.path(on.getKey()).has("healthcheck")).as(on.getKey()).isTrue();
      }
      service.getValue().path("ports").forEach(p -> assertThat(ports.add(p.asText())).isTrue());
      if (name.startsWith("prefill") || name.startsWith("decode")) {
        instance(name, service.getValue(), vendor, gpus);
      }
    }
    assertThat(gpus).hasSize(prefill + decode);
    assertThat(services.path("sidecar").path("depends_on").size()).isEqualTo(1 + instances);
  }

  /** One instance of vLLM; the names are those of KVTransferConfig in vllm/config. */
  private static void instance(String name, JsonNode service, String vendor, Set<String> gpus)
      throws IOException {
    List<String> command = texts(service.path("command"));
    assertThat(command.get(0)).isEqualTo(MODEL);
    // Compose replaces variables, and writes $$ as one dollar sign.
    assertThat(command).endsWith("--max-model-len=8192", "--served-model-name", "a \"b\" $$c");
    String transfer = after(command, "--kv-transfer-config=");
    assertThat(JSON.readTree(transfer))
        .isEqualTo(
            JSON.createObjectNode()
                .put("kv_connector", "LMCacheConnectorV1")
                .put("kv_role", name.startsWith("prefill") ? "kv_producer" : "kv_consumer"));
    List<String> its =
        vendor.equals("rocm")
            ? List.of(service.path("environment").path("HIP_VISIBLE_DEVICES").asText().split(","))
            : texts(
                service.at("/deploy/resources/reservations/devices").path(0).path("device_ids"));
    assertThat(its).hasSize(Integer.parseInt(after(command, "--tensor-parallel-size=")));
    for (String gpu : its) {
      assertThat(gpus.add(gpu)).as("GPU " + gpu + " is given once").isTrue();
    }
    assertThat(service.path("environment").path("PYTHONHASHSEED").asText()).isEqualTo("0");
    assertThat(service.path("environment").path("LMCACHE_CONFIG_FILE").asText())
        .isEqualTo("/etc/lmcache.yaml");
    assertThat(texts(service.path("devices")))
        .isEqualTo(vendor.equals("rocm") ? List.of("/dev/kfd", "/dev/dri") : List.of());
  }

  private static String after(List<String> command, String option) {
    return command.stream()
        .filter(word -> word.startsWith(option))
        .findFirst()
        .orElseThrow()
        .substring(option.length());
  }

  private static Schema schema() throws IOException {
    try (InputStream in = DeployUpTest.class.getResourceAsStream("/compose/compose-spec.json")) {
      return SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_7)
          // Its own $id is relative.
          .getSchema(
              SchemaLocation.of("https://compose-spec.io/compose_spec.json"), JSON.readTree(in));
    }
  }

  @Test
  void theSchemaRefusesWhatComposeWouldRefuse() throws IOException {
    String compose =
        file(dryRun(Map.of(), "--prefill-gpus", "1", "--decode-gpus", "1"), "compose.yaml");
    for (String[] change :
        new String[][] {
          {"env_file: [redis.env]", "env_files: [redis.env]"},
          {"condition: service_healthy", "condition: healthy"},
          {"interval: 5s", "interval: [5s]"},
        }) {
      assertThat(compose).contains(change[0]);
      assertThat(schema().validate(yaml(compose.replace(change[0], change[1])))).isNotEmpty();
    }
  }

  /** The sidecar is told what it takes, by the file that the workers are told by. */
  @ParameterizedTest
  @CsvSource({"2, 2", "2, 4", "8, 2"})
  void theSidecarUnderstandsItsCommand(int prefill, int decode, @TempDir Path dir)
      throws IOException {
    Map<String, String> files =
        dryRun(
            Map.of(),
            "--prefill-gpus",
            Integer.toString(prefill),
            "--decode-gpus",
            Integer.toString(decode),
            "--chunk-size",
            "128");
    Path config = dir.resolve("lmcache.yaml");
    Files.writeString(config, file(files, "lmcache.yaml"));
    Map<String, String> environment =
        Map.of(
            "LMCACHE_CONFIG_FILE",
            config.toString(),
            "PYTHONHASHSEED",
            "0",
            // Nobody is there: it has to get so far as to find that out.
            "LMCACHE_REMOTE_URL",
            "redis://:x@127.0.0.1:1");
    assertThat(LmcacheConfig.load(environment).chunkSize()).isEqualTo(128);
    assertThat(LmcacheConfig.load(environment).warnings()).isEmpty();
    List<String> command = texts(compose(files).at("/services/sidecar/command"));
    Run run = Run.with(environment, "", command.toArray(String[]::new));
    assertThat(run.err()).contains("127.0.0.1:1");
    assertThat(run.exitCode()).isEqualTo(ExitCode.SERVER);
  }

  @Test
  void everyFileThatIsMountedOrReadIsWritten() {
    Map<String, String> files = dryRun(Map.of(), "--prefill-gpus", "1", "--decode-gpus", "1");
    assertThat(files.keySet())
        .contains("lmcache.yaml", "Dockerfile", "redis.env", "cache.env", "vllm.env", "addresses");
    assertThat(file(files, "compose.yaml"))
        .contains("./lmcache.yaml:")
        .contains("build: ./vllm")
        .contains("[cache.env, vllm.env]")
        .contains("[redis.env]");
  }

  @Test
  void secretsAreInFilesOfTheirOwnerAloneAndNeverShown(@TempDir Path dir) throws IOException {
    Path log = dir.resolve("docker.log");
    Scripts.program(dir, "docker", "echo \"$@\" >>" + log);
    Path jar = Files.writeString(dir.resolve("some.jar"), "jar");
    Map<String, String> environment =
        Map.of(
            "PATH",
            dir + ":" + System.getenv("PATH"),
            "HF_TOKEN",
            "hf_geheim1",
            "VLLM_API_KEY",
            "sk-geheim2",
            "REDIS_PASSWORD",
            "geheim3");
    String[] args = {
      "--model",
      MODEL,
      "--prefill-gpus",
      "2",
      "--decode-gpus",
      "4",
      "--dir",
      dir.resolve("project").toString(),
      "--jar",
      jar.toString()
    };
    List<String> dry = new ArrayList<>(List.of(args));
    dry.add("--dry-run");
    Said shown = up(environment, dry.toArray(String[]::new));
    assertThat(shown.out()).doesNotContain("geheim").contains("HF_TOKEN=***");
    assertThat(dir.resolve("project")).doesNotExist();
    assertThat(log).doesNotExist();

    Said done = up(environment, args);
    assertThat(done.exitCode()).as(done.err()).isZero();
    assertThat(done.out() + done.err()).doesNotContain("geheim");
    assertThat(log)
        .content()
        .contains("compose.yaml up --build --detach --wait")
        .doesNotContain("geheim");
    Path project = dir.resolve("project");
    assertThat(project.resolve("redis.env")).content().isEqualTo("REDIS_PASSWORD=geheim3\n");
    assertThat(project.resolve("cache.env"))
        .content()
        .isEqualTo("LMCACHE_REMOTE_URL=redis://:geheim3@redis:6379\n");
    assertThat(project.resolve("vllm.env"))
        .content()
        .isEqualTo("HF_TOKEN=hf_geheim1\nVLLM_API_KEY=sk-geheim2\n");
    for (String file : List.of("redis.env", "cache.env", "vllm.env")) {
      assertThat(
              PosixFilePermissions.toString(Files.getPosixFilePermissions(project.resolve(file))))
          .as(file)
          .isEqualTo("rw-------");
    }
    try (Stream<Path> written = Files.walk(project)) {
      for (Path file : written.filter(Files::isRegularFile).toList()) {
        if (!file.toString().endsWith(".env")) {
          assertThat(file).content().doesNotContain("geheim");
        }
      }
    }
    // What was shown is what is written.
    assertThat(project.resolve("compose.yaml"))
        .content()
        .isEqualTo(file(Scripts.sections(shown.out()), "compose.yaml").strip() + "\n");
  }

  @Test
  void eachFolderIsAProjectOfItsOwnHoweverItIsNamed(@TempDir Path dir) throws IOException {
    Path a = Files.createDirectories(dir.resolve("a/project"));
    Path b = dir.resolve("b/project");
    String name = projectName(a);
    assertThat(projectName(b)).isNotEqualTo(name);
    assertThat(projectName(dir.resolve("a/../a/./project"))).isEqualTo(name);
    Path link = Files.createSymbolicLink(dir.resolve("link"), dir.resolve("a"));
    assertThat(projectName(link.resolve("project"))).isEqualTo(name);
    Files.delete(a);
    assertThat(projectName(link.resolve("project"))).as("before it is there").isEqualTo(name);
  }

  private static String projectName(Path dir) {
    return compose(
            dryRun(Map.of(), "--prefill-gpus", "1", "--decode-gpus", "1", "--dir", dir.toString()))
        .path("name")
        .asText();
  }

  @Test
  void thePasswordOfAProjectIsKept(@TempDir Path dir) throws IOException {
    Scripts.program(dir, "docker", "exit 0");
    Path jar = Files.writeString(dir.resolve("some.jar"), "jar");
    Path env = dir.resolve("project/redis.env");
    Map<String, String> environment = Map.of("PATH", dir + ":" + System.getenv("PATH"));
    String[] args = {
      "--model",
      MODEL,
      "--prefill-gpus",
      "1",
      "--decode-gpus",
      "1",
      "--dir",
      dir.resolve("project").toString(),
      "--jar",
      jar.toString()
    };
    assertThat(up(environment, args).exitCode()).isZero();
    String first = Files.readString(env);
    assertThat(first).matches("REDIS_PASSWORD=[0-9a-f]{48}\n");
    assertThat(up(environment, args).exitCode()).isZero();
    assertThat(env).content().isEqualTo(first);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--prefill-gpus 2 --decode-gpus 4 | --model is needed",
        "--model m --prefill-gpus 2 | --decode-gpus is \"\"",
        "--model m --prefill-gpus 0 --decode-gpus 4 | --prefill-gpus is 0, allowed: 1 or more",
        "--model m --prefill-gpus two --decode-gpus 4 | --prefill-gpus is \"two\"",
        "--model m --prefill-gpus 3 --prefill-tp 2 --decode-gpus 4 | no multiple of --prefill-tp 2",
        "--model m --prefill-gpus 2 --decode-gpus 4 | need --layers, --kv-heads and --head-size",
        "--model m --prefill-gpus 3 --decode-gpus 4 --layers 1 --kv-heads 8 --head-size 1 | 3 ranks",
        "--model m --prefill-gpus 1 --decode-gpus 1 --redis 6 | allowed: 7.4.2 or 8.4.0",
        "--model m --prefill-gpus 1 --decode-gpus 1 --vendor intel | allowed: rocm or nvidia",
        "--model m;x --prefill-gpus 1 --decode-gpus 1 | --model is \"m;x\"",
        "--model m --gpus 1 | unknown: --gpus",
        "--model | --model needs a value",
      })
  void whatCannotBeMeantIsRefused(String args, String reason) {
    Said said =
        up(Map.of(), (args + " --dry-run").replace("--model --dry-run", "--model").split(" "));
    assertThat(said.exitCode()).isEqualTo(2);
    assertThat(said.err()).contains(reason);
    assertThat(said.out()).isEmpty();
  }

  @Test
  void aSecretThatAnEnvFileCannotHoldIsRefusedAndNotShown() {
    Said said =
        up(
            Map.of("HF_TOKEN", "se$cret"),
            "--model",
            MODEL,
            "--prefill-gpus",
            "1",
            "--decode-gpus",
            "1",
            "--dry-run");
    assertThat(said.exitCode()).isEqualTo(2);
    assertThat(said.err()).contains("HF_TOKEN").doesNotContain("cret");
  }

  @Test
  void theModelsThatItKnowsAreThoseOfTheLibrary() {
    for (KnownModel model : KnownModel.all()) {
      Said said =
          Scripts.run(
              Map.of(),
              List.of(
                  "sh",
                  "-c",
                  ". \"$0\"; known_model \"$1\"",
                  Scripts.folder().resolve("lib.sh").toString(),
                  model.modelName()));
      assertThat(said.out().strip())
          .isEqualTo(
              model.geometry().layers()
                  + " "
                  + model.geometry().kvHeads()
                  + " "
                  + model.geometry().headSize()
                  + " "
                  + model.queryHeads()
                  + " "
                  + model.parameters());
    }
  }

  @Test
  void theScriptsPassShellcheck() {
    Said which = Scripts.run(Map.of(), List.of("sh", "-c", "command -v shellcheck"));
    if (which.exitCode() != 0) {
      System.err.println("shellcheck is not installed: the scripts of deploy/ are not checked");
    }
    assumeTrue(which.exitCode() == 0, "shellcheck is not installed");
    Said said =
        Scripts.run(
            Map.of(),
            List.of(
                "sh",
                "-c",
                "cd \"$0\" && shellcheck -x deploy/*",
                Scripts.folder().resolve("..").toString()));
    assertThat(said.out() + said.err()).isEmpty();
    assertThat(said.exitCode()).isZero();
  }
}
