/**
 * How core says no: {@link io.muster.problem.RegistryException}, a problem type for the caller and a reason for operators; and
 * how often.
 */
package io.muster.problem;
