package io.muster.spi;

import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A device that asks to join. Immutable; nothing in it has been verified except its form.
 *
 * @param serial what it says its serial is
 * @param fleet the fleet it asks to join; {@code default} if it named none
 * @param publicKey the JWK it offers, its possession proved; empty if it offers none
 * @param evidence what it offers beyond its serial, as parsed from JSON (String, Number, Boolean, List, Map); empty if nothing
 * @param clientCertificates the chain that the TLS connection was made with, the device's own first, its key's possession proved
 *     by the connection and nothing else about it checked; empty where the connection has none or ends at a proxy
 * @param origin the address the request came from; for records and limits, never for trust
 */
public record Candidate(
        SerialNumber serial,
        String fleet,
        Optional<Map<String, Object>> publicKey,
        Map<String, Object> evidence,
        List<X509Certificate> clientCertificates,
        String origin) {

    /** Copies the maps; none of the components may be null. */
    public Candidate {
        Objects.requireNonNull(serial, "serial");
        Objects.requireNonNull(fleet, "fleet");
        Objects.requireNonNull(origin, "origin");
        publicKey = publicKey.map(Map::copyOf);
        evidence = Map.copyOf(evidence);
        clientCertificates = List.copyOf(clientCertificates);
    }

    /**
     * Makes a candidate that offers nothing but its serial.
     *
     * @param serial its serial
     * @param fleet the fleet it asks to join
     * @param origin the address it came from
     * @return a candidate without public key and evidence
     */
    public static Candidate of(SerialNumber serial, String fleet, String origin) {
        return new Candidate(serial, fleet, Optional.empty(), Map.of(), List.of(), origin);
    }

    /** Names serial, fleet and origin; evidence may be secret. */
    @Override
    public String toString() {
        return "Candidate[serial=" + serial + ", fleet=" + fleet + ", origin=" + origin + "]";
    }
}
