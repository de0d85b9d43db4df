package io.muster.client;

import java.io.IOException;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;

/** One attempt to get a further credential for a device that has one. */
final class Rotation {

    private final Registry registry;
    private final Authentication authentication;

    Rotation(Registry registry, Authentication authentication) {
        this.registry = registry;
        this.authentication = authentication;
    }

    /**
     * Asks once, as {@link Authentication#authenticated} has it.
     *
     * @param present the credential that is to be replaced, and authenticates
     * @param issuer what the registry calls itself
     */
    Credential ask(URI address, String issuer, Credential present, Pending pending, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        return authentication.authenticated(present, byTime -> ask(address, issuer, present, pending, byTime, limit));
    }

    private Credential ask(
            URI address, String issuer, Credential present, Pending pending, boolean byTime, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        Map<String, Object> request = new LinkedHashMap<>();
        Map<String, String> headers = new LinkedHashMap<>();
        Registration.addKey(request, pending, issuer, registry, address, limit);
        pending.addTo(request);
        if (present.deviceKey() == null) {
            headers.put("Authorization", Authentication.basic(present));
        } else {
            request.put("clientAssertion", authentication.assertion(address, issuer, present, byTime, limit));
        }
        Map<String, Object> reply = registry.post(
                        Registry.at(address, "/devices/me/credentials"), request, headers, pending.replyKey(), limit)
                .json();
        try {
            return Credential.read(reply, pending.deviceKey());
        } catch (IllegalArgumentException e) {
            throw new NoAnswer("HTTP 200 that is no credential: " + e.getMessage());
        }
    }
}
