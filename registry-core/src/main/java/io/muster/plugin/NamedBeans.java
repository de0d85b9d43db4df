// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin;

import io.muster.spi.CredentialIssuer;
import io.muster.spi.SerialVerifier;
import java.util.Map;

/**
 * The CDI beans that users of the WAR wrote, by the name in {@code @Named}.
 *
 * @param verifiers verifiers
 * @param issuers credential issuers
 */
public record NamedBeans(Map<String, SerialVerifier> verifiers, Map<String, CredentialIssuer> issuers) {}
