// SPDX-License-Identifier: Apache-2.0
package io.muster.http;

import io.muster.config.Settings;
import io.muster.spi.Candidate;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The address to ask. Scheme, host and port are the operator's, and no candidate can change them. */
public final class Target {

    /** Replaces a faulty address, so that reading can go on: a name that never resolves (RFC 6761). */
    private static final String NOWHERE = "https://muster.invalid/";

    private final Template template;
    private final boolean allowPrivate;
    private final boolean encrypted;

    private Target(Template template, URI sample, boolean allowPrivate) {
        this.template = template;
        this.allowPrivate = allowPrivate;
        this.encrypted = sample.getScheme().equals("https");
    }

    /**
     * Reads the address. Faults do not repeat it, because it may contain an API key.
     *
     * @param key the name of its setting
     * @param noPlaceholders where it must not contain placeholders, for the fault; empty if it may
     */
    public static Target read(Settings settings, String key, Optional<String> noPlaceholders) {
        boolean allowHttp = settings.flag("allow-http", false);
        boolean allowPrivate = settings.flag("allow-private", false);
        String text = settings.required(key);
        if (text.isEmpty()) {
            return nowhere();
        }
        Template template = new Template(text, Template::percentEncoded);
        List<String> faults = new ArrayList<>();
        URI sample = sample(template, faults);
        if (sample == null) {
            faults.forEach(fault -> settings.fault(key, fault));
            return nowhere();
        }
        if (!sample.getScheme().equals("https") && !allowHttp) {
            faults.add("must be https; set allow-http = true if the network is trusted");
        }
        if (sample.getRawUserInfo() != null) {
            faults.add("must not contain user information; use authorization-file");
        }
        if (sample.getRawFragment() != null) {
            faults.add("must not contain a fragment");
        }
        if (!allowPrivate && Addresses.isPrivateLiteral(sample.getHost())) {
            faults.add("is not an address of the public Internet; set allow-private = true if that is meant");
        }
        if (noPlaceholders.isPresent() && template.firstPlaceholder() < text.length()) {
            faults.add("must not contain placeholders " + noPlaceholders.get());
        }
        if (template.firstPlaceholder() < endOfAuthority(text)) {
            faults.add("has a placeholder before its path; scheme, host and port are fixed");
        }
        faults.forEach(fault -> settings.fault(key, fault));
        return faults.isEmpty() ? new Target(template, sample, allowPrivate) : nowhere();
    }

    private static Target nowhere() {
        return new Target(new Template(NOWHERE, Template::percentEncoded), URI.create(NOWHERE), false);
    }

    private static URI sample(Template template, List<String> faults) {
        String filled = template.fill("x", "x");
        if (filled.indexOf('{') >= 0 || filled.indexOf('}') >= 0) {
            faults.add("has a brace that belongs to neither {serial} nor {fleet}");
            return null;
        }
        try {
            URI uri = new URI(filled);
            boolean web = "https".equals(uri.getScheme()) || "http".equals(uri.getScheme());
            if (web && uri.getHost() != null && uri.getPort() <= 65535 && uri.getPort() != 0) {
                return uri;
            }
        } catch (URISyntaxException e) {
            // reported below
        }
        faults.add("is not an absolute https address");
        return null;
    }

    private static int endOfAuthority(String text) {
        int start = text.indexOf("://") + 3;
        for (int i = start; i < text.length(); i++) {
            if (text.charAt(i) == '/' || text.charAt(i) == '?') {
                return i;
            }
        }
        return text.length();
    }

    /** Returns the address for a candidate. */
    public URI address(Candidate candidate) {
        return URI.create(template.fill(candidate));
    }

    /** Returns the address of a target without placeholders. */
    public URI address() {
        return URI.create(template.fill("", ""));
    }

    /** Tells whether the address names the serial. */
    public boolean asksForSerial() {
        return template.asksForSerial();
    }

    /** Tells whether it may be an address that is not of the public Internet. */
    boolean allowPrivate() {
        return allowPrivate;
    }

    boolean encrypted() {
        return encrypted;
    }
}
