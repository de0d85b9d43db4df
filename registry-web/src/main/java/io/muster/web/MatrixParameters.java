package io.muster.web;

import io.muster.api.ProblemType;
import io.muster.problem.RegistryException;
import jakarta.annotation.Priority;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.PreMatching;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.ext.Provider;

/**
 * There is nothing at an address with a semicolon. JAX-RS would take what follows one for parameters, drop them, and answer for
 * another address than was asked for.
 */
@Provider
@PreMatching
@Priority(0)
public class MatrixParameters implements ContainerRequestFilter {

    @Context
    HttpServletRequest servletRequest;

    @Override
    public void filter(ContainerRequestContext request) {
        // Servers differ in which of the two is as it was sent.
        if (servletRequest.getRequestURI().indexOf(';') >= 0
                || request.getUriInfo().getRequestUri().getRawPath().indexOf(';') >= 0) {
            throw new RegistryException(ProblemType.NOT_FOUND, "a path with a semicolon");
        }
    }
}
