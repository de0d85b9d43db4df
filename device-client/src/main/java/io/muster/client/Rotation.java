package io.muster.client;

import java.io.IOException;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;

/** One attempt to get a further credential for a device that has one. */
final class Rotation {

    private static final int UNAUTHORIZED = 401;

    private final Registry registry;
    private final Waiting waiting;

    Rotation(Registry registry, Waiting waiting) {
        this.registry = registry;
        this.waiting = waiting;
    }

    /**
     * Asks once; again only with a nonce that the registry wants in the proof of a token that is bound to a key.
     *
     * @param token obtained with the credential that is to be replaced
     * @param issuer what the registry calls itself
     */
    Credential ask(URI address, String issuer, AccessToken token, Pending pending, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        try {
            return askOnce(address, issuer, token, pending, limit);
        } catch (RefusedException e) {
            if (token.isBound() && (e.status() == UNAUTHORIZED || e.type().equals("use_dpop_nonce"))) {
                return askOnce(address, issuer, token, pending, limit);
            }
            throw e;
        }
    }

    private Credential askOnce(URI address, String issuer, AccessToken token, Pending pending, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        Map<String, Object> request = new LinkedHashMap<>();
        Registration.addKey(request, pending, issuer, registry, address, limit);
        pending.addTo(request);
        String path = "/devices/me/credentials";
        Map<String, String> headers = token.headers(
                "POST",
                URI.create(issuer + path),
                registry.time().orElseGet(waiting::deviceTime),
                registry.dpopNonce());

        Map<String, Object> reply = registry.post(
                        Registry.at(address, path), request, headers, pending.replyKey(), limit)
                .json();
        try {
            return Credential.read(reply, pending.deviceKey());
        } catch (IllegalArgumentException e) {
            throw new NoAnswer("HTTP 200 that is no credential: " + e.getMessage());
        }
    }
}
