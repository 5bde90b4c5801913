/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

/** Marks a test that needs real LMCache; it is run by the Maven profile {@code interop} alone. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Tag("interop")
@ExtendWith(InteropExtension.class)
public @interface Interop {}
