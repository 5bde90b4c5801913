/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop.differential;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.RemoteMetadataCodec;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.tests.interop.Json;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** RemoteMetadata.deserialize against RemoteMetadataCodec.decode. */
final class HeaderReading implements Kind {

  private static final int MANY = RemoteMetadataCodec.MAX_GROUPS + 1;

  @Override
  public ObjectNode generate(Source source) {
    int groups = source.oneIn(500) ? MANY : source.between(0, 4);
    int bytes =
        RemoteMetadataCodec.GROUPS_OFFSET
            + groups * RemoteMetadataCodec.GROUP_LENGTH
            + (source.oneIn(4) ? source.between(-8, 19) : 0);
    byte[] header = new byte[Math.max(0, bytes)];
    for (int field = 0; field * Integer.BYTES < header.length; field++) {
      long value = value(source, field);
      for (int i = 0; i < Integer.BYTES && field * Integer.BYTES + i < header.length; i++) {
        header[field * Integer.BYTES + i] = (byte) (value >> (8 * i));
      }
    }
    int asked = Math.max(1, groups + (source.oneIn(10) ? source.between(-1, 1) : 0));
    return Json.object("hex", HexFormat.of().formatHex(header), "num_groups", asked);
  }

  private static long value(Source source, int field) {
    if (source.oneIn(10)) {
      return source.edge();
    }
    if (field == 1) {
      return source.between(0, 8);
    }
    return field > 1 && (field - 2) % 5 == 0 ? source.between(0, 8) : source.between(0, 40);
  }

  @Override
  public List<ObjectNode> requests(ObjectNode input) {
    if (input.get("num_groups").intValue() < 1) {
      throw new IllegalArgumentException("a process has one group or more");
    }
    return List.of(Json.put(input.deepCopy(), "op", "metadata_decode"));
  }

  @Override
  public Verdict judge(ObjectNode input, List<JsonNode> replies) {
    JsonNode python = replies.get(0);
    boolean accepted = python.get("ok").booleanValue();
    byte[] header = HexFormat.of().parseHex(input.get("hex").textValue());
    int asked = input.get("num_groups").intValue();
    int groups =
        (header.length - RemoteMetadataCodec.GROUPS_OFFSET) / RemoteMetadataCodec.GROUP_LENGTH;
    Object java = decode(header, header.length);
    if (asked < groups) {
      int part = RemoteMetadataCodec.GROUPS_OFFSET + asked * RemoteMetadataCodec.GROUP_LENGTH;
      Object first = decode(header, part);
      boolean same = accepted == first instanceof JsonNode;
      if (!same || (accepted && !isSame(python, first))) {
        return Verdict.failed("the first groups differ", python, first);
      }
      if (!accepted && !(java instanceof JsonNode)) {
        return Verdict.refused();
      }
      return Verdict.different(Difference.GROUPS_BEYOND_THE_PROCESS);
    }
    if (accepted) {
      if (groups > RemoteMetadataCodec.MAX_GROUPS && !(java instanceof JsonNode)) {
        return Verdict.different(Difference.TOO_MANY_GROUPS);
      }
      return isSame(python, java)
          ? Verdict.equal()
          : Verdict.failed("another header", python, java);
    }
    if (!(java instanceof JsonNode)) {
      return Verdict.refused();
    }
    return asked > groups
        ? Verdict.different(Difference.GROUP_COUNT_OF_THE_PROCESS)
        : Verdict.failed("read here only", python, java);
  }

  private static boolean isSame(JsonNode python, Object java) {
    return java instanceof JsonNode read
        && List.of("length", "fmt", "shapes", "dtypes").stream()
            .allMatch(name -> read.get(name).equals(python.get(name)));
  }

  private static Object decode(byte[] header, int length) {
    try {
      RemoteMetadata metadata =
          RemoteMetadataCodec.current().decode("key", Unpooled.wrappedBuffer(header, 0, length));
      return describe(metadata);
    } catch (LmcacheException e) {
      return e;
    }
  }

  private static ObjectNode describe(RemoteMetadata metadata) {
    List<List<Long>> shapes = new ArrayList<>();
    for (Shape shape : metadata.shapes()) {
      List<Long> dims = new ArrayList<>();
      for (int i = 0; i < shape.rank(); i++) {
        dims.add(shape.dim(i));
      }
      shapes.add(dims);
    }
    List<@Nullable String> dtypes = new ArrayList<>();
    for (DType dtype : metadata.dtypes()) {
      dtypes.add(dtype == DType.NONE ? null : dtype.torchName());
    }
    MemoryFormat format = metadata.format();
    return Json.object(
        "length",
        metadata.length(),
        "fmt",
        format.code(LmcacheVersion.CURRENT).orElseThrow(),
        "shapes",
        shapes,
        "dtypes",
        dtypes);
  }
}
