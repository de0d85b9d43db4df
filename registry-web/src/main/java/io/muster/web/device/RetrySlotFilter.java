// SPDX-License-Identifier: Apache-2.0
package io.muster.web.device;

import io.muster.limit.RetrySlots;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.ext.Provider;

/** Counts the requests served, and adds to every 503 when to retry, whatever its cause. */
@Provider
@WithRetrySlot
@ApplicationScoped
public class RetrySlotFilter implements ContainerResponseFilter {

    @Inject
    RetrySlots retrySlots;

    @Override
    public void filter(ContainerRequestContext request, ContainerResponseContext response) {
        int status = response.getStatus();
        if (status == Response.Status.SERVICE_UNAVAILABLE.getStatusCode()) {
            response.getHeaders()
                    .putSingle(HttpHeaders.RETRY_AFTER, retrySlots.next().toSeconds());
        } else if (status < 300) {
            retrySlots.served();
        }
    }
}
