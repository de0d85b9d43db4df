// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.muster.api.ProblemType;
import io.muster.problem.RegistryException;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;

/** The choice of a content type for an answer. */
public final class Accepted {

    private Accepted() {}

    /**
     * Returns the type that the caller prefers. If several will do, the first of these counts.
     *
     * @throws RegistryException {@code NOT_ACCEPTABLE} if the caller accepts none of them
     */
    public static MediaType of(HttpHeaders headers, MediaType... types) {
        for (MediaType wanted : headers.getAcceptableMediaTypes()) {
            for (MediaType type : types) {
                if (wanted.isCompatible(type)) {
                    return type;
                }
            }
        }
        throw new RegistryException(ProblemType.NOT_ACCEPTABLE, "none of the accepted types");
    }
}
