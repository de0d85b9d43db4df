// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.http;

import io.muster.config.Settings;
import java.net.http.HttpRequest;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** The operator's own headers. Any of them may be an API key, so all values are treated as secrets. */
final class ExtraHeaders {

    private static final Set<String> NOT_FREE = Set.of(
            "authorization",
            "connection",
            "content-encoding",
            "content-length",
            "content-type",
            "expect",
            "host",
            "keep-alive",
            "proxy-connection",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade");

    private final Map<String, String> values = new LinkedHashMap<>();

    /** Reads {@code headers}, {@code header.<name>} for each of them, and {@code authorization}. */
    ExtraHeaders(Settings settings) {
        values.put("Accept", "application/json");
        values.put("User-Agent", "Muster");
        for (String name : settings.list("headers")) {
            String folded = name.toLowerCase(Locale.ROOT);
            if (!name.matches("[A-Za-z0-9-]{1,64}")) {
                settings.fault("headers", "names are letters, digits and dashes, separated by commas");
            } else if (NOT_FREE.contains(folded) || folded.startsWith("muster-")) {
                settings.fault("headers", name + " cannot be set here");
            } else {
                values.keySet().removeIf(name::equalsIgnoreCase);
                add(settings, name, "header." + folded, true);
            }
        }
        add(settings, "Authorization", "authorization", false);
    }

    private void add(Settings settings, String header, String key, boolean required) {
        String value = settings.secret(key).orElse("");
        if (value.isEmpty()) {
            if (required) {
                settings.fault(key, "is required, or " + key + "-file, because headers names it");
            }
        } else if (value.chars().allMatch(c -> c >= ' ' && c < 0x7f)) {
            values.put(header, value);
        } else {
            settings.fault(key, "must be one line of printable ASCII");
        }
    }

    HttpRequest.Builder addTo(HttpRequest.Builder question) {
        values.forEach(question::header);
        return question;
    }
}
