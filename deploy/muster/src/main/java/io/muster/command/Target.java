// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A registry, and what is needed to talk to it.
 *
 * @param base its address without a slash at the end
 * @param fleet the fleet that counts if none is named
 * @param profile the profile that the token is from; empty if it is from the environment
 */
record Target(
        URI base, String token, Optional<Path> caFile, boolean plainHttp, String fleet, Optional<String> profile) {

    private static final String CA_FILE = "caFile";
    private static final String PLAIN_HTTP = "allowPlainHttp";

    /**
     * Finds out the registry. {@code MUSTER_URL} and {@code MUSTER_TOKEN} come before what is in the profile. A token
     * from a profile is sent to no other address.
     *
     * @param named the profile that an option names, or null
     */
    static Target of(Shell shell, String named) throws Failure {
        Profiles profiles = Profiles.of(shell);
        String name = Optional.ofNullable(named)
                .or(() -> shell.variable("MUSTER_PROFILE"))
                .orElse(profiles.current());
        Optional<Map<String, Object>> found = profiles.find(name);
        Optional<String> token = shell.variable("MUSTER_TOKEN");
        Optional<String> address = shell.variable("MUSTER_URL");
        if (found.isEmpty() && (token.isEmpty() || address.isEmpty() || named != null)) {
            throw new Failure(
                    Exit.NOT_PERMITTED,
                    "There is no profile " + name + ". Sign in with: muster login https://registry.example");
        }
        if (address.isPresent() && token.isEmpty()) {
            throw new Failure(
                    Exit.USAGE, "MUSTER_URL needs MUSTER_TOKEN: the token of a profile is sent nowhere else.");
        }
        Map<String, Object> profile = found.orElse(Map.of());
        boolean elsewhere = address.isPresent();
        return new Target(
                address(
                        address.orElseGet(() -> Json.text(profile, "url")),
                        !elsewhere && Boolean.TRUE.equals(profile.get(PLAIN_HTTP))),
                token.orElseGet(() -> Json.text(profile, "token")),
                Optional.of(Json.text(profile, CA_FILE))
                        .filter(file -> !file.isEmpty())
                        .map(Path::of),
                Boolean.TRUE.equals(profile.get(PLAIN_HTTP)),
                shell.variable("MUSTER_FLEET")
                        .or(() -> Optional.of(Json.text(profile, "fleet")).filter(fleet -> !fleet.isEmpty()))
                        .orElse("default"),
                token.isPresent() ? Optional.empty() : Optional.of(name));
    }

    /** Checks the address of a registry. */
    static URI address(String text, boolean plainHttp) throws Failure {
        try {
            URI address = new URI(text.replaceAll("/+$", ""));
            if (address.getHost() == null
                    || !String.valueOf(address.getScheme()).matches("https?")
                    || address.getRawUserInfo() != null
                    || address.getRawQuery() != null
                    || address.getRawFragment() != null) {
                throw new Failure(Exit.USAGE, "The address is https://host[:port][/path]");
            }
            if ("http".equals(address.getScheme()) && !plainHttp && !isLoopback(address.getHost())) {
                throw new Failure(
                        Exit.USAGE,
                        "The address must begin with https, because everybody on the way could read the token."
                                + " --allow-plain-http permits it.");
            }
            return address;
        } catch (URISyntaxException e) {
            throw new Failure(Exit.USAGE, "The address is https://host[:port][/path]");
        }
    }

    private static boolean isLoopback(String host) {
        return host.equals("localhost") || host.equals("[::1]") || host.matches("127(\\.[0-9]{1,3}){3}");
    }

    /** The members of a profile. */
    Map<String, Object> stored(String newToken) {
        Map<String, Object> profile = new LinkedHashMap<>();
        profile.put("url", base.toString());
        profile.put("token", newToken);
        profile.put("fleet", fleet);
        caFile.ifPresent(file -> profile.put(CA_FILE, file.toAbsolutePath().toString()));
        if (plainHttp) {
            profile.put(PLAIN_HTTP, true);
        }
        return profile;
    }

    /** Has no token in it. */
    @Override
    public String toString() {
        return base.toString();
    }
}
