// SPDX-License-Identifier: Apache-2.0
package io.muster.fleet;

import io.muster.verification.policy.VerifierPolicy;

/**
 * Devices under one policy.
 *
 * @param name its name
 * @param version counts the replacements of its document
 * @param document its rules and its template
 * @param policy its verifiers and their rules
 */
public record Fleet(String name, long version, FleetDocument document, VerifierPolicy policy) {}
