// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.x509;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import javax.naming.InvalidNameException;
import javax.naming.NamingException;
import javax.naming.directory.Attribute;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.security.auth.x500.X500Principal;

/** The field of a certificate that holds the serial of the device. */
enum SerialFrom {
    /** The common name in the subject. */
    SUBJECT_CN,
    /** The attribute serialNumber in the subject (X.520, IEEE 802.1AR); not the number of the certificate. */
    SUBJECT_SERIAL_NUMBER,
    /** A DNS name among the subject's alternative names. */
    SAN_DNS,
    /** A URI among the subject's alternative names. */
    SAN_URI;

    private static final int DNS = 2;
    private static final int URI = 6;
    private static final Map<String, String> WORDS = Map.of("2.5.4.5", "SERIALNUMBER");

    /** Returns every value of the field in the certificate, as it is written there. */
    List<String> values(X509Certificate certificate) throws RefusalException {
        return switch (this) {
            case SUBJECT_CN -> ofSubject(certificate, "CN");
            case SUBJECT_SERIAL_NUMBER -> ofSubject(certificate, "SERIALNUMBER");
            case SAN_DNS -> alternative(certificate, DNS);
            case SAN_URI -> alternative(certificate, URI);
        };
    }

    private static List<String> ofSubject(X509Certificate certificate, String type) throws RefusalException {
        List<String> values = new ArrayList<>();
        try {
            LdapName subject =
                    new LdapName(certificate.getSubjectX500Principal().getName(X500Principal.RFC2253, WORDS));
            for (Rdn rdn : subject.getRdns()) {
                // A relative name may have several attributes.
                Attribute attribute = rdn.toAttributes().get(type);
                for (int i = 0; attribute != null && i < attribute.size(); i++) {
                    // Bytes mean that it is no text.
                    values.add(attribute.get(i) instanceof String text ? text : "");
                }
            }
        } catch (InvalidNameException e) {
            throw new RefusalException("the subject of the certificate cannot be read");
        } catch (NamingException e) {
            throw new IllegalStateException("a name in memory is looked up nowhere", e);
        }
        return values;
    }

    private static List<String> alternative(X509Certificate certificate, int type) throws RefusalException {
        Collection<List<?>> names;
        try {
            names = certificate.getSubjectAlternativeNames();
        } catch (CertificateParsingException e) {
            throw new RefusalException("the alternative names of the certificate cannot be read");
        }
        List<String> values = new ArrayList<>();
        for (List<?> name : names == null ? List.<List<?>>of() : names) {
            if (name.get(0).equals(type)) {
                values.add((String) name.get(1));
            }
        }
        return values;
    }
}
