/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.config;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;

/**
 * LMCache's YAML file: YAML 1.1 with the types of {@code yaml.safe_load}, a mapping at the top.
 *
 * <p>A file is refused beyond {@value #MAX_BYTES} bytes, {@value #MAX_DEPTH} levels of nesting or
 * {@value #MAX_ALIASES} aliases of collections. Aliases are shared and never copied, so what they
 * multiply costs nothing until somebody walks it; nothing here does.
 */
final class ConfigFile {

  static final int MAX_BYTES = 1 << 20;
  static final int MAX_DEPTH = 50;
  static final int MAX_ALIASES = 50;

  private ConfigFile() {}

  /** Returns what the file sets, by key. */
  static Map<String, Setting> read(Path file) {
    String text = text(file);
    LoaderOptions options = new LoaderOptions();
    options.setCodePointLimit(MAX_BYTES);
    options.setNestingDepthLimit(MAX_DEPTH);
    options.setMaxAliasesForCollections(MAX_ALIASES);
    options.setAllowRecursiveKeys(false);
    // As in Python's dict: the last one wins.
    options.setAllowDuplicateKeys(true);
    options.setWarnOnDuplicateKeys(false);
    try {
      NodeReader reader = new NodeReader(options);
      Node root = new Yaml(reader).compose(new StringReader(text));
      return root == null ? Map.of() : settings(file, root, reader.read(root));
    } catch (MarkedYAMLException e) {
      // Not the cause, not its message: both quote the file, and the file holds credentials.
      Mark mark = e.getProblemMark();
      String place = mark == null ? "" : ":" + (mark.getLine() + 1) + ":" + (mark.getColumn() + 1);
      throw new LmcacheConfigException(file + place + ": not valid YAML");
    } catch (YAMLException e) {
      throw new LmcacheConfigException(
          String.format(
              "%s: not a YAML file, or beyond %d levels of nesting or %d aliases",
              file, MAX_DEPTH, MAX_ALIASES));
    } catch (RuntimeException e) {
      // SnakeYAML lets out what it meets in a value that is not what its tag says: "!!int x".
      throw new LmcacheConfigException(file + ": a value is not what its tag says");
    }
  }

  private static Map<String, Setting> settings(Path file, Node root, @Nullable Object value) {
    if (value == null || Boolean.FALSE.equals(value)) {
      // Python: yaml.safe_load(fin) or {}
      return Map.of();
    }
    if (!(value instanceof Map<?, ?> mapping)) {
      throw new LmcacheConfigException(file + ": must be a mapping of keys to values");
    }
    Map<String, Integer> lines = new HashMap<>();
    if (root instanceof MappingNode node) {
      for (NodeTuple tuple : node.getValue()) {
        if (tuple.getKeyNode() instanceof ScalarNode key) {
          lines.put(key.getValue(), key.getStartMark().getLine() + 1);
        }
      }
    }
    Map<String, Setting> settings = new LinkedHashMap<>();
    mapping.forEach(
        (k, v) -> {
          if (k instanceof String key) {
            Integer line = lines.get(key);
            settings.put(key, new Setting(file + (line == null ? "" : ":" + line) + ": " + key, v));
          }
        });
    return settings;
  }

  private static String text(Path file) {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(MAX_BYTES + 1);
    } catch (NoSuchFileException e) {
      throw new LmcacheConfigException(file + ": there is no such file");
    } catch (IOException e) {
      throw new LmcacheConfigException(file + ": cannot be read (" + e.getMessage() + ")");
    }
    if (bytes.length > MAX_BYTES) {
      throw new LmcacheConfigException(file + ": longer than " + MAX_BYTES + " bytes");
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new LmcacheConfigException(file + ": not UTF-8");
    }
  }

  /** Keeps the nodes, which know their lines, beside the values made of them. */
  private static final class NodeReader extends SafeConstructor {

    NodeReader(LoaderOptions options) {
      super(options);
    }

    Object read(Node root) {
      return constructDocument(root);
    }
  }
}
