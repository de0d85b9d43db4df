// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.net.http.HttpHeaders;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The wait that a reply asks for (RFC 9110 section 10.2.3), in both forms. */
final class RetryAfter {

    /** A reader must accept all three forms of RFC 9110 section 5.6.7. */
    private static final List<DateTimeFormatter> HTTP_DATES = List.of(
            DateTimeFormatter.RFC_1123_DATE_TIME,
            DateTimeFormatter.ofPattern("EEEE, dd-MMM-yy HH:mm:ss 'GMT'", Locale.ENGLISH)
                    .withZone(ZoneOffset.UTC),
            DateTimeFormatter.ofPattern("EEE MMM ppd HH:mm:ss yyyy", Locale.ENGLISH)
                    .withZone(ZoneOffset.UTC));

    private RetryAfter() {}

    /**
     * Returns the wait, or empty if the reply asks for none or uses no known form. A date is measured against the
     * reply's own {@code Date}, so that the device's clock does not matter. Without that it cannot be measured, and the
     * longest wait of the backoff is used. A date in the past is no wait.
     */
    static Optional<Duration> in(HttpHeaders headers) {
        return headers.firstValue("Retry-After").map(String::strip).flatMap(value -> {
            if (!value.isEmpty() && value.chars().allMatch(c -> c >= '0' && c <= '9')) {
                return Optional.of(seconds(value));
            }
            return date(value).map(until -> date(headers)
                    .map(now -> Pace.max(Duration.ZERO, Duration.between(now, until)))
                    .orElse(Pace.CAP));
        });
    }

    /** Returns the registry's time when it replied, or empty if the reply does not say. */
    static Optional<ZonedDateTime> date(HttpHeaders headers) {
        return headers.firstValue("Date").flatMap(RetryAfter::date);
    }

    private static Duration seconds(String digits) {
        try {
            return Pace.min(Pace.FOR_EVER, Duration.ofSeconds(Long.parseLong(digits)));
        } catch (NumberFormatException e) {
            return Pace.FOR_EVER; // more digits than a long has
        }
    }

    private static Optional<ZonedDateTime> date(String text) {
        for (DateTimeFormatter form : HTTP_DATES) {
            try {
                return Optional.of(ZonedDateTime.parse(text.strip(), form));
            } catch (DateTimeException e) {
                // the next form, then
            }
        }
        return Optional.empty();
    }
}
