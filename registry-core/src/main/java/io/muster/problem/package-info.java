/** How core says no: {@link io.muster.problem.RegistryException}, a problem type for the caller and a reason for operators. */
package io.muster.problem;
