/**
 * The verifier {@code hmac}: evidence that a factory derives for each serial from an enrolment key. Start with
 * {@link io.muster.verification.hmac.EnrolmentKeys}.
 */
package io.muster.verification.hmac;
