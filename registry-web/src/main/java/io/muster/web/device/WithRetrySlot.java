// SPDX-License-Identifier: Apache-2.0
package io.muster.web.device;

import static java.lang.annotation.RetentionPolicy.RUNTIME;

import jakarta.ws.rs.NameBinding;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.Target;

/**
 * Marks endpoints that a whole fleet may call at once. A client that gets 503 is told when its turn is
 * ({@link io.muster.limit.RetrySlots}).
 */
@NameBinding
@Retention(RUNTIME)
@Target(ElementType.TYPE)
@interface WithRetrySlot {}
