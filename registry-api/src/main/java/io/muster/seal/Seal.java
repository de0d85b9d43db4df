// SPDX-License-Identifier: Apache-2.0
package io.muster.seal;

import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Closes a part of the record. Each seal has the hash of the one before, so the seals are a chain.
 *
 * @param number from 1 on, without a gap
 * @param records how many it closes
 * @param root over their leaves
 * @param previous the {@link #hash} of the seal before; 32 zeros in the first one
 * @param from records of an earlier time were recorded late
 * @param to the {@code from} of the next seal
 * @param at when it was made
 * @param kid the key that signed it
 * @param signature Ed25519 over {@link #signed}
 */
public record Seal(
        long number,
        int records,
        byte[] root,
        byte[] previous,
        Instant from,
        Instant to,
        Instant at,
        String kid,
        byte[] signature) {

    private static final HexFormat HEX = HexFormat.of();
    private static final String ALGORITHM = "Ed25519";
    private static final int HASH = 32;
    private static final byte[] NOTHING = {};

    /** Returns the same seal with its signature. */
    public Seal signed(PrivateKey key) {
        try {
            Signature signature = Signature.getInstance(ALGORITHM);
            signature.initSign(key);
            signature.update(signed());
            return new Seal(number, records, root, previous, from, to, at, kid, signature.sign());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a seal cannot be signed", e);
        }
    }

    /** Makes a seal that is not signed yet. */
    public static Seal unsigned(
            long number,
            int records,
            byte[] root,
            Optional<byte[]> previous,
            Instant from,
            Instant to,
            Instant at,
            String kid) {
        return new Seal(number, records, root, previous.orElseGet(() -> new byte[HASH]), from, to, at, kid, NOTHING);
    }

    /** Tells whether this key made the signature. */
    public boolean isSignedBy(PublicKey key) {
        try {
            Signature verification = Signature.getInstance(ALGORITHM);
            verification.initVerify(key);
            verification.update(signed());
            return verification.verify(signature);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    private byte[] signed() {
        Map<String, Object> members = members();
        members.remove("signature");
        return CanonicalJson.bytes(members);
    }

    /** Returns its hash, which the next seal has. */
    public byte[] hash() {
        return MerkleTree.sha256().digest(CanonicalJson.bytes(members()));
    }

    /** Returns its members in JSON. */
    public Map<String, Object> members() {
        Map<String, Object> members = new TreeMap<>();
        members.put("version", 1);
        members.put("number", number);
        members.put("records", records);
        members.put("root", HEX.formatHex(root));
        members.put("previous", HEX.formatHex(previous));
        members.put("from", from.toString());
        members.put("to", to.toString());
        members.put("at", at.toString());
        members.put("kid", kid);
        members.put("signature", Base64.getUrlEncoder().withoutPadding().encodeToString(signature));
        return members;
    }

    /**
     * Reads a seal.
     *
     * @param members texts, and numbers as Long
     * @return empty if it is none, or is written in another way than {@link #members} writes it
     */
    public static Optional<Seal> of(Map<String, ?> members) {
        try {
            Seal seal = new Seal(
                    (Long) members.get("number"),
                    Math.toIntExact((Long) members.get("records")),
                    HEX.parseHex((String) members.get("root")),
                    HEX.parseHex((String) members.get("previous")),
                    Instant.parse((String) members.get("from")),
                    Instant.parse((String) members.get("to")),
                    Instant.parse((String) members.get("at")),
                    (String) members.get("kid"),
                    Base64.getUrlDecoder().decode((String) members.get("signature")));
            boolean same = Arrays.equals(CanonicalJson.bytes(seal.members()), CanonicalJson.bytes(members));
            return same ? Optional.of(seal) : Optional.empty();
        } catch (ClassCastException
                | NullPointerException
                | IllegalArgumentException
                | ArithmeticException
                | DateTimeException e) {
            return Optional.empty();
        }
    }
}
