/**
 * Work on many serials or devices, which any node does and another one goes on with. Start with
 * {@link io.muster.job.Jobs} and {@link io.muster.job.JobRunner}.
 */
package io.muster.job;
