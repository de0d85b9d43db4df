/** The record of decisions: what, by whom, and when. Start with {@link io.muster.audit.Audit}. */
package io.muster.audit;
