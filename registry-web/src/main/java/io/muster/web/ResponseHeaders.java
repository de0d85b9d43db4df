// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.muster.cdi.Ours;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.ext.Provider;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Headers of every answer: nothing guesses its type, and a device can see what time it is. */
@Provider
@ApplicationScoped
public class ResponseHeaders implements ContainerResponseFilter {

    /** RFC 9110 section 5.6.7; Java's own format of that name writes days of one digit. */
    private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern(
                    "EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ENGLISH)
            .withZone(ZoneOffset.UTC);

    @Inject
    @Ours
    Clock clock;

    /** The second that was written last: most answers have the same. */
    private volatile Second last = new Second(Long.MIN_VALUE, "");

    private record Second(long number, String text) {}

    @Override
    public void filter(ContainerRequestContext request, ContainerResponseContext response) {
        response.getHeaders().putSingle("X-Content-Type-Options", "nosniff");
        // Not every server writes it by itself.
        response.getHeaders().putSingle(HttpHeaders.DATE, date());
    }

    private String date() {
        Instant now = clock.instant();
        Second second = last;
        if (second.number() != now.getEpochSecond()) {
            second = new Second(now.getEpochSecond(), DATE.format(now));
            last = second;
        }
        return second.text();
    }
}
