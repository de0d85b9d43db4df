package io.muster.web;

import jakarta.servlet.http.HttpServletRequest;
import java.util.Optional;

/** Where a request came from, as the server says it. */
public final class Origin {

    /** What stands for an address where the server knows none: all such requests then count as one stranger's. */
    static final String UNKNOWN = "unknown";

    private Origin() {}

    /** Returns the address; never null, although servers that are told to take it from a proxy may say so. */
    public static String of(HttpServletRequest request) {
        return Optional.ofNullable(request.getRemoteAddr())
                .filter(address -> !address.isBlank())
                .orElse(UNKNOWN);
    }
}
