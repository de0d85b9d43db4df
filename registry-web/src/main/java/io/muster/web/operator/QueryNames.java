// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The query parameters that a request of the operator API takes. One without this takes none ({@link QueryFeature}). */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
public @interface QueryNames {

    /** The names, in the order in which a fault lists them. */
    String[] value();
}
