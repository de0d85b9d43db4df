package io.muster.client;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** The token endpoint: one token for one credential, whichever kind that is. */
final class Tokens {

    private static final String ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    /** Less than the 5 minutes that the registry allows, so that a clock may be wrong by some minutes. */
    private static final Duration ASSERTION_LIFETIME = Duration.ofMinutes(2);

    private static final int UNAUTHORIZED = 401;

    private final Registry registry;
    private final Waiting waiting;
    private final boolean dpop;
    private volatile boolean timeIsOfNoUse;

    Tokens(Registry registry, Waiting waiting, boolean dpop) {
        this.registry = registry;
        this.waiting = waiting;
        this.dpop = dpop;
    }

    /**
     * Asks once. An assertion that the registry did not take is repeated with a nonce, because a wrong time may have been the
     * reason; and a DPoP proof with the nonce that the registry asks for.
     *
     * @param issuer what the registry calls itself
     * @throws IllegalStateException if proofs are wanted and the credential has no key
     */
    AccessToken ask(URI address, String issuer, Credential credential, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        if (dpop && credential.deviceKey() == null) {
            throw new IllegalStateException("DPoP needs a key that the device made itself; this device has a secret");
        }
        boolean byTime = credential.deviceKey() != null
                && !timeIsOfNoUse
                && registry.time().isPresent();
        if (!byTime) {
            return ask(address, issuer, credential, false, limit);
        }
        try {
            return ask(address, issuer, credential, true, limit);
        } catch (RefusedException e) {
            if (e.status() != UNAUTHORIZED) {
                throw e;
            }
            AccessToken token = askWithNonce(address, issuer, credential, limit, e);
            timeIsOfNoUse = true;
            return token;
        }
    }

    /** A registry that gives no nonces has said what there is to say already. */
    private AccessToken askWithNonce(
            URI address, String issuer, Credential credential, Deadline limit, RefusedException before)
            throws IOException, RefusedException, InterruptedException {
        try {
            return ask(address, issuer, credential, false, limit);
        } catch (RefusedException e) {
            throw e.status() == UNAUTHORIZED ? e : before;
        }
    }

    private AccessToken ask(URI address, String issuer, Credential credential, boolean byTime, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        try {
            return askOnce(address, issuer, credential, byTime, limit);
        } catch (RefusedException e) {
            if (dpop && e.type().equals("use_dpop_nonce")) {
                return askOnce(address, issuer, credential, byTime, limit);
            }
            throw e;
        }
    }

    private AccessToken askOnce(URI address, String issuer, Credential credential, boolean byTime, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        long asked = waiting.nanoTime();
        Map<String, String> form = new LinkedHashMap<>();
        Map<String, String> headers = new LinkedHashMap<>();
        form.put("grant_type", "client_credentials");
        if (credential.deviceKey() == null) {
            headers.put("Authorization", basic(credential));
        } else {
            Optional<String> nonce = byTime ? Optional.empty() : Optional.of(registry.nonce(address, limit));
            form.put("client_assertion_type", ASSERTION_TYPE);
            form.put("client_assertion", assertion(issuer, credential, nonce));
        }
        if (dpop) {
            Map<String, Object> claims =
                    AccessToken.proofClaims("POST", issuer + "/token", time(), registry.dpopNonce());
            headers.put("DPoP", AccessToken.proof(credential.deviceKey(), claims));
        }
        Registry.Answer answer = registry.postForm(Registry.at(address, "/token"), form, headers, limit);
        return AccessToken.read(answer, credential, dpop, asked);
    }

    private static String basic(Credential credential) {
        // RFC 6749 section 2.3.1: each half is form-encoded before the two are joined.
        String both = Registry.encoded(credential.key()) + ":" + Registry.encoded(credential.secret());
        return "Basic " + Base64.getEncoder().encodeToString(both.getBytes(StandardCharsets.US_ASCII));
    }

    private String assertion(String issuer, Credential credential, Optional<String> nonce) throws IOException {
        Map<String, Object> claims = new LinkedHashMap<>();
        claims.put("iss", credential.key());
        claims.put("sub", credential.key());
        claims.put("aud", issuer);
        claims.put("jti", UUID.randomUUID().toString());
        claims.put("iat", time().getEpochSecond());
        claims.put("exp", time().plus(ASSERTION_LIFETIME).getEpochSecond());
        nonce.ifPresent(value -> claims.put("nonce", value));
        return credential.deviceKey().sign(Map.of("typ", "JWT"), claims);
    }

    private Instant time() {
        return registry.time().orElseGet(waiting::deviceTime);
    }
}
