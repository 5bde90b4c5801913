/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.core.model.KnownModel;
import java.util.Iterator;

/** Short names of the models that are known, for help and for errors. */
final class KnownNames implements Iterable<String> {

  @Override
  public Iterator<String> iterator() {
    return KnownModel.all().stream().map(KnownModel::shortName).iterator();
  }
}
