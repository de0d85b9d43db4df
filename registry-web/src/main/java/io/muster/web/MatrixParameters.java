// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.muster.api.Problem;
import io.muster.api.ProblemType;
import io.muster.problem.RegistryException;
import jakarta.annotation.Priority;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.PreMatching;
import jakarta.ws.rs.ext.Provider;
import java.util.List;

/**
 * There is nothing at an address with a semicolon, or with two slashes in a row. JAX-RS would take what follows a semicolon for parameters, drop
 * them, and answer for another address than was asked for.
 */
@Provider
@PreMatching
@Priority(0)
public class MatrixParameters implements ContainerRequestFilter {

    @Override
    public void filter(ContainerRequestContext request) {
        // Servers differ in which of the two paths is as it was sent.
        if (RequestTarget.hasSemicolon(request) || rawPath(request).indexOf(';') >= 0) {
            throw new RegistryException(ProblemType.NOT_FOUND, "a path with a semicolon");
        }
        // Servers differ here too. A base address that ends with a slash causes it.
        if (RequestTarget.hasTwoSlashes(request)) {
            throw RegistryException.withDetail(
                    ProblemType.NOT_FOUND, "the path has two slashes in a row; addresses have one, such as /register");
        }
    }

    private static String rawPath(ContainerRequestContext request) {
        try {
            return request.getUriInfo().getRequestUri().getRawPath();
        } catch (IllegalArgumentException e) {
            // Of RESTEasy, where the query has a percent sign that begins nothing.
            throw RegistryException.invalid(List.of(new Problem.Fault("#", "the address cannot be decoded")));
        }
    }
}
