// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.muster.api.Problem.Fault;
import io.muster.problem.RegistryException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.core.HttpHeaders;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongPredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The versions for which a request is valid, from {@code If-Match} and {@code If-None-Match} (RFC 9110 section 13). The
 * entity tag of a version is its number, and always strong. Version 0 stands for a document that does not exist. A tag
 * from elsewhere matches nothing.
 */
public final class Precondition implements LongPredicate {

    /** An entity tag, and the separator before the next one. */
    private static final Pattern TAG =
            Pattern.compile("[ \\t,]*(?<weak>W/)?\"(?<opaque>[!#-~\\x80-\\xff]*)\"[ \\t]*(,[ \\t,]*|$)");

    private final Optional<Tags> match;
    private final Optional<Tags> noneMatch;

    /** The tags of a header: any tag, or these. */
    private record Tags(boolean any, Set<String> strong, Set<String> weak) {

        boolean strongly(long version) {
            return version > 0 && (any || strong.contains(Long.toString(version)));
        }

        boolean weakly(long version) {
            return strongly(version) || (version > 0 && weak.contains(Long.toString(version)));
        }
    }

    private Precondition(Optional<Tags> match, Optional<Tags> noneMatch) {
        this.match = match;
        this.noneMatch = noneMatch;
    }

    /**
     * Reads the headers.
     *
     * @throws RegistryException {@code INVALID_REQUEST} if one is neither {@code *} nor a list of entity tags
     */
    public static Precondition of(HttpServletRequest request) {
        List<Fault> faults = new ArrayList<>();
        Precondition precondition = new Precondition(
                tags(request, HttpHeaders.IF_MATCH, faults), tags(request, HttpHeaders.IF_NONE_MATCH, faults));
        if (!faults.isEmpty()) {
            throw RegistryException.invalid(faults);
        }
        return precondition;
    }

    private static Optional<Tags> tags(HttpServletRequest request, String header, List<Fault> faults) {
        List<String> lines = Collections.list(request.getHeaders(header));
        if (lines.isEmpty()) {
            return Optional.empty();
        }
        String list = String.join(",", lines).strip();
        Tags tags = new Tags(list.equals("*"), new HashSet<>(), new HashSet<>());
        Matcher tag = TAG.matcher(list);
        int end = 0;
        while (!tags.any
                && end < list.length()
                && tag.region(end, list.length()).lookingAt()) {
            (tag.group("weak") == null ? tags.strong : tags.weak).add(tag.group("opaque"));
            end = tag.end();
        }
        if (!tags.any && (list.isEmpty() || end < list.length())) {
            faults.add(new Fault("#", header + " must be * or a list of entity tags such as \"3\""));
        }
        return Optional.of(tags);
    }

    /** Tells whether there is neither of the headers. */
    public boolean isEmpty() {
        return match.isEmpty() && noneMatch.isEmpty();
    }

    /** Tells whether {@code If-Match} is absent or matches the present version. */
    public boolean matches(long version) {
        return match.map(tags -> tags.strongly(version)).orElse(true);
    }

    /** Tells whether {@code If-None-Match} is absent or does not match the present version. */
    public boolean noneMatches(long version) {
        return noneMatch.map(tags -> !tags.weakly(version)).orElse(true);
    }

    /** Tells whether the present version may be replaced. */
    @Override
    public boolean test(long version) {
        return matches(version) && noneMatches(version);
    }
}
