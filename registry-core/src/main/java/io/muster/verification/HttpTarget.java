package io.muster.verification;

import io.muster.config.Settings;
import io.muster.spi.Candidate;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The address that is asked. Scheme, host and port are the operator's and no candidate can change them. */
final class HttpTarget {

    /** Where a faulty address points to, so that reading can go on: a name that never resolves (RFC 6761). */
    private static final String NOWHERE = "https://muster.invalid/";

    private final HttpTemplate template;
    private final String host;
    private final String where;
    private final boolean allowPrivate;
    private final boolean encrypted;

    private HttpTarget(HttpTemplate template, URI sample, boolean allowPrivate) {
        this.template = template;
        this.host = sample.getHost();
        this.where = sample.getRawAuthority();
        this.allowPrivate = allowPrivate;
        this.encrypted = sample.getScheme().equals("https");
    }

    /**
     * Reads the address. Faults do not repeat it, because it may hold an API key.
     *
     * @param key what it is called
     * @param noPlaceholders where it must not contain placeholders, for the fault; empty if it may
     */
    static HttpTarget read(Settings settings, String key, Optional<String> noPlaceholders) {
        boolean allowHttp = settings.flag("allow-http", false);
        boolean allowPrivate = settings.flag("allow-private", false);
        String text = settings.required(key);
        if (text.isEmpty()) {
            return nowhere();
        }
        HttpTemplate template = new HttpTemplate(text, HttpTemplate::percentEncoded);
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
        if (!allowPrivate && HttpAddresses.isPrivateLiteral(sample.getHost())) {
            faults.add("is not an address of the public Internet; set allow-private = true if that is meant");
        }
        if (noPlaceholders.isPresent() && template.firstPlaceholder() < text.length()) {
            faults.add("must not contain placeholders " + noPlaceholders.get());
        }
        if (template.firstPlaceholder() < endOfAuthority(text)) {
            faults.add("has a placeholder before its path; scheme, host and port are fixed");
        }
        faults.forEach(fault -> settings.fault(key, fault));
        return faults.isEmpty() ? new HttpTarget(template, sample, allowPrivate) : nowhere();
    }

    private static HttpTarget nowhere() {
        return new HttpTarget(new HttpTemplate(NOWHERE, HttpTemplate::percentEncoded), URI.create(NOWHERE), false);
    }

    private static URI sample(HttpTemplate template, List<String> faults) {
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
            // said below
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

    URI address(Candidate candidate) {
        return URI.create(template.fill(candidate));
    }

    /** Returns the address of a target without placeholders. */
    URI address() {
        return URI.create(template.fill("", ""));
    }

    boolean asksForSerial() {
        return template.asksForSerial();
    }

    /** Returns the host, as a resolver takes it. */
    String host() {
        return host;
    }

    /** Returns host and port, for messages. */
    String where() {
        return where;
    }

    boolean allowPrivate() {
        return allowPrivate;
    }

    boolean encrypted() {
        return encrypted;
    }
}
