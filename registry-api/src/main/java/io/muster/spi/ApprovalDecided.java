// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import java.time.Instant;
import java.util.Optional;

/**
 * An operator approved or rejected a candidate. Approving one candidate rejects the others with its serial, and there is
 * an event for each. The event is fired after the commit. Observers run on threads of their own; the request waits for
 * them for one second at most. An exception of an observer is logged and dropped.
 *
 * @param at when, by the clock of the node that did it
 * @param fleet the fleet that the candidate may join
 * @param serial its serial
 * @param binding the thumbprint of its key; empty if it has none
 * @param approvalId the entry of the queue
 * @param approved whether it may register; else it was rejected
 * @param operator the operator's name
 */
public record ApprovalDecided(
        Instant at,
        String fleet,
        SerialNumber serial,
        Optional<String> binding,
        String approvalId,
        boolean approved,
        String operator) {}
