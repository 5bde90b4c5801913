/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.config;

import java.util.regex.Pattern;

/** Takes the credentials out of a URL that is to be shown. */
final class Credentials {

  /** Up to the last {@code @}: a password with an unescaped {@code @} or {@code /} goes as well. */
  private static final Pattern USER_INFO = Pattern.compile("(?<=://).*@");

  private static final Pattern QUERY =
      Pattern.compile("(?<=[?&](?:username|password)=)[^&]*", Pattern.CASE_INSENSITIVE);

  private Credentials() {}

  static String mask(String url) {
    String masked = USER_INFO.matcher(url).replaceAll("***@");
    return QUERY.matcher(masked).replaceAll("***");
  }
}
