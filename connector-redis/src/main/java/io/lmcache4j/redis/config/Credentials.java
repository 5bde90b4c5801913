/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.config;

import java.util.regex.Pattern;

/** Takes the credentials out of a URL that is to be shown. */
final class Credentials {

  /**
   * Up to the last {@code @}, whatever stands before it but the scheme: a password with an
   * unescaped {@code @}, {@code /} or line break goes as well, and so does one in a URL without a
   * scheme.
   */
  private static final Pattern USER_INFO =
      Pattern.compile("^([A-Za-z][A-Za-z0-9+.-]*://)?.*@", Pattern.DOTALL);

  private static final Pattern QUERY =
      Pattern.compile("(?<=[?&](?:username|password)=)[^&]*", Pattern.CASE_INSENSITIVE);

  private Credentials() {}

  static String mask(String url) {
    String masked = USER_INFO.matcher(url).replaceAll("$1***@");
    return QUERY.matcher(masked).replaceAll("***");
  }
}
