/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.key.KeyFormat;
import io.lmcache4j.redis.KeyPage;
import io.lmcache4j.redis.ListedKey;
import io.lmcache4j.redis.RedisConnectorException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Every metadata key is listed, decoded where it can be, whatever else is in the database. */
final class ListingTest extends ConnectorContract {

  private static final String DIGEST = "0123456789abcdef".repeat(4);

  /** Each form with the grammar that reads it, null for none. */
  private enum Form {
    TODAY("org/model@8@%d@-%x@bfloat16", KeyFormat.V0_3_13),
    LAYER("org/model@8@%d@%x@half@31", KeyFormat.V0_3_13),
    TAGGED("org/model@8@%d@%x@float@user%%a b@k%%", KeyFormat.V0_3_13),
    AT("user@host/model@8@%d@%x@fp8_e5m2fnuz", KeyFormat.V0_3_13),
    DTYPED("vllm@org/model@8@%d@%x@uint8", KeyFormat.V0_3_9_POST2),
    HEXADECIMAL("vllm@org/model@8@%d@%xa", KeyFormat.V0_3_6),
    OLDEST("vllm@org/model@8@%d@" + DIGEST, KeyFormat.V0_3_0),
    TOO_FEW("org/model@%d@%x", null),
    EMPTY_PARTS("@@%d@@%x", null),
    NOISE("session:%d:%x:", null);

    private final String template;
    private final @Nullable KeyFormat grammar;

    Form(String template, @Nullable KeyFormat grammar) {
      this.template = template;
      this.grammar = grammar;
    }
  }

  @Test
  void fiveThousandMixedKeysAreListedOnceAndDecodedWhereTheyCanBe() {
    Map<String, @Nullable ChunkKey> expected = new HashMap<>();
    Random random = new Random(20261124);
    int sent = 0;
    while (expected.size() < 5_000) {
      Form form = Form.values()[expected.size() % Form.values().length];
      String name = String.format(form.template, expected.size(), random.nextInt(1 << 30));
      expected.put(name, form.grammar == null ? null : form.grammar.parse(name));
      raw.send("SET", name + "metadata", "x");
      raw.send("SET", name + "kv_bytes", "x");
      raw.send("SET", name + "metadata.not", "x");
      sent += 3;
    }
    for (int i = 0; i < sent; i++) {
      raw.reply();
    }
    Map<String, @Nullable ChunkKey> listed = new HashMap<>();
    connector.sync().list().forEach(each -> listed.put(each.name(), each.key()));
    assertThat(listed).isEqualTo(expected);
  }

  @Test
  void aNameThatIsNotUtf8IsListedAndIsNoKey() {
    byte[] name = utf8("?@1@0@ff@halfmetadata");
    name[0] = (byte) 0xFF;
    raw.call("SET", name, "x");
    // Read as text it would be another key, which is not there.
    assertThat(connector.sync().list()).containsExactly(new ListedKey("\uFFFD@1@0@ff@half", null));
  }

  @Test
  void theShortestKeyIsListed() {
    raw.set("metadata", utf8("x"));
    assertThat(connector.sync().list()).containsExactly(new ListedKey("", null));
  }

  @Test
  void anEmptyDatabaseIsOneEmptyPageOfEachMaster() {
    String cursor = KeyPage.END;
    for (int left = raw.masters().size(); left > 0; left--) {
      KeyPage page = connector.list(cursor).toCompletableFuture().join();
      assertThat(page.keys()).isEmpty();
      assertThat(page.isLast()).isEqualTo(left == 1);
      cursor = page.nextCursor();
    }
    assertThat(connector.sync().list()).isEmpty();
  }

  @Test
  void pagesFollowEachOther() {
    for (int i = 0; i < 2_000; i++) {
      raw.send("SET", header(Samples.key(i)), "x");
    }
    for (int i = 0; i < 2_000; i++) {
      raw.reply();
    }
    List<KeyPage> pages = new ArrayList<>();
    String cursor = KeyPage.END;
    do {
      KeyPage page = connector.list(cursor).toCompletableFuture().join();
      pages.add(page);
      cursor = page.nextCursor();
    } while (!pages.get(pages.size() - 1).isLast());
    assertThat(pages).hasSizeGreaterThan(1);
    assertThat(pages.stream().flatMap(page -> page.keys().stream()).map(ListedKey::key).distinct())
        .hasSize(2_000);
  }

  @Test
  void aCursorThatIsNoneIsRefusedByTheServer() {
    assertThatThrownBy(() -> connector.list("nonsense").toCompletableFuture().join())
        .cause()
        .isInstanceOf(RedisConnectorException.class)
        .hasMessageContaining("invalid cursor");
  }
}
