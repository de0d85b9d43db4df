// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.x509;

import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.security.SignatureAlgorithm;
import io.muster.TestRegistry;
import io.muster.jose.JwtJson;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v1CertificateBuilder;
import org.bouncycastle.cert.X509v2CRLBuilder;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** Authorities and certificates for tests; good by default, and valid around {@link TestRegistry#NOW}. */
final class Pki {

    static final Instant NOW = TestRegistry.NOW;

    private static final AtomicLong NUMBERS = new AtomicLong(1000);

    private Pki() {}

    static KeyPair ec(String curve) {
        return keys("EC", generator -> generator.initialize(new java.security.spec.ECGenParameterSpec(curve)));
    }

    static KeyPair ec() {
        return ec("secp256r1");
    }

    static KeyPair rsa(int bits) {
        return keys("RSA", generator -> generator.initialize(bits));
    }

    static KeyPair eddsa(String curve) {
        return keys(curve, generator -> {});
    }

    interface Initialization {
        void of(KeyPairGenerator generator) throws GeneralSecurityException;
    }

    static KeyPair keys(String algorithm, Initialization initialization) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
            initialization.of(generator);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A certificate with its key. */
    record Holder(X509Certificate certificate, KeyPair keys) {

        PrivateKey key() {
            return keys.getPrivate();
        }

        /** Writes the certificate as PEM. */
        Path pem(Path file) {
            return Pki.pem(file, List.of(certificate));
        }
    }

    static Path pem(Path file, List<X509Certificate> certificates) {
        StringBuilder text = new StringBuilder();
        try {
            for (X509Certificate certificate : certificates) {
                text.append(pem("CERTIFICATE", certificate.getEncoded()));
            }
            return Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    static String pem(String what, byte[] der) {
        return "-----BEGIN " + what + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der) + "\n-----END " + what + "-----\n";
    }

    /** The wanted properties of a certificate. */
    static final class Request {

        private X500Name subject;
        private Holder issuer;
        private X500Name issuerName;
        private KeyPair keys;
        private PublicKey publicKey;
        private PrivateKey signingKey;
        private String algorithm;
        private Instant notBefore = NOW.minus(Duration.ofDays(1));
        private Instant notAfter = NOW.plus(Duration.ofDays(1));
        private final List<Extension> extensions = new ArrayList<>();

        private Request(String subject) {
            this.subject = new X500Name(subject);
        }

        Request by(Holder by) {
            issuer = by;
            return this;
        }

        Request subject(X500Name name) {
            subject = name;
            return this;
        }

        Request issuerName(String name) {
            issuerName = new X500Name(name);
            return this;
        }

        Request keys(KeyPair own) {
            keys = own;
            return this;
        }

        Request publicKey(PublicKey other) {
            publicKey = other;
            return this;
        }

        Request signedWith(PrivateKey other) {
            signingKey = other;
            return this;
        }

        Request algorithm(String name) {
            algorithm = name;
            return this;
        }

        Request valid(Instant from, Instant to) {
            notBefore = from;
            notAfter = to;
            return this;
        }

        Request with(ASN1ObjectIdentifier oid, boolean critical, byte[] value) {
            without(oid);
            extensions.add(new Extension(oid, critical, value));
            return this;
        }

        Request with(ASN1ObjectIdentifier oid, boolean critical, ASN1Encodable value) {
            try {
                return with(oid, critical, value.toASN1Primitive().getEncoded("DER"));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        Request without(ASN1ObjectIdentifier oid) {
            extensions.removeIf(extension -> extension.getExtnId().equals(oid));
            return this;
        }

        Request usage(int bits) {
            return with(Extension.keyUsage, true, new KeyUsage(bits));
        }

        Request purposes(KeyPurposeId... purposes) {
            return with(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(purposes));
        }

        Request alternative(GeneralName... names) {
            return with(Extension.subjectAlternativeName, false, new GeneralNames(names));
        }

        Request authority(int pathLength) {
            return with(Extension.basicConstraints, true, new BasicConstraints(pathLength));
        }

        Holder issue() {
            if (keys == null) {
                keys = ec();
            }
            X500Name by = issuerName != null ? issuerName : issuer == null ? subject : name(issuer.certificate());
            try {
                X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                        by,
                        BigInteger.valueOf(NUMBERS.incrementAndGet()),
                        Date.from(notBefore),
                        Date.from(notAfter),
                        subject,
                        info());
                for (Extension extension : extensions) {
                    builder.addExtension(extension);
                }
                return new Holder(read(builder.build(signer()).getEncoded()), keys);
            } catch (IOException | OperatorCreationException | GeneralSecurityException e) {
                throw new IllegalStateException(e);
            }
        }

        Holder issueVersion1() {
            keys = ec();
            try {
                return new Holder(
                        read(new X509v1CertificateBuilder(
                                        name(issuer.certificate()),
                                        BigInteger.valueOf(NUMBERS.incrementAndGet()),
                                        Date.from(notBefore),
                                        Date.from(notAfter),
                                        subject,
                                        info())
                                .build(signer())
                                .getEncoded()),
                        keys);
            } catch (IOException | OperatorCreationException | GeneralSecurityException e) {
                throw new IllegalStateException(e);
            }
        }

        private SubjectPublicKeyInfo info() {
            return SubjectPublicKeyInfo.getInstance((publicKey == null ? keys.getPublic() : publicKey).getEncoded());
        }

        private org.bouncycastle.operator.ContentSigner signer() throws OperatorCreationException {
            PrivateKey key = signingKey != null ? signingKey : issuer == null ? keys.getPrivate() : issuer.key();
            JcaContentSignerBuilder signer =
                    new JcaContentSignerBuilder(algorithm == null ? algorithmFor(key) : algorithm);
            return algorithm != null && algorithm.endsWith("MGF1")
                    ? signer.setProvider(new BouncyCastleProvider()).build(key)
                    : signer.build(key);
        }
    }

    private static String algorithmFor(PrivateKey key) {
        return switch (key.getAlgorithm()) {
            case "EC" -> "SHA256withECDSA";
            case "RSA" -> "SHA256withRSA";
            default -> "Ed25519";
        };
    }

    static X500Name name(X509Certificate certificate) {
        return X500Name.getInstance(certificate.getSubjectX500Principal().getEncoded());
    }

    static X509Certificate read(byte[] der) throws GeneralSecurityException {
        return (X509Certificate)
                CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
    }

    /** An authority that signs itself, unless somebody else is named. */
    static Request authority(String subject) {
        return new Request(subject).authority(3).usage(KeyUsage.keyCertSign | KeyUsage.cRLSign);
    }

    /** A device's certificate by an authority. */
    static Request device(String subject, Holder by) {
        return new Request(subject).by(by).usage(KeyUsage.digitalSignature).purposes(KeyPurposeId.id_kp_clientAuth);
    }

    /** A revocation list, valid for a day. */
    static byte[] crl(Holder by, X509Certificate... revoked) {
        return crl(by, NOW.minus(Duration.ofHours(1)), NOW.plus(Duration.ofDays(1)), UnaryOperator.identity(), revoked);
    }

    static byte[] crl(
            Holder by, Instant from, Instant next, UnaryOperator<X509v2CRLBuilder> more, X509Certificate... revoked) {
        X509v2CRLBuilder builder = new X509v2CRLBuilder(name(by.certificate()), Date.from(from));
        if (next != null) {
            builder.setNextUpdate(Date.from(next));
        }
        for (X509Certificate certificate : revoked) {
            builder.addCRLEntry(certificate.getSerialNumber(), Date.from(from), CRLReason.keyCompromise);
        }
        try {
            return more.apply(builder)
                    .build(new JcaContentSignerBuilder(algorithmFor(by.key())).build(by.key()))
                    .getEncoded();
        } catch (IOException | OperatorCreationException e) {
            throw new IllegalStateException(e);
        }
    }

    static SignatureAlgorithm proofAlgorithm(KeyPair keys) {
        return Keys.proofAlgorithms(keys.getPublic()).get(0);
    }

    /** A proof as a device makes it. */
    static String proof(Holder device, String serial, String audience, String nonce) {
        return proof(
                device.key(), proofAlgorithm(device.keys()), Map.of("serial", serial, "aud", audience, "nonce", nonce));
    }

    static String proof(PrivateKey key, SignatureAlgorithm algorithm, Map<String, ?> claims) {
        return proof(key, algorithm, PossessionProof.TYPE, claims);
    }

    static String proof(PrivateKey key, SignatureAlgorithm algorithm, String type, Map<String, ?> claims) {
        return Jwts.builder()
                .json(new JwtJson())
                .header()
                .type(type)
                .and()
                .claims(claims)
                .signWith(key, algorithm)
                .compact();
    }

    /** The evidence that a device sends. */
    static Map<String, Object> evidence(String proof, X509Certificate... chain) {
        return Map.of(
                "x509", Map.of("chain", Arrays.stream(chain).map(Pki::base64).toList(), "proof", proof));
    }

    static String base64(X509Certificate certificate) {
        try {
            return Base64.getEncoder().encodeToString(certificate.getEncoded());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
