// SPDX-License-Identifier: Apache-2.0
package io.muster.cdi;

import static java.lang.annotation.ElementType.METHOD;
import static java.lang.annotation.ElementType.TYPE;
import static java.lang.annotation.RetentionPolicy.RUNTIME;

import jakarta.inject.Scope;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.Target;

/**
 * Lives as long as its registry. This is a pseudo-scope: an injection point gets the object itself, not a proxy. Our
 * own classes are {@link Part}s; this annotation is for producer methods of other types.
 */
@Scope
@Inherited
@Retention(RUNTIME)
@Target({TYPE, METHOD})
public @interface RegistryScoped {}
