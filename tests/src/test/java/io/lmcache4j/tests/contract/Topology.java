/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

/** How servers are arranged and reached. */
enum Topology {
  TCP("TCP"),
  UNIX("unix socket"),
  TLS("TLS"),
  SENTINEL("Sentinel"),
  SENTINEL_TLS("Sentinel over TLS"),
  CLUSTER("cluster"),
  CLUSTER_TLS("cluster over TLS");

  private final String text;

  Topology(String text) {
    this.text = text;
  }

  boolean isCluster() {
    return this == CLUSTER || this == CLUSTER_TLS;
  }

  boolean isTls() {
    return this == TLS || this == SENTINEL_TLS || this == CLUSTER_TLS;
  }

  @Override
  public String toString() {
    return text;
  }
}
