/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop.differential;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.RemoteMetadataCodec;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.tests.interop.Json;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * RemoteMetadata.serialize against RemoteMetadataCodec.encode: shapes and dtypes that disagree
 * above all.
 */
final class HeaderWriting implements Kind {

  private static final RemoteMetadataCodec STRICT = RemoteMetadataCodec.current();
  private static final RemoteMetadataCodec LENIENT = STRICT.lenient();
  private static final int FORMATS = MemoryFormat.values().length;
  private static final int MANY = RemoteMetadataCodec.MAX_GROUPS + 2;

  @Override
  public ObjectNode generate(Source source) {
    int groups = source.oneIn(500) ? MANY : source.pick(1, 1, 1, 1, 2, 2, 3, 4, 5, 0);
    int dtypes = source.oneIn(3) ? source.between(0, groups + 1) : groups;
    boolean honest = source.oneIn(2);
    List<List<Long>> shapes =
        source.list(
            groups,
            () ->
                source.list(
                    honest ? source.between(1, 4) : source.between(0, 5),
                    () ->
                        honest || !source.oneIn(6) ? (long) source.between(0, 40) : source.edge()));
    List<@Nullable String> names = new ArrayList<>();
    for (int i = 0; i < dtypes; i++) {
      names.add(
          honest || !source.oneIn(6)
              ? source.pick("float16", "bfloat16", "float32", "uint8", "float8_e4m3fn")
              : Dtypes.any(source));
    }
    int format = honest ? source.below(FORMATS) : source.between(-1, FORMATS);
    ObjectNode input = Json.object("length", 0, "fmt", format, "shapes", shapes, "dtypes", names);
    long length = source.oneIn(4) ? source.edge() : honestLength(input);
    Json.put(input, "length", length);
    if (source.oneIn(20)) {
      Json.put(input, "num_groups", source.between(0, 5));
    }
    return input;
  }

  private static long honestLength(ObjectNode input) {
    RemoteMetadata metadata = metadata(input);
    BigInteger length = metadata == null ? null : payloadBytes(metadata);
    return length == null || length.bitLength() > 62 ? 0 : length.longValue();
  }

  @Override
  public List<ObjectNode> requests(ObjectNode input) {
    ObjectNode asIs = Json.put(input.deepCopy(), "op", "metadata_encode");
    List<ObjectNode> requests = new ArrayList<>(List.of(asIs));
    if (isRepairable(input)) {
      ObjectNode repaired = asIs.deepCopy();
      ArrayNode dtypes = (ArrayNode) repaired.get("dtypes");
      while (dtypes.size() < input.get("shapes").size()) {
        dtypes.add(dtypes.isEmpty() ? Json.node("bfloat16") : dtypes.get(0));
      }
      repaired.remove("num_groups");
      requests.add(repaired);
    }
    return requests;
  }

  private static boolean isShort(ObjectNode input) {
    return input.get("dtypes").size() < input.get("shapes").size();
  }

  private static boolean isRepairable(ObjectNode input) {
    return isShort(input) || input.has("num_groups");
  }

  @Override
  public Verdict judge(ObjectNode input, List<JsonNode> replies) {
    JsonNode python = replies.get(0);
    boolean accepted = python.get("ok").booleanValue();
    RemoteMetadata metadata = metadata(input);
    if (metadata == null) {
      return accepted
          ? Verdict.failed("there is no such dtype or format", python, null)
          : Verdict.refused();
    }
    Object lenient = encode(LENIENT, metadata);
    Object strict = encode(STRICT, metadata);
    String lie = lie(metadata);
    if (lie != null && strict instanceof String) {
      return Verdict.failed("written in spite of " + lie, python, strict);
    }
    if (lenient instanceof String bytes) {
      JsonNode witness = accepted || replies.size() == 1 ? python : replies.get(1);
      if (!bytes.equals(witness.path("hex").textValue())) {
        return Verdict.failed("another header", witness, bytes);
      }
      if (strict instanceof String ? !strict.equals(lenient) : lie == null) {
        return Verdict.failed("the strict codec differs", python, strict);
      }
      return accepted ? written(strict, metadata) : filled(input);
    }
    if (!accepted) {
      boolean repaired = replies.size() > 1 && replies.get(1).get("ok").booleanValue();
      return repaired ? few(metadata, python, lenient) : Verdict.refused();
    }
    return few(metadata, python, lenient);
  }

  private static Verdict written(Object strict, RemoteMetadata metadata) {
    if (strict instanceof String) {
      return Verdict.equal();
    }
    return Verdict.different(
        isNegative(metadata) ? Difference.NEGATIVE_NUMBER : Difference.UNTRUE_LENGTH);
  }

  private static Verdict filled(ObjectNode input) {
    return Verdict.different(
        isShort(input) ? Difference.BACK_FILL : Difference.GROUP_COUNT_OF_THE_PROCESS);
  }

  private static Verdict few(RemoteMetadata metadata, JsonNode python, Object java) {
    if (metadata.groups() == 0) {
      return Verdict.different(Difference.NO_GROUP);
    }
    return metadata.groups() > RemoteMetadataCodec.MAX_GROUPS
        ? Verdict.different(Difference.TOO_MANY_GROUPS)
        : Verdict.failed("refused here only", python, java);
  }

  /** What the input says, or null if lmcache4j has no word for it. */
  private static @Nullable RemoteMetadata metadata(ObjectNode input) {
    List<Shape> shapes = new ArrayList<>();
    for (JsonNode dims : input.get("shapes")) {
      long[] shape = new long[dims.size()];
      for (int i = 0; i < shape.length; i++) {
        shape[i] = dims.get(i).longValue();
      }
      shapes.add(Shape.of(shape));
    }
    List<DType> dtypes = new ArrayList<>();
    for (JsonNode name : input.get("dtypes")) {
      DType dtype = Dtypes.of(name);
      if (dtype == null) {
        return null;
      }
      dtypes.add(dtype);
    }
    MemoryFormat format = MemoryFormat.byCode(input.get("fmt").intValue(), LmcacheVersion.CURRENT);
    return format == null
        ? null
        : new RemoteMetadata(input.get("length").longValue(), format, shapes, dtypes);
  }

  /** Returns the header in hexadecimal, or what was thrown. */
  private static Object encode(RemoteMetadataCodec codec, RemoteMetadata metadata) {
    ByteBuf out = Unpooled.buffer();
    try {
      codec.encode("key", metadata, out);
      return ByteBufUtil.hexDump(out);
    } catch (LmcacheException e) {
      return e;
    }
  }

  /** Why the header would not be true, found out without the code that is tested; or null. */
  private static @Nullable String lie(RemoteMetadata metadata) {
    if (isNegative(metadata)) {
      return "a negative number";
    }
    BigInteger described = payloadBytes(metadata);
    return BigInteger.valueOf(metadata.length()).equals(described)
        ? null
        : "a length that should be " + described;
  }

  private static boolean isNegative(RemoteMetadata metadata) {
    boolean negative = metadata.length() < 0;
    for (Shape shape : metadata.shapes()) {
      for (int i = 0; i < shape.rank(); i++) {
        negative |= shape.dim(i) < 0;
      }
    }
    return negative;
  }

  /** A binary format counts bytes if only its first dimension isn't zero. */
  private static BigInteger payloadBytes(RemoteMetadata metadata) {
    BigInteger total = BigInteger.ZERO;
    for (int group = 0; group < metadata.groups(); group++) {
      Shape shape = metadata.shapes().get(group);
      int rank = shape.rank();
      while (metadata.format().isBinary() && rank > 0 && shape.dim(rank - 1) == 0) {
        rank--;
      }
      if (metadata.format().isBinary() && rank == 0) {
        continue;
      }
      boolean bytes = metadata.format().isBinary() && rank == 1;
      BigInteger product = BigInteger.valueOf(bytes ? 1 : metadata.dtype(group).itemSize());
      for (int i = 0; i < rank; i++) {
        product = product.multiply(BigInteger.valueOf(shape.dim(i)));
      }
      total = total.add(product);
    }
    return total;
  }
}
