// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.jwt;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.config.Settings;
import io.muster.http.Document;
import io.muster.jose.InvalidTokenException;
import io.muster.jose.JwkSet;
import io.muster.jose.KeySource;
import io.muster.jose.PublishedKeys;
import io.muster.jose.StrictJws;
import io.muster.jose.VerificationKey;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import io.muster.once.Use;
import io.muster.spi.Candidate;
import io.muster.spi.Verdict;
import io.muster.spi.WrittenText;
import io.muster.verification.DeviceFacts;
import io.muster.verification.Proof;
import io.muster.verification.Prover;
import io.muster.verification.SerialForm;
import io.muster.verification.Strategy;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Calls a device genuine if it offers a token that a known key signed for this registry and for this serial. A token
 * for a whole fleet names no serial. {@code docs/verifiers/jwt.md} has the settings and their verdicts.
 *
 * <p>Each key is bound to one algorithm. A token's header only selects among them (RFC 8725). Thread-safe.
 */
public final class JwtVerifier implements Prover, AutoCloseable {

    /** How far the clocks of the signer and of this registry may differ. */
    static final Duration SKEW = Duration.ofSeconds(60);

    private static final String NONE = "none";
    private static final Set<String> RESERVED =
            Set.of("iss", "aud", "exp", "nbf", "iat", "jti", RegistrationTokenSigner.URL);
    private static final int LONGEST_ID = 256;
    private static final long LARGEST_FILE = 1 << 20;

    private enum OneTime {
        NO,
        YES,
        UNTIL_CONFIRMED
    }

    private final String name;
    private final String evidence;
    private final String issuer;
    private final Optional<String> audience;
    private final String ownAddress;
    private final Optional<String> serialClaim;
    private final Optional<Duration> maxAge;
    private final OneTime oneTime;
    private final boolean requireExpiry;
    private final DeviceFacts facts;
    private final Clock clock;
    private final KeySource keys;
    private final Optional<Document> document;
    private final Optional<PublishedKeys> published;
    private final Optional<RegistrationTokenSigner> signer;

    /** Reads every setting and reports faults; see {@link Strategy#make}. */
    JwtVerifier(String name, Settings settings, URI registry, Clock clock) {
        this.name = name;
        this.clock = clock;
        this.ownAddress = registry.toString();
        this.evidence = settings.text("evidence", "jwt");
        this.issuer = settings.required("issuer");
        this.audience = settings.text("audience");
        String claim = settings.text("serial-claim", "sub");
        if (RESERVED.contains(claim)) {
            settings.fault("serial-claim", claim + " has another meaning");
        }
        this.serialClaim = Optional.of(claim).filter(text -> !text.equals(NONE));
        this.maxAge = settings.text("max-age")
                .map(text -> settings.duration(
                        "max-age", Duration.ofDays(1), Duration.ofSeconds(1), Duration.ofDays(36_500)));
        this.oneTime = settings.choice("one-time", OneTime.class, OneTime.NO);
        boolean required = settings.flag("require-expiry", serialClaim.isPresent() || oneTime != OneTime.NO);
        if (oneTime != OneTime.NO && !required) {
            settings.fault(
                    "require-expiry",
                    "cannot be false where tokens are one-time: what was used could never be forgotten");
        }
        this.requireExpiry = required;
        this.facts = new DeviceFacts(settings);
        Optional<VerificationKey> secret = secret(settings);
        Optional<JwkSet> file = settings.path("keys-file").map(path -> read(path, settings));
        String who = "verifier " + name + ": ";
        this.document = settings.text("jwks-url")
                .map(url -> new Document(who, "muster-verifier-" + name, settings, "jwks-url"));
        this.published =
                document.map(keySet -> new PublishedKeys(who, "muster-keys-" + name, keySet::fetch, settings, clock));
        List<KeySource> sources = new ArrayList<>();
        secret.ifPresent(key -> sources.add(new JwkSet(List.of(key))::find));
        file.ifPresent(set -> sources.add(set::find));
        published.ifPresent(sources::add);
        if (count(settings) != 1) {
            settings.fault("secret-file", "exactly one of secret-file, secret, keys-file and jwks-url is required");
        }
        this.keys = sources.size() == 1 ? sources.get(0) : (algorithm, kid) -> Optional.empty();
        this.signer = secret.map(
                key -> new RegistrationTokenSigner(key, issuer, audience, serialClaim, maxAge, requireExpiry, clock));
    }

    private static int count(Settings settings) {
        int secrets = settings.text("secret").isPresent()
                        || settings.text("secret-file").isPresent()
                ? 1
                : 0;
        return secrets
                + (settings.text("keys-file").isPresent() ? 1 : 0)
                + (settings.text("jwks-url").isPresent() ? 1 : 0);
    }

    private static Optional<VerificationKey> secret(Settings settings) {
        Optional<byte[]> secret = settings.secret("secret").map(text -> text.getBytes(StandardCharsets.UTF_8));
        if (secret.isPresent() && secret.get().length < VerificationKey.SHORTEST_SECRET) {
            settings.fault("secret", "must have at least " + VerificationKey.SHORTEST_SECRET + " bytes");
            return Optional.empty();
        }
        return secret.map(VerificationKey::secret);
    }

    private static JwkSet read(Path file, Settings settings) {
        JwkSet none = new JwkSet(List.of());
        try {
            if (Files.size(file) > LARGEST_FILE) {
                settings.fault("keys-file", file + " has more than " + LARGEST_FILE + " bytes");
                return none;
            }
            JwkSet.Result read = JwkSet.read(Json.parseWritten(Files.readAllBytes(file)));
            List<String> faults = new ArrayList<>(read.faults());
            faults.addAll(read.unusable());
            if (faults.isEmpty() && read.keys().isEmpty()) {
                faults.add("#/keys: is empty");
            }
            faults.forEach(fault -> settings.fault("keys-file", file + " " + fault));
            return faults.isEmpty() ? read.keys() : none;
        } catch (MalformedJsonException e) {
            settings.fault("keys-file", file + ": " + e.getMessage());
        } catch (IOException e) {
            settings.fault("keys-file", "cannot read " + file + " (" + WrittenText.reason(e) + ")");
        }
        return none;
    }

    /** Returns the signer of tokens for this verifier; empty if it has no shared secret to sign with. */
    public Optional<RegistrationTokenSigner> signer() {
        return signer;
    }

    @Override
    public Proof prove(Candidate candidate) {
        return prove(candidate, SerialForm.EXACT);
    }

    @Override
    public Proof prove(Candidate candidate, SerialForm serials) {
        Object offered = candidate.evidence().get(evidence);
        if (offered == null) {
            return Proof.of(Verdict.unknown());
        }
        try {
            if (!(offered instanceof String token)) {
                throw new InvalidTokenException("it is not a text");
            }
            return proof(candidate, serials, claims(token));
        } catch (InvalidTokenException e) {
            return Proof.of(Verdict.refused("the token is not accepted: " + e.getMessage()));
        }
    }

    private JsonNode claims(String token) {
        StrictJws.UnverifiedHeader header = StrictJws.header(token);
        // Other kinds of tokens have another typ, such as this registry's access tokens (at+jwt, RFC 9068).
        if (header.type().filter(type -> !type.equalsIgnoreCase("JWT")).isPresent()) {
            throw new InvalidTokenException("its typ is another than JWT");
        }
        VerificationKey key = VerificationKey.Algorithm.of(header.algorithm())
                .flatMap(algorithm -> keys.find(algorithm, header.keyId()))
                .orElseThrow(() -> new InvalidTokenException("no key is known for its alg and kid"));
        return StrictJws.claims(token, key, clock, SKEW);
    }

    private Proof proof(Candidate candidate, SerialForm serials, JsonNode claims) {
        if (!text(claims, "iss").filter(issuer::equals).isPresent()) {
            throw new InvalidTokenException("it is from another issuer");
        }
        checkAudience(claims);
        Optional<Instant> expiry = checkTimes(claims);
        if (serialClaim.isPresent()
                && !text(claims, serialClaim.get())
                        .filter(text -> serials.names(text, candidate.serial()))
                        .isPresent()) {
            throw new InvalidTokenException("it is for another serial");
        }
        List<Use> uses = oneTime == OneTime.NO ? List.of() : List.of(use(claims, expiry));
        return new Proof(facts.genuine(claims, what -> new InvalidTokenException("it has " + what)), uses);
    }

    private void checkAudience(JsonNode claims) {
        if (!claims.has("aud") && audience.isEmpty()) {
            return;
        }
        if (StrictJws.audience(claims)
                .filter(audience.orElse(ownAddress)::equals)
                .isEmpty()) {
            throw new InvalidTokenException("it is for another audience, or for several");
        }
    }

    private Optional<Instant> checkTimes(JsonNode claims) {
        Instant now = clock.instant();
        Optional<Instant> expiry = StrictJws.time(claims, "exp");
        if (expiry.isEmpty() && requireExpiry) {
            throw new InvalidTokenException("it has no exp");
        }
        if (expiry.filter(end -> !now.isBefore(end.plus(SKEW))).isPresent()) {
            throw new InvalidTokenException("it has expired");
        }
        if (StrictJws.time(claims, "nbf")
                .filter(begin -> now.plus(SKEW).isBefore(begin))
                .isPresent()) {
            throw new InvalidTokenException("it is not valid yet");
        }
        Optional<Instant> issued = StrictJws.time(claims, "iat");
        if (issued.filter(made -> now.plus(SKEW).isBefore(made)).isPresent()) {
            throw new InvalidTokenException("its iat is in the future");
        }
        if (maxAge.isPresent()
                && !issued.filter(made -> now.isBefore(made.plus(maxAge.get()).plus(SKEW)))
                        .isPresent()) {
            throw new InvalidTokenException("it is older than max-age, or has no iat");
        }
        return expiry;
    }

    private Use use(JsonNode claims, Optional<Instant> expiry) {
        String id = text(claims, "jti")
                .filter(text -> !text.isEmpty() && text.length() <= LONGEST_ID)
                .orElseThrow(() -> new InvalidTokenException(
                        "it has no jti of 1 to " + LONGEST_ID + " characters, which a one-time token needs"));
        Instant until = expiry.orElseThrow(() -> new InvalidTokenException("it has no exp"))
                .plus(SKEW);
        return new Use.Once(hash(List.of("jwt", name, issuer, id)), until, oneTime == OneTime.UNTIL_CONFIRMED);
    }

    /**
     * Hashes a JSON array, so that no two lists are the same text. Something used before an upgrade must have the same
     * hash after it.
     */
    private static byte[] hash(List<String> parts) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(Json.bytes(parts));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static Optional<String> text(JsonNode claims, String claim) {
        JsonNode value = claims.path(claim);
        return value.isTextual() ? Optional.of(value.textValue()) : Optional.empty();
    }

    /** Tells whether it fetches its keys from an address, and so may have to wait. */
    public boolean asksForKeys() {
        return published.isPresent();
    }

    /** Ends the threads that fetch keys, if there are any. */
    @Override
    public void close() {
        published.ifPresent(PublishedKeys::close);
        document.ifPresent(Document::close);
    }

    @Override
    public String toString() {
        return "JwtVerifier[" + name + "]";
    }
}
