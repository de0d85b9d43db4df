/**
 * Refusals of the core. A {@link io.muster.problem.RegistryException} has a problem type for the caller and a reason
 * for operators.
 */
package io.muster.problem;
