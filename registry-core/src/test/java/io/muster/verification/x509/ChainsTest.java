// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.x509;

import static io.muster.verification.x509.VerifierUnderTest.SERIAL;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jsonwebtoken.Jwts;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.security.spec.RSAKeyGenParameterSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERBMPString;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralSubtree;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.NameConstraints;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Many chains, each with a good proof by the key it presents. Exactly the good ones pass, and each of the others fails
 * for its own fault.
 */
class ChainsTest {

    private static final String CN = "CN=" + SERIAL;
    private static final Pki.Holder ROOT =
            Pki.authority("CN=Factory Root,O=Acme").issue();
    private static final Pki.Holder LINE =
            Pki.authority("CN=Line 7,O=Acme").authority(0).by(ROOT).issue();
    private static final Pki.Holder SITE =
            Pki.authority("CN=Site,O=Acme").authority(1).by(ROOT).issue();
    private static final Pki.Holder HALL =
            Pki.authority("CN=Hall,O=Acme").authority(0).by(SITE).issue();
    private static final Pki.Holder STRANGER =
            Pki.authority("CN=Factory Root,O=Acme").issue();
    private static final Pki.Holder DEVICE = Pki.device(CN, LINE).issue();

    @TempDir
    static Path directory;

    private static VerifierUnderTest verifier(Pki.Holder anchor, String... settings) {
        return new VerifierUnderTest(
                anchor.pem(directory.resolve("ca" + anchor.certificate().getSerialNumber() + ".pem")), settings);
    }

    private static Verdict ask(Pki.Holder device, X509Certificate... chain) {
        return verifier(ROOT).ask(device, chain);
    }

    private static Verdict ask(Pki.Request request) {
        Pki.Holder device = request.issue();
        return ask(device, device.certificate(), LINE.certificate());
    }

    private static Verdict below(Pki.Request authority) {
        Pki.Holder between = authority.by(ROOT).issue();
        Pki.Holder device = Pki.device(CN, between).issue();
        return ask(device, device.certificate(), between.certificate());
    }

    private static Pki.Request device() {
        return Pki.device(CN, LINE);
    }

    private static Verdict with(Pki.Request request, String... settings) {
        Pki.Holder device = request.issue();
        return verifier(ROOT, settings).ask(device, device.certificate(), LINE.certificate());
    }

    private static Verdict withLists(Pki.Holder device, X509Certificate[] chain, byte[]... lists) throws IOException {
        List<String> files = new ArrayList<>();
        for (byte[] list : lists) {
            files.add(Files.write(Files.createTempFile(directory, "list", ".crl"), list)
                    .toString());
        }
        return verifier(ROOT, "crl-file", String.join(",", files)).ask(device, chain);
    }

    private static final X509Certificate[] CHAIN = {DEVICE.certificate(), LINE.certificate()};

    private static X500Name name(Object... typesAndValues) {
        X500NameBuilder builder = new X500NameBuilder(BCStyle.INSTANCE);
        for (int i = 0; i < typesAndValues.length; i += 2) {
            if (typesAndValues[i + 1] instanceof String text) {
                builder.addRDN((ASN1ObjectIdentifier) typesAndValues[i], new DERUTF8String(text));
            } else {
                builder.addRDN((ASN1ObjectIdentifier) typesAndValues[i], (org.bouncycastle.asn1.ASN1Encodable)
                        typesAndValues[i + 1]);
            }
        }
        return builder.build();
    }

    private static GeneralName dns(String text) {
        return new GeneralName(GeneralName.dNSName, text);
    }

    private static GeneralName uri(String text) {
        return new GeneralName(GeneralName.uniformResourceIdentifier, text);
    }

    private static NameConstraints permitted(String organisation) {
        return new NameConstraints(
                new GeneralSubtree[] {new GeneralSubtree(new GeneralName(new X500Name("O=" + organisation)))}, null);
    }

    private static Map<String, Callable<Verdict>> good() {
        Map<String, Callable<Verdict>> cases = new LinkedHashMap<>();
        cases.put("device below an intermediate", () -> ask(DEVICE, CHAIN));
        cases.put(
                "the root is sent too",
                () -> ask(DEVICE, DEVICE.certificate(), LINE.certificate(), ROOT.certificate()));
        cases.put("device directly below the root", () -> {
            Pki.Holder device = Pki.device(CN, ROOT).issue();
            return ask(device, device.certificate());
        });
        cases.put("two intermediates", () -> {
            Pki.Holder device = Pki.device(CN, HALL).issue();
            return ask(device, device.certificate(), HALL.certificate(), SITE.certificate());
        });
        cases.put("an intermediate as the anchor", () -> verifier(LINE).ask(DEVICE, DEVICE.certificate()));
        cases.put(
                "no key usage and no extended key usage",
                () -> ask(device().without(Extension.keyUsage).without(Extension.extendedKeyUsage)));
        cases.put("any extended key usage", () -> ask(device().purposes(KeyPurposeId.anyExtendedKeyUsage)));
        cases.put(
                "server and client",
                () -> ask(device().purposes(KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth)));
        cases.put(
                "the demanded purpose",
                () -> with(
                        device().purposes(KeyPurposeId.id_kp_emailProtection),
                        "extended-key-usage",
                        KeyPurposeId.id_kp_emailProtection.getId()));
        cases.put("P-384", () -> ask(device().keys(Pki.ec("secp384r1"))));
        cases.put("RSA of 2048 bits", () -> ask(device().keys(Pki.rsa(2048))));
        cases.put("Ed25519", () -> ask(device().keys(Pki.eddsa("Ed25519"))));
        cases.put("an RSA authority that signs with PSS", () -> {
            Pki.Holder line =
                    Pki.authority("CN=PSS").by(ROOT).keys(Pki.rsa(2048)).issue();
            Pki.Holder device =
                    Pki.device(CN, line).algorithm("SHA256withRSAandMGF1").issue();
            return ask(device, device.certificate(), line.certificate());
        });
        cases.put("common name and alternative name agree", () -> ask(device().alternative(dns(SERIAL))));
        cases.put(
                "other names that do not matter",
                () -> with(device().alternative(dns("pump.example")), "other-names", "ignore"));
        cases.put(
                "serial from the DNS name",
                () -> with(Pki.device("O=Acme", LINE).alternative(dns(SERIAL)), "serial-from", "san-dns"));
        cases.put(
                "serial from the URI after its prefix",
                () -> with(
                        Pki.device(CN, LINE).alternative(uri("urn:dev:" + SERIAL), uri("https://acme.example/x")),
                        "serial-from",
                        "san-uri",
                        "serial-prefix",
                        "urn:dev:"));
        cases.put(
                "serial from the serial number in the subject",
                () -> with(
                        Pki.device("CN=Pump 7,SERIALNUMBER=" + SERIAL, LINE), "serial-from", "subject-serial-number"));
        cases.put(
                "no subject at all, names are critical",
                () -> with(
                        device().subject(name())
                                .with(
                                        Extension.subjectAlternativeName,
                                        true,
                                        new org.bouncycastle.asn1.x509.GeneralNames(dns(SERIAL))),
                        "serial-from",
                        "san-dns"));
        cases.put("name constraints that permit it", () -> {
            Pki.Holder line = Pki.authority("CN=L,O=Acme")
                    .by(ROOT)
                    .with(Extension.nameConstraints, true, permitted("Acme"))
                    .issue();
            Pki.Holder device = Pki.device("O=Acme,CN=" + SERIAL, line).issue();
            return ask(device, device.certificate(), line.certificate());
        });
        cases.put(
                "an unknown extension that is not critical",
                () -> ask(device().with(new ASN1ObjectIdentifier("1.3.6.1.4.1.99999.1"), false, DERNull.INSTANCE)));
        cases.put("nobody is revoked", () -> withLists(DEVICE, CHAIN, Pki.crl(LINE), Pki.crl(ROOT)));
        cases.put(
                "somebody else is revoked",
                () -> withLists(
                        DEVICE,
                        CHAIN,
                        Pki.crl(LINE, Pki.device(CN, LINE).issue().certificate()),
                        Pki.crl(ROOT)));
        cases.put(
                "lists in PEM, several in one file",
                () -> withLists(
                        DEVICE,
                        CHAIN,
                        (Pki.pem("X509 CRL", Pki.crl(LINE)) + Pki.pem("X509 CRL", Pki.crl(ROOT))).getBytes(UTF_8)));
        cases.put(
                "an old list beside the new one",
                () -> withLists(
                        DEVICE,
                        CHAIN,
                        Pki.crl(ROOT),
                        Pki.crl(LINE),
                        Pki.crl(
                                LINE,
                                Pki.NOW.minusSeconds(9000),
                                Pki.NOW.plusSeconds(9000),
                                b -> b,
                                DEVICE.certificate())));
        Duration days = Duration.ofDays(2);
        cases.put("begins a minute ahead", () -> ask(device().valid(Pki.NOW.plusSeconds(60), Pki.NOW.plus(days))));
        cases.put("ended a minute ago", () -> ask(device().valid(Pki.NOW.minus(days), Pki.NOW.minusSeconds(60))));
        cases.put(
                "intermediate that begins a minute ahead",
                () -> below(Pki.authority("CN=L").valid(Pki.NOW.plusSeconds(60), Pki.NOW.plus(days))));
        cases.put(
                "intermediate that ended a minute ago",
                () -> below(Pki.authority("CN=L").valid(Pki.NOW.minus(days), Pki.NOW.minusSeconds(60))));
        for (boolean begins : new boolean[] {true, false}) {
            cases.put("root that " + (begins ? "begins a minute ahead" : "ended a minute ago"), () -> {
                Pki.Holder root = Pki.authority("CN=Edge")
                        .valid(
                                begins ? Pki.NOW.plusSeconds(60) : Pki.NOW.minus(days),
                                begins ? Pki.NOW.plus(days) : Pki.NOW.minusSeconds(60))
                        .issue();
                Pki.Holder device = Pki.device(CN, root).issue();
                return verifier(root).ask(device, device.certificate());
            });
        }
        cases.put(
                "list that was made a minute ahead",
                () -> withLists(
                        DEVICE,
                        CHAIN,
                        Pki.crl(ROOT),
                        Pki.crl(LINE, Pki.NOW.plusSeconds(60), Pki.NOW.plusSeconds(3600), b -> b)));
        cases.put(
                "list that ended less than a minute ago",
                () -> withLists(
                        DEVICE,
                        CHAIN,
                        Pki.crl(ROOT),
                        Pki.crl(LINE, Pki.NOW.minusSeconds(3600), Pki.NOW.minusSeconds(59), b -> b)));
        return cases;
    }

    private static Map<String, Callable<Verdict>> bad() {
        Map<String, Callable<Verdict>> cases = new LinkedHashMap<>();
        cases.put("an authority of the same name with another key | invalid signature, certificate 1", () -> {
            Pki.Holder device = Pki.device(CN, STRANGER).issue();
            return ask(device, device.certificate());
        });
        cases.put("a whole chain of a stranger, root included | invalid signature, certificate 2", () -> {
            Pki.Holder device = Pki.device(CN, STRANGER).issue();
            return ask(device, device.certificate(), STRANGER.certificate());
        });
        cases.put("an authority of another name | does not lead to a configured CA", () -> {
            Pki.Holder other = Pki.authority("CN=Other").issue();
            Pki.Holder device = Pki.device(CN, other).issue();
            return ask(device, device.certificate(), other.certificate());
        });
        cases.put(
                "expired | expired, certificate 1",
                () -> ask(device().valid(Pki.NOW.minus(Duration.ofDays(2)), Pki.NOW.minusSeconds(61))));
        cases.put(
                "not valid yet | not yet valid, certificate 1",
                () -> ask(device().valid(Pki.NOW.plusSeconds(61), Pki.NOW.plus(Duration.ofDays(2)))));
        cases.put(
                "expired intermediate | expired, certificate 2",
                () -> below(Pki.authority("CN=L").valid(Pki.NOW.minus(Duration.ofDays(2)), Pki.NOW.minusSeconds(61))));
        cases.put(
                "intermediate that is not valid yet | not yet valid, certificate 2",
                () -> below(Pki.authority("CN=L").valid(Pki.NOW.plusSeconds(61), Pki.NOW.plus(Duration.ofDays(2)))));
        cases.put("root that is not valid yet | the CA's own certificate is not valid now", () -> {
            Pki.Holder root = Pki.authority("CN=New")
                    .valid(Pki.NOW.plusSeconds(61), Pki.NOW.plus(Duration.ofDays(2)))
                    .issue();
            Pki.Holder device = Pki.device(CN, root).issue();
            return verifier(root).ask(device, device.certificate());
        });
        cases.put(
                "begins when its authority has ended, both within the difference of clocks | the chain is not valid",
                () -> {
                    Pki.Holder line = Pki.authority("CN=L")
                            .by(ROOT)
                            .valid(Pki.NOW.minus(Duration.ofDays(2)), Pki.NOW.minusSeconds(30))
                            .issue();
                    Pki.Holder device = Pki.device(CN, line)
                            .valid(Pki.NOW.plusSeconds(30), Pki.NOW.plus(Duration.ofDays(2)))
                            .issue();
                    return ask(device, device.certificate(), line.certificate());
                });
        cases.put("expired root | the CA's own certificate is not valid now", () -> {
            Pki.Holder root = Pki.authority("CN=Old")
                    .valid(Pki.NOW.minus(Duration.ofDays(2)), Pki.NOW.minusSeconds(61))
                    .issue();
            Pki.Holder device = Pki.device(CN, root).issue();
            return verifier(root).ask(device, device.certificate());
        });
        cases.put("expired intermediate as the anchor | the CA's own certificate is not valid now", () -> {
            Pki.Holder line = Pki.authority("CN=L")
                    .by(ROOT)
                    .valid(Pki.NOW.minus(Duration.ofDays(2)), Pki.NOW.minusSeconds(61))
                    .issue();
            Pki.Holder device = Pki.device(CN, line).issue();
            return verifier(line).ask(device, device.certificate());
        });
        cases.put(
                "wrong extended key usage | (extended key usage)",
                () -> ask(device().purposes(KeyPurposeId.id_kp_serverAuth)));
        cases.put(
                "not the demanded purpose | (extended key usage)",
                () -> with(device(), "extended-key-usage", KeyPurposeId.id_kp_emailProtection.getId()));
        cases.put(
                "any purpose where one is demanded | (extended key usage)",
                () -> with(
                        device().purposes(KeyPurposeId.anyExtendedKeyUsage),
                        "extended-key-usage",
                        KeyPurposeId.id_kp_clientAuth.getId()));
        cases.put(
                "no purpose where one is demanded | (extended key usage)",
                () -> with(
                        device().without(Extension.extendedKeyUsage),
                        "extended-key-usage",
                        KeyPurposeId.id_kp_clientAuth.getId()));
        cases.put(
                "empty extended key usage | extension that cannot be read",
                () -> ask(device().with(Extension.extendedKeyUsage, false, new DERSequence())));
        cases.put(
                "empty extended key usage, critical | extension that cannot be read",
                () -> ask(device().with(Extension.extendedKeyUsage, true, new DERSequence())));
        cases.put(
                "extended key usage that is garbage | extension that cannot be read",
                () -> ask(device().with(Extension.extendedKeyUsage, false, new byte[] {0x30, 0x05, 1})));
        cases.put(
                "key usage without digital signature | (key usage)",
                () -> ask(device().usage(KeyUsage.keyEncipherment)));
        cases.put(
                "key usage that is garbage | extension that cannot be read",
                () -> ask(device().with(Extension.keyUsage, false, new byte[] {0x02, 0x01, 0x05})));
        cases.put(
                "no key usage where one is required | (key usage)",
                () -> with(device().without(Extension.keyUsage), "key-usage", "required"));
        cases.put(
                "device as an authority | that of an authority",
                () -> ask(device().with(Extension.basicConstraints, true, new BasicConstraints(true))));
        cases.put(
                "intermediate without basic constraints | not ca cert, certificate 2",
                () -> below(Pki.authority("CN=L").without(Extension.basicConstraints)));
        cases.put(
                "intermediate that is no authority | not ca cert, certificate 2",
                () -> below(Pki.authority("CN=L").with(Extension.basicConstraints, true, new BasicConstraints(false))));
        cases.put(
                "intermediate that may not sign certificates | invalid key usage, certificate 2",
                () -> below(Pki.authority("CN=L").usage(KeyUsage.digitalSignature)));
        cases.put("a device that signs for another | invalid key usage, certificate 2", () -> {
            Pki.Holder other = Pki.device(CN, DEVICE).issue();
            return ask(other, other.certificate(), DEVICE.certificate(), LINE.certificate());
        });
        cases.put("path length of an intermediate exceeded | path too long, certificate 2", () -> {
            Pki.Holder below = Pki.authority("CN=Below").by(LINE).issue();
            Pki.Holder device = Pki.device(CN, below).issue();
            return ask(device, device.certificate(), below.certificate(), LINE.certificate());
        });
        cases.put("path length of the root exceeded | longer than the CA permits", () -> {
            Pki.Holder root = Pki.authority("CN=Short").authority(0).issue();
            Pki.Holder line = Pki.authority("CN=L").by(root).issue();
            Pki.Holder device = Pki.device(CN, line).issue();
            return verifier(root).ask(device, device.certificate(), line.certificate());
        });
        cases.put("path length of an intermediate anchor exceeded | longer than the CA permits", () -> {
            Pki.Holder below = Pki.authority("CN=Below").by(LINE).issue();
            Pki.Holder device = Pki.device(CN, below).issue();
            return verifier(LINE).ask(device, device.certificate(), below.certificate());
        });
        cases.put("longer than configured | max-path-length", () -> verifier(ROOT, "max-path-length", "0")
                .ask(DEVICE, CHAIN));
        cases.put(
                "very long | the chain has 60 certificates",
                () -> ask(
                        DEVICE,
                        IntStream.range(0, 60)
                                .mapToObj(i -> i == 0 ? DEVICE.certificate() : LINE.certificate())
                                .toArray(X509Certificate[]::new)));
        cases.put("no chain | the chain has 0 certificates", () -> ask(DEVICE));
        cases.put("name constraints of the intermediate | invalid name, certificate 1", () -> {
            Pki.Holder line = Pki.authority("CN=L,O=Acme")
                    .by(ROOT)
                    .with(Extension.nameConstraints, true, permitted("Other"))
                    .issue();
            Pki.Holder device = Pki.device("O=Acme,CN=" + SERIAL, line).issue();
            return ask(device, device.certificate(), line.certificate());
        });
        cases.put("name constraints of the root | invalid name, certificate 1", () -> {
            Pki.Holder root = Pki.authority("CN=R,O=Acme")
                    .with(Extension.nameConstraints, true, permitted("Other"))
                    .issue();
            Pki.Holder device = Pki.device("O=Acme,CN=" + SERIAL, root).issue();
            return verifier(root).ask(device, device.certificate());
        });
        cases.put(
                "name constraints that cannot be read | extension that cannot be read",
                () -> below(Pki.authority("CN=L")
                        .with(Extension.nameConstraints, false, new byte[] {0x30, 0x03, 1, 2, 3})));
        cases.put("another serial | for another serial", () -> ask(Pki.device("CN=SN-0002", LINE)));
        cases.put("serial in other letters | for another serial", () -> ask(Pki.device("CN=sn-0001", LINE)));
        cases.put("more than the serial | for another serial", () -> ask(Pki.device("CN=SN-00010", LINE)));
        cases.put(
                "serial before a null byte | for another serial",
                () -> ask(device().subject(name(BCStyle.CN, SERIAL + "\0.evil"))));
        cases.put("no common name | no value", () -> ask(Pki.device("O=Acme", LINE)));
        cases.put("two common names | more than one value", () -> ask(Pki.device("CN=SN-0002,CN=" + SERIAL, LINE)));
        cases.put("two common names, the same | more than one value", () -> ask(Pki.device(CN + "," + CN, LINE)));
        cases.put(
                "two common names in one relative name | more than one value",
                () -> ask(Pki.device("CN=SN-0002+CN=" + SERIAL, LINE)));
        cases.put(
                "serial within another attribute | no value",
                () -> ask(device().subject(name(BCStyle.O, "x," + CN, BCStyle.OU, "y+" + CN))));
        cases.put(
                "common name that is no text | for another serial",
                () -> ask(device().subject(name(BCStyle.CN, new DERSequence()))));
        cases.put(
                "serial in full-width letters | for another serial",
                () -> ask(device().subject(name(BCStyle.CN, new DERBMPString("ＳＮ-0001")))));
        cases.put("common name and DNS name differ | differ", () -> ask(device().alternative(dns("SN-0002"))));
        cases.put("common name and URI differ | differ", () -> ask(device().alternative(uri("urn:dev:SN-0002"))));
        cases.put(
                "DNS name and common name differ | differ",
                () -> with(Pki.device("CN=SN-0002", LINE).alternative(dns(SERIAL)), "serial-from", "san-dns"));
        cases.put(
                "two DNS names | more than one value",
                () -> with(device().alternative(dns(SERIAL), dns("SN-0002")), "serial-from", "san-dns"));
        cases.put(
                "serial in the DNS name where the URI counts | no value",
                () -> with(device().alternative(dns(SERIAL)), "serial-from", "san-uri"));
        cases.put(
                "two URIs with the prefix | more than one value",
                () -> with(
                        device().alternative(uri("urn:dev:" + SERIAL), uri("urn:dev:SN-0002")),
                        "serial-from",
                        "san-uri",
                        "serial-prefix",
                        "urn:dev:"));
        cases.put(
                "URI without the prefix | no value",
                () -> with(
                        device().alternative(uri("urn:x:" + SERIAL)),
                        "serial-from",
                        "san-uri",
                        "serial-prefix",
                        "urn:dev:"));
        cases.put(
                "alternative names that cannot be read | extension that cannot be read",
                () -> ask(device().with(Extension.subjectAlternativeName, false, new byte[] {0x30, 0x7f, 1})));
        cases.put(
                "unknown critical extension | unrecognized crit ext, certificate 1",
                () -> ask(device().with(new ASN1ObjectIdentifier("1.3.6.1.4.1.99999.1"), true, DERNull.INSTANCE)));
        cases.put(
                "unknown critical extension of the intermediate | unrecognized crit ext, certificate 2",
                () -> below(Pki.authority("CN=L")
                        .with(new ASN1ObjectIdentifier("1.3.6.1.4.1.99999.1"), true, DERNull.INSTANCE)));
        cases.put(
                "device is revoked | certificate 1 of the chain is revoked",
                () -> withLists(DEVICE, CHAIN, Pki.crl(LINE, DEVICE.certificate()), Pki.crl(ROOT)));
        cases.put(
                "intermediate is revoked | certificate 2 of the chain is revoked",
                () -> withLists(DEVICE, CHAIN, Pki.crl(LINE), Pki.crl(ROOT, LINE.certificate())));
        cases.put(
                "device is revoked and another list is missing | certificate 1 of the chain is revoked",
                () -> withLists(DEVICE, CHAIN, Pki.crl(LINE, DEVICE.certificate())));
        cases.put("RSA of 1024 bits | too weak or of an unknown kind", () -> {
            Pki.Holder device = device().keys(Pki.rsa(1024)).issue();
            // jjwt makes no signature with such a key.
            return ask(new Pki.Holder(device.certificate(), Pki.ec()), device.certificate(), LINE.certificate());
        });
        cases.put(
                "RSA of 1024 bits in the intermediate | too weak or of an unknown kind",
                () -> below(Pki.authority("CN=L").keys(Pki.rsa(1024))));
        cases.put(
                "RSA with a long exponent | too weak or of an unknown kind",
                () -> ask(device().keys(Pki.keys(
                        "RSA",
                        generator -> generator.initialize(new RSAKeyGenParameterSpec(
                                2048, BigInteger.ONE.shiftLeft(80).add(BigInteger.valueOf(13))))))));
        cases.put("a key that signs no proofs (X25519) | too weak or of an unknown kind", () -> {
            Pki.Holder device =
                    device().publicKey(Pki.eddsa("X25519").getPublic()).issue();
            return ask(device, device.certificate(), LINE.certificate());
        });
        cases.put(
                "signed with SHA-1 | signed with a weak or unknown algorithm",
                () -> ask(device().algorithm("SHA1withECDSA")));
        cases.put(
                "intermediate signed with SHA-1 | signed with a weak or unknown algorithm",
                () -> below(Pki.authority("CN=L").algorithm("SHA1withECDSA")));
        cases.put("signed with SHA-1 under PSS | signed with a weak or unknown algorithm", () -> {
            Pki.Holder line =
                    Pki.authority("CN=PSS").by(ROOT).keys(Pki.rsa(2048)).issue();
            Pki.Holder device =
                    Pki.device(CN, line).algorithm("SHA1withRSAandMGF1").issue();
            return ask(device, device.certificate(), line.certificate());
        });
        cases.put("self-signed | does not lead to a configured CA", () -> {
            Pki.Holder device = Pki.device(CN, null).issue();
            return ask(device, device.certificate());
        });
        cases.put("self-signed with the name of the root | invalid signature, certificate 1", () -> {
            Pki.Holder device =
                    Pki.device(CN, null).issuerName("CN=Factory Root,O=Acme").issue();
            return ask(device, device.certificate());
        });
        cases.put("the root itself as a device | that of an authority", () -> ask(ROOT, ROOT.certificate()));
        cases.put("wrong order | that of an authority", () -> ask(DEVICE, LINE.certificate(), DEVICE.certificate()));
        cases.put("intermediates in the wrong order | does not lead to a configured CA", () -> {
            Pki.Holder device = Pki.device(CN, HALL).issue();
            return ask(device, device.certificate(), SITE.certificate(), HALL.certificate());
        });
        cases.put("missing intermediate | does not lead to a configured CA", () -> ask(DEVICE, DEVICE.certificate()));
        cases.put(
                "one certificate too many in between | path too long, certificate 2",
                () -> ask(DEVICE, DEVICE.certificate(), SITE.certificate(), LINE.certificate()));
        cases.put(
                "one certificate too many at the end | name chaining, certificate 2",
                () -> ask(DEVICE, DEVICE.certificate(), LINE.certificate(), SITE.certificate()));
        cases.put(
                "a certificate twice | in the chain twice",
                () -> ask(DEVICE, DEVICE.certificate(), LINE.certificate(), LINE.certificate()));
        cases.put("version 1 | not of version 3", () -> {
            Pki.Holder device = device().issueVersion1();
            return ask(device, device.certificate(), LINE.certificate());
        });
        cases.put(
                "signed by the right name with the wrong key | invalid signature, certificate 1",
                () -> ask(device().signedWith(STRANGER.key())));
        cases.put("proof by another key | not signed with the certificate's key", () -> {
            KeyPair other = Pki.ec();
            return ask(new Pki.Holder(DEVICE.certificate(), other), CHAIN);
        });
        cases.put(
                "proof by the key of the intermediate | not signed with the certificate's key", () -> ask(LINE, CHAIN));
        cases.put("proof without nonce | no nonce", () -> {
            VerifierUnderTest verifier = verifier(ROOT);
            return verifier.prove(
                            SERIAL,
                            Pki.proof(
                                    DEVICE.key(),
                                    Jwts.SIG.ES256,
                                    Map.of("serial", SERIAL, "aud", VerifierUnderTest.ISSUER.toString())),
                            CHAIN)
                    .verdict();
        });
        return cases;
    }

    @TestFactory
    Stream<DynamicTest> goodChainsAreGenuine() {
        return good().entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(
                        entry.getKey(),
                        () -> assertThat(entry.getValue().call()).isInstanceOf(Verdict.Genuine.class)));
    }

    /**
     * The name of a case ends with the text that the reason must contain, so that none is refused for something else.
     */
    @TestFactory
    Stream<DynamicTest> badChainsAreRefused() {
        return bad().entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> {
                    Verdict verdict = entry.getValue().call();

                    assertThat(verdict).isInstanceOf(Verdict.Refused.class);
                    assertThat(((Verdict.Refused) verdict).reason())
                            .contains(entry.getKey().substring(entry.getKey().indexOf(" | ") + 3))
                            .doesNotContain("SN-0");
                }));
    }

    @Test
    void thereAreEnoughOfBoth() {
        assertThat(bad()).hasSizeGreaterThan(60);
        assertThat(good()).hasSizeGreaterThan(20);
    }

    @TestFactory
    Stream<DynamicTest> revocationThatCannotBeCheckedIsUnavailable() {
        Map<String, byte[][]> cases = new LinkedHashMap<>();
        byte[] root = Pki.crl(ROOT);
        cases.put(
                "out of date",
                new byte[][] {root, Pki.crl(LINE, Pki.NOW.minusSeconds(3600), Pki.NOW.minusSeconds(60), b -> b)});
        cases.put(
                "not valid yet",
                new byte[][] {root, Pki.crl(LINE, Pki.NOW.plusSeconds(61), Pki.NOW.plusSeconds(3600), b -> b)});
        cases.put("never out of date", new byte[][] {root, Pki.crl(LINE, Pki.NOW.minusSeconds(1), null, b -> b)});
        cases.put("of the root alone", new byte[][] {root});
        cases.put("of the intermediate alone", new byte[][] {Pki.crl(LINE)});
        cases.put("not a list", new byte[][] {root, Pki.crl(LINE), "garbage".getBytes(UTF_8)});
        cases.put("empty file", new byte[][] {root, Pki.crl(LINE), new byte[0]});
        cases.put("cut off", new byte[][] {root, Arrays.copyOf(Pki.crl(LINE), 150)});
        cases.put("by another key", new byte[][] {Pki.crl(LINE), Pki.crl(STRANGER)});
        cases.put("of a part only", new byte[][] {
            root,
            Pki.crl(LINE, Pki.NOW.minusSeconds(1), Pki.NOW.plusSeconds(3600), b -> {
                try {
                    return b.addExtension(
                            Extension.issuingDistributionPoint,
                            true,
                            new org.bouncycastle.asn1.x509.IssuingDistributionPoint(
                                    null, true, false, null, false, false));
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            })
        });
        return cases.entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(
                        entry.getKey(), () -> assertThatThrownBy(() -> withLists(DEVICE, CHAIN, entry.getValue()))
                                .isInstanceOf(VerificationUnavailableException.class)
                                .hasMessageNotContaining(SERIAL)));
    }

    @Test
    void listOfAnAuthorityThatMayNotSignListsDoesNotCount() throws IOException {
        Pki.Holder line =
                Pki.authority("CN=L").by(ROOT).usage(KeyUsage.keyCertSign).issue();
        Pki.Holder device = Pki.device(CN, line).issue();
        X509Certificate[] chain = {device.certificate(), line.certificate()};

        assertThatThrownBy(() -> withLists(device, chain, Pki.crl(line), Pki.crl(ROOT)))
                .isInstanceOf(VerificationUnavailableException.class);
    }
}
