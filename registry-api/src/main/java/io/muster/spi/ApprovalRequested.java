// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import java.time.Instant;
import java.util.Optional;

/**
 * A candidate waits for an operator's approval. The event is fired once for each entry of the queue, after the commit.
 * Observers run on threads of their own; the request waits for them for one second at most. An exception of an observer
 * is logged and dropped.
 *
 * @param at when, by the clock of the node that was asked
 * @param fleet the fleet it asks to join
 * @param serial the serial it presents
 * @param binding the thumbprint of its key; empty if it has none
 * @param approvalId the entry of the queue
 * @param origin the address it came from
 */
public record ApprovalRequested(
        Instant at, String fleet, SerialNumber serial, Optional<String> binding, String approvalId, String origin) {}
