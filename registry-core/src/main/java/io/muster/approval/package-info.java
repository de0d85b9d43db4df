/**
 * The verifier {@code approval}: an operator looks at a device and decides. Start with
 * {@link io.muster.approval.ApprovalQueue}, which has the candidates, and {@link io.muster.approval.Approvals}, by which
 * operators decide.
 */
package io.muster.approval;
