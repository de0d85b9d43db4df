// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.web.RequestTarget;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import java.util.List;

/** Refuses query parameters that a resource method does not take, before anything is done. */
final class QueryFilter implements ContainerRequestFilter {

    private final List<String> known;

    QueryFilter(List<String> known) {
        this.known = known;
    }

    @Override
    public void filter(ContainerRequestContext request) {
        Query query = Query.parse(RequestTarget.query(request), known);
        boolean reads = request.getMethod().equals("GET") || request.getMethod().equals("HEAD");
        if (known.isEmpty() || !reads) {
            query.check();
        }
        // A list names malformed values together with the rest.
        query.keep(request);
    }
}
