/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.core.token.HashAlgorithm;
import io.lmcache4j.core.token.NoneHash;
import io.lmcache4j.core.token.PythonVersion;
import io.lmcache4j.redis.RedisConnectorOptions;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.HexFormat;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The texts of options, as the types of the library read them. */
final class Converters {

  private static final BigDecimal MEBIBYTE = BigDecimal.valueOf(1 << 20);

  private Converters() {}

  private static <T> T convert(String text, Function<String, T> parser) {
    try {
      return parser.apply(text);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }

  /** A decimal number of MiB, as bytes. */
  static final class ToMebibytes implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
      try {
        return new BigDecimal(text).multiply(MEBIBYTE).intValueExact();
      } catch (ArithmeticException | NumberFormatException e) {
        throw new TypeConversionException(
            "not a number of MiB that makes whole bytes, below 2048: \"" + text + "\"");
      }
    }
  }

  /** {@code HOST:PORT}, {@code [::1]:8000} or {@code :8000} for every address. */
  static final class ToAddress implements ITypeConverter<InetSocketAddress> {
    @Override
    public InetSocketAddress convert(String text) {
      int colon = text.lastIndexOf(':');
      String host = colon < 0 ? "" : text.substring(0, colon);
      try {
        int port = Integer.parseInt(text.substring(colon + 1));
        if (colon >= 0) {
          return host.isEmpty() ? new InetSocketAddress(port) : new InetSocketAddress(host, port);
        }
      } catch (IllegalArgumentException e) {
        // Told below, as what has no colon.
      }
      throw new TypeConversionException("not HOST:PORT: \"" + text + "\"");
    }
  }

  static final class ToUri implements ITypeConverter<URI> {
    @Override
    public URI convert(String text) {
      String bare = text.endsWith("/") ? text.substring(0, text.length() - 1) : text;
      return Converters.convert(bare, URI::create);
    }
  }

  static final class ToPath implements ITypeConverter<RedisConnectorOptions.Path> {
    @Override
    public RedisConnectorOptions.Path convert(String text) {
      return switch (text) {
        case "zero-copy" -> RedisConnectorOptions.Path.AUTO;
        case "copy" -> RedisConnectorOptions.Path.COPY;
        default ->
            throw new TypeConversionException("neither zero-copy nor copy: \"" + text + "\"");
      };
    }
  }

  static final class ToShape implements ITypeConverter<Shape> {
    @Override
    public Shape convert(String text) {
      return Converters.convert(text, Shape::parse);
    }
  }

  static final class ToDType implements ITypeConverter<DType> {
    @Override
    public DType convert(String text) {
      return Converters.convert(text, DType::parse);
    }
  }

  static final class ToMemoryFormat implements ITypeConverter<MemoryFormat> {
    @Override
    public MemoryFormat convert(String text) {
      return Converters.convert(text, MemoryFormat::parse);
    }
  }

  static final class ToLmcacheVersion implements ITypeConverter<LmcacheVersion> {
    @Override
    public LmcacheVersion convert(String text) {
      return Converters.convert(text, LmcacheVersion::parse);
    }
  }

  static final class ToPythonVersion implements ITypeConverter<PythonVersion> {
    @Override
    public PythonVersion convert(String text) {
      return Converters.convert(text, PythonVersion::parse);
    }
  }

  static final class ToHashAlgorithm implements ITypeConverter<HashAlgorithm> {
    @Override
    public HashAlgorithm convert(String text) {
      return Converters.convert(text, HashAlgorithm::parse);
    }
  }

  /** A decimal integer, or the 64 digits of a digest. */
  static final class ToNoneHash implements ITypeConverter<NoneHash> {

    private static final Pattern DIGEST = Pattern.compile("[0-9a-fA-F]{64}");

    @Override
    public NoneHash convert(String text) {
      return Converters.convert(text, ToNoneHash::parse);
    }

    private static NoneHash parse(String text) {
      if (DIGEST.matcher(text).matches()) {
        return NoneHash.ofDigest(HexFormat.of().parseHex(text));
      }
      try {
        return NoneHash.of(new BigInteger(text));
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException(
            "neither a decimal integer nor the 64 digits of a digest: \"" + text + "\"", e);
      }
    }
  }

  /** A whole number with its unit: {@code 1h}, {@code 30m}, {@code 90s}, {@code 500ms}. */
  static final class ToDuration implements ITypeConverter<Duration> {

    private static final Pattern SYNTAX = Pattern.compile("(\\d{1,9})(ms|s|m|h|d)");

    @Override
    public Duration convert(String text) {
      return Converters.convert(text, ToDuration::parse);
    }

    private static Duration parse(String text) {
      Matcher m = SYNTAX.matcher(text);
      if (!m.matches()) {
        throw new IllegalArgumentException(
            "not a duration: \"" + text + "\" (expected e.g. 1h, 30m, 90s, 500ms)");
      }
      long amount = Long.parseLong(m.group(1));
      Duration duration =
          switch (m.group(2)) {
            case "ms" -> Duration.ofMillis(amount);
            case "s" -> Duration.ofSeconds(amount);
            case "m" -> Duration.ofMinutes(amount);
            case "h" -> Duration.ofHours(amount);
            default -> Duration.ofDays(amount);
          };
      if (duration.isZero()) {
        throw new IllegalArgumentException("must be longer than nothing, and is " + text);
      }
      return duration;
    }
  }
}
