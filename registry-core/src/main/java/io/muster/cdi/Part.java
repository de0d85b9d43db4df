// SPDX-License-Identifier: Apache-2.0
package io.muster.cdi;

import static java.lang.annotation.ElementType.TYPE;
import static java.lang.annotation.RetentionPolicy.RUNTIME;

import jakarta.enterprise.inject.Stereotype;
import java.lang.annotation.Retention;
import java.lang.annotation.Target;

/**
 * A bean of which a registry has one. Classes are final and are injected through their constructors. There are no
 * proxies, so interceptors and decorators do not apply. No part has a {@code @PreDestroy}: CDI calls these in any
 * order, and a registry stops in the order of {@link io.muster.start.Startup}.
 */
@Stereotype
@RegistryScoped
@Retention(RUNTIME)
@Target(TYPE)
public @interface Part {}
