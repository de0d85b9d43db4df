// SPDX-License-Identifier: Apache-2.0
package io.muster.web.device;

import io.muster.config.MusterConfig;
import io.muster.jose.PublicJwk;
import io.muster.json.Json;
import io.muster.record.SealKeys;
import io.muster.token.SigningKeys;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.EntityTag;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The information for those who check tokens: the keys (RFC 7517) and the metadata (RFC 8414). Public and cacheable.
 */
@Path("/.well-known")
@ApplicationScoped
public class DiscoveryResource {

    private static final List<String> CLIENT_AUTHENTICATION =
            List.of("client_secret_basic", "client_secret_post", "private_key_jwt");
    private static final List<String> INTROSPECTION_AUTHENTICATION =
            List.of("Bearer", "client_secret_basic", "client_secret_post");
    // Signing keys are published so far ahead that this is safe.
    private static final String CACHEABLE = "public, max-age=" + MusterConfig.SigningKeys.MAX_AGE.toSeconds();

    @Inject
    MusterConfig config;

    @Inject
    SigningKeys signingKeys;

    @Inject
    SealKeys sealKeys;

    /** Returns the keys, public halves only. */
    @GET
    @Path("/jwks.json")
    public Response keys(@Context HttpServletRequest request) {
        return cacheable(request, signingKeys.publicKeys(), "application/jwk-set+json");
    }

    /** Returns every key that ever signed seals of the record, public halves only. None of them signs tokens. */
    @GET
    @Path("/seal-keys.json")
    public Response sealKeys(@Context HttpServletRequest request) {
        Map<String, Object> keys = Map.of(
                "keys", sealKeys.list().stream().map(SealKeys.Published::jwk).toList());
        return cacheable(request, keys, "application/jwk-set+json");
    }

    /** Returns the metadata of the authorization server. */
    @GET
    @Path("/oauth-authorization-server")
    public Response metadata(@Context HttpServletRequest request) {
        return cacheable(request, metadata(), MediaType.APPLICATION_JSON);
    }

    /**
     * Returns the same for libraries that look only at the address of OpenID Connect Discovery, with the two members
     * that they demand. There is no user to log in, so there is no ID token and no algorithm that signs one.
     */
    @GET
    @Path("/openid-configuration")
    public Response openIdMetadata(@Context HttpServletRequest request) {
        Map<String, Object> metadata = metadata();
        metadata.put("subject_types_supported", List.of("public"));
        metadata.put("id_token_signing_alg_values_supported", List.of());
        return cacheable(request, metadata, MediaType.APPLICATION_JSON);
    }

    private Map<String, Object> metadata() {
        Map<String, Object> metadata = new LinkedHashMap<>();
        metadata.put("issuer", config.issuer().toString());
        metadata.put("token_endpoint", config.address("/token"));
        metadata.put("jwks_uri", config.address("/.well-known/jwks.json"));
        metadata.put("introspection_endpoint", config.address("/introspect"));
        metadata.put("grant_types_supported", List.of("client_credentials"));
        metadata.put("response_types_supported", List.of());
        metadata.put("token_endpoint_auth_methods_supported", CLIENT_AUTHENTICATION);
        metadata.put("token_endpoint_auth_signing_alg_values_supported", PublicJwk.ALGORITHMS);
        metadata.put("revocation_endpoint", config.address("/revoke"));
        metadata.put("revocation_endpoint_auth_methods_supported", CLIENT_AUTHENTICATION);
        metadata.put("revocation_endpoint_auth_signing_alg_values_supported", PublicJwk.ALGORITHMS);
        // An operator's token: under the name of its type, or as the secret of a client (RFC 8414 section 2 permits
        // both).
        metadata.put("introspection_endpoint_auth_methods_supported", INTROSPECTION_AUTHENTICATION);
        metadata.put("dpop_signing_alg_values_supported", PublicJwk.ALGORITHMS);
        return metadata;
    }

    /** Compares the tags as text. Jersey's own evaluation answers 500 to an invalid tag, and 412 to If-Match. */
    private static Response cacheable(HttpServletRequest request, Object value, String type) {
        byte[] body = Json.bytes(value);
        EntityTag tag = new EntityTag(Integer.toHexString(Arrays.hashCode(body)));
        String known = request.getHeader(HttpHeaders.IF_NONE_MATCH);
        boolean unchanged = known != null && known.contains('"' + tag.getValue() + '"');
        Response.ResponseBuilder response = unchanged ? Response.notModified() : Response.ok(body, type);
        return response.tag(tag).header(HttpHeaders.CACHE_CONTROL, CACHEABLE).build();
    }
}
