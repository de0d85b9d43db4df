// SPDX-License-Identifier: Apache-2.0
package io.muster.credential;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;

/**
 * Detects a credential that is used from two addresses within a minute, and records it as an event, since it may be a
 * clone. Nothing is refused, because addresses change. Each node sees only its own requests, and records one event for
 * a credential in an hour. Thread-safe.
 */
@Part
public final class CloneDetector {

    private static final int REMEMBERED = 100_000;
    private static final Duration WINDOW = Duration.ofMinutes(1);
    private static final Duration QUIET = Duration.ofHours(1);

    private record Use(String origin, Instant at, Instant reportedAt) {}

    private final Audit audit;
    private final Clock clock;
    private final Cache<String, Use> last =
            Caffeine.newBuilder().maximumSize(REMEMBERED).build();

    /** Records in the audit. */
    @Inject
    public CloneDetector(Audit audit, @Ours Clock clock) {
        this.audit = audit;
        this.clock = clock;
    }

    /** Notes that a device authenticated from an address. */
    public void used(AuthenticatedDevice device, String origin) {
        Instant now = clock.instant();
        last.asMap().compute(device.key(), (key, before) -> {
            if (before == null || before.origin().equals(origin)) {
                return new Use(origin, now, before == null ? Instant.EPOCH : before.reportedAt());
            }
            boolean soon = Duration.between(before.at(), now).compareTo(WINDOW) < 0;
            boolean quiet = Duration.between(before.reportedAt(), now).compareTo(QUIET) >= 0;
            if (soon && quiet) {
                audit.inTwoPlaces(
                        device.fleet(),
                        device.deviceId().value(),
                        origin,
                        "credential " + key + " was used at " + before.origin() + " before");
            }
            return new Use(origin, now, soon && quiet ? now : before.reportedAt());
        });
    }
}
