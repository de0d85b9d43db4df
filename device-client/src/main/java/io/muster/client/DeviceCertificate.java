// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import io.muster.spi.WrittenText;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The certificate that the manufacturer put into this device, with its key. It is evidence for a fleet with the
 * verifier {@code x509}. The key signs and is never sent; it may be one that does not leave its hardware. Immutable and
 * thread-safe.
 */
public final class DeviceCertificate {

    private static final String TYPE = "muster-proof+jwt";
    private static final Pattern PKCS8 =
            Pattern.compile("-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----");
    private static final int P256 = 256;
    private static final int P384 = 384;

    /** The algorithm by which a kind of key signs: its name in the header, and the JDK's. */
    private record Algorithm(String jws, String jdk) {}

    private final PrivateKey key;
    private final List<String> chain;
    private final Algorithm algorithm;

    private DeviceCertificate(PrivateKey key, List<String> chain, Algorithm algorithm) {
        this.key = key;
        this.chain = List.copyOf(chain);
        this.algorithm = algorithm;
    }

    /**
     * Takes key and chain from wherever they are, such as a {@link java.security.KeyStore}.
     *
     * @param key the private key: EC on P-256 or P-384, RSA, Ed25519 or Ed448
     * @param chain the device's certificate first, then those up to the authority that the registry knows
     * @return evidence for {@link DeviceClient.Builder#certificate}
     * @throws IllegalArgumentException if the chain is empty, or the key is not that of its first certificate, or of
     *     another kind
     */
    public static DeviceCertificate of(PrivateKey key, List<? extends Certificate> chain) {
        if (chain.isEmpty()) {
            throw new IllegalArgumentException("the chain of the device's certificate is empty");
        }
        PublicKey certified = chain.get(0).getPublicKey();
        List<String> encoded = new ArrayList<>();
        try {
            for (Certificate certificate : chain) {
                encoded.add(Base64.getEncoder().encodeToString(certificate.getEncoded()));
            }
        } catch (CertificateEncodingException e) {
            throw new IllegalArgumentException("a certificate of the device cannot be encoded", e);
        }
        DeviceCertificate certificate = new DeviceCertificate(key, encoded, algorithm(certified));
        if (!certificate.isFor(certified)) {
            throw new IllegalArgumentException("the key is not that of the device's certificate");
        }
        return certificate;
    }

    /**
     * Reads files in PEM form, now.
     *
     * @param chain the device's certificate first
     * @param key the private key in PKCS #8, not encrypted ({@code BEGIN PRIVATE KEY})
     * @return evidence for {@link DeviceClient.Builder#certificate}
     * @throws IOException if a file cannot be read or holds something else; the message quotes nothing of it
     * @throws IllegalArgumentException as {@link #of}
     */
    public static DeviceCertificate read(Path chain, Path key) throws IOException {
        List<X509Certificate> certificates = new ArrayList<>();
        try {
            for (Certificate certificate : CertificateFactory.getInstance("X.509")
                    .generateCertificates(
                            new ByteArrayInputStream(WrittenText.withoutMark(Files.readAllBytes(chain))))) {
                certificates.add((X509Certificate) certificate);
            }
        } catch (GeneralSecurityException e) {
            throw new IOException(chain + " is not a file of PEM certificates");
        }
        if (certificates.isEmpty()) {
            throw new IOException(chain + " has no certificate");
        }
        Matcher pem = PKCS8.matcher(
                new String(WrittenText.withoutMark(Files.readAllBytes(key)), StandardCharsets.ISO_8859_1));
        if (!pem.find()) {
            throw new IOException(key + " has no private key in PKCS #8 (BEGIN PRIVATE KEY);"
                    + " openssl pkcs8 -topk8 -nocrypt makes one from other forms");
        }
        try {
            byte[] der = Base64.getMimeDecoder().decode(pem.group(1));
            PrivateKey read = KeyFactory.getInstance(
                            certificates.get(0).getPublicKey().getAlgorithm())
                    .generatePrivate(new PKCS8EncodedKeySpec(der));
            return of(read, certificates);
        } catch (GeneralSecurityException e) {
            // Neither show nor chain the exception: it may quote the key.
            throw new IOException(key + " has no private key of the kind that the certificate has");
        }
    }

    private static Algorithm algorithm(PublicKey key) {
        if (key instanceof ECPublicKey ec) {
            int bits = ec.getParams().getCurve().getField().getFieldSize();
            if (bits == P256) {
                return new Algorithm("ES256", "SHA256withECDSAinP1363Format");
            }
            if (bits == P384) {
                return new Algorithm("ES384", "SHA384withECDSAinP1363Format");
            }
        }
        if (key instanceof RSAPublicKey) {
            return new Algorithm("RS256", "SHA256withRSA");
        }
        if (key instanceof EdECPublicKey) {
            return new Algorithm("EdDSA", "EdDSA");
        }
        throw new IllegalArgumentException("the key of the device's certificate is of a kind that signs no proof");
    }

    private boolean isFor(PublicKey certified) {
        byte[] text = TYPE.getBytes(StandardCharsets.US_ASCII);
        try {
            Signature signature = Signature.getInstance(algorithm.jdk());
            signature.initVerify(certified);
            signature.update(text);
            return signature.verify(sign(text));
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    private byte[] sign(byte[] text) throws GeneralSecurityException {
        Signature signature = Signature.getInstance(algorithm.jdk());
        signature.initSign(key);
        signature.update(text);
        return signature.sign();
    }

    /**
     * Makes the member {@code x509} of the evidence.
     *
     * @param fleet the fleet that the device asks for
     * @param audience the only registry that the proof is for
     * @param nonce issued by that registry, good for one registration
     */
    Map<String, Object> evidence(String serial, String fleet, String audience, String nonce) throws IOException {
        Map<String, Object> header = new LinkedHashMap<>();
        header.put("alg", algorithm.jws());
        header.put("typ", TYPE);
        Map<String, Object> claims = new LinkedHashMap<>();
        claims.put("serial", serial);
        claims.put("aud", audience);
        claims.put("fleet", fleet);
        claims.put("nonce", nonce);
        return Map.of("chain", chain, "proof", Jws.compact(header, claims, key, algorithm.jdk()));
    }

    /** Names the algorithm. */
    @Override
    public String toString() {
        return "DeviceCertificate[" + algorithm.jws() + "]";
    }
}
