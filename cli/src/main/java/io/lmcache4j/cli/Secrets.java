/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import java.util.regex.Pattern;

/**
 * Takes the credentials out of whatever is about to be shown. The library does so itself; this is
 * for URLs that reach a message by another way, such as one typed in the place of a key.
 */
final class Secrets {

  /**
   * What has a password, to the last {@code @} before a space or a quote, so that one inside the
   * password counts. A model at {@code s3://bucket/name} has none.
   */
  private static final Pattern USER_INFO = Pattern.compile("(?<=://)[^\\s\"'/@]*:[^\\s\"']*@");

  private static final Pattern QUERY =
      Pattern.compile("(?<=[?&](?:username|password)=)[^&\\s\"']*", Pattern.CASE_INSENSITIVE);

  private Secrets() {}

  static String mask(String text) {
    String masked = USER_INFO.matcher(text).replaceAll("***@");
    return QUERY.matcher(masked).replaceAll("***");
  }
}
