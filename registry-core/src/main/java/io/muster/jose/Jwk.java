// SPDX-License-Identifier: Apache-2.0
package io.muster.jose;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.jose.VerificationKey.Algorithm;
import java.io.Serial;
import java.math.BigInteger;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyFactory;
import java.security.spec.ECFieldFp;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.security.spec.EdECPoint;
import java.security.spec.EdECPublicKeySpec;
import java.security.spec.NamedParameterSpec;
import java.security.spec.RSAPublicKeySpec;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import javax.crypto.spec.SecretKeySpec;

/**
 * Reads one JWK (RFC 7517, RFC 7518 section 6, RFC 8037), and refuses a key that is weak, damaged or for another
 * purpose.
 */
final class Jwk {

    /** A key that cannot be used here; the message says why and repeats no value. */
    static final class UnusableException extends Exception {

        @Serial
        private static final long serialVersionUID = 1;

        UnusableException(String why) {
            super(why);
        }
    }

    private static final List<String> PRIVATE = List.of("d", "p", "q", "dp", "dq", "qi", "oth", "k");
    private static final int LONGEST_KID = 256;
    private static final int LONGEST_SECRET = 1024;
    private static final int COORDINATE = 32;
    private static final int SHORTEST_MODULUS = 2048;
    // Checking a signature with a longer one takes so long that it could stop the registry.
    private static final int LONGEST_MODULUS = 8192;
    private static final BigInteger LEAST_EXPONENT = BigInteger.valueOf(65537);
    private static final int LONGEST_EXPONENT = 64;

    private static final BigInteger ED25519_PRIME = BigInteger.TWO.pow(255).subtract(BigInteger.valueOf(19));
    private static final BigInteger ED25519_D = BigInteger.valueOf(-121665)
            .multiply(BigInteger.valueOf(121666).modInverse(ED25519_PRIME))
            .mod(ED25519_PRIME);
    private static final BigInteger ED25519_ORDER_8 =
            new BigInteger("2707385501144840649318225287225658788936804267575313519463743609750303402022");
    // With a public key of small order, anybody can make signatures that are valid for any text.
    private static final Set<BigInteger> ED25519_SMALL_ORDER = Set.of(
            BigInteger.ZERO,
            BigInteger.ONE,
            ED25519_PRIME.subtract(BigInteger.ONE),
            ED25519_ORDER_8,
            ED25519_PRIME.subtract(ED25519_ORDER_8));

    private Jwk() {}

    /** Tells whether it has members that only the signer should have. */
    static boolean isPrivate(JsonNode jwk) {
        return !privateMembers(jwk).isEmpty();
    }

    /** Returns the names of the members that only the signer should have. */
    static List<String> privateMembers(JsonNode jwk) {
        return PRIVATE.stream()
                .filter(jwk::has)
                .filter(member ->
                        !member.equals("k") || !jwk.path("kty").asText().equals("oct"))
                .toList();
    }

    static VerificationKey read(JsonNode jwk) throws UnusableException {
        if (!jwk.isObject()) {
            throw new UnusableException("is not an object");
        }
        Optional<String> kid = text(jwk, "kid");
        if (kid.filter(id -> id.isEmpty() || id.length() > LONGEST_KID).isPresent()) {
            throw new UnusableException("kid must have 1 to " + LONGEST_KID + " characters");
        }
        checkPurpose(jwk);
        String type = text(jwk, "kty").orElse("");
        VerificationKey key =
                switch (type) {
                    case "oct" -> new VerificationKey(kid, Algorithm.HS256, secret(jwk));
                    case "EC" -> new VerificationKey(kid, Algorithm.ES256, p256(jwk));
                    case "RSA" -> new VerificationKey(kid, Algorithm.RS256, rsa(jwk));
                    case "OKP" -> new VerificationKey(kid, Algorithm.EDDSA, ed25519(jwk));
                    default -> throw new UnusableException("kty must be oct, EC, RSA or OKP");
                };
        List<String> names = key.algorithm().names();
        if (!names.contains(text(jwk, "alg").orElse(names.get(0)))) {
            throw new UnusableException("alg must be " + String.join(" or ", names) + " for this type of key");
        }
        return key;
    }

    private static void checkPurpose(JsonNode jwk) throws UnusableException {
        if (!text(jwk, "use").orElse("sig").equals("sig")) {
            throw new UnusableException("use must be sig");
        }
        JsonNode operations = jwk.path("key_ops");
        if (operations.isMissingNode()) {
            return;
        }
        Set<String> named = new HashSet<>();
        boolean wellFormed = operations.isArray();
        for (JsonNode operation : operations) {
            wellFormed &= operation.isTextual() && named.add(operation.textValue());
        }
        if (!wellFormed || !named.contains("verify")) {
            throw new UnusableException("key_ops must be an array with verify in it, each operation once");
        }
    }

    private static Key secret(JsonNode jwk) throws UnusableException {
        byte[] secret = bytes(jwk, "k");
        if (secret.length < VerificationKey.SHORTEST_SECRET || secret.length > LONGEST_SECRET) {
            throw new UnusableException(
                    "k must have " + VerificationKey.SHORTEST_SECRET + " to " + LONGEST_SECRET + " bytes");
        }
        return new SecretKeySpec(secret, "HmacSHA256");
    }

    private static Key p256(JsonNode jwk) throws UnusableException {
        if (!text(jwk, "crv").orElse("").equals("P-256")) {
            throw new UnusableException("crv must be P-256");
        }
        BigInteger x = new BigInteger(1, coordinate(jwk, "x"));
        BigInteger y = new BigInteger(1, coordinate(jwk, "y"));
        try {
            AlgorithmParameters parameters = AlgorithmParameters.getInstance("EC");
            parameters.init(new ECGenParameterSpec("secp256r1"));
            ECParameterSpec curve = parameters.getParameterSpec(ECParameterSpec.class);
            BigInteger prime = ((ECFieldFp) curve.getCurve().getField()).getP();
            BigInteger right = x.pow(2)
                    .add(curve.getCurve().getA())
                    .multiply(x)
                    .add(curve.getCurve().getB())
                    .mod(prime);
            // The JDK accepts any two numbers as a point.
            if (x.compareTo(prime) >= 0
                    || y.compareTo(prime) >= 0
                    || !y.pow(2).mod(prime).equals(right)) {
                throw new UnusableException("x and y are not a point of P-256");
            }
            return KeyFactory.getInstance("EC").generatePublic(new ECPublicKeySpec(new ECPoint(x, y), curve));
        } catch (GeneralSecurityException e) {
            throw new UnusableException("is not a key of P-256");
        }
    }

    private static Key rsa(JsonNode jwk) throws UnusableException {
        BigInteger modulus = number(jwk, "n");
        BigInteger exponent = number(jwk, "e");
        if (modulus.bitLength() < SHORTEST_MODULUS || modulus.bitLength() > LONGEST_MODULUS) {
            throw new UnusableException("n must have " + SHORTEST_MODULUS + " to " + LONGEST_MODULUS + " bits");
        }
        if (!exponent.testBit(0) || exponent.compareTo(LEAST_EXPONENT) < 0 || exponent.bitLength() > LONGEST_EXPONENT) {
            throw new UnusableException("e must be odd, at least 65537 and have at most " + LONGEST_EXPONENT + " bits");
        }
        if (WeakModulus.is(modulus)) {
            throw new UnusableException("n can be factored");
        }
        try {
            return KeyFactory.getInstance("RSA").generatePublic(new RSAPublicKeySpec(modulus, exponent));
        } catch (GeneralSecurityException e) {
            throw new UnusableException("is not an RSA key");
        }
    }

    private static Key ed25519(JsonNode jwk) throws UnusableException {
        if (!text(jwk, "crv").orElse("").equals("Ed25519")) {
            throw new UnusableException("crv must be Ed25519");
        }
        byte[] encoded = coordinate(jwk, "x");
        byte[] bigEndian = new byte[COORDINATE];
        for (int i = 0; i < COORDINATE; i++) {
            bigEndian[i] = encoded[COORDINATE - 1 - i];
        }
        // RFC 8032 section 5.1.2: y, and the lowest bit of x in the unused bit of y.
        BigInteger whole = new BigInteger(1, bigEndian);
        boolean odd = whole.testBit(255);
        BigInteger y = whole.clearBit(255);
        if (y.compareTo(ED25519_PRIME) >= 0 || ED25519_SMALL_ORDER.contains(y) || !isOnEd25519(y)) {
            throw new UnusableException("x is not a public key of Ed25519");
        }
        try {
            return KeyFactory.getInstance("Ed25519")
                    .generatePublic(new EdECPublicKeySpec(NamedParameterSpec.ED25519, new EdECPoint(odd, y)));
        } catch (GeneralSecurityException e) {
            throw new UnusableException("is not a key of Ed25519");
        }
    }

    /** Tells whether there is an x: (y² - 1) / (dy² + 1) is a square. */
    private static boolean isOnEd25519(BigInteger y) {
        BigInteger square = y.pow(2);
        BigInteger x2 = square.subtract(BigInteger.ONE)
                .multiply(ED25519_D.multiply(square).add(BigInteger.ONE).modInverse(ED25519_PRIME))
                .mod(ED25519_PRIME);
        BigInteger half = ED25519_PRIME.subtract(BigInteger.ONE).shiftRight(1);
        return x2.modPow(half, ED25519_PRIME).equals(BigInteger.ONE);
    }

    private static byte[] coordinate(JsonNode jwk, String member) throws UnusableException {
        byte[] bytes = bytes(jwk, member);
        if (bytes.length != COORDINATE) {
            throw new UnusableException(member + " must have " + COORDINATE + " bytes");
        }
        return bytes;
    }

    private static BigInteger number(JsonNode jwk, String member) throws UnusableException {
        byte[] bytes = bytes(jwk, member);
        if (bytes[0] == 0) {
            throw new UnusableException(member + " must not begin with a zero byte");
        }
        return new BigInteger(1, bytes);
    }

    private static byte[] bytes(JsonNode jwk, String member) throws UnusableException {
        String text = text(jwk, member).orElse("");
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(text);
            if (bytes.length > 0
                    && Base64.getUrlEncoder()
                            .withoutPadding()
                            .encodeToString(bytes)
                            .equals(text)) {
                return bytes;
            }
        } catch (IllegalArgumentException e) {
            // reported below
        }
        throw new UnusableException(member + " must be base64url without padding");
    }

    private static Optional<String> text(JsonNode jwk, String member) throws UnusableException {
        JsonNode value = jwk.path(member);
        if (value.isMissingNode()) {
            return Optional.empty();
        }
        if (!value.isTextual()) {
            throw new UnusableException(member + " must be a text");
        }
        return Optional.of(value.textValue());
    }

    /** Moduli that are known to be easy to factor. */
    private static final class WeakModulus {

        private static final int LARGEST = 167;

        private WeakModulus() {}

        /**
         * Tells whether a small prime divides it, or whether the faulty library of CVE-2017-15361 made it. A modulus of
         * that library is a power of 65537 modulo every small prime. Other moduli are so by chance once in some 2^27
         * keys.
         */
        static boolean is(BigInteger modulus) {
            if (!modulus.testBit(0)) {
                return true;
            }
            boolean allPowers = true;
            for (int prime : primes()) {
                int rest = modulus.mod(BigInteger.valueOf(prime)).intValue();
                if (rest == 0) {
                    return true;
                }
                allPowers &= powersOf65537(prime).contains(rest);
            }
            return allPowers;
        }

        private static List<Integer> primes() {
            return IntStream.rangeClosed(3, LARGEST)
                    .filter(n -> BigInteger.valueOf(n).isProbablePrime(50))
                    .boxed()
                    .toList();
        }

        private static Set<Integer> powersOf65537(int prime) {
            Set<Integer> powers = new HashSet<>();
            int power = 1;
            while (powers.add(power)) {
                power = power * (65537 % prime) % prime;
            }
            return powers;
        }
    }
}
